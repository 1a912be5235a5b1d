#include "store/retain.h"
#include "core/num.h"

static const char *const keys[SDW_LEVELS] = {"retain_0", "retain_1", "retain_2", "retain_3"};

/* Until a series counts as silent, its last step of the next level is not made. */
static int parse(const char *text, uint32_t level, int64_t *retain_us, struct sdw_err *err)
{
    static const int64_t day_us = INT64_C(86400000000), least_days[SDW_LEVELS] = {2, 2, 5, 1};
    static const char *const what[SDW_LEVELS] = {"points", "minutes", "hours", "days"};
    *retain_us = 0;
    if (strcmp(text, "forever") == 0)
        return 0;
    if (!sdw_parse_duration(text, retain_us))
        return sdw_err_set(err, SDW_EUSAGE, "--%s: %s is no duration", what[level], text);
    if (*retain_us < least_days[level] * day_us)
        return sdw_err_set(err, SDW_EUSAGE, "--%s: must be %lld days or longer", what[level],
                           (long long)least_days[level]);
    return 0;
}

int sdw_store_retained(struct sdw_store *store, const char *const *text,
                       int64_t retain_us[SDW_LEVELS], struct sdw_err *err)
{
    int code = 0;
    for (uint32_t level = 0; code == 0 && level < SDW_LEVELS; level++) {
        retain_us[level] = 0;
        code = text && text[level]
                   ? parse(text[level], level, &retain_us[level], err)
                   : sdw_catalog_get(store->catalog, keys[level], &retain_us[level], err);
    }
    return code;
}

int sdw_store_retain(struct sdw_store *store, const char *const text[SDW_LEVELS],
                     struct sdw_err *err)
{
    int64_t retain_us[SDW_LEVELS];
    int code = 0;
    for (uint32_t level = 0; code == 0 && level < SDW_LEVELS; level++)
        if (text[level])
            code = parse(text[level], level, &retain_us[level], err);
    for (uint32_t level = 0; code == 0 && level < SDW_LEVELS; level++)
        if (text[level])
            code = sdw_catalog_set(store->catalog, keys[level], retain_us[level], err);
    return code < 0 ? code : sdw_catalog_commit(store->catalog, err);
}
