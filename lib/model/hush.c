#include "model/hush.h"
#include "core/mem.h"

#include <stdlib.h>

struct sdw_hush {
    int64_t ts;
    bool gap, prefix;    /* declared gap, not maintenance; name is the beginning of series' names */
    struct sdw_buf name; /* of the series, or what it begins with; empty: all */
};

static void name_of(const struct sdw_event *event, struct sdw_buf *name, bool *prefix)
{
    *prefix = !event->series.p;
    if (event->series.p) {
        sdw_buf_str(name, event->series);
    } else if (event->link.p || event->path_id.p) {
        sdw_buf_text(name, event->link.p ? "link/" : "path/");
        sdw_buf_str(name, event->link.p ? event->link : event->path_id);
        sdw_buf_char(name, '/');
    }
}

static void forget(struct sdw_hushes *hushes, size_t i)
{
    sdw_buf_release(&hushes->hush[i].name);
    hushes->hush[i] = hushes->hush[--hushes->n];
}

bool sdw_hushes_event(struct sdw_hushes *hushes, const struct sdw_event *event)
{
    bool gap = sdw_str_is(event->failure, "gap");
    if (!gap && !sdw_str_is(event->failure, "maintenance"))
        return false;
    struct sdw_hush new = {.ts = event->ts, .gap = gap};
    name_of(event, &new.name, &new.prefix);
    for (size_t i = hushes->n; i-- > 0;)
        if (hushes->hush[i].gap == gap &&
            hushes->hush[i].prefix == new.prefix &&sdw_str_same(sdw_buf_view(&hushes->hush[i].name),
                                                                sdw_buf_view(&new.name)))
            forget(hushes, i);
    bool over = sdw_str_is(event->kind, "recovery");
    bool full = hushes->n == SDW_HUSHES_MAX;
    if (over || full) {
        sdw_buf_release(&new.name);
        return over;
    }
    SDW_GROW(hushes->hush, hushes->cap, hushes->n + 1);
    hushes->hush[hushes->n++] = new;
    return true;
}

static bool covers(const struct sdw_hush *hush, struct sdw_str series)
{
    struct sdw_str name = sdw_buf_view(&hush->name);
    if (!hush->prefix)
        return sdw_str_same(name, series);
    return series.n >= name.n && (name.n == 0 || memcmp(series.p, name.p, name.n) == 0);
}

bool sdw_hushes_cover(const struct sdw_hushes *hushes, struct sdw_str series, int64_t ts,
                      int64_t longest_us)
{
    for (size_t i = 0; i < hushes->n; i++)
        if (ts >= hushes->hush[i].ts && ts - hushes->hush[i].ts <= longest_us &&
            covers(&hushes->hush[i], series))
            return true;
    return false;
}

void sdw_hushes_release(struct sdw_hushes *hushes)
{
    for (size_t i = 0; i < hushes->n; i++)
        sdw_buf_release(&hushes->hush[i].name);
    free(hushes->hush);
    *hushes = (struct sdw_hushes){0};
}
