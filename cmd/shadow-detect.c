#include "core/buf.h"
#include "core/mem.h"
#include "io/scan.h"
#include "io/tool.h"
#include "model/watch.h"
#include "rec/end.h"
#include "rec/reading.h"

#include <fnmatch.h>
#include <stdio.h>

struct config {
    int method, season;
    double threshold, change, sigma, budget, false_share, surge;
    int64_t baseline, min_history, hold, together_us, max_series, ttl_us;
    const char *series;
    bool scores;
};

static const char *const methods[] = {"forecast", "zscore", "mad", "ewma", NULL};
static const char *const seasons[] = {"day", "week", "none", NULL};

#define AT(member) offsetof(struct config, member)
static const struct sdw_option options[] = {
    {"method", 'm', SDW_OPT_ENUM, AT(method), "METHOD", "judge values by this rule", "forecast", 0,
     0, methods, NULL},
    {"threshold", 0, SDW_OPT_SHARE, AT(threshold), "P",
     "a spike or drop is less probable than this", "0.5%", 1e-12, 0.5, NULL, NULL},
    {"min-change", 0, SDW_OPT_SHARE, AT(change), "SHARE",
     "a spike or drop is a change by at least this share", "40%", 0, 1000, NULL, NULL},
    {"season", 0, SDW_OPT_ENUM, AT(season), "SEASON", "what the series repeat every", "day", 0, 0,
     seasons, NULL},
    {"min-history", 0, SDW_OPT_INT, AT(min_history), "N", "a series can alarm after N values of it",
     "288", 1, 1e9, NULL, NULL},
    {"sigma", 0, SDW_OPT_REAL, AT(sigma), "N",
     "with zscore, mad and ewma: an anomaly is more than N deviations away", "3", 0.1, 1e6, NULL,
     NULL},
    {"baseline", 0, SDW_OPT_INT, AT(baseline), "N",
     "with zscore: compare with the first N values; 0: with all before", "0", 0, 1e9, NULL, NULL},
    {"budget", 0, SDW_OPT_REAL, AT(budget), "N",
     "alarms a series may have a day before it gets harder; 0: no bound", "2", 0, 1e6, NULL, NULL},
    {"false-share", 0, SDW_OPT_SHARE, AT(false_share), "SHARE",
     "share of the alarms of a tick, over all series, that may be false", "10%", 1e-9, 1, NULL,
     NULL},
    {"hold", 0, SDW_OPT_INT, AT(hold), "N", "an alarm closes after N values without a reason", "6",
     1, 1e9, NULL, NULL},
    {"together", 0, SDW_OPT_DURATION, AT(together_us), "DURATION",
     "alarms that open within this time are one incident", "10m", 0, 0, NULL, NULL},
    {"surge", 0, SDW_OPT_SHARE, AT(surge), "SHARE",
     "a rise by at least this share over what was expected is a surge", "50%", 0, 1000, NULL, NULL},
    {"scores", 0, SDW_OPT_FLAG, AT(scores), NULL, "write an anomaly.score for every value", NULL, 0,
     0, NULL, NULL},
    {"series", 0, SDW_OPT_TEXT, AT(series), "GLOB", "look only at the series that match", NULL, 0,
     0, NULL, NULL},
    {"max-series", 0, SDW_OPT_INT, AT(max_series), "N", "follow at most N series", "100000", 1, 1e8,
     NULL, NULL},
    {"ttl", 0, SDW_OPT_DURATION, AT(ttl_us), "DURATION",
     "forget series, and maintenance, that were silent for so long", "7d", 1, 0, NULL, NULL},
    {0},
};

struct counts {
    int64_t use[SDW_WATCH_DROPPED + 1], anomalies, surges, ts;
};

static struct sdw_watch_settings settings_of(const struct config *config)
{
    static const struct sdw_season season[] = {
        {INT64_C(86400) * 1000000, 288}, {INT64_C(604800) * 1000000, 672}, {0, 0}};
    bool textbook = config->method != SDW_WATCH_FORECAST;
    return (struct sdw_watch_settings){
        .method = (enum sdw_watch_method)config->method,
        .detect = {.threshold = config->threshold,
                   .change = config->change,
                   .min_history = config->min_history,
                   .season = season[config->season]},
        .rule = {.sigma = config->sigma, .baseline = config->baseline},
        .budget = textbook ? 0 : config->budget,
        .false_share = textbook ? 1 : config->false_share,
        .surge = config->surge,
        .hold = config->hold,
        .together_us = config->together_us,
        .ttl_us = config->ttl_us,
        .max_series = (size_t)config->max_series,
        .scores = config->scores,
    };
}

/* What the loop holds on to. */
struct detector {
    struct sdw_watch *watch;
    struct sdw_arena arena;
    struct sdw_buf name;
    struct counts counts;
    const char *glob;
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

static int look_at_event(struct sdw_ctx *ctx, struct detector *d, struct sdw_str line)
{
    struct sdw_event event;
    struct sdw_err err = {0};
    if (sdw_rec_decode(&sdw_event_schema, line, &d->arena, &event, &err) != 0)
        return sdw_bad_line(ctx, &err);
    sdw_watch_event(d->watch, &event);
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
    int rc = sdw_reading_of(line, &d->arena, &d->name, &reading, &err);
    if (rc < 0)
        return sdw_bad_line(ctx, &err);
    if (rc == 0 || (d->glob && fnmatch(d->glob, reading.series.p, 0) != 0))
        return 0;
    sdw_watch_value(d->watch, &reading, &sighting);
    d->counts.use[sighting.use]++;
    if (reading.ts > d->counts.ts)
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
             "\"late\":%lld,\"duplicates\":%lld}",
             (long long)use[SDW_WATCH_USED], sdw_watch_series(d->watch),
             (long long)d->counts.anomalies, (long long)d->counts.surges,
             (long long)use[SDW_WATCH_HUSHED], (long long)use[SDW_WATCH_LATE],
             (long long)use[SDW_WATCH_DUPLICATE]);
    return rc == 0 ? sdw_rec_end(ctx, d->counts.ts, sdw_stop_signal(ctx) ? "signal" : "eof", text)
                   : rc;
}

static int run(struct sdw_ctx *ctx, void *config)
{
    const struct config *c = config;
    const struct sdw_watch_settings settings = settings_of(c);
    struct detector d = {.watch = sdw_watch_new(&settings), .glob = c->series};
    struct sdw_str line;
    int rc;
    while ((rc = sdw_next(ctx, &line)) == 1) {
        rc = sdw_put(ctx, line);
        if (rc == 0)
            rc = look_at(ctx, &d, line);
        if (rc != 0)
            break;
    }
    if (rc == 0)
        rc = finish(ctx, &d);
    sdw_buf_release(&d.name);
    sdw_arena_release(&d.arena);
    sdw_watch_free(d.watch);
    return rc;
}

static const struct sdw_example examples[] = {
    {"Alarms only, as they open and close, of a recorded run:",
     "shadow-detect -o anomaly,surge <run.ndjson | shadow filter 'state!=update'", NULL},
    {"What would the textbook have said?",
     "for i in 5 6 5 7 6 5 6 7 5 6 60; do "
     "echo '{\"type\":\"metric\",\"v\":1,\"ts\":'$((n = n + 1))'000000,\"series\":\"link/a-b/bps\","
     "\"value\":'$i'}'; done | shadow-detect --method zscore -o anomaly",
     NULL},
    {NULL, NULL, NULL},
};

static const struct sdw_command command = {
    .name = "shadow-detect",
    .help = "says which series are not as usual",
    .options = options,
    .run = run,
};

static const struct sdw_tool tool = {
    .name = "shadow-detect",
    .summary = "say which series are not as usual, once for what began together",
    .command = &command,
    .config_size = sizeof(struct config),
    .main_type = "anomaly",
    .column_of = sdw_schema_column,
    .reads_records = true,
    .examples = examples,
};

int main(int argc, char **argv)
{
    return sdw_main(&tool, argc, argv);
}
