/* The online trend: what it makes of levels, ramps, drops, noise and bad input. */
#include "core/rng.h"
#include "model/breach.h"
#include "unit/tap.h"

#include <math.h>
#include <stdlib.h>

static const int64_t second = 1000000;

/* n values a second apart from `start`, changing by slope a second, with normal noise. */
static void feed(struct sdw_trend *trend, struct sdw_rng *rng, int n, double start, double slope,
                 double noise)
{
    int64_t ts = trend->n ? trend->ts + second : second;
    for (int i = 0; i < n; i++, ts += second)
        sdw_trend_learn(trend, ts, start + slope * i + noise * sdw_rng_normal(rng));
}

static void ramp_reaches_its_limit(void)
{
    struct sdw_trend trend;
    struct sdw_rng rng;
    sdw_rng_seed(&rng, 1);
    sdw_trend_init(&trend);
    feed(&trend, &rng, 31, 40, -1, 0);
    is_near(sdw_trend_mean(&trend, 0), 10, 0.05, "a clean ramp stands at its newest value");
    is_near(sdw_trend_mean(&trend, 5 * second), 5, 0.3, "a ramp is carried forward");
    double eta = sdw_trend_passage_time(&trend, 4, true, 60 * second, 0.5) / 1e6;
    is_near(eta, 6, 0.4, "a clean ramp reaches its limit when the line does");
    ok(sdw_trend_passage(&trend, 4, true, 3 * second) < 0.05, "no breach before the line is there");
    ok(sdw_trend_passage(&trend, 4, true, 9 * second) > 0.95, "a breach after the line is there");
    ok(sdw_trend_passage(&trend, 40, false, 60 * second) < 0.05,
       "a falling ramp does not pass a limit above it");
}

static void interval_covers_the_true_time(void)
{
    int covered = 0, judged = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct sdw_trend trend;
        struct sdw_rng rng;
        sdw_rng_seed(&rng, seed);
        sdw_trend_init(&trend);
        feed(&trend, &rng, 20, 4, 0, 0.15);
        feed(&trend, &rng, 15, 4, -0.15, 0.15);
        double left = (1.9 - 0.6) / 0.15, lo, hi;
        lo = sdw_trend_passage_time(&trend, 0.6, true, 240 * second, 0.1) / 1e6;
        hi = sdw_trend_passage_time(&trend, 0.6, true, 240 * second, 0.9) / 1e6;
        judged++;
        covered += lo <= left && (isnan(hi) || left <= hi);
    }
    ok(covered >= judged * 8 / 10, "the interval of the time left covers the truth (%d of %d)",
       covered, judged);
}

static double noise_only(double rho, double noise, int64_t horizon, int *runs)
{
    int wrong = 0, judged = 0;
    *runs = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct sdw_trend trend;
        struct sdw_rng rng;
        double around = 0;
        bool hit = false;
        sdw_rng_seed(&rng, seed);
        sdw_trend_init(&trend);
        for (int64_t i = 1; i <= 120; i++) {
            around = rho * around + sqrt(1 - rho * rho) * noise * sdw_rng_normal(&rng);
            sdw_trend_learn(&trend, i * second, 3 + around);
            if (sdw_trend_cold(&trend))
                continue;
            bool breach = sdw_trend_passage(&trend, 0.6, true, horizon) >= 0.5;
            judged++;
            wrong += breach;
            hit |= breach;
        }
        *runs += hit;
    }
    return (double)wrong / judged;
}

static void noise_is_no_breach(void)
{
    int runs;
    double rate = noise_only(0, 0.3, 15 * second, &runs);
    ok(runs == 0, "white noise of 10 %% predicts no breach in 60 runs of 120 values (%d, %g)", runs,
       rate);
    rate = noise_only(0, 0.6, 15 * second, &runs);
    ok(rate < 0.002, "white noise of 20 %%: fewer than 2 of 1000 values predict one (%g)", rate);
    rate = noise_only(0.6, 0.3, 15 * second, &runs);
    ok(rate < 0.003, "noise with memory: fewer than 3 of 1000 values predict one (%g)", rate);
}

static void coverage_of_the_next_value(void)
{
    int within = 0, judged = 0;
    struct sdw_trend trend;
    struct sdw_rng rng;
    sdw_rng_seed(&rng, 7);
    sdw_trend_init(&trend);
    for (int64_t i = 1; i <= 2000; i++) {
        double value = 5 + 0.5 * sdw_rng_normal(&rng);
        if (i > 20) {
            judged++;
            within += value >= sdw_trend_quantile(&trend, second, 0.025) &&
                      value <= sdw_trend_quantile(&trend, second, 0.975);
        }
        sdw_trend_learn(&trend, i * second, value);
    }
    is_near((double)within / judged, 0.95, 0.02, "95 %% of values fall into their 95 %% interval");
}

static void drop_is_believed_at_once(void)
{
    struct sdw_trend trend;
    struct sdw_rng rng;
    sdw_rng_seed(&rng, 3);
    sdw_trend_init(&trend);
    feed(&trend, &rng, 30, 5e6, 0, 2e5);
    double before = sdw_trend_passage(&trend, 6e5, true, 15 * second);
    sdw_trend_learn(&trend, trend.ts + second, 1e5);
    ok(before < 0.01, "no breach before the drop");
    ok(sdw_trend_passage(&trend, 6e5, true, 15 * second) > 0.4,
       "one value after a drop the breach is nearly as likely as not (%g)",
       sdw_trend_passage(&trend, 6e5, true, 15 * second));
    struct sdw_trend outlier = trend;
    sdw_trend_learn(&outlier, trend.ts + second, 5e6);
    ok(sdw_trend_passage(&outlier, 6e5, true, 15 * second) < 0.1,
       "and likely no more when the value after it shows an outlier (%g)",
       sdw_trend_passage(&outlier, 6e5, true, 15 * second));
    sdw_trend_learn(&trend, trend.ts + second, 1.2e5);
    ok(sdw_trend_passage(&trend, 6e5, true, 5 * second) > 0.9,
       "two values after it, it is certain (%g)", sdw_trend_passage(&trend, 6e5, true, 5 * second));
}

static void odd_input_is_survived(void)
{
    struct sdw_trend trend, before;
    struct sdw_rng rng;
    sdw_rng_seed(&rng, 4);
    sdw_trend_init(&trend);
    ok(isnan(sdw_trend_mean(&trend, second)) && sdw_trend_passage(&trend, 1, true, second) == 0,
       "nothing is forecast of nothing");
    feed(&trend, &rng, 20, 100, 0, 1);
    before = trend;
    ok(sdw_trend_learn(&trend, trend.ts + second, NAN) == SDW_TREND_BAD &&
           sdw_trend_learn(&trend, trend.ts + second, -INFINITY) == SDW_TREND_BAD &&
           sdw_trend_learn(&trend, trend.ts + second, 1e300) == SDW_TREND_BAD &&
           memcmp(&trend, &before, sizeof trend) == 0,
       "what is not a usable number teaches nothing");
    ok(sdw_trend_learn(&trend, trend.ts, trend.value) == SDW_TREND_DUPLICATE &&
           memcmp(&trend, &before, sizeof trend) == 0,
       "a duplicate teaches nothing");
    ok(sdw_trend_learn(&trend, trend.ts - 5 * second, 1) == SDW_TREND_LATE &&
           trend.model[0].level == before.model[0].level,
       "a late value teaches nothing");
    int64_t back = trend.ts - 3600 * second;
    int used = 0;
    for (int i = 0; i < 6; i++)
        used += sdw_trend_learn(&trend, back + i * second, 100) == SDW_TREND_USED;
    ok(used == 4 && trend.ts == back + 5 * second,
       "after a clock that went back, learning goes on from the third value");
    is_near(sdw_trend_mean(&trend, 0), 100, 2, "and the level is kept");
    sdw_trend_learn(&trend, trend.ts + 86400 * second * 365, 100);
    ok(isfinite(sdw_trend_mean(&trend, second)), "a gap of a year is survived");
    for (int64_t i = 0; i < 50; i++)
        sdw_trend_learn(&trend, trend.ts + (i % 3 ? second : 0), i % 2 ? 1e149 : -1e149);
    ok(isfinite(sdw_trend_mean(&trend, second)) && isfinite(sdw_trend_quantile(&trend, second, .9)),
       "enormous values give finite forecasts");
}

static void constants_stay_constant(void)
{
    struct sdw_trend trend;
    sdw_trend_init(&trend);
    for (int64_t i = 1; i <= 100; i++)
        sdw_trend_learn(&trend, i * second, 0);
    is_near(sdw_trend_mean(&trend, 60 * second), 0, 1e-9, "zero stays zero");
    sdw_trend_init(&trend);
    for (int64_t i = 1; i <= 100; i++)
        sdw_trend_learn(&trend, i * second, 8e6);
    is_near(sdw_trend_quantile(&trend, 60 * second, 0.975), 8e6, 4e5, "a constant stays constant");
    ok(sdw_trend_passage(&trend, 6e5, true, 60 * second) < 1e-3, "and breaches nothing");
}

static void forecasts_stay_in_range(void)
{
    struct sdw_trend trend;
    struct sdw_rng rng;
    sdw_rng_seed(&rng, 5);
    sdw_trend_init(&trend);
    feed(&trend, &rng, 30, 40, -1, 0);
    ok(sdw_trend_mean(&trend, 3600 * second) >= 0 &&
           sdw_trend_quantile(&trend, 3600 * second, 0.025) >= 0,
       "a series that never was negative is not forecast to be");
    feed(&trend, &rng, 30, 10, 1, 0);
    ok(sdw_trend_quantile(&trend, 23 * second, 0.9999) <= 40 + 40 * 4.0 / 3 + 1,
       "no forecast leaves what was seen by more than its range, and a third for a third of the "
       "time");

    sdw_trend_init(&trend);
    for (int i = 0; i < 9; i++)
        sdw_trend_learn(&trend, 10 * i * second, 20000 + 1000 * i);
    ok(sdw_trend_quantile(&trend, 300 * second, 0.5) > 45000 &&
           sdw_trend_quantile(&trend, 300 * second, 0.975) <= 28000 + 8000 * 4.75,
       "a short ramp goes on for longer than it was seen, but not without end");

    sdw_trend_init(&trend);
    for (int i = 0; i < 20; i++)
        sdw_trend_learn(&trend, i * second, 0);
    ok(sdw_trend_mean(&trend, 60 * second) == 0 && sdw_trend_quantile(&trend, 0, 0.025) == 0 &&
           sdw_trend_quantile(&trend, 60 * second, 0.975) == 0,
       "what was always zero is forecast to be zero");
}

/* The probability of a value at or below x now, from the beliefs themselves. */
static double below_now(const struct sdw_trend *trend, double x)
{
    double dof = fmax(2, trend->noise_n), sum = 0;
    for (size_t i = 0; i < SDW_TREND_MODELS; i++) {
        const struct sdw_trend_belief *m = &trend->model[i];
        double t = (x - m->level) / sqrt(m->var_level + trend->noise);
        double z = t * (1 - 1 / (4 * dof)) / sqrt(1 + t * t / (2 * dof));
        sum += m->weight > 1e-4 ? m->weight * 0.5 * erfc(-z / M_SQRT2) : 0;
    }
    return sum;
}

/* The quantile now by halving alone: within forty spreads and the range that no forecast leaves. */
static double halved(const struct sdw_trend *trend, double p)
{
    double range = fmax(trend->greatest - trend->least, 6 * sqrt(trend->noise));
    double lo = INFINITY, hi = -INFINITY;
    for (size_t i = 0; i < SDW_TREND_MODELS; i++) {
        const struct sdw_trend_belief *m = &trend->model[i];
        lo = fmin(lo, m->level - 40 * sqrt(m->var_level + trend->noise));
        hi = fmax(hi, m->level + 40 * sqrt(m->var_level + trend->noise));
    }
    lo = fmax(lo, trend->least >= 0 ? fmax(0, trend->least - range) : trend->least - range);
    hi = fmin(hi, trend->greatest + range);
    for (int step = 0; step < 200; step++) {
        double middle = lo + (hi - lo) / 2;
        if (below_now(trend, middle) < p)
            lo = middle;
        else
            hi = middle;
    }
    return lo + (hi - lo) / 2;
}

static void quantiles_are_those_of_the_mixture(void)
{
    static const double p[] = {0.005, 0.025, 0.1, 0.5, 0.75, 0.9, 0.975, 0.995};
    double worst = 0;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct sdw_trend trend;
        struct sdw_rng rng;
        sdw_rng_seed(&rng, seed);
        sdw_trend_init(&trend);
        double level = 1000 * sdw_rng_normal(&rng), noise = exp(2 * sdw_rng_normal(&rng));
        feed(&trend, &rng, 2 + (int)(seed % 50), level, seed % 3 == 0 ? noise : 0, noise);
        if (seed % 4 == 0) /* two far modes */
            feed(&trend, &rng, 1, level + 50 * noise, 0, 0);
        for (size_t i = 0; i < SDW_LEN(p); i++) {
            double want = halved(&trend, p[i]), got = sdw_trend_quantile(&trend, 0, p[i]);
            worst = fmax(worst, fabs(got - want) / fmax(fabs(want), noise));
        }
    }
    ok(worst < 1e-9, "quantiles are those that halving finds (off by %.1e)", worst);
}

static void severity_follows_the_odds(void)
{
    const int64_t horizon[] = {5 * second, 15 * second, 60 * second};
    struct sdw_trend trend;
    struct sdw_rng rng;
    struct sdw_breach_odds odds;
    struct sdw_limit limit = {4, true};
    sdw_rng_seed(&rng, 6);
    static const struct {
        int values, severity;
    } cases[] = {{26, 3}, {35, 5}, {41, 5}};
    for (size_t i = 0; i < SDW_LEN(cases); i++) {
        sdw_trend_init(&trend);
        feed(&trend, &rng, cases[i].values, 40, -1, 0);
        sdw_breach_foresee(&trend, limit, horizon, 3, &odds);
        ok(odds.severity == cases[i].severity, "%d values into the ramp the severity is %d (%d)",
           cases[i].values, cases[i].severity, odds.severity);
        ok(odds.p[0] <= odds.p[1] && odds.p[1] <= odds.p[2], "odds grow with the horizon");
    }
    limit = (struct sdw_limit){90, false};
    sdw_breach_foresee(&trend, limit, horizon, 3, &odds);
    ok(odds.severity == 0 && isnan(odds.eta_mid_us), "a limit far off has no severity and no time");
}

int main(void)
{
    ramp_reaches_its_limit();
    interval_covers_the_true_time();
    noise_is_no_breach();
    coverage_of_the_next_value();
    drop_is_believed_at_once();
    odd_input_is_survived();
    constants_stay_constant();
    forecasts_stay_in_range();
    quantiles_are_those_of_the_mixture();
    severity_follows_the_odds();
    return tap_done();
}
