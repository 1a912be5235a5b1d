#include "model/randomisation.h"

#include <math.h>
#include <stdlib.h>

#include "core/mem.h"
#include "core/rng.h"
#include "model/stats.h"

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

void sdw_holm(double *p, size_t n)
{
    size_t left = 0;
    for (size_t i = 0; i < n; i++)
        left += isnan(p[i]) ? 0 : 1;
    bool *done = sdw_xalloc(n ? n : 1);
    double floor = 0;
    for (; left > 0; left--) {
        size_t least = n;
        for (size_t i = 0; i < n; i++) {
            if (!done[i] && !isnan(p[i]) && (least == n || p[i] < p[least]))
                least = i;
        }
        done[least] = true;
        floor = fmax(floor, fmin(1, p[least] * (double)left));
        p[least] = floor;
    }
    free(done);
}

void sdw_bootstrap_ratio(const double *y, const double *x, size_t n, double level, uint64_t seed,
                         unsigned rounds, double *lo, double *hi)
{
    struct sdw_rng rng;
    *lo = *hi = NAN;
    if (n < 2 || rounds == 0)
        return;
    double *ratio = sdw_xrealloc(NULL, rounds, sizeof *ratio);
    size_t got = 0;
    sdw_rng_seed(&rng, seed);
    for (unsigned round = 0; round < rounds; round++) {
        double sum_y = 0, sum_x = 0;
        for (size_t i = 0; i < n; i++) {
            size_t pick = (size_t)sdw_rng_below(&rng, n);
            sum_y += y[pick];
            sum_x += x[pick];
        }
        if (sum_x != 0)
            ratio[got++] = sum_y / sum_x;
    }
    sdw_sort_reals(ratio, got);
    *lo = sdw_quantile_sorted(ratio, got, (1 - level) / 2);
    *hi = sdw_quantile_sorted(ratio, got, (1 + level) / 2);
    free(ratio);
}
