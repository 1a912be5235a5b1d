#include "io/optvalue.h"

#include "core/num.h"

#include <stdio.h>

void sdw_opt_refs_add(struct sdw_opt_refs *refs, const struct sdw_option *options, void *config)
{
    for (; options && options->name; options++) {
        SDW_GROW(refs->ref, refs->cap, refs->n + 1);
        refs->ref[refs->n++] = (struct sdw_opt_ref){options, config, SDW_LAYER_NONE};
    }
}

struct sdw_opt_ref *sdw_opt_refs_find(const struct sdw_opt_refs *refs, const char *name)
{
    for (size_t i = 0; i < refs->n; i++)
        if (strcmp(refs->ref[i].option->name, name) == 0)
            return &refs->ref[i];
    return NULL;
}

static const char *arena_dup(struct sdw_arena *arena, const char *text, size_t n)
{
    char *copy = sdw_arena_alloc(arena, n + 1);
    memcpy(copy, text, n);
    copy[n] = '\0';
    return copy;
}

static bool parse_flag(const struct sdw_option *option, const char *text, void *out)
{
    static const struct {
        const char *text;
        bool value;
    } words[] = {{"true", true},   {"yes", true}, {"on", true},   {"1", true},
                 {"false", false}, {"no", false}, {"off", false}, {"0", false}};
    (void)option;
    if (!text) {
        *(bool *)out = true;
        return true;
    }
    for (size_t i = 0; i < SDW_LEN(words); i++)
        if (strcmp(text, words[i].text) == 0) {
            *(bool *)out = words[i].value;
            return true;
        }
    return false;
}

static bool is_bounded(const struct sdw_option *option)
{
    return option->min != 0 || option->max != 0;
}

static bool in_bounds(const struct sdw_option *option, double value)
{
    return !is_bounded(option) ||
           (value >= option->min && (option->max < option->min || value <= option->max));
}

static bool parse_int(const struct sdw_option *option, const char *text, void *out)
{
    int64_t value;
    if (!sdw_num_int(sdw_str_of(text), &value) || !in_bounds(option, (double)value))
        return false;
    *(int64_t *)out = value;
    return true;
}

static bool parse_real(const struct sdw_option *option, const char *text, void *out)
{
    double value;
    if (!sdw_num_real(sdw_str_of(text), &value) || !in_bounds(option, value))
        return false;
    *(double *)out = value;
    return true;
}

static bool parse_text(const struct sdw_option *option, const char *text, void *out)
{
    (void)option;
    *(const char **)out = text;
    return true;
}

static bool parse_duration(const struct sdw_option *option, const char *text, void *out)
{
    int64_t us;
    if (!sdw_parse_duration(text, &us) || !in_bounds(option, (double)us))
        return false;
    *(int64_t *)out = us;
    return true;
}

static bool parse_rate(const struct sdw_option *option, const char *text, void *out)
{
    (void)option;
    return sdw_parse_rate(text, out);
}

static bool parse_bytes(const struct sdw_option *option, const char *text, void *out)
{
    (void)option;
    return sdw_parse_bytes(text, out);
}

static bool parse_share(const struct sdw_option *option, const char *text, void *out)
{
    double share;
    if (!sdw_parse_share(text, &share) || !in_bounds(option, share))
        return false;
    *(double *)out = share;
    return true;
}

static bool parse_enum(const struct sdw_option *option, const char *text, void *out)
{
    for (int i = 0; option->values[i]; i++)
        if (strcmp(option->values[i], text) == 0) {
            *(int *)out = i;
            return true;
        }
    return false;
}

/* How a kind is parsed, and what to say was expected. */
static const struct {
    bool (*parse)(const struct sdw_option *option, const char *text, void *out);
    size_t size;
    const char *expected;
} kinds[] = {
    [SDW_OPT_FLAG] = {parse_flag, sizeof(bool), "true or false"},
    [SDW_OPT_ACT] = {parse_flag, sizeof(bool), "true or false"},
    [SDW_OPT_INT] = {parse_int, sizeof(int64_t), "an integer"},
    [SDW_OPT_REAL] = {parse_real, sizeof(double), "a number"},
    [SDW_OPT_TEXT] = {parse_text, sizeof(const char *), "a text"},
    [SDW_OPT_DURATION] = {parse_duration, sizeof(int64_t), "a duration such as 250ms, 15m or 1h"},
    [SDW_OPT_RATE] = {parse_rate, sizeof(double), "a rate such as 500k, 10M or 2.5Gbit"},
    [SDW_OPT_BYTES] = {parse_bytes, sizeof(int64_t), "a size such as 1500, 64Ki or 3M"},
    [SDW_OPT_SHARE] = {parse_share, sizeof(double), "a share such as 5% or 0.05"},
    [SDW_OPT_ENUM] = {parse_enum, sizeof(int), "one of"},
    [SDW_OPT_LIST] = {NULL, sizeof(struct sdw_list), "a comma-separated list"},
};

bool sdw_opt_least(const struct sdw_option *option, char out[32])
{
    if (!is_bounded(option) || (option->kind != SDW_OPT_DURATION && option->kind != SDW_OPT_SHARE))
        return false;
    if (option->kind == SDW_OPT_SHARE)
        snprintf(out, 32, "%.15g%%", option->min * 100);
    else if (option->min < 1e6)
        snprintf(out, 32, "%.15gms", option->min / 1e3);
    else
        snprintf(out, 32, "%.15gs", option->min / 1e6);
    return true;
}

static int refuse(const struct sdw_option *option, const char *text, const char *where,
                  struct sdw_err *err)
{
    struct sdw_buf expected = {0};
    char least[32];
    sdw_buf_text(&expected, kinds[option->kind].expected);
    for (size_t i = 0; option->values && option->values[i]; i++)
        sdw_buf_printf(&expected, "%s%s", i ? ", " : " ", option->values[i]);
    if ((option->kind == SDW_OPT_INT || option->kind == SDW_OPT_REAL) && is_bounded(option)) {
        if (option->max < option->min)
            sdw_buf_printf(&expected, " of at least %.15g", option->min);
        else
            sdw_buf_printf(&expected, " from %.15g to %.15g", option->min, option->max);
    }
    if (sdw_opt_least(option, least))
        sdw_buf_printf(&expected, " of at least %s", least);
    sdw_err_set(err, SDW_EUSAGE, "%s: '%.60s' is not valid: %s is expected", where,
                text ? text : "", expected.p);
    sdw_buf_release(&expected);
    return SDW_EUSAGE;
}

static void list_add(struct sdw_list *list, const char *item, size_t n, struct sdw_arena *arena)
{
    /* Room doubles at every power of two (the old array stays in the arena), and has one more for
     * the NULL at the end. */
    if ((list->n & (list->n - 1)) == 0) {
        size_t room = list->n ? 2 * list->n : 1;
        const char **grown = sdw_arena_alloc(arena, (room + 1) * sizeof *grown);
        if (list->n)
            memcpy(grown, list->item, list->n * sizeof *grown);
        list->item = grown;
    }
    list->item[list->n++] = arena_dup(arena, item, n);
    list->item[list->n] = NULL;
}

static bool is_allowed(const struct sdw_option *option, const char *item, size_t n)
{
    if (!option->values)
        return true;
    for (size_t i = 0; option->values[i]; i++)
        if (strlen(option->values[i]) == n && memcmp(option->values[i], item, n) == 0)
            return true;
    return false;
}

static bool parse_list(const struct sdw_option *option, const char *text, struct sdw_list *list,
                       struct sdw_arena *arena)
{
    for (const char *p = text;; p++) {
        size_t n = strcspn(p, ",");
        if (n && !is_allowed(option, p, n))
            return false;
        if (n)
            list_add(list, p, n, arena);
        p += n;
        if (!*p)
            return true;
    }
}

int sdw_opt_set(struct sdw_opt_ref *ref, enum sdw_layer layer, const char *text,
                struct sdw_arena *arena, const char *where, struct sdw_err *err)
{
    const struct sdw_option *option = ref->option;
    union {
        bool flag;
        int index;
        int64_t integer;
        double real;
        const char *text;
        struct sdw_list list;
    } value = {0};
    void *place = (char *)ref->config + option->offset;

    if (option->kind == SDW_OPT_LIST) {
        if (layer == ref->layer)
            value.list = *(struct sdw_list *)place;
        if (!parse_list(option, text, &value.list, arena))
            return refuse(option, text, where, err);
    } else if (!kinds[option->kind].parse(option, text, &value)) {
        return refuse(option, text, where, err);
    }
    if (layer >= ref->layer) {
        memcpy(place, &value, kinds[option->kind].size);
        ref->layer = layer;
    }
    return 0;
}
