/* The log becomes a segment: sdw_store_flush of store/store.h. */
#include "store/store.h"

#include <unistd.h>

static const int64_t day_us = INT64_C(86400) * 1000000;

/* Points of a series that no later point may replace or precede, or all of one that is silent. */
static size_t settled(const struct sdw_store *store, const struct sdw_head_series *s)
{
    bool silent = s->newest_us < store->newest_us - day_us;
    return silent ? s->n : sdw_head_find(s, s->newest_us - store->settings.window_us);
}

static int write_series(const struct sdw_store *store, struct sdw_segment_writer *writer,
                        uint32_t id, struct sdw_err *err)
{
    const struct sdw_head_series *s = &store->head.series[id - 1];
    size_t n = settled(store, s), pieces = (n + SDW_CHUNK_POINTS - 1) / SDW_CHUNK_POINTS;
    int code = 0;
    for (size_t i = 0; code == 0 && i < pieces; i++) {
        size_t from = n * i / pieces, to = n * (i + 1) / pieces;
        struct sdw_points points = {
            .n = to - from, .columns = 1, .ts_us = s->ts_us + from, .column = {s->value + from}};
        code = sdw_segment_put(writer, id, &points, err);
    }
    return code;
}

/* The points that stay in memory go into a log of their own. */
static int write_log(struct sdw_store *store, struct sdw_wal *wal, struct sdw_err *err)
{
    enum { BATCH = 1 << 20 };
    char name[SDW_LOG_NAME];
    int code = sdw_wal_open(wal, store->dir, sdw_store_log_name(store->log + 1, name), NULL, err);
    for (uint32_t id = 1; code == 0 && id <= store->head.n; id++) {
        const struct sdw_head_series *s = &store->head.series[id - 1];
        for (size_t i = settled(store, s); i < s->n; i++)
            sdw_wal_add(wal, &(struct sdw_point){id, s->ts_us[i], s->value[i]});
        if (wal->pending.n > BATCH)
            code = sdw_wal_commit(wal, err);
    }
    if (code == 0)
        code = sdw_wal_commit(wal, err);
    if (code == 0 && fsync(store->dir) < 0)
        code = sdw_err_sys(err, "cannot write %s", store->path);
    return code;
}

static void drop_points(struct sdw_store *store)
{
    for (uint32_t id = 1; id <= store->head.n; id++) {
        struct sdw_head_series *s = &store->head.series[id - 1];
        size_t n = settled(store, s);
        if (n)
            sdw_head_drop(&store->head, s, n);
    }
}

/* From here on the segment and the new log count, and the old logs do not. */
static int change_over(struct sdw_store *store, const struct sdw_segment_writer *writer,
                       struct sdw_wal *wal, struct sdw_err *err)
{
    struct sdw_catalog_segment add = {.id = writer->id,
                                      .level = 0,
                                      .from_us = writer->from_us,
                                      .to_us = writer->to_us,
                                      .points = writer->points,
                                      .bytes = writer->bytes};
    struct sdw_catalog_change change = {
        .add = &add, .n_add = writer->chunks > 0, .first_log = store->log + 1};
    uint64_t first = store->manifest.first_log;
    int code = sdw_catalog_change(store->catalog, &change, err);
    if (code < 0)
        return code;
    for (char name[SDW_LOG_NAME]; first <= store->log; first++)
        unlinkat(store->dir, sdw_store_log_name(first, name), 0);
    sdw_wal_close(&store->wal);
    store->wal = *wal;
    *wal = (struct sdw_wal){.fd = -1};
    store->found = (struct sdw_wal_found){0};
    store->log++;
    drop_points(store);
    return sdw_store_reload(store, err);
}

static bool is_due(const struct sdw_store *store)
{
    return store->wal.size >= store->settings.log_bytes;
}

/* It did not come to a change: all is in the old log still. */
static void take_back(const struct sdw_store *store, const struct sdw_segment_writer *writer)
{
    char log[SDW_LOG_NAME], segment[SDW_SEGMENT_NAME];
    unlinkat(store->dir, sdw_store_log_name(store->log + 1, log), 0);
    unlinkat(store->dir, sdw_segment_name(writer->id, segment), 0);
}

int sdw_store_flush(struct sdw_store *store, bool force, struct sdw_err *err)
{
    struct sdw_segment_writer writer = {.fd = -1};
    struct sdw_wal wal = {.fd = -1};
    uint64_t log = store->log;
    bool any = store->head.points || store->found.damaged;
    if (store->failed || !any || (!force && !is_due(store)))
        return 0;
    int code = sdw_segment_create(&writer, store->dir, store->manifest.next_segment, 0, err);
    for (uint32_t id = 1; code == 0 && id <= store->head.n; id++)
        code = write_series(store, &writer, id, err);
    if (code == 0)
        code = sdw_segment_finish(&writer, err);
    if (code == 0)
        code = write_log(store, &wal, err);
    if (code == 0)
        code = change_over(store, &writer, &wal, err);
    if (code < 0 && store->log == log)
        take_back(store, &writer);
    sdw_wal_close(&wal);
    sdw_segment_writer_release(&writer);
    return code;
}
