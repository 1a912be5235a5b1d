/* The odds of a breach: the forecast's own at first, corrected by what came of them. */
#include "core/rng.h"
#include "model/odds.h"
#include "unit/tap.h"

static struct sdw_odds_case case_of(double p, double value)
{
    return (struct sdw_odds_case){.limit = 100,
                                  .above = true,
                                  .p = p,
                                  .value = value,
                                  .before = value,
                                  .forecast = value,
                                  .season = value,
                                  .spread = 10,
                                  .spread_now = 5};
}

static double asked(const struct sdw_odds *odds, const struct sdw_odds_case *c)
{
    float x[SDW_ODDS_FEATURES];
    sdw_odds_features(c, x);
    return sdw_odds_of(odds, x);
}

static void learn(struct sdw_odds *odds, const struct sdw_odds_case *c, bool breach)
{
    float x[SDW_ODDS_FEATURES];
    sdw_odds_features(c, x);
    sdw_odds_learn(odds, x, breach);
}

static void at_first_the_forecast_is_believed(void)
{
    struct sdw_odds odds;
    sdw_odds_init(&odds);
    struct sdw_odds_case c = case_of(0.3, 80);
    is_near(asked(&odds, &c), 0.3, 1e-6, "before any outcome the odds are the forecast's own");
}

/* Says 0.5 whatever comes; breaches come with odds that grow with the value. */
static void outcomes_correct_it(void)
{
    struct sdw_odds odds;
    struct sdw_rng rng;
    sdw_odds_init(&odds);
    sdw_rng_seed(&rng, 3);
    double error[2] = {0, 0};
    for (int i = 0; i < 6000; i++) {
        double value = 60 + 40 * sdw_rng_unit(&rng);
        double truth = 1 / (1 + exp(-(value - 85) / 4));
        struct sdw_odds_case c = case_of(0.5, value);
        error[i >= 3000] += fabs(asked(&odds, &c) - truth) / 3000;
        learn(&odds, &c, sdw_rng_unit(&rng) < truth);
    }
    ok(error[1] < 0.05, "odds that say nothing are learned from the margin (off by %.3f)",
       error[1]);
    ok(error[1] < error[0], "better with every outcome");
}

static void good_odds_are_left_alone(void)
{
    struct sdw_odds odds;
    struct sdw_rng rng;
    sdw_odds_init(&odds);
    sdw_rng_seed(&rng, 4);
    double error = 0;
    for (int i = 0; i < 6000; i++) {
        double truth = sdw_rng_unit(&rng), value = 60 + 40 * sdw_rng_unit(&rng);
        struct sdw_odds_case c = case_of(truth, value);
        if (i >= 3000)
            error += fabs(asked(&odds, &c) - truth) / 3000;
        learn(&odds, &c, sdw_rng_unit(&rng) < truth);
    }
    ok(error < 0.03, "odds that are right stay (off by %.3f)", error);
}

static void nothing_breaks_it(void)
{
    static const double odd[] = {0, 1e150, -1e150, INFINITY, NAN, 1e-300};
    struct sdw_odds odds;
    sdw_odds_init(&odds);
    bool good = true;
    for (int i = 0; i < 7776; i++) {
        double v[5];
        for (int k = 0, n = i; k < 5; k++, n /= 6)
            v[k] = odd[n % 6];
        struct sdw_odds_case c = case_of(v[0], v[1]);
        c.limit = v[2];
        c.spread = v[3];
        c.season = v[4];
        c.above = i % 2;
        float x[SDW_ODDS_FEATURES];
        sdw_odds_features(&c, x);
        for (int k = 0; k < SDW_ODDS_FEATURES; k++)
            good = good && fabsf(x[k]) < 16;
        learn(&odds, &c, i % 3 == 0);
        double p = asked(&odds, &c);
        good = good && p > 0 && p < 1;
    }
    ok(good, "whatever is not known or too large, features and odds are bounded");
}

int main(void)
{
    at_first_the_forecast_is_believed();
    outcomes_correct_it();
    good_odds_are_left_alone();
    nothing_breaks_it();
    return tap_done();
}
