/*
 * What forecasts were worth: each is kept, in the digits it was written with, until the value it
 * was about has come, and compared with it.
 *
 * The scores of one horizon are sums over the forecasts that came due since the last score:
 *   mase     mean |value - q0.5|
 *   pinball  mean over the five quantiles of the pinball loss
 *   bias     mean of q0.5 - value
 * each divided by the mean absolute change from one step to the next over the whole series so far
 * (Hyndman and Koehler, 2006: what the naive forecast of one step is wrong by), and
 *   cover95  the share of values within [q0.025, q0.975].
 * Of a horizon more than SDW_FEEDBACK_KEPT steps away only every so many forecasts are kept: those
 * whose step number is a multiple of ceil(horizon / SDW_FEEDBACK_KEPT).
 *
 * What is kept of a series is in a block of sdw_feedback_bytes without pointers, the caller's.
 */
#ifndef SDW_MODEL_FEEDBACK_H
#define SDW_MODEL_FEEDBACK_H

#include "model/ensemble.h"

enum { SDW_FEEDBACK_KEPT = 2 };

struct sdw_feedback {
    int64_t index, steps; /* newest step; those since the last score */
    double last;          /* its value */
    double change, changes;
    bool any;
    void *kept; /* NULL: no forecast has been said yet */
};

/* Of a plan, and the most that a plan of so many horizons takes. */
size_t sdw_feedback_bytes(const struct sdw_ensemble_plan *plan);
size_t sdw_feedback_most(size_t horizons);
/* From now on forecasts are said: they are kept in the block, which the caller frees. */
void sdw_feedback_keep(struct sdw_feedback *feedback, const struct sdw_ensemble_plan *plan,
                       void *block);

/* The value of a step came (NAN: it is missing, which nothing is compared with). Call it for
 * every step that has one, in order, before what is forecast from it is said. */
void sdw_feedback_came(struct sdw_feedback *feedback, const struct sdw_ensemble_plan *plan,
                       int64_t index, double value);
/* Whether the forecast of horizon i from step index is one of those that are kept. */
bool sdw_feedback_keeps(const struct sdw_ensemble_plan *plan, int i, int64_t index);
/* said[plan->n]: forecast from step index; those that are not kept are not looked at. */
void sdw_feedback_said(struct sdw_feedback *feedback, const struct sdw_ensemble_plan *plan,
                       int64_t index, const struct sdw_prediction *said);

struct sdw_worth {
    double mase, pinball, cover95, bias; /* NAN: nothing to divide by */
    int64_t n;
};

/* Whether a day of steps (without a day: 1000) has gone by since the last score. */
bool sdw_feedback_due(const struct sdw_feedback *feedback, const struct sdw_ensemble_plan *plan);
/* worth[plan->n], and begin anew. */
void sdw_feedback_score(struct sdw_feedback *feedback, const struct sdw_ensemble_plan *plan,
                        struct sdw_worth *worth);

#endif
