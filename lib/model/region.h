/*
 * The sum over the series of one region: as of now, while its members come one after the other.
 *
 * A member counts with its newest value, as long as that is of this step or the one before: so the
 * sum is whole at any moment of a step, whatever the order, and who falls silent falls out.
 * A member whose clock was set back makes the sum begin anew, where it is not back there already.
 */
#ifndef SDW_MODEL_REGION_H
#define SDW_MODEL_REGION_H

#include "core/base.h"

/* Both begin with the index INT64_MIN. */
struct sdw_region {
    int64_t index;      /* the newest step */
    double now, before; /* sums of who has come to it, and of who has only come to the one before */
    size_t members;
};

/* What a member was counted with last. */
struct sdw_region_share {
    int64_t index;
    double value;
};

/* A member's value (finite) of a step. One of a step long past does not count. */
void sdw_region_learn(struct sdw_region *region, struct sdw_region_share *share, int64_t index,
                      double value);
/* The sum; NAN where there is nobody besides one member. */
double sdw_region_sum(const struct sdw_region *region);

#endif
