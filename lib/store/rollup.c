#include "store/rollup.h"
#include "core/mem.h"
#include "store/read.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

static const int64_t steps[SDW_LEVELS] = {0, INT64_C(60000000), INT64_C(3600000000),
                                          INT64_C(86400000000)};

int64_t sdw_level_step(uint32_t level)
{
    return steps[level < SDW_LEVELS ? level : 0];
}

int64_t sdw_step_begin(int64_t ts_us, int64_t step_us)
{
    int64_t rest = ts_us % step_us;
    return ts_us - (rest < 0 ? rest + step_us : rest);
}

bool sdw_level_range(const struct sdw_store *store, uint32_t series, uint32_t level,
                     int64_t *from_us, int64_t *to_us)
{
    *from_us = INT64_MAX;
    *to_us = INT64_MIN;
    for (size_t i = 0; i < store->n_segments; i++) {
        const struct sdw_segment *segment = &store->segment[i];
        if (segment->level != level)
            continue;
        for (size_t k = sdw_segment_find(segment, series); k < segment->n; k++) {
            struct sdw_entry entry;
            sdw_segment_entry(segment, k, &entry);
            if (entry.series != series)
                break;
            *from_us = entry.stats.from_us < *from_us ? entry.stats.from_us : *from_us;
            *to_us = entry.stats.to_us > *to_us ? entry.stats.to_us : *to_us;
        }
    }
    if (level == 0 && series <= store->head.n && store->head.series[series - 1].n) {
        const struct sdw_head_series *s = &store->head.series[series - 1];
        *from_us = s->ts_us[0] < *from_us ? s->ts_us[0] : *from_us;
        *to_us = s->ts_us[s->n - 1] > *to_us ? s->ts_us[s->n - 1] : *to_us;
    }
    return *from_us <= *to_us;
}

/* The rows of one series that are being made. */
struct rows {
    struct sdw_segment_writer writer;
    uint32_t series;
    bool again;             /* those that are missing are made, not those that are due */
    int64_t from_us, to_us; /* where they may be, besides between others */
    int64_t step_us;
    size_t n; /* the last one is still open */
    int64_t ts_us[SDW_CHUNK_POINTS];
    double column[SDW_CHUNK_COLUMNS][SDW_CHUNK_POINTS];
    uint64_t made;
    struct sdw_err damage; /* code 0: none */
    struct sdw_err *err;
};

static int put_rows(struct rows *rows)
{
    struct sdw_points points = {.n = rows->n, .columns = SDW_CHUNK_COLUMNS, .ts_us = rows->ts_us};
    for (size_t c = 0; c < SDW_CHUNK_COLUMNS; c++)
        points.column[c] = rows->column[c];
    int code = rows->n ? sdw_segment_put(&rows->writer, rows->series, &points, rows->err) : 0;
    rows->made += rows->n;
    rows->n = 0;
    return code;
}

static int open_row(struct rows *rows, int64_t ts_us)
{
    int code = rows->n == SDW_CHUNK_POINTS ? put_rows(rows) : 0;
    rows->ts_us[rows->n] = ts_us;
    rows->column[SDW_COL_MIN][rows->n] = INFINITY;
    rows->column[SDW_COL_MAX][rows->n] = -INFINITY;
    rows->column[SDW_COL_SUM][rows->n] = 0;
    rows->column[SDW_COL_COUNT][rows->n] = 0;
    rows->n++;
    return code;
}

static int add_points(const struct sdw_points *points, void *arg)
{
    struct rows *rows = arg;
    bool rollup = points->columns > 1;
    const double *min = points->column[0], *max = points->column[rollup ? SDW_COL_MAX : 0];
    const double *sum = points->column[rollup ? SDW_COL_SUM : 0];
    const double *last = points->column[points->columns - 1];
    int code = 0;
    for (size_t i = 0; code == 0 && i < points->n; i++) {
        int64_t begin = sdw_step_begin(points->ts_us[i], rows->step_us);
        if (rows->n == 0 || rows->ts_us[rows->n - 1] != begin)
            code = open_row(rows, begin);
        size_t row = rows->n - 1;
        double *least = &rows->column[SDW_COL_MIN][row], *most = &rows->column[SDW_COL_MAX][row];
        *least = min[i] < *least ? min[i] : *least;
        *most = max[i] > *most ? max[i] : *most;
        rows->column[SDW_COL_SUM][row] += sum[i];
        rows->column[SDW_COL_COUNT][row] += rollup ? points->column[SDW_COL_COUNT][i] : 1;
        rows->column[SDW_COL_LAST][row] = last[i];
    }
    return code;
}

/* Up to where a series may be rolled up: what comes later lies after it. A series that has been
 * silent for a day, or for twice the step, is taken to be finished. */
static int64_t complete_to(const struct sdw_store *store, uint32_t series, int64_t step_us)
{
    const struct sdw_head_series *s = &store->head.series[series - 1];
    int64_t silence = 2 * step_us > steps[3] ? 2 * step_us : steps[3];
    if (s->newest_us == INT64_MIN)
        return INT64_MIN;
    if (s->newest_us < store->newest_us - silence)
        return sdw_step_begin(s->newest_us, step_us) + step_us;
    return sdw_step_begin(s->newest_us - store->settings.window_us, step_us);
}

/* A segment of rows that cannot be read may be put back: nothing takes the place of its rows. */
static int64_t after_damage(const struct sdw_store *store, uint32_t level)
{
    int64_t after_us = INT64_MIN;
    for (size_t i = 0; i < store->n_segments; i++)
        if (store->segment[i].damaged && store->segment[i].level == level &&
            store->manifest.segment[i].to_us + steps[level] > after_us)
            after_us = store->manifest.segment[i].to_us + steps[level];
    return after_us;
}

static int roll_range(const struct sdw_store *store, struct rows *rows, uint32_t series,
                      uint32_t level, int64_t from_us, int64_t to_us, struct sdw_chunk_room *room)
{
    struct sdw_read read = {.series = series,
                            .level = level - 1,
                            .from_us = from_us,
                            .to_us = to_us,
                            .points = add_points,
                            .arg = rows};
    rows->series = series;
    rows->n = 0;
    int code = sdw_read_series(store, &read, room, rows->err);
    if (code == SDW_EINPUT) {
        rows->damage = *rows->err;
        code = 0;
    }
    return code < 0 ? code : put_rows(rows);
}

static int roll_series(const struct sdw_store *store, struct rows *rows, uint32_t series,
                       uint32_t level, struct sdw_chunk_room *room)
{
    int64_t oldest, newest, from = after_damage(store, level);
    int64_t to = complete_to(store, series, steps[level]);
    if (sdw_level_range(store, series, level, &oldest, &newest) && newest + steps[level] > from)
        from = newest + steps[level];
    return to > from ? roll_range(store, rows, series, level, from, to, room) : 0;
}

/* The rows that come first of those that end after a moment: [*begin, *end). */
static void next_rows(const struct sdw_store *store, uint32_t series, uint32_t level, int64_t at_us,
                      int64_t *begin, int64_t *end)
{
    *begin = *end = INT64_MAX;
    for (size_t i = 0; i < store->n_segments; i++) {
        const struct sdw_segment *segment = &store->segment[i];
        bool other = segment->level != level;
        for (size_t k = sdw_segment_find(segment, series); !other && k < segment->n; k++) {
            struct sdw_entry entry;
            sdw_segment_entry(segment, k, &entry);
            other = entry.series != series;
            if (other || entry.stats.to_us + steps[level] <= at_us || entry.stats.from_us >= *begin)
                continue;
            *begin = entry.stats.from_us;
            *end = entry.stats.to_us + steps[level];
        }
    }
}

/* Rows lie close together wherever there is something to make them of: else they were lost. */
static int roll_missing(const struct sdw_store *store, struct rows *rows, uint32_t series,
                        uint32_t level, struct sdw_chunk_room *room)
{
    int64_t oldest, newest, begin, end, at = rows->from_us, to = rows->to_us;
    int64_t last = complete_to(store, series, steps[level]);
    int code = 0;
    if (sdw_level_range(store, series, level, &oldest, &newest)) {
        at = oldest < at ? oldest : at;
        to = newest > to ? newest : to;
    }
    to = last < to ? last : to;
    for (; code == 0 && at < to; at = end) {
        next_rows(store, series, level, at, &begin, &end);
        begin = begin < to ? begin : to;
        if (at < begin)
            code = roll_range(store, rows, series, level, at, begin, room);
    }
    return code;
}

static int publish(struct sdw_store *store, const struct sdw_segment_writer *writer,
                   struct sdw_err *err)
{
    struct sdw_catalog_segment add = {writer->id,    writer->level,  writer->from_us,
                                      writer->to_us, writer->points, writer->bytes};
    struct sdw_catalog_change change = {
        .add = &add, .n_add = 1, .first_log = store->manifest.first_log};
    int code = sdw_catalog_change(store->catalog, &change, err);
    return code < 0 ? code : sdw_store_reload(store, err);
}

static int roll_level(struct sdw_store *store, uint32_t level, struct rows *rows,
                      struct sdw_chunk_room *room, struct sdw_err *err)
{
    struct sdw_segment_writer *writer = &rows->writer;
    char name[SDW_SEGMENT_NAME];
    int code = sdw_segment_create(writer, store->dir, store->manifest.next_segment, level, err);
    rows->step_us = steps[level];
    for (uint32_t id = 1; code == 0 && id <= store->head.n; id++)
        code = (rows->again ? roll_missing : roll_series)(store, rows, id, level, room);
    bool any = writer->chunks > 0;
    if (code == 0 && any)
        code = sdw_segment_finish(writer, err);
    if (code < 0 || !any)
        unlinkat(store->dir, sdw_segment_name(writer->id, name), 0);
    else
        code = publish(store, writer, err);
    sdw_segment_writer_release(writer);
    return code;
}

int sdw_store_rollup(struct sdw_store *store, uint32_t levels, uint64_t *rows, struct sdw_err *err)
{
    struct sdw_chunk_room room = {0};
    struct rows *made = sdw_xalloc(sizeof *made);
    int code = 0;
    made->err = err;
    for (uint32_t level = 1; code == 0 && level <= levels && level < SDW_LEVELS; level++)
        code = roll_level(store, level, made, &room, err);
    *rows = made->made;
    if (code == 0 && made->damage.code)
        code = (*err = made->damage).code;
    free(made);
    sdw_chunk_room_release(&room);
    return code;
}

int sdw_store_rollup_again(struct sdw_store *store, uint32_t level, int64_t from_us, int64_t to_us,
                           uint64_t *rows, struct sdw_err *err)
{
    struct sdw_chunk_room room = {0};
    *rows = 0;
    if (level == 0) /* of points there is nothing to make them of */
        return 0;
    struct rows *made = sdw_xalloc(sizeof *made);
    made->err = err;
    made->again = true;
    made->from_us = from_us;
    made->to_us = to_us;
    int code = roll_level(store, level, made, &room, err);
    *rows = made->made;
    free(made);
    sdw_chunk_room_release(&room);
    return code;
}
