#include "store/query.h"
#include "rec/end.h"
#include "rec/series.h"
#include "store/read.h"
#include "store/rollup.h"
#include "store/when.h"

#include <stdio.h>

int sdw_query_parse(struct sdw_query *query, const char *from, const char *to, const char *kind,
                    int64_t newest_us, struct sdw_err *err)
{
    query->from_us = INT64_MIN;
    query->to_us = INT64_MAX;
    query->kind = query->step_us ? SDW_AGG_AVG : SDW_AGG_NONE;
    if (from && !sdw_when_parse(from, newest_us, &query->from_us))
        return sdw_err_set(err, SDW_EUSAGE, "--from: %s is no time", from);
    if (to && !sdw_when_parse(to, newest_us, &query->to_us))
        return sdw_err_set(err, SDW_EUSAGE, "--to: %s is no time", to);
    if (kind && !sdw_aggregate_parse(kind, &query->kind, &query->quantile))
        return sdw_err_set(err, SDW_EUSAGE,
                           "--agg: %s is none of avg min max sum count last rate p95", kind);
    return 0;
}

/* One series on its way through the stepper. */
struct passage {
    struct sdw_stepper stepper;
    int code; /* of what was given out while only statistics were looked at */
};

static bool take_stats(const struct sdw_chunk_stats *stats, void *arg)
{
    struct passage *passage = arg;
    return sdw_stepper_stats(&passage->stepper, stats, &passage->code);
}

static int take_points(const struct sdw_points *points, void *arg)
{
    struct passage *passage = arg;
    return passage->code < 0 ? passage->code : sdw_stepper_points(&passage->stepper, points);
}

/* A rate needs the point before the range: it is looked for one step back, or five minutes. */
static int64_t look_back(const struct sdw_query *query)
{
    int64_t back = query->step_us ? query->step_us : INT64_C(300) * 1000000;
    bool all = query->from_us == INT64_MIN || query->kind != SDW_AGG_RATE;
    return all ? query->from_us : query->from_us - back;
}

/* The range that each level answers for: [begin[level], end[level]). */
struct split {
    int64_t begin[SDW_LEVELS], end[SDW_LEVELS];
};

/* A level that is kept for longer answers for the steps that lie before the one below, and for the
 * step in which that begins. */
static void split_levels(const struct sdw_store *store, uint32_t series, struct split *split)
{
    int64_t oldest, newest, begin = INT64_MAX;
    uint32_t finest = SDW_LEVELS; /* of the levels so far that have rows */
    for (uint32_t level = 0; level < SDW_LEVELS; level++) {
        int64_t step = sdw_level_step(level);
        split->begin[level] = split->end[level] = INT64_MAX;
        if (!sdw_level_range(store, series, level, &oldest, &newest) ||
            (finest < SDW_LEVELS && oldest + step > begin))
            continue;
        int64_t cut = INT64_MAX;
        if (finest < SDW_LEVELS) {
            cut = sdw_step_begin(begin + step - 1, step);
            cut = newest + step < cut ? newest + step : cut;
            split->begin[finest] = cut;
        }
        split->begin[level] = INT64_MIN;
        split->end[level] = cut;
        begin = oldest;
        finest = level;
    }
    if (finest == SDW_LEVELS) { /* none that can be read, that is */
        split->begin[0] = INT64_MIN;
        split->end[0] = INT64_MAX;
    }
}

static int read_levels(const struct sdw_store *store, struct sdw_read *read,
                       const struct sdw_query *query, struct sdw_chunk_room *room,
                       struct sdw_err *err)
{
    struct split split;
    int64_t from = look_back(query);
    int code = 0, damage = 0;
    split_levels(store, read->series, &split);
    for (uint32_t i = 0; code == 0 && i < SDW_LEVELS; i++) {
        uint32_t level = SDW_LEVELS - 1 - i; /* the oldest first */
        read->level = level;
        read->from_us = split.begin[level] > from ? split.begin[level] : from;
        read->to_us = split.end[level] < query->to_us ? split.end[level] : query->to_us;
        if (read->from_us < read->to_us)
            code = sdw_read_series(store, read, room, err);
        if (code == SDW_EINPUT) {
            damage = code;
            code = 0;
        }
    }
    return code < 0 ? code : damage;
}

int sdw_query_series(const struct sdw_store *store, uint32_t series, const struct sdw_query *query,
                     struct sdw_chunk_room *room, int (*each)(int64_t ts, double value, void *arg),
                     void *arg, struct sdw_err *err)
{
    struct passage passage = {.stepper = {.kind = query->kind,
                                          .quantile = query->quantile,
                                          .from_us = query->from_us,
                                          .step_us = query->step_us,
                                          .each = each,
                                          .arg = arg}};
    struct sdw_read read = {.series = series,
                            .stats = take_stats,
                            .points = take_points,
                            .arg = &passage,
                            .damage = query->damage};
    sdw_stepper_init(&passage.stepper);
    int code = read_levels(store, &read, query, room, err);
    int last = passage.code;
    if (last >= 0 && (code >= 0 || code == SDW_EINPUT))
        last = sdw_stepper_finish(&passage.stepper);
    bool lacking = passage.stepper.lacking;
    sdw_stepper_release(&passage.stepper);
    return last < 0 ? last : code < 0 ? code : lacking;
}

struct output {
    struct sdw_ctx *ctx;
    struct sdw_metric metric;
};

static int put_value(int64_t ts, double value, void *arg)
{
    struct output *output = arg;
    output->metric.ts = ts;
    output->metric.value = value;
    return sdw_rec_put(output->ctx, &sdw_metric_schema, &output->metric);
}

static int put_end(struct sdw_ctx *ctx, const struct sdw_store *store,
                   const struct sdw_damage *damage)
{
    char counts[160];
    bool damaged = damage->chunks || damage->segments || sdw_store_lacks_log(store);
    snprintf(counts, sizeof counts,
             "{\"damaged_chunks\":%llu,\"damaged_points\":%llu,\"damaged_segments\":%llu,"
             "\"damaged_log_bytes\":%lld,\"missing_logs\":%d}",
             (unsigned long long)damage->chunks, (unsigned long long)damage->points,
             (unsigned long long)damage->segments, (long long)store->found.damaged,
             store->log_missing);
    int code = sdw_rec_end(ctx, store->newest_us == INT64_MIN ? 0 : store->newest_us,
                           damaged ? "damage" : "done", damaged ? counts : NULL);
    return code == 0 && damaged
               ? sdw_err_set(&ctx->err, SDW_EINPUT, "some points are lost to damage")
               : code;
}

/* One series; what was left out of it is said where it is a chunk's: of whole segments the store
 * tells. */
static int put_series(struct output *output, const struct sdw_store *store,
                      const struct sdw_selected_series *series, const struct sdw_query *query,
                      struct sdw_chunk_room *room)
{
    struct sdw_err err = {0};
    struct sdw_damage damage = {0};
    struct sdw_query own = *query;
    own.damage = &damage;
    output->metric.series = series->name;
    output->metric.labels = series->labels.n ? series->labels : (struct sdw_str){0};
    int code = sdw_query_series(store, series->id, &own, room, put_value, output, &err);
    if (damage.chunks)
        sdw_warn(output->ctx, "%s: %s", series->name.p, err.text);
    query->damage->chunks += damage.chunks;
    query->damage->points += damage.points;
    query->damage->segments =
        damage.segments > query->damage->segments ? damage.segments : query->damage->segments;
    return code == SDW_EINPUT && (damage.chunks || damage.segments) ? 0 : code;
}

int sdw_query_run(struct sdw_ctx *ctx, const struct sdw_store *store,
                  const struct sdw_selected *selected, const struct sdw_query *query)
{
    struct sdw_chunk_room room = {0};
    struct output output = {.ctx = ctx};
    struct sdw_damage damage = {0};
    struct sdw_query own = *query;
    int code = 0;
    bool lacking = false;
    own.damage = &damage;
    sdw_rec_init(&sdw_metric_schema, &output.metric);
    for (size_t i = 0; code == 0 && i < selected->n && !sdw_stop_signal(ctx); i++) {
        code = put_series(&output, store, &selected->series[i], &own, &room);
        lacking = lacking || code == 1;
        code = code == 1 ? 0 : code;
    }
    sdw_chunk_room_release(&room);
    if (lacking)
        sdw_warn(ctx, "percentiles need points, and of a part of the time only rollups are kept");
    return code < 0 ? code : put_end(ctx, store, &damage);
}
