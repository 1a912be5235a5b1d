#include "model/randomisation.h"

#include <math.h>
#include <stdlib.h>

#include "core/mem.h"
#include "core/rng.h"
#include "model/stats.h"

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
