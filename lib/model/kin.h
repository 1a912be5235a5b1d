/*
 * Series that add up: applications to their link, links to a backbone.
 *
 * Forecasts of a parent and of its children are made apart, and reconciled by inverse variance
 * (weighted least squares with a diagonal of forecast variances: Hyndman, Lee and Wang, 2016): from
 * the leaves up each member's own forecast and the sum of its children's are weighed together, and
 * from the root down what the children's sum then lacks is shared out by their variances. On a tree
 * this is the exact solution: the sums hold, and the surest forecast is changed least. Only where
 * the values themselves add up: a link that carries more than the applications that are known of
 * is left alone. It takes the forecasts of all members from the same step.
 *
 * What drives a parent is told by the correlation of surprises: what was not expected of the child
 * with what was not expected of the parent, up to three steps before or after. Both are white
 * noise where nothing links the two, so that their correlation over n steps is normal with
 * variance 1/n (Haugh, 1976); the p-value is Bonferroni's, over lags and children.
 */
#ifndef SDW_MODEL_KIN_H
#define SDW_MODEL_KIN_H

#include "model/ensemble.h"

enum { SDW_KIN_LAGS = 3, SDW_KIN_KEPT = 8, SDW_KIN_SAID = 5 };

struct sdw_kin_state {
    uint64_t born; /* children are taken in this order */
    int64_t index; /* newest step */
    int64_t steps, n;
    double value[SDW_KIN_KEPT], surprise[SDW_KIN_KEPT]; /* of step i at i mod SDW_KIN_KEPT */
    double incoherence, checks; /* mean share that the children's sum is off by */
    double xy[2 * SDW_KIN_LAGS + 1], xx, yy;
};

/* A member of a family. Links do not own. */
struct sdw_kin {
    struct sdw_kin *parent, **child;
    size_t children, cap;
    size_t horizons;
    void *owner; /* the caller's */
    struct sdw_kin_state s;
    double *said; /* [SDW_KIN_SAID][horizons]: mean and variance of its own forecast, the same
                   * weighed with its children's, and what the family changed the mean by */
};

struct sdw_kin *sdw_kin_new(size_t horizons, uint64_t born, void *owner);
void sdw_kin_free(struct sdw_kin *kin); /* its links are taken out; NULL is none */
/* False (and nothing done) when it would close a circle or the horizons differ. */
bool sdw_kin_link(struct sdw_kin *child, struct sdw_kin *parent);

/* The value of a step, and its surprise (NAN: not known). Steps come in order. */
void sdw_kin_step(struct sdw_kin *kin, int64_t index, double value, double surprise);
/* The member at the top of those that add up to it; kin itself when it has no such family. */
struct sdw_kin *sdw_kin_root(struct sdw_kin *kin);
/* Whether kin has children that add up to it. */
bool sdw_kin_adds_up(const struct sdw_kin *kin);
/* Whether all that adds up to root has come to the step. A child that was missing for
 * SDW_KIN_KEPT steps is not waited for. */
bool sdw_kin_complete(const struct sdw_kin *root, int64_t index);

/* The member's own forecast from its newest step. */
void sdw_kin_say(struct sdw_kin *kin, const struct sdw_prediction *said);
/* Reconcile what all members below root have said. */
void sdw_kin_reconcile(struct sdw_kin *root);
/* Move said[horizons] by what the family changed it by. */
void sdw_kin_move(const struct sdw_kin *kin, struct sdw_prediction *said);

struct sdw_kin_correlation {
    int lag; /* steps that the child is ahead of the parent */
    double r, p_value;
    int64_t n;
};
/* How a child's surprises go with its parent's; n 0 while there are fewer than 50. */
struct sdw_kin_correlation sdw_kin_correlate(const struct sdw_kin *child);

#endif
