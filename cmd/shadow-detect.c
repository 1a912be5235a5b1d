#include "io/horizons.h"
#include "io/saver.h"
#include "io/scan.h"
#include "io/tool.h"
#include "model/leap.h"
#include "model/watch_options.h"
#include "rec/end.h"
#include "rec/series.h"
#include "rec/reading.h"

#include <fnmatch.h>
#include <stdio.h>

struct counts {
    int64_t use[SDW_WATCH_DROPPED + 1], anomalies, surges, held, ts;
};

/* What the loop holds on to. */
struct detector {
    struct sdw_watch *watch;
    const struct sdw_watch_options *options;
    struct sdw_saver saver;
    struct sdw_arena arena;
    struct sdw_buf name;
    struct counts counts;
};

static int say(struct sdw_ctx *ctx, struct detector *d, const struct sdw_sighting *sighting)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < sighting->n; i++) {
        d->counts.anomalies += sighting->said[i].schema == &sdw_anomaly_schema;
        d->counts.surges += sighting->said[i].schema == &sdw_surge_schema;
        rc = sdw_rec_put(ctx, sighting->said[i].schema, sighting->said[i].record);
    }
    if (sighting->use == SDW_WATCH_DROPPED && d->counts.use[SDW_WATCH_DROPPED] == 1)
        sdw_warn(ctx, "more than %zu series: new ones are not looked at (--max-series)",
                 sdw_watch_series(d->watch));
    return rc;
}

static struct sdw_str state_of(struct sdw_ctx *ctx, const struct detector *d)
{
    sdw_buf_clear(&ctx->scratch);
    sdw_watch_save(d->watch, &ctx->scratch);
    return sdw_buf_view(&ctx->scratch);
}

/* Between two times of record, so that it is known which records the state has seen. */
static void save_in_time(struct sdw_ctx *ctx, struct detector *d, int64_t ts)
{
    int64_t newest = sdw_watch_newest(d->watch);
    if (newest != INT64_MIN && ts > newest && !sdw_leap_is(newest, ts) && sdw_saver_due(&d->saver))
        sdw_saver_try(&d->saver, ctx, state_of(ctx, d));
}

static int load(struct sdw_ctx *ctx, struct detector *d)
{
    struct sdw_buf text = {0};
    struct sdw_str body;
    const char *state = d->options->state;
    int rc = state ? sdw_checkpoint_read(state, &d->saver.what, &text, &body, &ctx->err) : 0;
    if (rc == 1) {
        rc = sdw_watch_load(d->watch, body, &ctx->err);
        if (rc == 0)
            sdw_detail(ctx, "%s: %zu series, records after %lld us are judged", state,
                       sdw_watch_series(d->watch), (long long)sdw_watch_newest(d->watch));
    }
    sdw_buf_release(&text);
    return rc;
}

static int look_at_event(struct sdw_ctx *ctx, struct detector *d, struct sdw_str line)
{
    struct sdw_event event;
    struct sdw_err err = {0};
    if (sdw_rec_decode(&sdw_event_schema, line, &d->arena, &event, &err) != 0)
        return sdw_bad_line(ctx, &err);
    sdw_watch_event(d->watch, &event);
    return 0;
}

/* What is expected of a series, as long as it rests on enough. */
static int look_at_forecast(struct sdw_ctx *ctx, struct detector *d, struct sdw_str line)
{
    struct sdw_forecast forecast;
    struct sdw_horizon shortest;
    struct sdw_err err = {0};
    int rc = sdw_rec_decode(&sdw_forecast_schema, line, &d->arena, &forecast, &err);
    if (rc == 0)
        rc = sdw_horizon_shortest(forecast.horizons, &shortest, &err);
    if (rc < 0)
        return sdw_bad_line(ctx, &err);
    if (rc == 1 && forecast.cold != 1)
        sdw_watch_forecast(d->watch, forecast.series, forecast.ts, forecast.value, &shortest);
    return 0;
}

static int look_at(struct sdw_ctx *ctx, struct detector *d, struct sdw_str line)
{
    struct sdw_reading reading;
    struct sdw_sighting sighting;
    struct sdw_err err = {0};
    sdw_arena_reset(&d->arena);
    if (sdw_str_is(sdw_scan_type(line), "event"))
        return look_at_event(ctx, d, line);
    if (sdw_str_is(sdw_scan_type(line), "forecast"))
        return look_at_forecast(ctx, d, line);
    int rc = sdw_reading_of(line, &d->arena, &d->name, &reading, &err);
    if (rc < 0)
        return sdw_bad_line(ctx, &err);
    if (rc == 0 || (d->options->series && fnmatch(d->options->series, reading.series.p, 0) != 0))
        return 0;
    save_in_time(ctx, d, reading.ts);
    sdw_watch_value(d->watch, &reading, &sighting);
    d->counts.use[sighting.use]++;
    d->counts.held += (int64_t)sighting.held;
    if (sighting.use != SDW_WATCH_LATE && reading.ts > d->counts.ts)
        d->counts.ts = reading.ts;
    return say(ctx, d, &sighting);
}

static int finish(struct sdw_ctx *ctx, const struct detector *d)
{
    const int64_t *use = d->counts.use;
    int rc = 0;
    if (use[SDW_WATCH_DROPPED] > 0) {
        struct sdw_loss loss;
        sdw_rec_init(&sdw_loss_schema, &loss);
        loss.ts = d->counts.ts;
        loss.tool = sdw_str_of(ctx->tool->name);
        loss.where = sdw_str_of("table");
        loss.reason = sdw_str_of("more series than --max-series");
        loss.records = use[SDW_WATCH_DROPPED];
        rc = sdw_rec_put(ctx, &sdw_loss_schema, &loss);
    }
    char text[256];
    snprintf(text, sizeof text,
             "{\"values\":%lld,\"series\":%zu,\"anomalies\":%lld,\"surges\":%lld,\"hushed\":%lld,"
             "\"over_budget\":%lld,\"late\":%lld,\"duplicates\":%lld,\"unsaved\":%lld}",
             (long long)use[SDW_WATCH_USED], sdw_watch_series(d->watch),
             (long long)d->counts.anomalies, (long long)d->counts.surges,
             (long long)use[SDW_WATCH_HUSHED], (long long)d->counts.held,
             (long long)use[SDW_WATCH_LATE], (long long)use[SDW_WATCH_DUPLICATE],
             (long long)d->saver.unsaved);
    return rc == 0 ? sdw_rec_end(ctx, d->counts.ts, sdw_stop_signal(ctx) ? "signal" : "eof", text)
                   : rc;
}

static int run(struct sdw_ctx *ctx, void *config)
{
    const struct sdw_watch_options *options = config;
    const struct sdw_watch_settings settings = sdw_watch_settings_of(options);
    const struct sdw_checkpoint what = {ctx->tool->name, 2, sdw_watch_layout(&settings)};
    struct detector d = {.watch = sdw_watch_new(&settings),
                         .options = options,
                         .saver = sdw_saver_of(&what, options->state, options->save_us)};
    struct sdw_str line;
    int rc = load(ctx, &d);
    while (rc == 0 && (rc = sdw_next(ctx, &line)) == 1) {
        rc = sdw_put(ctx, line);
        if (rc == 0)
            rc = look_at(ctx, &d, line);
    }
    if (rc == 0 && options->state && sdw_watch_newest(d.watch) != INT64_MIN)
        rc = sdw_saver_write(&d.saver, state_of(ctx, &d), &ctx->err);
    if (rc == 0)
        rc = finish(ctx, &d);
    sdw_buf_release(&d.name);
    sdw_arena_release(&d.arena);
    sdw_watch_free(d.watch);
    return rc;
}

static const struct sdw_example examples[] = {
    {"Alert me only when it matters: once for each alarm of severity 4 or 5, and what it is part "
     "of:",
     "shadow-detect -o anomaly <run.ndjson | shadow filter state=open 'severity>=4' | "
     "jq -r '[.series, .kind, .incident, .parent] | @tsv'",
     NULL},
    {"The score of every value, to plot or to compare detectors by:",
     "shadow-detect --scores -o anomaly.score <run.ndjson | jq -r '[.ts, .series, .score] | @tsv'",
     NULL},
    {"What would the textbook have said?",
     "for i in 5 6 5 7 6 5 6 7 5 6 60; do "
     "echo '{\"type\":\"metric\",\"v\":1,\"ts\":'$((n = n + 1))'000000,\"series\":\"link/a-b/bps\","
     "\"value\":'$i'}'; done | shadow-detect --method zscore -o anomaly",
     NULL},
    {"And RRDtool, which expects what was at this time of day: 7 of 9 values off make an alarm:",
     "shadow-collect --linux | shadow-detect --series 'link/*/bps' --method holtwinters --delta 3 "
     "-o anomaly",
     "lab"},
    {NULL, NULL, NULL},
};

static const struct sdw_command command = {
    .name = "shadow-detect",
    .help = "says which series are not as usual",
    .options = sdw_watch_option_table,
    .run = run,
};

static const struct sdw_tool tool = {
    .name = "shadow-detect",
    .summary = "say which series are not as usual, once for what began together",
    .command = &command,
    .config_size = sizeof(struct sdw_watch_options),
    .main_type = "anomaly",
    .column_of = sdw_schema_column,
    .reads_records = true,
    .examples = examples,
};

int main(int argc, char **argv)
{
    return sdw_main(&tool, argc, argv);
}
