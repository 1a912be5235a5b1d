/*
 * The range of what came before, and the drift of a level away from its profile: the CUSUM (Page,
 * 1954) to either side of the distances from the profile, each in units of their usual size.
 */
#ifndef SDW_MODEL_DETECT_DRIFT_H
#define SDW_MODEL_DETECT_DRIFT_H

#include "core/base.h"

/* Zeroed: nothing seen. */
struct sdw_extent {
    double least, greatest;
    int64_t n;
};

/* How far x is outside of all before, in widths of their range, at most 100; 0: within. Then it
 * belongs to them. */
double sdw_extent_excess(struct sdw_extent *extent, double x);

/* Zeroed: nothing seen. */
struct sdw_drift {
    int64_t n;
    double square, mean;    /* of the distances; the mean of the last dozen or so */
    double up, down;        /* the two CUSUMs */
    struct sdw_extent seen; /* of the CUSUM */
    double least, greatest; /* the same, but widened by a three hundredth a value only */
    bool away;
};

/* Learn the distance of a value from its profile, finite. Returns the excess of the CUSUM over all
 * before. */
double sdw_drift_learn(struct sdw_drift *drift, double distance);

/* Whether the level has left, with the newest distance, for one that is at least `change` away
 * from the profile, the CUSUM being `excess` ranges outside of what was usual: true once, until it
 * is back. */
bool sdw_drift_leaves(struct sdw_drift *drift, double excess, double change);

#endif
