/*
 * Holt and Winters' additive method: exponential smoothing of a level, a trend and the season's
 * part of each of its slots, and of how far off what it expected was in each slot (Winters, 1960;
 * R's HoltWinters). It is what RRDtool's aberrant behaviour detection rests on (Brutlag, 2000).
 *
 * A slot is known once a value has come in it: before, nothing is expected there, and what its
 * value is above level and trend becomes the season's part.
 */
#ifndef SDW_MODEL_HOLT_WINTERS_H
#define SDW_MODEL_HOLT_WINTERS_H

#include "core/base.h"

struct sdw_holt_winters_gain {
    double level, trend, season; /* alpha, beta, gamma: 0..1 each */
    double deviation;            /* of the usual error of a slot */
};

struct sdw_holt_winters_slot {
    double season;    /* the slot's part; NAN: not known */
    double deviation; /* smoothed size of the error in it; NAN: not known */
};

struct sdw_holt_winters {
    double level, trend; /* trend: a value; level NAN: no value yet */
};

/* slot[slots]: the caller's, and goes with the state; slots >= 1. */
void sdw_holt_winters_init(struct sdw_holt_winters *hw, struct sdw_holt_winters_slot *slot,
                           int slots);

/* What the next value is expected to be if it comes in this slot; NAN: no opinion. */
double sdw_holt_winters_expect(const struct sdw_holt_winters *hw,
                               const struct sdw_holt_winters_slot *slot);

/* Learn the next value, which came in this slot. */
void sdw_holt_winters_learn(struct sdw_holt_winters *hw, struct sdw_holt_winters_slot *slot,
                            const struct sdw_holt_winters_gain *gain, double value);

#endif
