/* The book of a forecaster: what it learns from which record, its limits, and what it says. */
#include "core/buf.h"
#include "core/num.h"
#include "model/forecast.h"
#include "unit/tap.h"

static const int64_t second = 1000000;
static struct sdw_str available = {"path/00ff/available_bps", 23};

static struct sdw_forecast_settings settings_of(const char *below)
{
    static const char *const horizons[] = {"5s", "15s", "1m"};
    struct sdw_forecast_settings settings;
    sdw_forecast_settings_init(&settings);
    settings.max_series = 100;
    sdw_forecast_horizons(horizons, 3, &settings, NULL);
    sdw_forecast_below(below, &settings, NULL);
    return settings;
}

static struct sdw_sample sample_of(struct sdw_str series, int64_t ts, double value)
{
    struct sdw_sample sample = sdw_sample_absent;
    sample.ts = ts;
    sample.series = series;
    sample.value = value;
    return sample;
}

static struct sdw_sample verdict_of(int64_t ts, double available_bps, double capacity)
{
    struct sdw_sample sample = sample_of(available, ts, available_bps);
    sample.path_capacity = capacity;
    sample.estimate = true;
    return sample;
}

/* A ramp of `available` down from 4M by 200k a second; returns the value number at which the
 * first breach was said (0: never), and the last thing said. */
static int ramp_down(struct sdw_book *book, int n, struct sdw_foresight *last)
{
    int first = 0;
    for (int i = 1; i <= n; i++) {
        struct sdw_sample sample = sample_of(available, i * second, 4e6 - 2e5 * i);
        sdw_book_learn(book, &sample, last);
        if (last->n_breaches > 0 && last->breach[0].severity > 0 && !first)
            first = i;
    }
    return first;
}

static void capacity_comes_from_verdicts(void)
{
    struct sdw_forecast_settings settings = settings_of("10%");
    struct sdw_book *book = sdw_book_new(&settings);
    struct sdw_sample verdict = verdict_of(0, NAN, 6e6);
    struct sdw_foresight out;
    sdw_book_learn(book, &verdict, &out);
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
    struct sdw_sample sample = sample_of(sdw_str_of("path/00ff/capacity_bps"), 17 * second, 5e6);
    sdw_book_learn(book, &sample, &out);
    sample = sample_of(available, 18 * second, 4e5);
    sdw_book_learn(book, &sample, &out);
    is_near(out.breach[0].capacity, 5e5, 1, "a capacity series replaces it");
    sdw_book_free(book);
}

static void verdicts_are_values_until_metrics_come(void)
{
    struct sdw_forecast_settings settings = settings_of("10%");
    struct sdw_book *book = sdw_book_new(&settings);
    struct sdw_foresight out;
    struct sdw_sample verdict = verdict_of(second, 3e6, 6e6);
    sdw_book_learn(book, &verdict, &out);
    ok(out.n_forecasts == 1 && sdw_str_same(out.said->series, available) && out.said->value == 3e6,
       "a verdict's available capacity is a value of its path's series");
    struct sdw_sample sample = sample_of(available, 2 * second, 2.9e6);
    sdw_book_learn(book, &sample, &out);
    verdict = verdict_of(3 * second, 3e6, 6e6);
    sdw_book_learn(book, &verdict, &out);
    ok(out.n_forecasts == 0, "and no longer once the series itself has come");
    sdw_book_free(book);
}

static void the_end_of_a_danger_is_said_once(void)
{
    struct sdw_forecast_settings settings = settings_of("600k");
    settings.probability = 0.5;
    struct sdw_book *book = sdw_book_new(&settings);
    struct sdw_foresight out;
    ramp_down(book, 16, &out);
    ok(out.n_breaches == 1 && out.breach[0].severity >= 4, "a ramp near its limit is severe");
    int zero = 0, after = 0;
    for (int i = 17; i < 60; i++) {
        struct sdw_sample sample = sample_of(available, i * second, 5e6);
        sdw_book_learn(book, &sample, &out);
        after += out.n_breaches > 0 && zero;
        zero += out.n_breaches > 0 && out.breach[0].severity == 0;
    }
    ok(zero == 1 && after == 0, "when it is over one breach of severity 0 is said, and no more");
    sdw_book_free(book);
}

static void shares_from_above(void)
{
    struct sdw_forecast_settings settings = settings_of("10%");
    static const char *const above[] = {"80%", "9.5M"};
    settings.capacity = 10e6;
    settings.probability = 0.5;
    ok(sdw_forecast_above(above, 2, &settings, NULL) == 0, "limits are shares and values");
    struct sdw_book *book = sdw_book_new(&settings);
    struct sdw_foresight out;
    for (int i = 1; i <= 20; i++) {
        struct sdw_sample sample = sample_of(sdw_str_of("link/a-b/bps"), i * second, 5e6 + 1e5 * i);
        sdw_book_learn(book, &sample, &out);
    }
    ok(out.n_breaches == 2 && out.breach[0].capacity == 8e6 && out.breach[1].capacity == 9.5e6,
       "every limit that will be passed is said");
    ok(sdw_str_is(out.breach[0].direction, "above"), "and its side is above");
    sdw_book_free(book);
}

/* 5-minute values of a day's shape, with a flat noise of one part in twenty. */
static double daily(int i)
{
    return 100 + 50 * sin(2 * M_PI * i / 288) + (i * 7919 % 101 - 50) / 10.0;
}

static struct sdw_forecast_settings hourly(void)
{
    static const char *const horizons[] = {"5m", "15m", "1h"};
    struct sdw_forecast_settings settings;
    sdw_forecast_settings_init(&settings);
    sdw_forecast_horizons(horizons, 3, &settings, NULL);
    return settings;
}

static void a_known_capacity_always_has_odds(void)
{
    struct sdw_forecast_settings settings = hourly();
    struct sdw_book *book = sdw_book_new(&settings);
    struct sdw_foresight out;
    struct sdw_sample capacity = sample_of(sdw_str_of("link/a/capacity_bps"), second, 1000);
    sdw_book_learn(book, &capacity, &out);
    int breaches = 0, above = 0;
    bool bounded = true;
    for (int i = 1; i <= 600; i++) {
        struct sdw_sample sample = sample_of(sdw_str_of("link/a/bps"), i * 300 * second, daily(i));
        sdw_book_learn(book, &sample, &out);
        if (i > 100 && out.n_breaches == 1) {
            breaches++;
            above += sdw_str_is(out.breach[0].direction, "above");
            bounded = bounded && out.breach[0].capacity == 1000;
        }
    }
    ok(breaches == 500 && above == 500, "a mature series with a capacity has odds for every value");
    ok(bounded && out.breach[0].severity == 0, "low ones, of severity 0, far below it");
    sdw_book_free(book);
}

static void rules_and_fields_give_capacities(void)
{
    struct sdw_forecast_settings settings = hourly();
    struct sdw_err err;
    ok(sdw_forecast_capacities(sdw_str_of("# links\n\nlink/*/bps 2k\n* 9k"), "file", &settings,
                               &err) == 0 &&
           settings.capacities.n == 2,
       "a file of capacities is read");
    ok(sdw_forecast_capacities(sdw_str_of("a 1\nb much\n"), "file", &settings, &err) ==
               SDW_EUSAGE &&
           strstr(err.text, "line 2"),
       "and what is wrong in one is named by line");
    struct sdw_book *book = sdw_book_new(&settings);
    struct sdw_foresight out;
    for (int i = 1; i <= 100; i++) {
        struct sdw_sample sample = sample_of(sdw_str_of("link/a/bps"), i * 300 * second, daily(i));
        sample.capacity = i == 100 ? 3000 : NAN;
        sdw_book_learn(book, &sample, &out);
        if (i == 99)
            is_near(out.breach[0].capacity, 2000, 0, "the first glob that matches counts");
    }
    is_near(out.breach[0].capacity, 3000, 0, "a record's own capacity replaces it");
    sdw_book_free(book);
    sdw_forecast_settings_release(&settings);
}

static void series_are_forgotten(void)
{
    struct sdw_forecast_settings settings = hourly();
    settings.ttl_us = 3600 * second;
    struct sdw_book *book = sdw_book_new(&settings);
    struct sdw_foresight out;
    struct sdw_sample sample = sample_of(sdw_str_of("a"), second, 1);
    sdw_book_learn(book, &sample, &out);
    for (int i = 0; i < 50; i++) {
        sample = sample_of(sdw_str_of("b"), i * 300 * second, 1);
        sdw_book_learn(book, &sample, &out);
    }
    ok(sdw_book_series(book) == 1, "a series without a value for the time to live is forgotten");
    sdw_book_free(book);
}

/* Learn values [from, to) of three series into a book; the last forecasts into text. */
static void feed(struct sdw_book *book, int from, int to, struct sdw_buf *text)
{
    static const char *const names[] = {"link/a/bps", "link/b/bps", "app/x/bps"};
    for (int i = from; i < to; i++)
        for (int k = 0; k < 3; k++) {
            struct sdw_foresight out;
            struct sdw_sample sample =
                sample_of(sdw_str_of(names[k]), i * 300 * second, daily(i + 31 * k));
            sample.capacity = 150;
            sdw_book_learn(book, &sample, &out);
            if (out.n_forecasts > 0)
                sdw_buf_str(text, out.said->horizons);
            for (size_t b = 0; b < out.n_breaches; b++)
                sdw_buf_str(text, out.breach[b].horizons);
            for (size_t b = 0; b < out.n_scores; b++)
                sdw_buf_real(text, out.score[b].mase);
        }
}

static void a_saved_book_goes_on_as_if_nothing_had_happened(void)
{
    struct sdw_forecast_settings settings = hourly();
    static const int cuts[] = {3, 40, 700};
    for (size_t c = 0; c < SDW_LEN(cuts); c++) {
        struct sdw_book *whole = sdw_book_new(&settings), *half = sdw_book_new(&settings);
        struct sdw_book *rest = sdw_book_new(&settings);
        struct sdw_buf before = {0}, one = {0}, two = {0}, state = {0};
        feed(whole, 1, cuts[c], &before);
        feed(whole, cuts[c], 900, &one);
        feed(half, 1, cuts[c], &before);
        sdw_book_save(half, &state);
        ok(sdw_book_load(rest, sdw_buf_view(&state), NULL) == 0, "a saved book is loaded");
        feed(rest, cuts[c] / 2, 900, &two);
        ok(sdw_str_same(sdw_buf_view(&one), sdw_buf_view(&two)),
           "and goes on with the same bytes, ignoring what it had seen");
        struct sdw_book *cut = sdw_book_new(&settings);
        ok(sdw_book_load(cut, (struct sdw_str){state.p, state.n - 1}, NULL) == SDW_EINPUT,
           "a cut state is refused");
        sdw_book_free(cut);
        sdw_book_free(whole);
        sdw_book_free(half);
        sdw_book_free(rest);
        sdw_buf_release(&before);
        sdw_buf_release(&one);
        sdw_buf_release(&two);
        sdw_buf_release(&state);
    }
}

static void the_book_is_bounded(void)
{
    struct sdw_forecast_settings settings = settings_of("10%");
    settings.max_series = 2;
    settings.glob = "link/*";
    settings.every = 2;
    struct sdw_book *book = sdw_book_new(&settings);
    static const char *const names[] = {"link/a/bps", "app/b/bps", "link/c/bps", "link/d/bps"};
    struct sdw_foresight out[4];
    for (int i = 0; i < 4; i++) {
        struct sdw_sample sample = sample_of(sdw_str_of(names[i]), second, 1);
        sdw_book_learn(book, &sample, &out[i]);
    }
    ok(!out[2].dropped, "what is not looked for takes no place");
    ok(out[3].dropped && sdw_book_series(book) == 2, "a full book follows no new series");
    struct sdw_sample sample = sample_of(sdw_str_of(names[0]), 2 * second, 1);
    sdw_book_learn(book, &sample, &out[0]);
    ok(out[0].n_forecasts == 1, "every second value leads to a forecast when asked so");
    sample = sample_of(sdw_str_of(names[1]), 2 * second, 1);
    sdw_book_learn(book, &sample, &out[1]);
    ok(out[1].n_forecasts == 0, "a series that does not match is not forecast");
    sample = sample_of(sdw_str_of(names[0]), 3 * second, NAN);
    sdw_book_learn(book, &sample, &out[0]);
    ok(out[0].n_forecasts == 0 && out[0].use == SDW_GRID_BAD, "null teaches nothing");
    sdw_book_free(book);
}

static void bad_settings_are_named(void)
{
    struct sdw_forecast_settings settings = settings_of("10%");
    struct sdw_err err;
    static const char *const falling[] = {"15s", "5s"}, *const zero[] = {"0s"};
    static const char *const odd[] = {"-3"}, *const words[] = {"soon"}, *const whole[] = {"100"};
    ok(sdw_forecast_horizons(falling, 2, &settings, &err) == SDW_EUSAGE &&
           strstr(err.text, "5s") != NULL,
       "horizons that do not grow are refused by name");
    ok(sdw_forecast_horizons(zero, 1, &settings, &err) == SDW_EUSAGE, "so is one of no length");
    ok(sdw_forecast_horizons(words, 1, &settings, &err) == SDW_EUSAGE, "so is one that is none");
    ok(sdw_forecast_horizons(words, 0, &settings, &err) == SDW_EUSAGE, "so is the lack of any");
    ok(sdw_forecast_below("a lot", &settings, &err) == SDW_EUSAGE &&
           strstr(err.text, "a lot") != NULL,
       "a limit that is no number is refused by name");
    ok(sdw_forecast_above(words, 1, &settings, &err) == SDW_EUSAGE &&
           strstr(err.text, "soon") != NULL,
       "from above too");
    ok(sdw_forecast_levels(whole, 1, &settings, &err) == SDW_EUSAGE, "100 %% is no interval");
    ok(sdw_forecast_step("0", &settings, &err) == SDW_EUSAGE &&
           sdw_forecast_step("2d", &settings, &err) == SDW_EUSAGE,
       "a step of no length, or of two days, is refused");
    ok(sdw_forecast_seasons(words, 1, &settings, &err) == SDW_EUSAGE,
       "an unknown season is refused");
    ok(sdw_forecast_keys(words, 1, NULL, &settings, &err) == SDW_EUSAGE, "a key needs a field");
    ok(sdw_forecast_levels(odd, 1, &settings, &err) == SDW_EUSAGE, "a negative level is refused");
}

int main(void)
{
    capacity_comes_from_verdicts();
    greatest_value_stands_for_capacity();
    verdicts_are_values_until_metrics_come();
    the_end_of_a_danger_is_said_once();
    shares_from_above();
    a_known_capacity_always_has_odds();
    rules_and_fields_give_capacities();
    series_are_forgotten();
    a_saved_book_goes_on_as_if_nothing_had_happened();
    the_book_is_bounded();
    bad_settings_are_named();
    return tap_done();
}
