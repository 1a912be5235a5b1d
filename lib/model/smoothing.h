/*
 * Exponential smoothing of a level and, if wanted, a damped trend: simple (no trend), Holt's
 * (damping 1), damped (Gardner and McKenzie, 1985); in the terms of Hyndman's state space models
 * ETS(A,N,N), ETS(A,A,N), ETS(A,Ad,N) with alpha = level, beta = trend, phi = damping.
 *
 * The level is kept as its distance from the newest value, so that it stays exact for large values
 * and a shift of all values leaves it alone.
 */
#ifndef SDW_MODEL_SMOOTHING_H
#define SDW_MODEL_SMOOTHING_H

#include "core/base.h"

struct sdw_smoothing_gain {
    double level, trend, damping; /* 0 < level <= 1, 0 <= trend <= level, 0 < damping <= 1 */
};

struct sdw_smoothing {
    double off, trend; /* level less the newest value; its change a step */
};

/* The next value, `change` above the one before. Returns the error of the forecast of it. */
double sdw_smoothing_step(struct sdw_smoothing *s, const struct sdw_smoothing_gain *gain,
                          double change);

/* The forecast `steps` ahead, less the newest value. */
double sdw_smoothing_ahead(const struct sdw_smoothing *s, const struct sdw_smoothing_gain *gain,
                           int steps);

#endif
