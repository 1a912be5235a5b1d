#include "unit/tap.h"

#include "core/rng.h"
#include "core/sign_flip.h"
#include "model/randomisation.h"

/* Darwin's maize, eighths of an inch; Fisher (1935) counted 863 of 32768 patterns. */
static const double maize[] = {49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48};

static double rejected_share(double shift, size_t pairs)
{
    struct sdw_rng rng;
    unsigned rejected = 0;
    double difference[40];
    sdw_rng_seed(&rng, 11);
    for (unsigned run = 0; run < 400; run++) {
        for (size_t i = 0; i < pairs; i++)
            difference[i] = sdw_rng_exponential(&rng, 1) - sdw_rng_exponential(&rng, 1) + shift;
        rejected += sdw_sign_flip(difference, pairs, run, 2000) <= 0.05;
    }
    return rejected / 400.0;
}

int main(void)
{
    is_near(sdw_sign_flip(maize, 15, 1, 1000), 863 / 32768.0, 1e-12,
            "the exact test finds Fisher's count for Darwin's maize");
    const double up[] = {1, 2, 3, 4, 5, 6, 7, 8};
    is_near(sdw_sign_flip(up, 8, 1, 1000), 1 / 256.0, 1e-15, "all differences up: 1 of 2^n");
    const double zero[20] = {0};
    is_near(sdw_sign_flip(zero, 10, 1, 100), 1, 0, "no difference at all is no evidence (exact)");
    is_near(sdw_sign_flip(zero, 20, 1, 100), 1, 0, "no difference at all is no evidence (random)");
    is_near(sdw_sign_flip(zero, 0, 1, 100), 1, 0, "no pairs are no evidence");

    double many[30];
    for (size_t i = 0; i < 30; i++)
        many[i] = maize[i % 15];
    double p = sdw_sign_flip(many, 30, 7, 20000);
    ok(p == sdw_sign_flip(many, 30, 7, 20000), "the same seed gives the same p-value");
    is_near(p, 0.0032, 0.0015, "the random test agrees with the normal limit");
    is_near(sdw_sign_flip_least(8, 999), 1 / 256.0, 0, "the least p-value of 8 pairs");
    is_near(sdw_sign_flip_least(30, 999), 0.001, 1e-15, "the least p-value of 999 rounds");

    ok(rejected_share(0, 12) < 0.08, "noise is rejected at the level asked for (exact)");
    ok(rejected_share(0, 30) < 0.08, "noise is rejected at the level asked for (random)");
    ok(rejected_share(0.8, 30) > 0.8, "a shift is found");

    double holm[] = {0.01, 0.04, 0.03, NAN, 0.005};
    sdw_holm(holm, 5);
    is_near(holm[4], 0.02, 1e-15, "Holm: the least p-value times the number of tests");
    is_near(holm[0], 0.03, 1e-15, "Holm: the next times one less");
    is_near(holm[2], 0.06, 1e-15, "Holm: the third times two");
    is_near(holm[1], 0.06, 1e-15, "Holm: never below the one before");
    ok(isnan(holm[3]), "Holm leaves what was not tested");

    const double y[] = {2, 4, 6, 8}, x[] = {1, 2, 3, 4};
    double lo, hi;
    sdw_bootstrap_ratio(y, x, 4, 0.95, 3, 500, &lo, &hi);
    ok(fabs(lo - 2) < 1e-12 && fabs(hi - 2) < 1e-12, "a constant ratio has no width");
    double noisy[40], ones[40];
    struct sdw_rng rng;
    sdw_rng_seed(&rng, 2);
    for (size_t i = 0; i < 40; i++) {
        noisy[i] = 5 + sdw_rng_normal(&rng);
        ones[i] = 1;
    }
    sdw_bootstrap_ratio(noisy, ones, 40, 0.95, 3, 2000, &lo, &hi);
    ok(lo < 5 && 5 < hi && hi - lo < 1, "the bootstrap interval holds the mean");
    sdw_bootstrap_ratio(noisy, ones, 1, 0.95, 3, 2000, &lo, &hi);
    ok(isnan(lo) && isnan(hi), "one pair has no interval");
    return tap_done();
}
