/*
 * The experts of an ensemble: one table entry and one file each.
 *
 * An expert predicts z (see history.h) at each anchor of the plan. It learns twice: `step` when a
 * value is about to enter the history, for what it keeps of its own, and `outcome` for each anchor
 * when the value comes that an earlier origin was to predict. Its state is an array of floats
 * without pointers, part of the series' block. An expert that has nothing to say says what the
 * naive one does.
 */
#ifndef SDW_MODEL_EXPERT_H
#define SDW_MODEL_EXPERT_H

#include "model/ensemble.h"
#include "model/history.h"

enum { SDW_FEATURES = 12 };

/* What was known at an origin and is not in the history. */
struct sdw_origin {
    int64_t index;
    float slow;                              /* the history's mean of a day */
    float deviation;                         /* smoothed distance from the profile */
    float companion[2 * SDW_COMPANIONS_MAX]; /* distance from its mean, newest change; 0: absent */
};

/* What an expert looks at. `size[a]` is the usual size of an error at anchor a; 0: not known. */
struct sdw_sight {
    const struct sdw_ensemble_plan *plan;
    const struct sdw_history *history;
    const double *size;
    void *pooled; /* what the expert shares with all series */
};

struct sdw_expert {
    const char *name;
    size_t (*floats)(const struct sdw_ensemble_plan *plan);
    size_t (*pooled_bytes)(const struct sdw_ensemble_plan *plan); /* NULL: none */
    void (*pooled_init)(void *pooled, const struct sdw_ensemble_plan *plan);
    void (*init)(float *state, const struct sdw_ensemble_plan *plan);
    void (*step)(float *state, const struct sdw_sight *sight, double z);
    void (*outcome)(float *state, const struct sdw_sight *sight, int anchor,
                    const struct sdw_origin *origin, double z);
    void (*predict)(float *state, const struct sdw_sight *sight, const struct sdw_origin *origin,
                    double *z /* [plan->anchors] */);
};

extern const struct sdw_expert sdw_expert_naive, sdw_expert_damped, sdw_expert_profile,
    sdw_expert_seasonal, sdw_expert_regression, sdw_expert_companions, sdw_expert_autoregression,
    sdw_expert_recurrent;

/* What regressions look at, x[SDW_FEATURES]: a constant, the latest changes, distances of the
 * newest value from means of several lengths, from the profile, from the same time a day and a
 * week before (0 where not known), and by how much those three change until `ahead` steps later.
 * The first call gives, for an origin, `now` for the second, which completes it for each `ahead`.
 */
void sdw_features(const struct sdw_sight *sight, const struct sdw_origin *origin, double *now);
void sdw_features_ahead(const struct sdw_sight *sight, const struct sdw_origin *origin,
                        const double *now, int ahead, double *x);

#endif
