#include "io/tool.h"
#include "core/mem.h"
#include "io/scan.h"
#include "model/forecast.h"
#include "rec/end.h"

#include <math.h>
#include <stdio.h>

struct config {
    struct sdw_list horizon, levels;
    const char *below, *above, *series;
    double capacity, probability;
    int64_t every, max_series;
};

#define AT(member) offsetof(struct config, member)
static const struct sdw_option options[] = {
    {"horizon", 'H', SDW_OPT_LIST, AT(horizon), "DURATION,...",
     "look this far ahead, shortest first", "5s,15s,1m", 0, 0, NULL, NULL},
    {"below", 0, SDW_OPT_TEXT, AT(below), "N|SHARE%",
     "a breach is the level below N, or below this share of the path's measured capacity", "10%", 0,
     0, NULL, NULL},
    {"above", 0, SDW_OPT_TEXT, AT(above), "N", "a breach is the level above N", NULL, 0, 0, NULL,
     NULL},
    {"capacity", 0, SDW_OPT_RATE, AT(capacity), "N",
     "capacity of every series, for shares and levels", NULL, 0, 0, NULL, NULL},
    {"levels", 0, SDW_OPT_LIST, AT(levels), "PERCENT,...",
     "a breach is the level above any of these per cent of the capacity", NULL, 0, 0, NULL, NULL},
    {"series", 0, SDW_OPT_TEXT, AT(series), "GLOB", "forecast only the series that match", NULL, 0,
     0, NULL, NULL},
    {"every", 0, SDW_OPT_INT, AT(every), "K",
     "write a forecast after every K values of a series; 0: breaches only", "1", 0, 1e9, NULL,
     NULL},
    {"probability", 'p', SDW_OPT_SHARE, AT(probability), "P",
     "write a breach from these odds within the longest horizon", "0.5", 0, 0, NULL, NULL},
    {"max-series", 0, SDW_OPT_INT, AT(max_series), "N", "follow at most N series", "100000", 1, 1e8,
     NULL, NULL},
    {0},
};

/* What the tool counts for its last record. */
struct counts {
    int64_t values, forecasts, breaches, late, duplicates, dropped;
    int64_t ts; /* newest record time */
};

static int settings_of(const struct config *config, struct sdw_forecast_settings *settings,
                       struct sdw_err *err)
{
    *settings = (struct sdw_forecast_settings){
        .above = NAN,
        .capacity = config->capacity > 0 ? config->capacity : NAN,
        .probability = config->probability,
        .glob = config->series,
        .every = config->every,
        .max_series = (size_t)config->max_series,
    };
    int rc = sdw_forecast_horizons(config->horizon.item, config->horizon.n, settings, err);
    if (rc == 0)
        rc = sdw_forecast_below(config->below, settings, err);
    if (rc == 0 && config->above)
        rc = sdw_forecast_above(config->above, settings, err);
    if (rc == 0)
        rc = sdw_forecast_levels(config->levels.item, config->levels.n, settings, err);
    if (rc == 0 && settings->levels > 0 && !(config->capacity > 0))
        rc = sdw_err_set(err, SDW_EUSAGE, "--levels needs --capacity: levels are shares of it");
    return rc;
}

static void count(const struct sdw_foresight *foresight, int64_t ts, struct counts *counts)
{
    counts->values += foresight->use == SDW_TREND_USED;
    counts->late += foresight->use == SDW_TREND_LATE;
    counts->duplicates += foresight->use == SDW_TREND_DUPLICATE;
    counts->forecasts += foresight->forecast;
    counts->breaches += (int64_t)foresight->n_breaches;
    counts->dropped += foresight->dropped;
    if (ts > counts->ts)
        counts->ts = ts;
}

static int say(struct sdw_ctx *ctx, const struct sdw_foresight *foresight)
{
    int rc = 0;
    if (foresight->forecast)
        rc = sdw_rec_put(ctx, &sdw_forecast_schema, &foresight->said);
    for (size_t i = 0; rc == 0 && i < foresight->n_breaches; i++)
        rc = sdw_rec_put(ctx, &sdw_breach_schema, &foresight->breach[i]);
    return rc;
}

/* Learn from one line. Other types of record have nothing to teach. */
static int learn(struct sdw_ctx *ctx, struct sdw_book *book, struct sdw_arena *arena,
                 struct sdw_str line, struct counts *counts)
{
    struct sdw_str type = sdw_scan_type(line);
    struct sdw_err err = {0};
    struct sdw_foresight foresight;
    sdw_arena_reset(arena);
    if (sdw_str_is(type, "metric")) {
        struct sdw_metric metric;
        if (sdw_rec_decode(&sdw_metric_schema, line, arena, &metric, &err) != 0)
            return sdw_bad_line(ctx, &err);
        sdw_book_metric(book, &metric, &foresight);
        count(&foresight, metric.ts, counts);
    } else if (sdw_str_is(type, "verdict")) {
        struct sdw_verdict verdict;
        if (sdw_rec_decode(&sdw_verdict_schema, line, arena, &verdict, &err) != 0)
            return sdw_bad_line(ctx, &err);
        sdw_book_verdict(book, &verdict, &foresight);
        count(&foresight, verdict.ts, counts);
    } else {
        return 0;
    }
    if (foresight.dropped && counts->dropped == 1)
        sdw_warn(ctx, "more than %zu series: new ones are not forecast (--max-series)",
                 sdw_book_series(book));
    return say(ctx, &foresight);
}

static int finish(struct sdw_ctx *ctx, const struct sdw_book *book, const struct counts *counts)
{
    int rc = 0;
    if (counts->dropped > 0) {
        struct sdw_loss loss;
        sdw_rec_init(&sdw_loss_schema, &loss);
        loss.ts = counts->ts;
        loss.tool = sdw_str_of(ctx->tool->name);
        loss.where = sdw_str_of("table");
        loss.reason = sdw_str_of("more series than --max-series");
        loss.records = counts->dropped;
        rc = sdw_rec_put(ctx, &sdw_loss_schema, &loss);
    }
    char text[256];
    snprintf(text, sizeof text,
             "{\"values\":%lld,\"series\":%zu,\"forecasts\":%lld,\"breaches\":%lld,"
             "\"late\":%lld,\"duplicates\":%lld}",
             (long long)counts->values, sdw_book_series(book), (long long)counts->forecasts,
             (long long)counts->breaches, (long long)counts->late, (long long)counts->duplicates);
    return rc == 0 ? sdw_rec_end(ctx, counts->ts, sdw_stop_signal(ctx) ? "signal" : "eof", text)
                   : rc;
}

static int run(struct sdw_ctx *ctx, void *config)
{
    struct sdw_forecast_settings settings;
    int rc = settings_of(config, &settings, &ctx->err);
    if (rc != 0)
        return rc;
    struct sdw_book *book = sdw_book_new(&settings);
    struct sdw_arena arena = {0};
    struct counts counts = {0};
    struct sdw_str line;
    while ((rc = sdw_next(ctx, &line)) == 1) {
        rc = sdw_put(ctx, line);
        if (rc == 0)
            rc = learn(ctx, book, &arena, line, &counts);
        if (rc != 0)
            break;
    }
    if (rc == 0)
        rc = finish(ctx, book, &counts);
    sdw_arena_release(&arena);
    sdw_book_free(book);
    return rc;
}

static const struct sdw_example examples[] = {
    {"Say when the available capacity of a path will run out:",
     "shadow-probe --watch 10.9.0.2 | shadow-gradient | shadow-forecast -o breach", "lab"},
    {"Will the load of a link pass 95 per cent of 10 Mbit/s within five minutes?",
     "for i in 1 2 3 4 5 6 7 8 9; do "
     "echo '{\"type\":\"metric\",\"v\":1,\"ts\":'$i'000000,\"series\":\"link/a-b/bps\","
     "\"value\":'$((5000000 + i * 100000))'}'; done | "
     "shadow-forecast --horizon 5m --capacity 10M --levels 95 -o breach",
     NULL},
    {NULL, NULL, NULL},
};

static const struct sdw_command command = {
    .name = "shadow-forecast",
    .help = "forecasts series and says which limits will be crossed",
    .options = options,
    .run = run,
};

static const struct sdw_tool tool = {
    .name = "shadow-forecast",
    .summary = "forecast capacity and load, and say which limits will be crossed",
    .command = &command,
    .config_size = sizeof(struct config),
    .main_type = "breach",
    .column_of = sdw_schema_column,
    .reads_records = true,
    .examples = examples,
};

int main(int argc, char **argv)
{
    return sdw_main(&tool, argc, argv);
}
