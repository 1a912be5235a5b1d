/*
 * Recursive least squares with exponential forgetting, kept in single precision: n weights, then
 * the covariance (in units of the noise's variance) as the product U D U' of a triangle of ones
 * and factors with a diagonal of variances, column by column. The state is the caller's,
 * SDW_RLS_FLOATS(n) long.
 *
 * The factors (Bierman, 1977) carry twice the digits that the covariance itself would, and what
 * they multiply to cannot become negative by rounding: weights agree with least squares in double
 * precision to six places.
 *
 * Forgetting alone lets the covariance grow without bound while the input does not vary; here no
 * variance grows above `most`, by scaling its row and column back, which keeps the matrix positive.
 */
#ifndef SDW_MODEL_RLS_H
#define SDW_MODEL_RLS_H

#include "core/base.h"

enum { SDW_RLS_MAX = 28 };
#define SDW_RLS_FLOATS(n) ((n) + (n) * ((n) + 1) / 2)

/* Weights of 0 (or weight[n]), each with variance `spread`. 1 <= n <= SDW_RLS_MAX. */
void sdw_rls_init(float *state, int n, const double *weight, double spread);

double sdw_rls_predict(const float *state, int n, const double *x);

/* error: what was observed less what sdw_rls_predict said, clipped by the caller as it sees fit.
 * forget: 0 < forget <= 1. What is not finite is not learned from; beyond 1e15 in size x and error
 * would be too much for single precision. */
void sdw_rls_learn(float *state, int n, const double *x, double error, double forget, double most);

#endif
