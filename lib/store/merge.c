#include "store/merge.h"
#include "core/mem.h"
#include "store/change.h"
#include "store/read.h"

#include <stdlib.h>

/* --- periods ------------------------------------------------------------------------------- */

static int64_t period_length(uint32_t level)
{
    static const int64_t day_us = INT64_C(86400000000), days[SDW_LEVELS] = {1, 1, 30, 360};
    return days[level] * day_us;
}

static int64_t period_of(uint32_t level, int64_t ts_us)
{
    return sdw_step_begin(ts_us, period_length(level));
}

/* Of the same level, and in a period of the other. */
static bool meet(const struct sdw_catalog_segment *a, const struct sdw_catalog_segment *b)
{
    return a->level == b->level &&
           period_of(a->level, a->from_us) <= period_of(a->level, b->to_us) &&
           period_of(a->level, b->from_us) <= period_of(a->level, a->to_us);
}

/* In its final form: within a period, and alone there. */
static bool is_final(const struct sdw_manifest *manifest, size_t at)
{
    const struct sdw_catalog_segment *s = &manifest->segment[at];
    bool final = period_of(s->level, s->to_us) == period_of(s->level, s->from_us);
    for (size_t i = 0; final && i < manifest->n; i++)
        final = i == at || !meet(s, &manifest->segment[i]);
    return final;
}

/* --- what can be merged -------------------------------------------------------------------- */

static bool is_sound(const struct sdw_segment *segment)
{
    bool sound = !segment->damaged;
    for (size_t i = 0; sound && i < segment->n; i++) {
        struct sdw_entry entry;
        sdw_segment_entry(segment, i, &entry);
        sound = sdw_segment_is_sound(segment, &entry);
    }
    return sound;
}

/* Takes out what meets a segment that is not merged, and what meets that, and so on. */
static void leave_around(const struct sdw_store *store, uint32_t level, bool *merges, bool *left)
{
    const struct sdw_catalog_segment *s = store->manifest.segment;
    for (bool more = true; more;) {
        more = false;
        for (size_t i = 0; i < store->n_segments; i++)
            for (size_t k = 0; merges[i] && k < store->n_segments; k++)
                if (left[k] && s[k].level == level && meet(&s[i], &s[k])) {
                    merges[i] = false;
                    left[i] = more = true;
                }
    }
}

/* merges[n_segments]: which of a level are to be put together. Returns how many have damage that
 * keeps others from it. */
static size_t find_merges(const struct sdw_store *store, uint32_t level, bool *merges)
{
    bool *left = sdw_xalloc((store->n_segments + 1) * sizeof *left);
    size_t damaged = 0;
    for (size_t i = 0; i < store->n_segments; i++) {
        bool open = store->manifest.segment[i].level == level && !is_final(&store->manifest, i);
        merges[i] = open && is_sound(&store->segment[i]);
        left[i] = open && !merges[i];
        damaged += left[i];
    }
    if (damaged)
        leave_around(store, level, merges, left);
    free(left);
    return damaged;
}

size_t sdw_merge_waiting(const struct sdw_store *store, uint32_t level)
{
    bool *merges = sdw_xalloc((store->n_segments + 1) * sizeof *merges);
    size_t n = 0;
    find_merges(store, level, merges);
    for (size_t i = 0; i < store->n_segments; i++)
        n += merges[i];
    free(merges);
    return n;
}

/* --- merging ------------------------------------------------------------------------------- */

struct merge {
    struct sdw_store *store;
    uint32_t level;
    bool *merges; /* of each segment */
    struct sdw_segment_writer writer;
    uint32_t next_id, series;
    struct sdw_change change;
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

/* What is on disk of a period, from all segments: those that are not merged have nothing in it. */
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
        sdw_change_add(&merge->change, &merge->writer);
        merge->next_id++;
    } else {
        sdw_store_unlink(store, merge->writer.id);
    }
    sdw_segment_writer_release(&merge->writer);
    return code;
}

static bool period_is_open(const struct merge *merge, int64_t begin, int64_t end)
{
    const struct sdw_manifest *manifest = &merge->store->manifest;
    for (size_t i = 0; i < manifest->n; i++) {
        const struct sdw_catalog_segment *s = &manifest->segment[i];
        if (merge->merges[i] && s->from_us < end && s->to_us >= begin)
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
        if (merge->merges[i]) {
            const struct sdw_catalog_segment *s = &manifest->segment[i];
            sdw_change_remove(&merge->change, s->id);
            from = s->from_us < from ? s->from_us : from;
            to = s->to_us > to ? s->to_us : to;
        }
    for (int64_t begin = period_of(merge->level, from); code == 0 && begin <= to; begin += length)
        if (period_is_open(merge, begin, begin + length))
            code = merge_period(merge, begin, begin + length, &room);
    sdw_chunk_room_release(&room);
    return code;
}

int sdw_merge_level(struct sdw_store *store, uint32_t level, struct sdw_merged *done,
                    struct sdw_err *err)
{
    struct merge *merge = sdw_xalloc(sizeof *merge);
    merge->store = store;
    merge->level = level;
    merge->merges = sdw_xalloc((store->n_segments + 1) * sizeof *merge->merges);
    merge->next_id = store->manifest.next_segment;
    merge->writer.fd = -1;
    merge->err = err;
    done->damaged += find_merges(store, level, merge->merges);
    int code = merge_periods(merge);
    done->merged += merge->change.n_remove;
    done->into += merge->change.n_add;
    code = sdw_change_carry_out(store, &merge->change, code, err);
    sdw_change_release(&merge->change);
    free(merge->merges);
    free(merge);
    return code;
}
