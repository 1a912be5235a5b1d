#include "io/saver.h"
#include "io/scan.h"
#include "io/tool.h"
#include "io/wholefile.h"
#include "io/zone.h"
#include "model/forecast.h"
#include "model/forecast_options.h"
#include "model/leap.h"
#include "rec/end.h"
#include "sys/geoip.h"

#include <stdio.h>

struct forecaster {
    struct sdw_forecast_settings settings;
    struct sdw_book *book;
    struct sdw_saver saver;
    struct sdw_arena arena;
    struct sdw_zone zone;
    struct sdw_geoip *geoip; /* NULL: none */
    bool warned;             /* that the book is full */
};

/* The text of a file that an option names, to what reads it. */
typedef int read_text(struct sdw_str text, const char *name, struct sdw_forecast_settings *settings,
                      struct sdw_err *err);

static int read_events(struct sdw_str text, const char *name,
                       struct sdw_forecast_settings *settings, struct sdw_err *err)
{
    return sdw_events_read(&settings->events, text, name, err);
}

static int settings_of(const struct sdw_forecast_options *options, struct forecaster *f,
                       struct sdw_err *err)
{
    const char *capacities;
    int rc = sdw_forecast_settings_of(options, &f->settings, &capacities, err);
    const struct {
        const char *option, *path;
        read_text *read;
    } files[] = {{"--capacity", capacities, sdw_forecast_capacities},
                 {"--parents", options->parents, sdw_forecast_parents},
                 {"--events", options->events, read_events}};
    for (size_t i = 0; rc == 0 && i < SDW_LEN(files); i++) {
        struct sdw_buf text = {0};
        if (!files[i].path)
            continue;
        rc = sdw_whole_read(files[i].path, (size_t)1 << 30, &text, err);
        if (rc == 0)
            rc = sdw_err_set(err, SDW_EUSAGE, "%s: there is no file %s", files[i].option,
                             files[i].path);
        if (rc == 1)
            rc = files[i].read(sdw_buf_view(&text), files[i].path, &f->settings, err);
        sdw_buf_release(&text);
    }
    if (rc == 0 && options->geoip)
        rc = sdw_geoip_open(options->geoip, &f->geoip, err);
    f->settings.region = f->geoip ? sdw_geoip_region : NULL;
    f->settings.region_arg = f->geoip;
    if (rc == 0 && options->tz) {
        rc = sdw_zone_set(&f->zone, options->tz, err);
        f->settings.local_us = sdw_zone_ahead;
        f->settings.local_arg = &f->zone;
    }
    return rc;
}

static int say(struct sdw_ctx *ctx, const struct sdw_foresight *foresight)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < foresight->n_scores; i++)
        rc = sdw_rec_put(ctx, &sdw_score_schema, &foresight->score[i]);
    for (size_t i = 0; rc == 0 && i < foresight->n_correlations; i++)
        rc = sdw_rec_put(ctx, &sdw_correlation_schema, &foresight->correlation[i]);
    for (size_t i = 0; rc == 0 && i < foresight->n_forecasts; i++)
        rc = sdw_rec_put(ctx, &sdw_forecast_schema, &foresight->said[i]);
    for (size_t i = 0; rc == 0 && i < foresight->n_breaches; i++)
        rc = sdw_rec_put(ctx, &sdw_breach_schema, &foresight->breach[i]);
    return rc;
}

static struct sdw_str state_of(struct sdw_ctx *ctx, const struct forecaster *f)
{
    sdw_buf_clear(&ctx->scratch);
    sdw_book_save(f->book, &ctx->scratch);
    return sdw_buf_view(&ctx->scratch);
}

/* Between two times of record, so that it is known which records the state has seen. */
static void save_in_time(struct sdw_ctx *ctx, struct forecaster *f, int64_t ts)
{
    int64_t newest = sdw_book_newest(f->book);
    if (newest != INT64_MIN && ts > newest && !sdw_leap_is(newest, ts) && sdw_saver_due(&f->saver))
        sdw_saver_try(&f->saver, ctx, state_of(ctx, f));
}

static int load(struct sdw_ctx *ctx, struct forecaster *f, const char *path)
{
    struct sdw_buf text = {0};
    struct sdw_str body;
    int rc = path ? sdw_checkpoint_read(path, &f->saver.what, &text, &body, &ctx->err) : 0;
    if (rc == 1) {
        rc = sdw_book_load(f->book, body, &ctx->err);
        if (rc == 0)
            sdw_detail(ctx, "%s: %zu series, records after %lld us are learned from", path,
                       sdw_book_series(f->book), (long long)sdw_book_newest(f->book));
    }
    sdw_buf_release(&text);
    return rc;
}

/* Learn from one line. Other types of record have nothing to teach. */
static int learn(struct sdw_ctx *ctx, struct forecaster *f, struct sdw_str line)
{
    struct sdw_err err = {0};
    struct sdw_foresight foresight;
    struct sdw_sample sample;
    sdw_arena_reset(&f->arena);
    int rc = sdw_book_read(f->book, line, &f->arena, &sample, &err);
    if (rc < 0)
        return sdw_bad_line(ctx, &err);
    if (rc == 0)
        return 0;
    save_in_time(ctx, f, sample.ts);
    sdw_book_learn(f->book, &sample, &foresight);
    if (foresight.dropped && !f->warned)
        sdw_warn(ctx, "more than %zu series: new ones are not forecast (--max-series)",
                 sdw_book_series(f->book));
    f->warned = f->warned || foresight.dropped;
    return say(ctx, &foresight);
}

static int finish(struct sdw_ctx *ctx, struct forecaster *f)
{
    const struct sdw_book_counts *counts = sdw_book_counts(f->book);
    int rc = 0;
    if (f->saver.path && sdw_book_newest(f->book) != INT64_MIN)
        rc = sdw_saver_write(&f->saver, state_of(ctx, f), &ctx->err);
    if (rc == 0 && counts->dropped > 0) {
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
             "\"scores\":%lld,\"late\":%lld,\"duplicates\":%lld,\"unsaved\":%lld}",
             (long long)counts->values, sdw_book_series(f->book), (long long)counts->forecasts,
             (long long)counts->breaches, (long long)counts->scores, (long long)counts->late,
             (long long)counts->duplicates, (long long)f->saver.unsaved);
    return rc == 0 ? sdw_rec_end(ctx, counts->ts, sdw_stop_signal(ctx) ? "signal" : "eof", text)
                   : rc;
}

static int run(struct sdw_ctx *ctx, void *arg)
{
    const struct sdw_forecast_options *options = arg;
    struct forecaster f = {0};
    struct sdw_str line;
    int rc = settings_of(options, &f, &ctx->err);
    f.book = sdw_book_new(&f.settings);
    const struct sdw_checkpoint what = {ctx->tool->name, 2, sdw_book_layout(&f.settings)};
    f.saver = sdw_saver_of(&what, options->state, options->save_us);
    if (rc == 0)
        rc = load(ctx, &f, options->state);
    while (rc == 0 && (rc = sdw_next(ctx, &line)) == 1) {
        rc = sdw_put(ctx, line);
        if (rc == 0)
            rc = learn(ctx, &f, line);
        if (rc != 0)
            break;
    }
    if (rc == 0)
        rc = finish(ctx, &f);
    sdw_arena_release(&f.arena);
    sdw_book_free(f.book);
    sdw_forecast_settings_release(&f.settings);
    sdw_geoip_close(f.geoip);
    return rc;
}

/* Odds are what matters once there is a limit; before that, what is expected. */
static const char *main_type(const void *config)
{
    const struct sdw_forecast_options *o = config;
    return o->capacity || o->below || o->above.n ? "breach" : "forecast";
}

static const struct sdw_example examples[] = {
    {"Say when the available capacity of a path will run out:",
     "shadow-probe --watch 10.9.0.2 | shadow-gradient | shadow-forecast -o breach", "lab"},
    {"Next hour's demand of each application, by the link it adds up to:",
     "echo 'app/*/bps link/uplink/bps' >parents.txt; shadow-profile --read run.pcap | "
     "shadow-forecast --horizon 15m,1h --levels 80,95 --parents parents.txt -o forecast",
     NULL},
    {"When will this link be full? Odds within an hour, against a capacity of 10 Mbit/s:",
     "for i in 1 2 3 4 5 6 7 8 9; do "
     "echo '{\"type\":\"metric\",\"v\":1,\"ts\":'$i'000000,\"series\":\"link/a-b/bps\","
     "\"value\":'$((5000000 + i * 100000))'}'; done | "
     "shadow-forecast --horizon 5m,1h --capacity 10M --above 95% -o breach",
     NULL},
    {"Tell me only when it matters: odds of 0.8 and more that a link fills, on this machine:",
     "shadow-collect --linux | shadow-forecast --series 'link/*/bps' --capacity 10G --horizon "
     "15m,1h --probability 0.8 -o breach",
     "lab"},
    {"Will the connections of a NAT run out? It makes 500 a second that last two minutes: the way "
     "the "
     "count goes, and Little's law, both come to more than its table of 50000:",
     "for i in 1 2 3 4 5 6 7 8 9; do "
     "echo '{\"type\":\"conn\",\"v\":1,\"ts\":'$i'0000000,\"series\":\"nat/gw1/entries\","
     "\"count\":'$((20000 + i * 1000))',\"limit\":50000,\"new_per_s\":500,"
     "\"duration_mean_us\":120000000}'; done | "
     "shadow-forecast --horizon 1m,5m -o forecast,breach | tail -2",
     NULL},
    {NULL, NULL, NULL},
};

static const struct sdw_command command = {
    .name = "shadow-forecast",
    .help = "forecasts series and says which limits will be crossed",
    .options = sdw_forecast_option_table,
    .run = run,
};

static const struct sdw_tool tool = {
    .name = "shadow-forecast",
    .summary = "forecast capacity and load, and say which limits will be crossed",
    .command = &command,
    .config_size = sizeof(struct sdw_forecast_options),
    .main_type = "breach",
    .main_type_of = main_type,
    .column_of = sdw_schema_column,
    .reads_records = true,
    .examples = examples,
};

int main(int argc, char **argv)
{
    return sdw_main(&tool, argc, argv);
}
