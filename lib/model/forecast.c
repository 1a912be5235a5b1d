#include "model/forecast.h"
#include "core/buf.h"
#include "core/map.h"
#include "core/mem.h"
#include "core/num.h"
#include "io/jsonw.h"

#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>

static const struct {
    const char *name;
    double p;
} quantiles[] = {{"0.025", 0.025}, {"0.1", 0.1}, {"0.5", 0.5}, {"0.9", 0.9}, {"0.975", 0.975}};

static const char path_prefix[] = "path/", available_suffix[] = "/available_bps",
                  capacity_suffix[] = "/capacity_bps";

struct series {
    struct sdw_trend trend;
    bool has_metric;     /* metrics came, so verdicts give no values */
    bool followed;       /* the glob matches */
    unsigned alarmed;    /* bit i: limit i was said to be crossed */
    int64_t unsaid;      /* values since the last forecast */
    struct sdw_buf name; /* of the series */
    struct sdw_str path_id;
};

struct sdw_book {
    struct sdw_forecast_settings settings;
    struct sdw_map series, capacity; /* by series name; by path id (double *) */
    struct sdw_buf name, json[1 + SDW_BREACHES_MAX];
};

struct sdw_book *sdw_book_new(const struct sdw_forecast_settings *settings)
{
    struct sdw_book *book = sdw_xalloc(sizeof *book);
    book->settings = *settings;
    sdw_map_init(&book->series, 0);
    sdw_map_init(&book->capacity, 0);
    return book;
}

void sdw_book_free(struct sdw_book *book)
{
    if (!book)
        return;
    size_t cursor = 0;
    struct sdw_str key;
    void *value;
    while (sdw_map_next(&book->series, &cursor, &key, &value)) {
        struct series *series = value;
        sdw_buf_release(&series->name);
        free(series);
    }
    cursor = 0;
    while (sdw_map_next(&book->capacity, &cursor, &key, &value))
        free(value);
    sdw_map_release(&book->series);
    sdw_map_release(&book->capacity);
    sdw_buf_release(&book->name);
    for (size_t i = 0; i < SDW_LEN(book->json); i++)
        sdw_buf_release(&book->json[i]);
    free(book);
}

size_t sdw_book_series(const struct sdw_book *book)
{
    return book->series.n;
}

/* The ID of path/ID<suffix>; p is NULL when the name is another. */
static struct sdw_str path_of(struct sdw_str name, const char *suffix)
{
    size_t head = sizeof path_prefix - 1, tail = strlen(suffix);
    if (!name.p || name.n <= head + tail || memcmp(name.p, path_prefix, head) != 0 ||
        memcmp(name.p + name.n - tail, suffix, tail) != 0)
        return (struct sdw_str){0};
    return (struct sdw_str){name.p + head, name.n - head - tail};
}

/* The book's entry for a series; NULL when the book is full. */
static struct series *series_at(struct sdw_book *book, struct sdw_str name)
{
    struct series *series = sdw_map_get(&book->series, name);
    if (series || book->series.n >= book->settings.max_series)
        return series;
    series = sdw_xalloc(sizeof *series);
    sdw_trend_init(&series->trend);
    sdw_buf_str(&series->name, name);
    series->path_id = path_of(sdw_buf_view(&series->name), available_suffix);
    series->followed = !book->settings.glob || fnmatch(book->settings.glob, series->name.p, 0) == 0;
    *sdw_map_at(&book->series, name) = series;
    return series;
}

static void learn_capacity(struct sdw_book *book, struct sdw_str path_id, double capacity)
{
    if (!path_id.p || !(capacity > 0))
        return;
    double *known = sdw_map_get(&book->capacity, path_id);
    if (!known) {
        if (book->capacity.n >= book->settings.max_series)
            return;
        *sdw_map_at(&book->capacity, path_id) = known = sdw_xalloc(sizeof *known);
    }
    *known = capacity;
}

static double capacity_of(const struct sdw_book *book, const struct series *series)
{
    if (isfinite(book->settings.capacity))
        return book->settings.capacity;
    if (!series->path_id.p)
        return NAN;
    const double *known = sdw_map_get(&book->capacity, series->path_id);
    return known ? *known : series->trend.greatest;
}

/* The limits that hold for a series now; their order is fixed, so that bit i of alarmed is one
 * limit's for ever. A limit that is not known is NAN. */
static size_t limits_of(const struct sdw_book *book, const struct series *series,
                        struct sdw_limit limit[SDW_BREACHES_MAX])
{
    const struct sdw_forecast_settings *s = &book->settings;
    double capacity = capacity_of(book, series);
    size_t n = 0;
    limit[n++] =
        (struct sdw_limit){isfinite(s->below) ? s->below : s->below_share * capacity, true};
    limit[n++] = (struct sdw_limit){s->above, false};
    for (size_t i = 0; i < s->levels; i++)
        limit[n++] = (struct sdw_limit){s->level[i] * capacity, false};
    return n;
}

static struct sdw_str say_horizons(const struct sdw_book *book, const struct series *series,
                                   struct sdw_buf *json)
{
    sdw_buf_clear(json);
    struct sdw_jsonw w = sdw_jsonw(json);
    sdw_jsonw_array(&w, NULL);
    for (size_t i = 0; i < book->settings.horizons; i++) {
        int64_t horizon = book->settings.horizon_us[i];
        sdw_jsonw_object(&w, NULL);
        sdw_jsonw_int(&w, "horizon_us", horizon);
        sdw_jsonw_model(&w, "mean", sdw_trend_mean(&series->trend, horizon));
        sdw_jsonw_object(&w, "q");
        for (size_t q = 0; q < SDW_LEN(quantiles); q++)
            sdw_jsonw_model(&w, quantiles[q].name,
                            sdw_trend_quantile(&series->trend, horizon, quantiles[q].p));
        sdw_jsonw_end(&w);
        sdw_jsonw_end(&w);
    }
    sdw_jsonw_end(&w);
    return sdw_buf_view(json);
}

static struct sdw_str say_odds(const struct sdw_book *book, const struct sdw_breach_odds *odds,
                               struct sdw_buf *json)
{
    sdw_buf_clear(json);
    struct sdw_jsonw w = sdw_jsonw(json);
    sdw_jsonw_array(&w, NULL);
    for (size_t i = 0; i < book->settings.horizons; i++) {
        sdw_jsonw_object(&w, NULL);
        sdw_jsonw_int(&w, "horizon_us", book->settings.horizon_us[i]);
        sdw_jsonw_model(&w, "p", odds->p[i]);
        sdw_jsonw_end(&w);
    }
    sdw_jsonw_end(&w);
    return sdw_buf_view(json);
}

/* Whether limit i of the series is worth a record: while a breach is expected, and once more,
 * with severity 0, when the odds have fallen to half of what made it one. */
static bool worth_saying(const struct sdw_book *book, struct series *series, size_t i,
                         struct sdw_breach_odds *odds)
{
    double p = odds->p[book->settings.horizons - 1], enough = book->settings.probability;
    unsigned bit = 1u << i;
    if (p >= enough) {
        series->alarmed |= bit;
        return true;
    }
    if (!(series->alarmed & bit))
        return false;
    if (p < enough / 2) {
        series->alarmed &= ~bit;
        odds->severity = 0;
    }
    return true;
}

static void foresee(struct sdw_book *book, struct series *series, struct sdw_foresight *out)
{
    struct sdw_limit limit[SDW_BREACHES_MAX];
    size_t n = limits_of(book, series, limit);
    for (size_t i = 0; i < n; i++) {
        struct sdw_breach_odds odds;
        if (!isfinite(limit[i].value))
            continue;
        sdw_breach_foresee(&series->trend, limit[i], book->settings.horizon_us,
                           book->settings.horizons, &odds);
        if (!worth_saying(book, series, i, &odds))
            continue;
        struct sdw_breach *breach = &out->breach[out->n_breaches++];
        sdw_rec_init(&sdw_breach_schema, breach);
        breach->ts = series->trend.ts;
        breach->series = sdw_buf_view(&series->name);
        breach->value = series->trend.value;
        breach->capacity = limit[i].value;
        breach->direction = sdw_str_of(limit[i].below ? "below" : "above");
        breach->severity = odds.severity;
        breach->horizons = say_odds(book, &odds, &book->json[out->n_breaches]);
        breach->eta_us = (struct sdw_range){odds.eta_lo_us, odds.eta_mid_us, odds.eta_hi_us};
        breach->path_id = series->path_id;
    }
}

static void learn(struct sdw_book *book, struct series *series, int64_t ts, double value,
                  struct sdw_foresight *out)
{
    out->use = sdw_trend_learn(&series->trend, ts, value);
    if (out->use != SDW_TREND_USED)
        return;
    bool cold = sdw_trend_cold(&series->trend);
    if (book->settings.every > 0 && ++series->unsaid >= book->settings.every) {
        series->unsaid = 0;
        out->forecast = true;
        sdw_rec_init(&sdw_forecast_schema, &out->said);
        out->said.ts = ts;
        out->said.series = sdw_buf_view(&series->name);
        out->said.value = value;
        out->said.n = series->trend.n;
        out->said.cold = cold;
        out->said.horizons = say_horizons(book, series, &book->json[0]);
    }
    if (!cold)
        foresee(book, series, out);
}

void sdw_book_metric(struct sdw_book *book, const struct sdw_metric *metric,
                     struct sdw_foresight *out)
{
    *out = (struct sdw_foresight){.use = SDW_TREND_BAD};
    learn_capacity(book, path_of(metric->series, capacity_suffix), metric->value);
    if (!isfinite(metric->value))
        return;
    struct series *series = series_at(book, metric->series);
    out->dropped = !series;
    if (!series || !series->followed)
        return;
    series->has_metric = true;
    learn(book, series, metric->ts, metric->value, out);
}

void sdw_book_verdict(struct sdw_book *book, const struct sdw_verdict *verdict,
                      struct sdw_foresight *out)
{
    *out = (struct sdw_foresight){.use = SDW_TREND_BAD};
    learn_capacity(book, verdict->path_id, verdict->capacity_bps);
    if (!isfinite(verdict->available_bps.mid))
        return;
    sdw_buf_clear(&book->name);
    sdw_buf_text(&book->name, path_prefix);
    sdw_buf_str(&book->name, verdict->path_id);
    sdw_buf_text(&book->name, available_suffix);
    struct series *series = series_at(book, sdw_buf_view(&book->name));
    out->dropped = !series;
    if (series && series->followed && !series->has_metric)
        learn(book, series, verdict->ts, verdict->available_bps.mid, out);
}

static bool per_cent(const char *text, double *share)
{
    return text[0] && text[strlen(text) - 1] == '%' && sdw_parse_share(text, share);
}

int sdw_forecast_below(const char *text, struct sdw_forecast_settings *settings,
                       struct sdw_err *err)
{
    settings->below = settings->below_share = NAN;
    if (per_cent(text, &settings->below_share) || sdw_parse_rate(text, &settings->below))
        return 0;
    return sdw_err_set(err, SDW_EUSAGE,
                       "--below: '%s' is neither a value (600k) nor a share of the capacity (10%%)",
                       text);
}

int sdw_forecast_above(const char *text, struct sdw_forecast_settings *settings,
                       struct sdw_err *err)
{
    if (sdw_parse_rate(text, &settings->above))
        return 0;
    return sdw_err_set(err, SDW_EUSAGE, "--above: '%s' is not a value such as 8M", text);
}

int sdw_forecast_horizons(const char *const *text, size_t n, struct sdw_forecast_settings *settings,
                          struct sdw_err *err)
{
    if (n < 1 || n > SDW_HORIZONS_MAX)
        return sdw_err_set(err, SDW_EUSAGE, "--horizon: give 1 to %d durations, not %zu",
                           SDW_HORIZONS_MAX, n);
    for (size_t i = 0; i < n; i++) {
        int64_t us;
        if (!sdw_parse_duration(text[i], &us) || us <= 0 || us > INT64_C(31536000) * 1000000)
            return sdw_err_set(err, SDW_EUSAGE,
                               "--horizon: '%s' is not a duration up to a year, such as 15s",
                               text[i]);
        if (i > 0 && us <= settings->horizon_us[i - 1])
            return sdw_err_set(err, SDW_EUSAGE,
                               "--horizon: '%s' is not longer than the one before it", text[i]);
        settings->horizon_us[i] = us;
    }
    settings->horizons = n;
    return 0;
}

int sdw_forecast_levels(const char *const *text, size_t n, struct sdw_forecast_settings *settings,
                        struct sdw_err *err)
{
    if (n > SDW_LEVELS_MAX)
        return sdw_err_set(err, SDW_EUSAGE, "--levels: give at most %d levels, not %zu",
                           SDW_LEVELS_MAX, n);
    for (size_t i = 0; i < n; i++) {
        double level;
        struct sdw_str view = sdw_str_of(text[i]);
        if (view.n > 1 && view.p[view.n - 1] == '%')
            view.n--;
        if (!sdw_num_real(view, &level) || level <= 0 || level > 1000)
            return sdw_err_set(err, SDW_EUSAGE, "--levels: '%s' is not a per cent value", text[i]);
        settings->level[i] = level / 100;
    }
    settings->levels = n;
    return 0;
}
