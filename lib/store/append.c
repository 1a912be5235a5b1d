#include "store/append.h"
#include "core/clock.h"
#include "io/scan.h"
#include "rec/end.h"
#include "rec/store.h"
#include "rec/value.h"
#include "store/compact.h"
#include "store/labels.h"

#include <math.h>
#include <stdio.h>

struct append {
    struct sdw_ctx *ctx;
    struct sdw_store *store;
    const struct sdw_append_settings *settings;
    struct sdw_map known; /* name and labels as they stand in the line -> number */
    struct sdw_arena arena;
    struct sdw_buf key;
    struct sdw_labels labels;
    int64_t pending;         /* points since the last acknowledgement */
    int64_t unknown, future; /* null values; points too far ahead */
    int64_t now_us;          /* of the wall clock, at the last acknowledgement */
    uint64_t acknowledged;
};

static int64_t newest(const struct sdw_store *store)
{
    return store->newest_us == INT64_MIN ? 0 : store->newest_us;
}

/* --- acknowledging ------------------------------------------------------------------------- */

/* The log becomes a segment, and many segments few, from time to time. */
static int tidy(struct append *append)
{
    struct sdw_err err = {0};
    uint64_t log = append->store->log;
    int code = sdw_store_flush(append->store, false, &append->ctx->err);
    if (code < 0 || append->store->log == log)
        return code;
    code = sdw_store_maintain(append->store, &err);
    if (code == SDW_EINPUT) { /* old damage is no reason not to store what comes */
        sdw_warn(append->ctx, "the store is not compacted: %s", err.text);
        return 0;
    }
    if (code < 0)
        append->ctx->err = err;
    return code;
}

static int acknowledge(struct append *append)
{
    struct sdw_store *store = append->store;
    append->now_us = sdw_wall_us();
    if (append->pending == 0)
        return 0;
    append->pending = 0;
    int code = sdw_store_commit(store, &append->ctx->err);
    if (code < 0)
        return code;
    append->acknowledged = store->counts.points;
    struct sdw_stored stored = {
        .ts = newest(store),
        .store = sdw_str_of(store->path),
        .points = (int64_t)store->counts.points,
        .replaced = (int64_t)store->counts.replaced,
        .refused = (int64_t)store->counts.late + append->future,
        .series = (int64_t)store->series.n,
    };
    code = sdw_rec_put(append->ctx, &sdw_stored_schema, &stored);
    return code < 0 ? code : tidy(append);
}

static int before_block(void *arg)
{
    struct append *append = arg;
    int code = acknowledge(append);
    return code < 0 ? code : sdw_flush(append->ctx);
}

/* --- one record ---------------------------------------------------------------------------- */

/* Names and labels repeat: they are looked at closely once. */
static int series_of(struct append *append, const struct sdw_metric *metric, uint32_t *id,
                     struct sdw_err *err)
{
    struct sdw_buf *key = &append->key;
    sdw_buf_clear(key);
    sdw_buf_str(key, metric->series);
    sdw_buf_char(key, '\0');
    sdw_buf_str(key, metric->labels);
    void **known = sdw_map_at(&append->known, sdw_buf_view(key));
    *id = (uint32_t)(uintptr_t)*known;
    if (*id)
        return 0;
    if (metric->series.n == 0)
        return sdw_err_field(err, "series", "empty");
    if (metric->series.n > SDW_LABEL_BYTES)
        return sdw_err_field(err, "series", "longer than %d bytes", SDW_LABEL_BYTES);
    int code = sdw_labels_parse(metric->labels, &append->arena, &append->labels, err);
    if (code == 0)
        code = sdw_labels_check(&append->labels, err);
    if (code < 0)
        return code;
    sdw_buf_clear(key);
    sdw_labels_write(&append->labels, key);
    code = sdw_store_series(append->store, metric->series,
                            (struct sdw_str){key->p ? key->p : "", key->n}, id, err);
    *known = (void *)(uintptr_t)*id;
    return code;
}

static int store_value(struct append *append, struct sdw_str type, struct sdw_str line)
{
    struct sdw_metric metric;
    struct sdw_err err = {0};
    uint32_t id;
    sdw_arena_reset(&append->arena);
    int code = sdw_value_decode(type, line, &append->arena, &metric, &err);
    if (code == 0 && isnan(metric.value)) {
        append->unknown++;
        return 0;
    }
    if (code == 0)
        code = series_of(append, &metric, &id, &err);
    if (code == 0 && metric.ts > append->now_us + append->settings->ahead_us) {
        append->now_us = sdw_wall_us(); /* it may be old: look again */
        if (metric.ts > append->now_us + append->settings->ahead_us) {
            if (append->future++ == 0)
                sdw_warn(append->ctx, "line %llu is in the future: refused (--ahead)",
                         (unsigned long long)sdw_reader_line(append->ctx->in));
            append->pending++;
            return 0;
        }
    }
    if (code == 0)
        code =
            sdw_store_append(append->store, &(struct sdw_point){id, metric.ts, metric.value}, &err);
    if (code == SDW_EINPUT)
        return sdw_bad_line(append->ctx, &err);
    if (code < 0)
        append->ctx->err = err;
    append->pending++;
    return code;
}

static int take_line(struct append *append, struct sdw_str line)
{
    struct sdw_str type = sdw_scan_type(line);
    bool value = sdw_value_is(type);
    int code = 0;
    if (value) {
        code = store_value(append, type, line);
    } else {
        struct sdw_err err = {0};
        if (sdw_scan_find(line, NULL, 0, NULL, &err) < 0)
            return sdw_bad_line(append->ctx, &err);
    }
    if (code == 0 && (!value || append->settings->keep))
        code = sdw_put(append->ctx, line);
    if (code == 0 && append->pending >= append->settings->batch)
        code = acknowledge(append);
    return code;
}

/* --- the end ------------------------------------------------------------------------------- */

static int put_loss(struct append *append, uint64_t records, const char *where, const char *reason)
{
    struct sdw_loss loss;
    if (records == 0)
        return 0;
    sdw_rec_init(&sdw_loss_schema, &loss);
    loss.ts = newest(append->store);
    loss.tool = sdw_str_of(append->ctx->tool->name);
    loss.where = sdw_str_of(where);
    loss.reason = sdw_str_of(reason);
    loss.records = (int64_t)records;
    return sdw_rec_put(append->ctx, &sdw_loss_schema, &loss);
}

static int finish(struct append *append)
{
    const struct sdw_store_counts *counts = &append->store->counts;
    char text[256];
    int code = put_loss(append, counts->late, "window",
                        "older than what its series may still take: out of order by more than the "
                        "window");
    if (code == 0)
        code = put_loss(append, (uint64_t)append->future, "clock", "in the future");
    snprintf(text, sizeof text,
             "{\"points\":%llu,\"replaced\":%llu,\"late\":%llu,\"future\":%lld,\"unknown\":%lld,"
             "\"series\":%zu}",
             (unsigned long long)append->acknowledged, (unsigned long long)counts->replaced,
             (unsigned long long)counts->late, (long long)append->future,
             (long long)append->unknown, append->store->series.n);
    const char *reason = sdw_stop_signal(append->ctx) ? "signal" : "eof";
    return code < 0 ? code : sdw_rec_end(append->ctx, newest(append->store), reason, text);
}

int sdw_append_run(struct sdw_ctx *ctx, struct sdw_store *store,
                   const struct sdw_append_settings *settings)
{
    struct append append = {
        .ctx = ctx, .store = store, .settings = settings, .now_us = sdw_wall_us()};
    struct sdw_str line;
    int code;
    sdw_map_init(&append.known, (uint64_t)append.now_us);
    sdw_read_records(ctx);
    sdw_reader_hook(ctx->in, before_block, &append, ctx->stop_fd);
    while ((code = sdw_next_unchecked(ctx, &line)) == 1) {
        code = take_line(&append, line);
        if (code < 0)
            break;
    }
    if (code == 0)
        code = acknowledge(&append);
    if (code == 0)
        code = finish(&append);
    if (code < 0 && store->counts.points > append.acknowledged)
        sdw_warn(ctx, "%llu points since the last acknowledgement are not stored",
                 (unsigned long long)(store->counts.points - append.acknowledged));
    sdw_reader_hook(ctx->in, NULL, NULL, -1);
    sdw_map_release(&append.known);
    sdw_arena_release(&append.arena);
    sdw_buf_release(&append.key);
    return code;
}
