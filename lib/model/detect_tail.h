/*
 * How improbable a large value is, from a stream: the 98 % quantile is tracked by stochastic
 * approximation (Robbins and Monro, 1951), what lies beyond it has the generalised Pareto tail of
 * peaks over threshold (Pickands, 1975; online as in SPOT: Siffer et al., KDD 2017) with a fixed
 * shape of 0.2, heavier than exponential, as network series are. Excesses are learned up to three
 * times their mean: one event does not hide the next.
 */
#ifndef SDW_MODEL_DETECT_TAIL_H
#define SDW_MODEL_DETECT_TAIL_H

#include "core/base.h"

/* Zeroed: nothing seen. */
struct sdw_tail {
    double level;  /* the tracked quantile */
    double excess; /* mean of what was beyond it */
    int64_t n, beyond;
};

/* x >= 0 and finite. */
void sdw_tail_learn(struct sdw_tail *tail, double x);

/* -log10 of the probability of a value above x; 0 below the tracked quantile. */
double sdw_tail_decades(const struct sdw_tail *tail, double x);

#endif
