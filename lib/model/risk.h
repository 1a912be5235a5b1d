/*
 * The odds that a series crosses a limit within a horizon: the probability that the window's
 * extreme is beyond the limit, corrected by what came of such odds before (model/odds.h).
 *
 * After each step some cases are set aside, with a high quantile of the series' own past as the
 * limit; when their window is over the outcome is learned. The state of a series is one block of
 * sdw_risk_bytes without pointers, the caller's; the corrections belong to all series of a kind.
 */
#ifndef SDW_MODEL_RISK_H
#define SDW_MODEL_RISK_H

#include "model/ensemble.h"
#include "model/odds.h"

struct sdw_risk;

/* What series of a kind learn together, for either side of a limit and each anchor of the plan. */
struct sdw_risk_shared {
    struct sdw_odds odds[2][SDW_ANCHORS_MAX];
};

size_t sdw_risk_bytes(const struct sdw_ensemble_plan *plan);
void sdw_risk_init(struct sdw_risk *risk, const struct sdw_ensemble_plan *plan);
void sdw_risk_shared_init(struct sdw_risk_shared *shared);

/* Learn from a value that the ensemble has just learned. above: the side to learn about. */
void sdw_risk_learn(struct sdw_risk *risk, struct sdw_risk_shared *shared,
                    const struct sdw_ensemble *e, const struct sdw_ensemble_plan *plan,
                    double value, bool above);

/* said[plan->n]: the forecast. p[plan->n]: that the series is beyond the limit within
 * plan->steps[i]; never falling. When it is beyond now: 1. */
void sdw_risk_odds(const struct sdw_risk *risk, const struct sdw_risk_shared *shared,
                   const struct sdw_ensemble *e, const struct sdw_ensemble_plan *plan,
                   const struct sdw_prediction *said, double limit, bool above, double *p);

#endif
