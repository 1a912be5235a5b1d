/* What stands in the horizons of a forecast record. */
#ifndef SDW_REC_HORIZONS_H
#define SDW_REC_HORIZONS_H

#include "core/base.h"
#include "core/err.h"

/* Quantiles 0.025, 0.5 and 0.975 of the value horizon_us from now: finite, lo <= mid <= hi. */
struct sdw_horizon {
    int64_t horizon_us;
    double lo, mid, hi;
};

/* The shortest horizon that has all three: 1, 0 when none has, SDW_EINPUT for what is no array of
 * horizons. */
int sdw_horizon_shortest(struct sdw_str horizons, struct sdw_horizon *shortest,
                         struct sdw_err *err);

#endif
