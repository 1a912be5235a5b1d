#include "store/head.h"
#include "core/mem.h"
#include "store/ints.h"

#include <stdlib.h>

enum { SERIES_MAX = 1 << 26, AHEAD = 4 };

void sdw_head_release(struct sdw_head *head)
{
    for (size_t i = 0; i < head->n; i++) {
        free(head->series[i].ts_us);
        free(head->series[i].value);
    }
    free(head->series);
    *head = (struct sdw_head){0};
}

struct sdw_head_series *sdw_head_at(struct sdw_head *head, uint32_t series)
{
    if (series == 0 || series > SERIES_MAX)
        return NULL;
    if (series > head->n) {
        SDW_GROW(head->series, head->cap, series);
        for (; head->n < series; head->n++)
            head->series[head->n] =
                (struct sdw_head_series){.newest_us = INT64_MIN, .flushed_us = INT64_MIN};
    }
    return &head->series[series - 1];
}

size_t sdw_head_find(const struct sdw_head_series *series, int64_t ts_us)
{
    return sdw_ints_first(series->ts_us, series->n, ts_us);
}

static void insert(struct sdw_head_series *s, size_t at, int64_t ts_us, double value)
{
    if (s->n == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 16;
        s->ts_us = sdw_xrealloc(s->ts_us, s->cap, sizeof *s->ts_us);
        s->value = sdw_xrealloc(s->value, s->cap, sizeof *s->value);
    }
    if (at < s->n) {
        memmove(s->ts_us + at + 1, s->ts_us + at, (s->n - at) * sizeof *s->ts_us);
        memmove(s->value + at + 1, s->value + at, (s->n - at) * sizeof *s->value);
    }
    s->ts_us[at] = ts_us;
    s->value[at] = value;
    s->n++;
}

/* Points mostly come series by series, in the same order each time: what the series after this one
 * will write to is brought near meanwhile. */
static void fetch_ahead(const struct sdw_head *head, uint32_t series)
{
    if (series + AHEAD > head->n)
        return;
    const struct sdw_head_series *later = &head->series[series - 1 + AHEAD];
    __builtin_prefetch(later->ts_us + later->n, 1);
    __builtin_prefetch(later->value + later->n, 1);
}

enum sdw_take sdw_head_take(struct sdw_head *head, uint32_t series, int64_t ts_us, double value,
                            int64_t window_us)
{
    struct sdw_head_series *s = sdw_head_at(head, series);
    if (!s)
        return SDW_LATE;
    fetch_ahead(head, series);
    size_t at = s->n;
    if (ts_us <= s->newest_us) {
        uint64_t age = (uint64_t)s->newest_us - (uint64_t)ts_us;
        if (window_us != INT64_MAX && (age > (uint64_t)window_us || ts_us <= s->flushed_us))
            return SDW_LATE;
        at = sdw_head_find(s, ts_us);
        if (at < s->n && s->ts_us[at] == ts_us) {
            s->value[at] = value;
            return SDW_REPLACED;
        }
    } else {
        s->newest_us = ts_us;
    }
    insert(s, at, ts_us, value);
    head->points++;
    return SDW_TAKEN;
}

void sdw_head_drop(struct sdw_head *head, struct sdw_head_series *series, size_t n)
{
    head->points -= n;
    series->n -= n;
    if (series->n == 0) { /* a series that went silent holds no memory */
        free(series->ts_us);
        free(series->value);
        series->ts_us = NULL;
        series->value = NULL;
        series->cap = 0;
        return;
    }
    memmove(series->ts_us, series->ts_us + n, series->n * sizeof *series->ts_us);
    memmove(series->value, series->value + n, series->n * sizeof *series->value);
}
