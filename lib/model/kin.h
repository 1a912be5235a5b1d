/*
 * Series that add up: applications to their link, links to a backbone.
 *
 * Forecasts of a parent and of its children are made apart, and reconciled by inverse variance
 * (Hyndman, Lee and Wang, 2016: weighted least squares with a diagonal of forecast variances, in
 * its closed form for one parent): what the parent's forecast and the children's sum differ by is
 * shared out in proportion to the variances, so the surest forecast is changed least. It is the
 * difference of the step before, when all had spoken, so that the order in which they speak does
 * not matter. Only where the values themselves add up: a link that carries more than the
 * applications that are known of is left alone.
 *
 * What drives a parent is told by the correlation of surprises: what was not expected of the child
 * with what was not expected of the parent, up to three steps before or after. Both are white
 * noise where nothing links the two, so that their correlation over n steps is normal with
 * variance 1/n (Haugh, 1976); the p-value is Bonferroni's, over lags and children.
 */
#ifndef SDW_MODEL_KIN_H
#define SDW_MODEL_KIN_H

#include "model/ensemble.h"

enum { SDW_KIN_LAGS = 3, SDW_KIN_KEPT = 8, SDW_KIN_SAID = 6 };

struct sdw_kin_state {
    uint64_t born; /* children are taken in this order */
    int64_t index; /* newest step */
    int64_t said_at[2], gap_at; /* steps that said[] is of; 0: none */
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
    double *said; /* [SDW_KIN_SAID][horizons]: means and variances of the newest step and the one before it
                   * (by the step's parity); of a parent the gap and the total variance */
};

struct sdw_kin *sdw_kin_new(size_t horizons, uint64_t born, void *owner);
void sdw_kin_free(struct sdw_kin *kin); /* its links are taken out; NULL is none */
/* False (and nothing done) when it would close a circle or the horizons differ. */
bool sdw_kin_link(struct sdw_kin *child, struct sdw_kin *parent);

/* The value of a step, and its surprise (NAN: not known). Steps come in order. */
void sdw_kin_step(struct sdw_kin *kin, int64_t index, double value, double surprise);
/* Reconcile said[horizons], the member's own forecasts from its newest step, with what its family
 * said last. */
void sdw_kin_reconcile(struct sdw_kin *kin, struct sdw_prediction *said);

struct sdw_kin_correlation {
    int lag; /* steps that the child is ahead of the parent */
    double r, p_value;
    int64_t n;
};
/* How a child's surprises go with its parent's; n 0 while there are fewer than 50. */
struct sdw_kin_correlation sdw_kin_correlate(const struct sdw_kin *child);

#endif
