/* The book of a forecaster: what it learns from which record, its limits, and what it says. */
#include "core/buf.h"
#include "core/rng.h"
#include "model/forecast.h"
#include "unit/tap.h"

static const int64_t second = 1000000;
static struct sdw_str available = {"path/00ff/available_bps", 23};

static struct sdw_forecast_settings settings_of(const char *below)
{
    static const char *const horizons[] = {"5s", "15s", "1m"};
    struct sdw_forecast_settings settings = {
        .above = NAN, .capacity = NAN, .probability = 0.5, .every = 1, .max_series = 100};
    sdw_forecast_horizons(horizons, 3, &settings, NULL);
    sdw_forecast_below(below, &settings, NULL);
    return settings;
}

static struct sdw_metric metric_of(struct sdw_str series, int64_t ts, double value)
{
    struct sdw_metric metric;
    sdw_rec_init(&sdw_metric_schema, &metric);
    metric.ts = ts;
    metric.series = series;
    metric.value = value;
    return metric;
}

static struct sdw_verdict verdict_of(int64_t ts, double available_bps, double capacity)
{
    struct sdw_verdict verdict;
    sdw_rec_init(&sdw_verdict_schema, &verdict);
    verdict.ts = ts;
    verdict.path_id = sdw_str_of("00ff");
    verdict.available_bps.mid = available_bps;
    verdict.capacity_bps = capacity;
    return verdict;
}

/* A ramp of `available` down from 4M by 200k a second; returns the value number at which the
 * first breach was said (0: never), and the last thing said. */
static int ramp_down(struct sdw_book *book, int n, struct sdw_foresight *last)
{
    int first = 0;
    for (int i = 1; i <= n; i++) {
        struct sdw_metric metric = metric_of(available, i * second, 4e6 - 2e5 * i);
        sdw_book_metric(book, &metric, last);
        if (last->n_breaches > 0 && !first)
            first = i;
    }
    return first;
}

static void capacity_comes_from_verdicts(void)
{
    struct sdw_forecast_settings settings = settings_of("10%");
    struct sdw_book *book = sdw_book_new(&settings);
    struct sdw_verdict verdict = verdict_of(0, NAN, 6e6);
    struct sdw_foresight out;
    sdw_book_verdict(book, &verdict, &out);
    int first = ramp_down(book, 15, &out);
    ok(first == 8, "a clean ramp is a breach as soon as the trend is warm (%d)", first);
    is_near(out.breach[0].capacity, 6e5, 1, "the limit is 10 %% of the verdict's capacity");
    is_near(out.breach[0].eta_us.mid / 1e6, 2, 0.3, "the time left is that of the line");
    ok(sdw_str_is(out.breach[0].path_id, "00ff"), "a breach names the path");
    ok(sdw_str_is(out.breach[0].direction, "below"), "and the side");
    sdw_book_free(book);
}

static void greatest_value_stands_for_capacity(void)
{
    struct sdw_forecast_settings settings = settings_of("10%");
    struct sdw_book *book = sdw_book_new(&settings);
    struct sdw_foresight out;
    ramp_down(book, 16, &out);
    is_near(out.breach[0].capacity, 3.8e5, 1,
            "before any capacity is known the greatest value stands for it");
    struct sdw_metric metric = metric_of(sdw_str_of("path/00ff/capacity_bps"), 17 * second, 5e6);
    sdw_book_metric(book, &metric, &out);
    metric = metric_of(available, 18 * second, 4e5);
    sdw_book_metric(book, &metric, &out);
    is_near(out.breach[0].capacity, 5e5, 1, "a capacity series replaces it");
    sdw_book_free(book);
}

static void verdicts_are_values_until_metrics_come(void)
{
    struct sdw_forecast_settings settings = settings_of("10%");
    struct sdw_book *book = sdw_book_new(&settings);
    struct sdw_foresight out;
    struct sdw_verdict verdict = verdict_of(second, 3e6, 6e6);
    sdw_book_verdict(book, &verdict, &out);
    ok(out.forecast && sdw_str_same(out.said.series, available) && out.said.value == 3e6,
       "a verdict's available capacity is a value of its path's series");
    struct sdw_metric metric = metric_of(available, 2 * second, 2.9e6);
    sdw_book_metric(book, &metric, &out);
    verdict = verdict_of(3 * second, 3e6, 6e6);
    sdw_book_verdict(book, &verdict, &out);
    ok(!out.forecast, "and no longer once the series itself has come");
    sdw_book_free(book);
}

static void the_end_of_a_danger_is_said_once(void)
{
    struct sdw_forecast_settings settings = settings_of("600k");
    struct sdw_book *book = sdw_book_new(&settings);
    struct sdw_foresight out;
    ramp_down(book, 16, &out);
    ok(out.n_breaches == 1 && out.breach[0].severity >= 4, "a ramp near its limit is severe");
    int zero = 0, after = 0;
    for (int i = 17; i < 60; i++) {
        struct sdw_metric metric = metric_of(available, i * second, 5e6);
        sdw_book_metric(book, &metric, &out);
        after += out.n_breaches > 0 && zero;
        zero += out.n_breaches > 0 && out.breach[0].severity == 0;
    }
    ok(zero == 1 && after == 0, "when it is over one breach of severity 0 is said, and no more");
    sdw_book_free(book);
}

static void levels_and_above(void)
{
    struct sdw_forecast_settings settings = settings_of("10%");
    static const char *const levels[] = {"80", "95%"};
    settings.capacity = 10e6;
    ok(sdw_forecast_levels(levels, 2, &settings, NULL) == 0,
       "levels are read, with and without %%");
    struct sdw_book *book = sdw_book_new(&settings);
    struct sdw_foresight out;
    for (int i = 1; i <= 20; i++) {
        struct sdw_metric metric = metric_of(sdw_str_of("link/a-b/bps"), i * second, 5e6 + 1e5 * i);
        sdw_book_metric(book, &metric, &out);
    }
    ok(out.n_breaches == 2 && out.breach[0].capacity == 8e6 && out.breach[1].capacity == 9.5e6,
       "every level that will be passed is said");
    ok(sdw_str_is(out.breach[0].direction, "above"), "and its side is above");
    sdw_book_free(book);
}

static void the_book_is_bounded(void)
{
    struct sdw_forecast_settings settings = settings_of("10%");
    settings.max_series = 2;
    settings.glob = "link/*";
    settings.every = 2;
    struct sdw_book *book = sdw_book_new(&settings);
    static const char *const names[] = {"link/a/bps", "app/b/bps", "link/c/bps"};
    struct sdw_foresight out[3];
    for (int i = 0; i < 3; i++) {
        struct sdw_metric metric = metric_of(sdw_str_of(names[i]), second, 1);
        sdw_book_metric(book, &metric, &out[i]);
    }
    ok(out[2].dropped && sdw_book_series(book) == 2, "a full book follows no new series");
    struct sdw_metric metric = metric_of(sdw_str_of(names[0]), 2 * second, 1);
    sdw_book_metric(book, &metric, &out[0]);
    ok(out[0].forecast, "every second value leads to a forecast when asked so");
    metric = metric_of(sdw_str_of(names[1]), 2 * second, 1);
    sdw_book_metric(book, &metric, &out[1]);
    ok(!out[1].forecast, "a series that does not match is not forecast");
    metric = metric_of(sdw_str_of(names[0]), 3 * second, NAN);
    sdw_book_metric(book, &metric, &out[0]);
    ok(!out[0].forecast && out[0].use == SDW_TREND_BAD, "null teaches nothing");
    sdw_book_free(book);
}

static void bad_settings_are_named(void)
{
    struct sdw_forecast_settings settings = settings_of("10%");
    struct sdw_err err;
    static const char *const falling[] = {"15s", "5s"}, *const zero[] = {"0s"};
    static const char *const odd[] = {"-3"}, *const words[] = {"soon"};
    ok(sdw_forecast_horizons(falling, 2, &settings, &err) == SDW_EUSAGE &&
           strstr(err.text, "5s") != NULL,
       "horizons that do not grow are refused by name");
    ok(sdw_forecast_horizons(zero, 1, &settings, &err) == SDW_EUSAGE, "so is one of no length");
    ok(sdw_forecast_horizons(words, 1, &settings, &err) == SDW_EUSAGE, "so is one that is none");
    ok(sdw_forecast_horizons(words, 0, &settings, &err) == SDW_EUSAGE, "so is the lack of any");
    ok(sdw_forecast_below("a lot", &settings, &err) == SDW_EUSAGE &&
           strstr(err.text, "a lot") != NULL,
       "a limit that is no number is refused by name");
    ok(sdw_forecast_above("-1", &settings, &err) == SDW_EUSAGE, "a negative limit is refused");
    ok(sdw_forecast_levels(odd, 1, &settings, &err) == SDW_EUSAGE, "a negative level is refused");
}

int main(void)
{
    capacity_comes_from_verdicts();
    greatest_value_stands_for_capacity();
    verdicts_are_values_until_metrics_come();
    the_end_of_a_danger_is_said_once();
    levels_and_above();
    the_book_is_bounded();
    bad_settings_are_named();
    return tap_done();
}
