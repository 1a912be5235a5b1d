#include "model/hush.h"
#include "core/mem.h"
#include "model/saved.h"

#include <stdlib.h>

struct sdw_hush {
    int64_t ts;
    bool gap, prefix; /* declared gap, not maintenance; name is the beginning of series' names */
    char *name;       /* of the series, or what it begins with; empty: all */
};

static char *name_of(const struct sdw_event *event)
{
    if (event->series.p)
        return sdw_xstrndup(event->series.p, event->series.n);
    struct sdw_buf name = {0};
    sdw_buf_text(&name, "");
    if (event->link.p || event->path_id.p) {
        sdw_buf_text(&name, event->link.p ? "link/" : "path/");
        sdw_buf_str(&name, event->link.p ? event->link : event->path_id);
        sdw_buf_char(&name, '/');
    }
    return name.p;
}

static void forget(struct sdw_hushes *hushes, size_t i)
{
    free(hushes->hush[i].name);
    hushes->hush[i] = hushes->hush[--hushes->n];
}

/* Whether it is at ts within its time. */
static bool lasts(const struct sdw_hush *hush, int64_t ts, int64_t longest_us)
{
    return ts - hush->ts <= longest_us;
}

bool sdw_hushes_event(struct sdw_hushes *hushes, const struct sdw_event *event, int64_t longest_us)
{
    bool gap = sdw_str_is(event->failure, "gap");
    if (!gap && !sdw_str_is(event->failure, "maintenance"))
        return false;
    struct sdw_hush new = {event->ts, gap, !event->series.p, name_of(event)};
    for (size_t i = hushes->n; i-- > 0;) {
        const struct sdw_hush *old = &hushes->hush[i];
        bool same = old->gap == gap && old->prefix == new.prefix &&strcmp(old->name, new.name) == 0;
        if (same || !lasts(old, event->ts, longest_us))
            forget(hushes, i);
    }
    bool over = sdw_str_is(event->kind, "recovery");
    if (over || hushes->n == SDW_HUSHES_MAX) {
        free(new.name);
        return over;
    }
    SDW_GROW(hushes->hush, hushes->cap, hushes->n + 1);
    hushes->hush[hushes->n++] = new;
    return true;
}

static bool covers(const struct sdw_hush *hush, struct sdw_str series)
{
    size_t n = strlen(hush->name);
    return series.n >= n && (hush->prefix || series.n == n) && memcmp(series.p, hush->name, n) == 0;
}

bool sdw_hushes_cover(const struct sdw_hushes *hushes, struct sdw_str series, int64_t ts,
                      int64_t longest_us)
{
    for (size_t i = 0; i < hushes->n; i++)
        if (ts >= hushes->hush[i].ts && lasts(&hushes->hush[i], ts, longest_us) &&
            covers(&hushes->hush[i], series))
            return true;
    return false;
}

void sdw_hushes_release(struct sdw_hushes *hushes)
{
    for (size_t i = 0; i < hushes->n; i++)
        free(hushes->hush[i].name);
    free(hushes->hush);
    *hushes = (struct sdw_hushes){0};
}

struct saved {
    int64_t ts;
    uint64_t gap, prefix, name_bytes;
};

void sdw_hushes_save(const struct sdw_hushes *hushes, struct sdw_buf *out)
{
    uint64_t n = hushes->n;
    sdw_buf_add(out, &n, sizeof n);
    for (size_t i = 0; i < hushes->n; i++) {
        const struct sdw_hush *hush = &hushes->hush[i];
        const struct saved saved = {hush->ts, hush->gap, hush->prefix, strlen(hush->name)};
        sdw_buf_add(out, &saved, sizeof saved);
        sdw_buf_text(out, hush->name);
    }
}

bool sdw_hushes_load(struct sdw_hushes *hushes, struct sdw_str *bytes)
{
    uint64_t n;
    if (!sdw_saved_take(bytes, &n, sizeof n) || n > SDW_HUSHES_MAX)
        return false;
    while (hushes->n < n) {
        struct saved saved;
        struct sdw_str name;
        if (!sdw_saved_take(bytes, &saved, sizeof saved) ||
            !sdw_saved_text(bytes, (size_t)saved.name_bytes, &name))
            return false;
        SDW_GROW(hushes->hush, hushes->cap, hushes->n + 1);
        hushes->hush[hushes->n++] = (struct sdw_hush){saved.ts, saved.gap != 0, saved.prefix != 0,
                                                      sdw_xstrndup(name.p, name.n)};
    }
    return true;
}
