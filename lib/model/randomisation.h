/*
 * What follows tests of many hops by randomisation (core/sign_flip.h): the correction for their
 * number, and intervals by resampling.
 *
 * Pure: repeatable from the seed.
 */
#ifndef SDW_MODEL_RANDOMISATION_H
#define SDW_MODEL_RANDOMISATION_H

#include "core/base.h"

/* Adjust p[n] in place so that comparing each with alpha keeps the chance of any false rejection
 * below alpha (Holm 1979). NAN entries are not counted and stay. */
void sdw_holm(double *p, size_t n);

/* Percentile bootstrap over pairs of sum(y) / sum(x): [lo, hi] holds it with `level` (0..1)
 * confidence. Draws whose sum(x) is 0 are left out. Both NAN when n < 2. */
void sdw_bootstrap_ratio(const double *y, const double *x, size_t n, double level, uint64_t seed,
                         unsigned rounds, double *lo, double *hi);

#endif
