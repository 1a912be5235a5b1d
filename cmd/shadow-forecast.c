#include "io/checkpoint.h"
#include "io/scan.h"
#include "io/tool.h"
#include "io/wholefile.h"
#include "io/zone.h"
#include "model/forecast.h"
#include "rec/end.h"

#include <math.h>
#include <stdio.h>

struct config {
    struct sdw_forecast_options forecast;
    const char *tz, *state;
    int64_t save_us;
};

#define AT(member) offsetof(struct config, forecast.member)
#define OWN(member) offsetof(struct config, member)
static const struct sdw_option options[] = {
    {"horizon", 'H', SDW_OPT_LIST, AT(horizon), "DURATION,...",
     "look this far ahead, shortest first", "5s,15s,1m", 0, 0, NULL, NULL},
    {"step", 0, SDW_OPT_TEXT, AT(step), "auto|DURATION", "put the values on a grid of this step",
     "auto", 0, 0, NULL, NULL},
    {"levels", 0, SDW_OPT_LIST, AT(levels), "PERCENT,...",
     "give the intervals of these levels too", NULL, 0, 0, NULL, NULL},
    {"capacity", 'c', SDW_OPT_TEXT, AT(capacity), "N|FILE|FIELD",
     "capacity of the series: one for all, by series, or a member of the record", NULL, 0, 0, NULL,
     "file"},
    {"above", 0, SDW_OPT_LIST, AT(above), "N|SHARE%,...",
     "a breach is the level above N, or above this share of the capacity", NULL, 0, 0, NULL, NULL},
    {"below", 0, SDW_OPT_TEXT, AT(below), "N|SHARE%",
     "a breach is the level below N, or below this share of the capacity", NULL, 0, 0, NULL, NULL},
    {"probability", 'p', SDW_OPT_SHARE, AT(probability), "P",
     "write a breach from these odds within the longest horizon", NULL, 0, 0, NULL, NULL},
    {"every", 0, SDW_OPT_INT, AT(every), "K",
     "write a forecast after every K values of a series; 0: none", "1", 0, 1e9, NULL, NULL},
    {"series", 0, SDW_OPT_TEXT, AT(series), "GLOB", "forecast only the series that match", NULL, 0,
     0, NULL, NULL},
    {"counters", 0, SDW_OPT_TEXT, AT(counters), "GLOB",
     "series that match are counters: forecast their growth a second", NULL, 0, 0, NULL, NULL},
    {"key", 0, SDW_OPT_LIST, AT(keys), "KEY,...", "members of any JSON that name its series", NULL,
     0, 0, NULL, NULL},
    {"field", 0, SDW_OPT_TEXT, AT(field), "KEY", "the member that has the value", NULL, 0, 0, NULL,
     NULL},
    {"season", 0, SDW_OPT_LIST, AT(season), "auto|none|day,week", "seasons to learn", "auto", 0, 0,
     NULL, NULL},
    {"tz", 0, SDW_OPT_TEXT, OWN(tz), "ZONE", "days and weeks are those of this time zone", NULL, 0,
     0, NULL, NULL},
    {"explain", 0, SDW_OPT_FLAG, AT(explain), NULL, "add the weights of the models to forecasts",
     NULL, 0, 0, NULL, NULL},
    {"state", 0, SDW_OPT_TEXT, OWN(state), "FILE", "keep what was learned in this file", NULL, 0, 0,
     NULL, "file"},
    {"save", 0, SDW_OPT_DURATION, OWN(save_us), "DURATION",
     "write the state once in this time of the records", "5m", 0, 0, NULL, NULL},
    {"max-series", 0, SDW_OPT_INT, AT(max_series), "N", "follow at most N series", "100000", 1, 1e8,
     NULL, NULL},
    {"ttl", 0, SDW_OPT_DURATION, AT(ttl_us), "DURATION",
     "forget a series that had no value for so long; 0: never", "7d", 0, 0, NULL, NULL},
    {0},
};

struct forecaster {
    struct sdw_forecast_settings settings;
    struct sdw_book *book;
    struct sdw_checkpoint checkpoint;
    const char *state; /* the file; NULL: none */
    int64_t save_us, saved;
    struct sdw_arena arena;
    struct sdw_zone zone;
    bool warned; /* that the book is full */
};

static int settings_of(const struct config *config, struct forecaster *f, struct sdw_err *err)
{
    const char *capacities;
    int rc = sdw_forecast_settings_of(&config->forecast, &f->settings, &capacities, err);
    if (rc == 0 && capacities) {
        struct sdw_buf text = {0};
        rc = sdw_whole_read(capacities, (size_t)1 << 30, &text, err);
        if (rc == 0)
            rc = sdw_err_set(err, SDW_EUSAGE, "--capacity: there is no file %s", capacities);
        if (rc == 1)
            rc = sdw_forecast_capacities(sdw_buf_view(&text), capacities, &f->settings, err);
        sdw_buf_release(&text);
    }
    if (rc == 0 && config->tz) {
        rc = sdw_zone_set(&f->zone, config->tz, err);
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
    if (rc == 0 && foresight->forecast)
        rc = sdw_rec_put(ctx, &sdw_forecast_schema, &foresight->said);
    for (size_t i = 0; rc == 0 && i < foresight->n_breaches; i++)
        rc = sdw_rec_put(ctx, &sdw_breach_schema, &foresight->breach[i]);
    return rc;
}

static int save(struct sdw_ctx *ctx, struct forecaster *f)
{
    int64_t newest = sdw_book_newest(f->book);
    if (!f->state || newest == INT64_MIN)
        return 0;
    f->saved = newest;
    sdw_buf_clear(&ctx->scratch);
    sdw_book_save(f->book, &ctx->scratch);
    return sdw_checkpoint_write(f->state, &f->checkpoint, sdw_buf_view(&ctx->scratch), &ctx->err);
}

static int load(struct sdw_ctx *ctx, struct forecaster *f)
{
    struct sdw_buf text = {0};
    struct sdw_str body;
    f->checkpoint = (struct sdw_checkpoint){ctx->tool->name, 1, sdw_book_layout(&f->settings)};
    f->saved = INT64_MIN;
    int rc = f->state ? sdw_checkpoint_read(f->state, &f->checkpoint, &text, &body, &ctx->err) : 0;
    if (rc == 1) {
        rc = sdw_book_load(f->book, body, &ctx->err);
        f->saved = sdw_book_newest(f->book);
        if (rc == 0)
            sdw_detail(ctx, "%s: %zu series, records after %lld us are learned from", f->state,
                       sdw_book_series(f->book), (long long)f->saved);
    }
    sdw_buf_release(&text);
    return rc;
}

/* Learn from one line. Other types of record have nothing to teach. The state is saved between
 * two times of record, so that it is known which records it has seen. */
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
    int64_t newest = sdw_book_newest(f->book);
    if (f->saved == INT64_MIN)
        f->saved = newest;
    if (sample.ts > newest && newest != INT64_MIN && newest - f->saved >= f->save_us)
        rc = save(ctx, f);
    if (rc < 0)
        return rc;
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
    int rc = save(ctx, f);
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
             "\"scores\":%lld,\"late\":%lld,\"duplicates\":%lld}",
             (long long)counts->values, sdw_book_series(f->book), (long long)counts->forecasts,
             (long long)counts->breaches, (long long)counts->scores, (long long)counts->late,
             (long long)counts->duplicates);
    return rc == 0 ? sdw_rec_end(ctx, counts->ts, sdw_stop_signal(ctx) ? "signal" : "eof", text)
                   : rc;
}

static int run(struct sdw_ctx *ctx, void *arg)
{
    const struct config *config = arg;
    struct forecaster f = {.state = config->state, .save_us = config->save_us};
    struct sdw_str line;
    int rc = settings_of(config, &f, &ctx->err);
    f.book = sdw_book_new(&f.settings);
    if (rc == 0)
        rc = load(ctx, &f);
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
    return rc;
}

static const struct sdw_example examples[] = {
    {"Say when the available capacity of a path will run out:",
     "shadow-probe --watch 10.9.0.2 | shadow-gradient | shadow-forecast -o breach", "lab"},
    {"Will the load of a link pass 95 per cent of 10 Mbit/s within five minutes?",
     "for i in 1 2 3 4 5 6 7 8 9; do "
     "echo '{\"type\":\"metric\",\"v\":1,\"ts\":'$i'000000,\"series\":\"link/a-b/bps\","
     "\"value\":'$((5000000 + i * 100000))'}'; done | "
     "shadow-forecast --horizon 5m --capacity 10M --above 95% -o breach",
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
