/* The detector of one series: what it calls unusual, what it does not, and what it survives. */
#include "model/detect.h"
#include "core/mem.h"
#include "core/rng.h"
#include "model/detect_rule.h"
#include "model/holt_winters.h"
#include "unit/tap.h"

#include <float.h>
#include <stdlib.h>

static const int64_t minute = 60000000;
static const struct sdw_detect_settings usual = {
    .threshold = 0.005, .change = 0.4, .min_history = 288, .season = {INT64_C(86400000000), 288}};

struct run {
    struct sdw_detector *detector;
    struct sdw_detection seen;
    struct sdw_rng rng;
    int64_t i, alarms; /* values so far; of which gave reason */
};

static void begin(struct run *run, uint64_t seed)
{
    *run = (struct run){.detector = sdw_xalloc(sdw_detector_bytes(&usual))};
    sdw_detector_init(run->detector, &usual);
    sdw_rng_seed(&run->rng, seed);
}

/* A day's wave with noise: value i, five minutes apart. */
static double wave(struct run *run)
{
    double day = sin(2 * M_PI * (double)run->i / 288);
    return 1e6 * exp(0.7 * day + 0.03 * sdw_rng_normal(&run->rng));
}

static enum sdw_anomaly_kind step(struct run *run, double value)
{
    sdw_detector_step(run->detector, &usual, 5 * minute * run->i++, value, NULL, 0, &run->seen);
    run->alarms += run->seen.kind != SDW_ANOMALY_NONE;
    return run->seen.kind;
}

static void learn(struct run *run, int n)
{
    for (int i = 0; i < n; i++)
        step(run, wave(run));
}

static void a_usual_series_is_left_alone(void)
{
    int64_t alarms = 0, values = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct run run;
        begin(&run, seed);
        learn(&run, 288 * 20);
        alarms += run.alarms;
        values += run.i;
        free(run.detector);
    }
    ok(alarms <= 4, "400 days of a daily wave with noise give at most 4 alarms (%d)", (int)alarms);
}

static void surges_and_drops_are_found_at_once(void)
{
    struct run run;
    int up = 0, down = 0;
    begin(&run, 3);
    learn(&run, 288 * 8);
    for (int day = 0; day < 20; day++) {
        learn(&run, 100 + 7 * day);
        up += step(&run, 1.5 * wave(&run)) == SDW_ANOMALY_SPIKE;
        learn(&run, 150);
        down += step(&run, 0.5 * wave(&run)) == SDW_ANOMALY_DROP;
    }
    ok(up + down >= 38, "a value half as much again, or half, is found, at any hour (%d, %d)", up,
       down);
    free(run.detector);
}

static void what_is_expected_is_said(void)
{
    struct run run;
    begin(&run, 4);
    learn(&run, 288 * 8);
    double next = wave(&run);
    step(&run, 3 * next);
    ok(fabs(log(run.seen.expected / next)) < 0.2, "the expected value is near the wave");
    ok(run.seen.lo < run.seen.expected && run.seen.expected < run.seen.hi && run.seen.hi < 3 * next,
       "the interval holds what is expected, and not the surge");
    ok(run.seen.p < 0.005 && run.seen.change > log(2), "it is improbable, and a rise");
    free(run.detector);
}

static void a_slow_shift_is_found(void)
{
    struct run run;
    begin(&run, 5);
    learn(&run, 288 * 14);
    int64_t found = -1;
    double level = 1;
    for (int i = 0; i < 288 && found < 0; i++) {
        level *= 1.003; /* no step is a change that counts */
        if (step(&run, level * wave(&run)) == SDW_ANOMALY_SHIFT)
            found = i;
    }
    ok(found >= 0, "a level that creeps away is a shift (after %d values)", (int)found);
    free(run.detector);
}

static void a_value_beyond_all_is_novel(void)
{
    struct run run;
    begin(&run, 6);
    learn(&run, 288 * 8);
    ok(step(&run, 2e7) == SDW_ANOMALY_NOVEL, "ten times the peak is beyond all before");
    double first = run.seen.score;
    learn(&run, 3);
    step(&run, 2e7);
    ok(first > 0.9 && run.seen.score < 0.1, "surprise wears off: the same again scores low");
    free(run.detector);
}

/* Its scale is not that of the values to come. */
static void what_begins_next_to_nothing_is_followed(void)
{
    struct run run;
    begin(&run, 4);
    for (int i = 0; i < 150; i++)
        step(&run, i == 0 ? 1e-310 : 0);
    learn(&run, 100);
    double value = wave(&run);
    step(&run, value);
    ok(run.seen.lo < value && value < run.seen.hi,
       "after values next to nothing the usual ones are expected (%.3g..%.3g)", run.seen.lo,
       run.seen.hi);
    free(run.detector);
}

static void standing_still_is_flat(void)
{
    struct run run;
    begin(&run, 7);
    learn(&run, 288 * 4);
    double value = wave(&run);
    int flat = 0;
    for (int i = 0; i < 40; i++)
        flat += step(&run, value) == SDW_ANOMALY_FLAT;
    ok(flat == 1, "a counter that is stuck is flat, once (%d)", flat);
    free(run.detector);
}

static bool sound(const struct sdw_detection *seen)
{
    return seen->p > 0 && seen->p <= 1 && seen->score >= 0 && seen->score <= 1 &&
           isfinite(seen->expected) && isfinite(seen->lo) && isfinite(seen->hi) &&
           isfinite(seen->change) && seen->lo <= seen->hi;
}

static double constant(int64_t i)
{
    return (double)(i > 0) * 7;
}

static double zero(int64_t i)
{
    return (double)i * 0;
}

static double huge(int64_t i)
{
    return i % 7 ? 1e308 : -1e308;
}

static double alternating(int64_t i)
{
    return i % 2 ? 5 : -5;
}

static double tiny_then_huge(int64_t i)
{
    return i < 500 ? 5e-324 : DBL_MAX;
}

static double growing(int64_t i)
{
    return exp((double)(i % 1400) / 2);
}

static void hard_series_are_survived(void)
{
    static const struct {
        const char *name;
        double (*value)(int64_t i);
        bool quiet;
    } series[] = {
        {"constant", constant, true},
        {"all zero", zero, true},
        {"1e308 of both signs", huge, false},
        {"alternating sign", alternating, true},
        {"tiny, then huge", tiny_then_huge, false},
        {"growing to 1e304", growing, false},
    };
    for (size_t s = 0; s < SDW_LEN(series); s++) {
        struct run run;
        bool good = true;
        begin(&run, 1);
        for (int64_t i = 0; i < 3000; i++) {
            step(&run, series[s].value(i));
            good = good && sound(&run.seen);
        }
        ok(good, "%s: everything stays finite", series[s].name);
        if (series[s].quiet)
            ok(run.alarms == 0, "%s: no alarm (%d)", series[s].name, (int)run.alarms);
        free(run.detector);
    }
}

/* Source document 004: true when |greatest z of the differences| is above the threshold. */
static void zscore_is_the_documents(void)
{
    const double now[] = {20, 0.5, 64}, mean[] = {10, 0.4, 64}, deviation[] = {2, 0.1, 0};
    is_near(sdw_zscore(now, mean, deviation, 3), 5, 1e-12, "the greatest score of a vector counts");
    is_near(sdw_zscore(now, mean, deviation, 1), 5, 1e-12, "(20 - 10) / 2 is 5 deviations");
    is_near(sdw_zscore(now + 2, mean + 2, deviation + 2, 1), 0, 0, "no difference scores 0");
    is_near(sdw_zscore(now, mean, deviation + 2, 1), 1e9, 0, "a constant baseline that changes");
}

/* What a rule says of `value` after 1..n. */
static struct sdw_detection after_ramp(const struct sdw_rule_settings *settings, int n,
                                       double value)
{
    struct sdw_rule *rule = sdw_xalloc(sdw_rule_bytes(settings));
    struct sdw_detection seen;
    sdw_rule_init(rule, settings);
    for (int i = 1; i <= n; i++)
        sdw_rule_step(rule, settings, i, i, &seen);
    sdw_rule_step(rule, settings, n + 1, value, &seen);
    free(rule);
    return seen;
}

static void textbook_rules_are_closed_forms(void)
{
    struct sdw_rule_settings z = {SDW_RULE_ZSCORE, 3, 0, {0, 0}};
    struct sdw_rule_settings mad = {SDW_RULE_MAD, 3, 0, {0, 0}};
    struct sdw_rule_settings ewma = {SDW_RULE_EWMA, 3, 0, {0, 0}};
    struct sdw_rule_settings first = {SDW_RULE_ZSCORE, 3, 10, {0, 0}};
    struct sdw_detection seen = after_ramp(&z, 19, 28);
    is_near(seen.expected, 10, 1e-12, "zscore: the mean of 1..19 is 10");
    is_near((seen.hi - seen.lo) / 6, sqrt(95. / 3), 1e-9, "zscore: its deviation is sqrt(95/3)");
    ok(seen.kind == SDW_ANOMALY_SPIKE, "zscore: 3.2 deviations above is a spike");
    ok(after_ramp(&z, 19, 26).kind == SDW_ANOMALY_NONE, "zscore: 2.8 deviations are none");
    is_near(after_ramp(&first, 19, 28).expected, 5.5, 1e-12, "zscore: --baseline 10 stops there");
    seen = after_ramp(&mad, 19, -40);
    is_near(seen.expected, 10, 1e-12, "mad: the median of 1..19 is 10");
    is_near((seen.hi - seen.lo) / 6, 1.4826 * 5, 1e-9, "mad: its deviation is 1.4826 times 5");
    ok(seen.kind == SDW_ANOMALY_DROP, "mad: 6.7 deviations below is a drop");
    is_near(after_ramp(&mad, 400, 0).expected, 256.5, 1e-9, "mad: the last 288 values count");
    is_near(after_ramp(&ewma, 20, 0).expected, 10.5, 1e-9, "ewma: young, it is the mean");
    is_near(after_ramp(&ewma, 4000, 0).expected, 4000 - 19, 1e-6,
            "ewma: of a ramp it lags by (1 - w) / w = 19 values");
}

/* x <- c(52, 61, ...); m <- HoltWinters(ts(x, frequency=6), alpha=.3, beta=.05, gamma=.4,
 * l.start=60, b.start=.5, s.start=c(-9, 1, 15, 9, -3, -12)). It starts at the second season. */
static void holt_winters_agrees_with_R(void)
{
    static const double x[] = {52, 61, 75, 70, 58, 49, 55, 66, 81, 73, 60, 54, 58, 68, 86,
                               77, 64, 55, 61, 74, 88, 82, 67, 59, 65, 75, 94, 84, 70, 63};
    static const double start[] = {-9, 1, 15, 9, -3, -12}; /* s.start */
    static const double season[] = {-8.0678671897698, 2.1198852647670,  17.6359116494092,
                                    8.8912252244524,  -4.9758586449749, -12.9716098040408};
    const struct sdw_holt_winters_gain gain = {0.3, 0.05, 0.4, 0.4};
    struct sdw_holt_winters hw;
    struct sdw_holt_winters_slot slot[6];
    double squares = 0;
    sdw_holt_winters_init(&hw, slot, 6);
    hw = (struct sdw_holt_winters){60, 0.5};
    for (int i = 0; i < 6; i++)
        slot[i].season = start[i];
    for (size_t i = 6; i < sizeof x / sizeof *x; i++) {
        double expected = sdw_holt_winters_expect(&hw, &slot[i % 6]);
        squares += (x[i] - expected) * (x[i] - expected);
        if (i == 29)
            is_near(expected, 63.254116229912, 1e-9, "fitted(m): the last value it expects");
        sdw_holt_winters_learn(&hw, &slot[i % 6], &gain, x[i]);
    }
    is_near(squares, 83.506394890472, 1e-9, "m$SSE: the squares of all its errors");
    is_near(hw.level, 76.0783386206040, 1e-9, "m$coefficients: the level");
    is_near(hw.trend, 0.5874117767773, 1e-9, "and the trend");
    for (int i = 0; i < 6; i++)
        is_near(slot[i].season, season[i], 1e-9, "and the season's part %d", i + 1);
    is_near(hw.level + 7 * hw.trend + slot[0].season, 72.122353868275, 1e-9,
            "predict(m, 7): what it forecasts a season ahead");
}

/* Days of a wave whose errors are +-1 in turn, then values `off` above it: after how many is it an
 * anomaly? 0: it is not. */
static int aberrant_after(double off, int64_t *false_ones)
{
    struct sdw_rule_settings settings = {SDW_RULE_HOLT_WINTERS, 2, 0, usual.season};
    struct sdw_rule *rule = sdw_xalloc(sdw_rule_bytes(&settings));
    struct sdw_detection seen;
    int day = settings.season.slots, after = 0;
    sdw_rule_init(rule, &settings);
    for (int i = 0; i < 20 * day + 20 && after == 0; i++) {
        double value = 50 * sin(2 * M_PI * i / day) + (i / day + i) % 2 * 2 - 1;
        bool late = i >= 20 * day;
        sdw_rule_step(rule, &settings, 5 * minute * i, value + (late ? off : 0), &seen);
        if (seen.kind != SDW_ANOMALY_NONE && late)
            after = i - 20 * day + 1;
        *false_ones += seen.kind != SDW_ANOMALY_NONE && !late;
    }
    free(rule);
    return after;
}

/* A wave that repeats to fourteen digits: how many of its values are an anomaly? */
static int64_t aberrant_in_repetition(void)
{
    struct sdw_rule_settings settings = {SDW_RULE_HOLT_WINTERS, 2, 0, usual.season};
    struct sdw_rule *rule = sdw_xalloc(sdw_rule_bytes(&settings));
    struct sdw_detection seen;
    int64_t found = 0;
    sdw_rule_init(rule, &settings);
    for (int i = 0; i < 20 * settings.season.slots; i++) {
        sdw_rule_step(rule, &settings, 5 * minute * i, sin(3.14159265358979 * i / 144), &seen);
        found += seen.kind != SDW_ANOMALY_NONE;
    }
    free(rule);
    return found;
}

static void holt_winters_asks_for_seven_of_nine(void)
{
    int64_t false_ones = 0;
    ok(aberrant_after(100, &false_ones) == 7, "values far above the season are one at the seventh");
    ok(aberrant_after(0, &false_ones) == 0, "and the season itself never is");
    ok(false_ones == 0, "nor was it on the days before");
    ok(aberrant_in_repetition() == 0, "what repeats but for rounding never is");
    struct sdw_rule_settings none = {SDW_RULE_HOLT_WINTERS, 2, 0, {0, 0}};
    struct sdw_detection seen = after_ramp(&none, 4000, 4001);
    is_near(seen.expected, 4001, 1e-3, "without a season it follows a trend");
}

static void tail_agrees_with_a_known_one(void)
{
    struct sdw_tail tail = {0};
    struct sdw_rng rng;
    sdw_rng_seed(&rng, 9);
    for (int i = 0; i < 200000; i++)
        sdw_tail_learn(&tail, sdw_rng_exponential(&rng, 1));
    ok(fabs(tail.level - 3.912) < 0.5, "the 98%% quantile of an exponential is 3.91 (%.2f)",
       tail.level);
    double decades = sdw_tail_decades(&tail, 3 * log(10));
    ok(decades > 2.4 && decades < 3.6, "what has a probability of 1e-3 has 3 decades (%.2f)",
       decades);
}

int main(void)
{
    a_usual_series_is_left_alone();
    surges_and_drops_are_found_at_once();
    what_is_expected_is_said();
    a_slow_shift_is_found();
    a_value_beyond_all_is_novel();
    what_begins_next_to_nothing_is_followed();
    standing_still_is_flat();
    hard_series_are_survived();
    zscore_is_the_documents();
    textbook_rules_are_closed_forms();
    holt_winters_agrees_with_R();
    holt_winters_asks_for_seven_of_nine();
    tail_agrees_with_a_known_one();
    return tap_done();
}
