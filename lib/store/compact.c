#include "store/compact.h"
#include "core/clock.h"
#include "core/mem.h"
#include "rec/end.h"
#include "store/read.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { WORTH_WHILE = 8 }; /* segments of points that are not in their final form */

static const int64_t day_us = INT64_C(86400000000);

/* --- segments that come and go ------------------------------------------------------------- */

/* What one compaction changes. */
struct change {
    struct sdw_catalog_segment *add;
    uint32_t *remove;
    size_t n_add, cap_add, n_remove, cap_remove;
};

static void remove_segment(struct change *change, uint32_t id)
{
    SDW_GROW(change->remove, change->cap_remove, change->n_remove + 1);
    change->remove[change->n_remove++] = id;
}

static void unlink_segment(const struct sdw_store *store, uint32_t id)
{
    char name[SDW_SEGMENT_NAME];
    unlinkat(store->dir, sdw_segment_name(id, name), 0);
}

/* Make the change count, then remove the files that no longer do; or the new ones when it failed.
 */
static int carry_out(struct sdw_store *store, struct change *change, int code, struct sdw_err *err)
{
    struct sdw_catalog_change all = {.add = change->add,
                                     .n_add = change->n_add,
                                     .remove = change->remove,
                                     .n_remove = change->n_remove,
                                     .first_log = store->manifest.first_log};
    bool any = change->n_add || change->n_remove;
    if (code == 0 && any)
        code = sdw_catalog_change(store->catalog, &all, err);
    for (size_t i = 0; code == 0 && i < change->n_remove; i++)
        unlink_segment(store, change->remove[i]);
    for (size_t i = 0; code < 0 && i < change->n_add; i++)
        unlink_segment(store, change->add[i].id);
    if (code == 0 && any)
        code = sdw_store_reload(store, err);
    free(change->add);
    free(change->remove);
    return code;
}

/* --- dropping ------------------------------------------------------------------------------ */

static int drop_old(struct sdw_store *store, struct sdw_compacted *done, struct sdw_err *err)
{
    int64_t retain_us[SDW_LEVELS];
    struct change change = {0};
    int code = sdw_store_retained(store, retain_us, err);
    for (size_t i = 0; code == 0 && i < store->manifest.n; i++) {
        const struct sdw_catalog_segment *s = &store->manifest.segment[i];
        int64_t keep = s->level < SDW_LEVELS ? retain_us[s->level] : 0;
        if (keep == 0 || s->to_us + sdw_level_step(s->level) >= store->newest_us - keep)
            continue;
        remove_segment(&change, s->id);
        done->dropped++;
        done->dropped_points += s->points;
    }
    return carry_out(store, &change, code, err);
}

/* --- periods ------------------------------------------------------------------------------- */

static int64_t period_length(uint32_t level)
{
    static const int64_t days[SDW_LEVELS] = {1, 1, 30, 360};
    return days[level] * day_us;
}

static int64_t period_of(uint32_t level, int64_t ts_us)
{
    return sdw_step_begin(ts_us, period_length(level));
}

/* In its final form: within a period, and alone there. */
static bool is_final(const struct sdw_manifest *manifest, size_t at)
{
    const struct sdw_catalog_segment *s = &manifest->segment[at];
    int64_t period = period_of(s->level, s->from_us);
    bool final = period_of(s->level, s->to_us) == period;
    for (size_t i = 0; final && i < manifest->n; i++) {
        const struct sdw_catalog_segment *other = &manifest->segment[i];
        if (i != at && other->level == s->level && period_of(s->level, other->from_us) <= period &&
            period_of(s->level, other->to_us) >= period)
            final = false;
    }
    return final;
}

/* --- merging ------------------------------------------------------------------------------- */

/* Segments of one level are merged so that each covers one period. */
struct merge {
    struct sdw_store *store;
    uint32_t level;
    struct sdw_segment_writer writer;
    uint32_t next_id, series;
    struct change change;
    /* Points of one series that are being put together. */
    size_t n, columns;
    int64_t ts_us[SDW_CHUNK_POINTS];
    double column[SDW_CHUNK_COLUMNS][SDW_CHUNK_POINTS];
    struct sdw_err *err;
};

static int put_points(struct merge *merge)
{
    struct sdw_points points = {.n = merge->n, .columns = merge->columns, .ts_us = merge->ts_us};
    for (size_t c = 0; c < merge->columns; c++)
        points.column[c] = merge->column[c];
    merge->n = 0;
    return points.n ? sdw_segment_put(&merge->writer, merge->series, &points, merge->err) : 0;
}

static int gather(const struct sdw_points *points, void *arg)
{
    struct merge *merge = arg;
    int code = 0;
    merge->columns = points->columns;
    for (size_t at = 0; code == 0 && at < points->n;) {
        size_t room = SDW_CHUNK_POINTS - merge->n;
        size_t some = points->n - at < room ? points->n - at : room;
        memcpy(merge->ts_us + merge->n, points->ts_us + at, some * sizeof *merge->ts_us);
        for (size_t c = 0; c < points->columns; c++)
            memcpy(merge->column[c] + merge->n, points->column[c] + at,
                   some * sizeof *merge->column[c]);
        merge->n += some;
        at += some;
        if (merge->n == SDW_CHUNK_POINTS)
            code = put_points(merge);
    }
    return code;
}

/* What is on disk of a period, from all segments that are not final. */
static int merge_period(struct merge *merge, int64_t begin, int64_t end,
                        struct sdw_chunk_room *room)
{
    struct sdw_store *store = merge->store;
    int code =
        sdw_segment_create(&merge->writer, store->dir, merge->next_id, merge->level, merge->err);
    for (uint32_t id = 1; code == 0 && id <= store->head.n; id++) {
        struct sdw_read read = {.series = id,
                                .level = merge->level,
                                .from_us = begin,
                                .to_us = end,
                                .segments_only = true,
                                .points = gather,
                                .arg = merge};
        merge->series = id;
        code = sdw_read_series(store, &read, room, merge->err);
        if (code == 0)
            code = put_points(merge);
    }
    bool any = merge->writer.chunks > 0;
    if (code == 0 && any)
        code = sdw_segment_finish(&merge->writer, merge->err);
    if (code == 0 && any) {
        const struct sdw_segment_writer *w = &merge->writer;
        struct change *change = &merge->change;
        SDW_GROW(change->add, change->cap_add, change->n_add + 1);
        change->add[change->n_add++] = (struct sdw_catalog_segment){w->id,    w->level,  w->from_us,
                                                                    w->to_us, w->points, w->bytes};
        merge->next_id++;
    } else {
        unlink_segment(store, merge->writer.id);
    }
    sdw_segment_writer_release(&merge->writer);
    return code;
}

static bool period_is_open(const struct merge *merge, int64_t begin, int64_t end)
{
    const struct sdw_manifest *manifest = &merge->store->manifest;
    for (size_t i = 0; i < manifest->n; i++) {
        const struct sdw_catalog_segment *s = &manifest->segment[i];
        if (s->level == merge->level && s->from_us < end && s->to_us >= begin &&
            !is_final(manifest, i))
            return true;
    }
    return false;
}

static int merge_periods(struct merge *merge)
{
    struct sdw_chunk_room room = {0};
    const struct sdw_manifest *manifest = &merge->store->manifest;
    int64_t from = INT64_MAX, to = INT64_MIN, length = period_length(merge->level);
    int code = 0;
    for (size_t i = 0; i < manifest->n; i++)
        if (manifest->segment[i].level == merge->level && !is_final(manifest, i)) {
            const struct sdw_catalog_segment *s = &manifest->segment[i];
            remove_segment(&merge->change, s->id);
            from = s->from_us < from ? s->from_us : from;
            to = s->to_us > to ? s->to_us : to;
        }
    for (int64_t begin = period_of(merge->level, from); code == 0 && begin <= to; begin += length)
        if (period_is_open(merge, begin, begin + length))
            code = merge_period(merge, begin, begin + length, &room);
    sdw_chunk_room_release(&room);
    return code;
}

static int merge_level(struct sdw_store *store, uint32_t level, struct sdw_compacted *done,
                       struct sdw_err *err)
{
    struct merge *merge = sdw_xalloc(sizeof *merge);
    merge->store = store;
    merge->level = level;
    merge->next_id = store->manifest.next_segment;
    merge->writer.fd = -1;
    merge->err = err;
    int code = merge_periods(merge);
    done->merged += merge->change.n_remove;
    done->into += merge->change.n_add;
    code = carry_out(store, &merge->change, code, err);
    free(merge);
    return code;
}

/* --- all of it ----------------------------------------------------------------------------- */

int sdw_store_compact(struct sdw_store *store, struct sdw_compacted *done, struct sdw_err *err)
{
    int64_t retain_us[SDW_LEVELS];
    uint32_t levels = 0;
    *done = (struct sdw_compacted){0};
    int code = sdw_store_retained(store, retain_us, err);
    while (code == 0 && levels + 1 < SDW_LEVELS && retain_us[levels])
        levels++;
    if (code == 0 && levels)
        code = sdw_store_rollup(store, levels, &done->rolled, err);
    for (uint32_t level = 0; code == 0 && level < SDW_LEVELS; level++)
        code = merge_level(store, level, done, err);
    return code < 0 ? code : drop_old(store, done, err);
}

int sdw_store_maintain(struct sdw_store *store, struct sdw_err *err)
{
    const struct sdw_manifest *manifest = &store->manifest;
    struct sdw_compacted done;
    size_t n = 0;
    for (size_t i = 0; i < manifest->n; i++)
        n += manifest->segment[i].level == 0 && !is_final(manifest, i);
    return n >= WORTH_WHILE ? sdw_store_compact(store, &done, err) : 0;
}

int sdw_compact_run(struct sdw_ctx *ctx, struct sdw_store *store,
                    const char *const retain[SDW_LEVELS])
{
    struct sdw_compacted done = {0};
    char counts[192];
    int code = sdw_store_retain(store, retain, &ctx->err);
    if (code == 0)
        code = sdw_store_flush(store, true, &ctx->err);
    if (code == 0)
        code = sdw_store_compact(store, &done, &ctx->err);
    snprintf(
        counts, sizeof counts,
        "{\"rows\":%llu,\"merged\":%llu,\"into\":%llu,\"dropped\":%llu,\"dropped_points\":%llu}",
        (unsigned long long)done.rolled, (unsigned long long)done.merged,
        (unsigned long long)done.into, (unsigned long long)done.dropped,
        (unsigned long long)done.dropped_points);
    return code < 0 ? code : sdw_rec_end(ctx, sdw_wall_us(), "done", counts);
}
