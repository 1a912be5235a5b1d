/*
 * Order statistics and small tables of statistics. Pure; inputs are never changed unless said.
 * n = 0 gives NAN everywhere.
 */
#ifndef SDW_MODEL_STATS_H
#define SDW_MODEL_STATS_H

#include "core/base.h"

void sdw_sort_reals(double *values, size_t n); /* ascending, in place; no NAN inside */

/* Quantile q in [0, 1] of ascending values[n], linear between order statistics (Hyndman and Fan's
 * type 7, the default of R). */
double sdw_quantile_sorted(const double *sorted, size_t n, double q);
double sdw_median(double *values, size_t n); /* sorts values */

/* The value whose log1p(value / scale) is `level`. */
double sdw_unlog1p(double level, double scale);

/* Half-sample mode of ascending values[n] (Bickel and Fruehwirth, 2006): the densest point, found
 * by keeping the shorter half again and again; stands nearly half of contamination. */
double sdw_half_sample_mode(const double *sorted, size_t n);

/* Quantile p in (0, 1) of Student's t with df > 0 degrees of freedom (bisection on the incomplete
 * beta function). */
double sdw_student_quantile(double p, double df);

#endif
