#include "rec/filter.h"
#include "core/mem.h"
#include "core/num.h"
#include "io/scan.h"
#include "rec/condition.h"

#include <stdio.h>
#include <stdlib.h>

struct sdw_filter {
    struct sdw_condition *condition; /* [n] */
    size_t *root;                    /* [n]: where in key its first step stands */
    size_t n;
    struct sdw_str *key;      /* [keys]: the different first steps */
    struct sdw_member *found; /* [keys] */
    size_t keys;
    struct sdw_buf scratch;
};

static size_t key_index(struct sdw_filter *filter, struct sdw_str key)
{
    for (size_t k = 0; k < filter->keys; k++)
        if (sdw_str_same(filter->key[k], key))
            return k;
    filter->key[filter->keys] = key;
    return filter->keys++;
}

struct sdw_filter *sdw_filter_new(const char *const *conditions, size_t n, struct sdw_err *err)
{
    struct sdw_filter *filter = sdw_xalloc(sizeof *filter);
    filter->condition = sdw_xrealloc(NULL, n, sizeof *filter->condition);
    filter->root = sdw_xrealloc(NULL, n, sizeof *filter->root);
    filter->key = sdw_xrealloc(NULL, n, sizeof *filter->key);
    filter->found = sdw_xrealloc(NULL, n, sizeof *filter->found);
    while (filter->n < n) {
        struct sdw_condition *c = &filter->condition[filter->n];
        int r = sdw_condition_init(c, conditions[filter->n], err);
        filter->n++;
        if (r < 0) {
            sdw_filter_free(filter);
            return NULL;
        }
        filter->root[filter->n - 1] = key_index(filter, c->step[0]);
    }
    return filter;
}

void sdw_filter_free(struct sdw_filter *filter)
{
    if (!filter)
        return;
    for (size_t i = 0; i < filter->n; i++)
        sdw_condition_release(&filter->condition[i]);
    free(filter->condition);
    free(filter->root);
    free(filter->key);
    free(filter->found);
    sdw_buf_release(&filter->scratch);
    free(filter);
}

/* One step into an array: member becomes the element, or is absent (key.p NULL). */
static int step_into_array(struct sdw_member *member, struct sdw_str step, struct sdw_err *err)
{
    int64_t want;
    struct sdw_scan scan;
    struct sdw_str array = member->value;
    member->key.p = NULL;
    if (!sdw_num_int(step, &want))
        return 0;
    int r = sdw_scan_begin(&scan, array, err);
    struct sdw_member element;
    for (int64_t i = 0; r >= 0 && (r = sdw_scan_next(&scan, &element, err)) > 0; i++)
        if (i == want) {
            *member = element;
            member->key = step;
        }
    return r;
}

/* Follow the steps after the first; *member ends with key.p NULL where the path leads nowhere. */
static int follow(const struct sdw_condition *c, struct sdw_member *member, struct sdw_err *err)
{
    int r = 0;
    for (size_t s = 1; s < c->steps && member->key.p && r >= 0; s++) {
        if (member->kind == SDW_SCAN_OBJECT) {
            struct sdw_str object = member->value;
            r = sdw_scan_find(object, &c->step[s], 1, member, err);
        } else if (member->kind == SDW_SCAN_ARRAY) {
            r = step_into_array(member, c->step[s], err);
        } else {
            member->key.p = NULL;
        }
    }
    return r;
}

static int bad_field(const struct sdw_condition *c, struct sdw_err *err)
{
    if (err && !err->field[0])
        snprintf(err->field, sizeof err->field, "%.*s", (int)c->step[0].n, c->step[0].p);
    return SDW_EINPUT;
}

int sdw_filter_match(struct sdw_filter *filter, struct sdw_str line, struct sdw_err *err)
{
    int r = sdw_scan_find(line, filter->key, filter->keys, filter->found, err);
    if (r < 0)
        return r;
    for (size_t i = 0; i < filter->n; i++) {
        const struct sdw_condition *c = &filter->condition[i];
        struct sdw_member member = filter->found[filter->root[i]];
        if (c->steps > 1 && (r = follow(c, &member, err)) < 0)
            return r;
        r = sdw_condition_holds(c, member.key.p ? &member : NULL, &filter->scratch, err);
        if (r < 0)
            return bad_field(c, err);
        if (r == 0)
            return 0;
    }
    return 1;
}
