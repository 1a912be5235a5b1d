#include "rec/horizons.h"
#include "core/num.h"
#include "io/scan.h"

#include <math.h>

static bool number_of(const struct sdw_member *member, double *number)
{
    return member->key.p && member->kind == SDW_SCAN_NUMBER &&
           sdw_num_real(member->value, number) && isfinite(*number);
}

/* One horizon: 1, 0 when it lacks a quantile, SDW_EINPUT. */
static int read_one(struct sdw_str text, struct sdw_horizon *out)
{
    const struct sdw_str keys[] = {sdw_str_of("horizon_us"), sdw_str_of("q")};
    const struct sdw_str quantiles[] = {sdw_str_of("0.025"), sdw_str_of("0.5"),
                                        sdw_str_of("0.975")};
    struct sdw_member found[2], q[3];
    if (sdw_scan_find(text, keys, 2, found, NULL) != 0 || !found[0].key.p ||
        found[0].kind != SDW_SCAN_NUMBER || !sdw_num_int(found[0].value, &out->horizon_us) ||
        out->horizon_us <= 0)
        return SDW_EINPUT;
    if (!found[1].key.p || found[1].kind != SDW_SCAN_OBJECT ||
        sdw_scan_find(found[1].value, quantiles, 3, q, NULL) != 0)
        return 0;
    return number_of(&q[0], &out->lo) && number_of(&q[1], &out->mid) &&
           number_of(&q[2], &out->hi) && out->lo <= out->mid && out->mid <= out->hi;
}

int sdw_horizon_shortest(struct sdw_str horizons, struct sdw_horizon *shortest, struct sdw_err *err)
{
    struct sdw_scan scan;
    struct sdw_member member;
    int found = 0, more = sdw_scan_begin(&scan, horizons, NULL);
    bool good = more == 0 && scan.array;
    while (good && (more = sdw_scan_next(&scan, &member, NULL)) > 0) {
        struct sdw_horizon one;
        int has = member.kind == SDW_SCAN_OBJECT ? read_one(member.value, &one) : SDW_EINPUT;
        good = has >= 0;
        if (has == 1 && (!found || one.horizon_us < shortest->horizon_us)) {
            *shortest = one;
            found = 1;
        }
    }
    if (good && more == 0)
        return found;
    return sdw_err_field(err, "horizons", "not an array of horizons");
}
