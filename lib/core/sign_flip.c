#include "core/sign_flip.h"

#include <math.h>

#include "core/rng.h"

/* Sums that differ by rounding only are equal: a tie counts against the effect. */
static double slack_of(const double *difference, size_t n)
{
    double scale = 0;
    for (size_t i = 0; i < n; i++)
        scale += fabs(difference[i]);
    return scale * 1e-12;
}

/* Gray code: pattern k differs from pattern k-1 in one sign. */
static double exact_p(const double *difference, size_t n, double observed)
{
    size_t patterns = (size_t)1 << n, hits = 1;
    double sum = observed, slack = slack_of(difference, n);
    uint32_t flipped = 0;
    for (size_t k = 1; k < patterns; k++) {
        size_t bit = (size_t)__builtin_ctzll(k);
        flipped ^= UINT32_C(1) << bit;
        sum += (flipped >> bit & 1) ? -2 * difference[bit] : 2 * difference[bit];
        hits += sum >= observed - slack;
    }
    return (double)hits / (double)patterns;
}

static double random_p(const double *difference, size_t n, double observed, uint64_t seed,
                       unsigned rounds)
{
    struct sdw_rng rng;
    unsigned hits = 0;
    double slack = slack_of(difference, n);
    sdw_rng_seed(&rng, seed);
    for (unsigned round = 0; round < rounds; round++) {
        double sum = 0;
        uint64_t signs = 0;
        for (size_t i = 0; i < n; i++) {
            signs = i % 64 ? signs >> 1 : sdw_rng_next(&rng);
            sum += (signs & 1) ? difference[i] : -difference[i];
        }
        hits += sum >= observed - slack;
    }
    return (1.0 + hits) / (1.0 + rounds);
}

double sdw_sign_flip(const double *difference, size_t n, uint64_t seed, unsigned rounds)
{
    double observed = 0;
    if (n == 0)
        return 1;
    for (size_t i = 0; i < n; i++)
        observed += difference[i];
    if (n <= SDW_SIGN_FLIP_EXACT)
        return exact_p(difference, n, observed);
    return random_p(difference, n, observed, seed, rounds);
}

double sdw_sign_flip_least(size_t n, unsigned rounds)
{
    if (n <= SDW_SIGN_FLIP_EXACT)
        return ldexp(1, -(int)n);
    return 1.0 / (1.0 + rounds);
}
