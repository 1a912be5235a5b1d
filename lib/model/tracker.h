/*
 * Quantiles of a stream, tracked online: each moves up by p when a value is above it and down by
 * 1 - p when one is below, so that in the long run the share of values below it is p, whatever the
 * stream does (quantile tracking: Angelopoulos, Candes and Tibshirani, 2023). They start as those
 * of a wide normal distribution, and the steps shrink from large to small.
 *
 * The values are errors in units of their expected size. Between and beyond the tracked quantiles
 * the distribution is taken to be as straight as the normal one.
 */
#ifndef SDW_MODEL_TRACKER_H
#define SDW_MODEL_TRACKER_H

#include "core/base.h"

enum { SDW_TRACKED = 9 };

struct sdw_tracker {
    float n; /* values seen, up to where the step is smallest */
    float q[SDW_TRACKED];
};

void sdw_tracker_init(struct sdw_tracker *tracker);
void sdw_tracker_learn(struct sdw_tracker *tracker, double value);

/* The levels tracked, ascending. */
extern const double sdw_tracker_level[SDW_TRACKED];

/* Quantile p, 0 < p < 1, and the probability of a value at or below `value`; of the mixture of two
 * trackers with quantiles in between: (1 - share) of a, share of b. */
double sdw_tracker_quantile(const struct sdw_tracker *a, const struct sdw_tracker *b, double share,
                            double p);
double sdw_tracker_below(const struct sdw_tracker *a, const struct sdw_tracker *b, double share,
                         double value);

#endif
