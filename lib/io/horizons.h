/* What stands in the horizons of a forecast or breach record. */
#ifndef SDW_IO_HORIZONS_H
#define SDW_IO_HORIZONS_H

#include "io/scan.h"

/* Quantiles 0.025, 0.5 and 0.975 of the value horizon_us (>= 0) from now, and the odds of what the
 * record is about until then; each NAN where it is not there or no finite number. */
struct sdw_horizon {
    int64_t horizon_us;
    double lo, mid, hi, p;
};

/* Begin with sdw_scan_begin over the array. 1 and the next horizon, 0 after the last, SDW_EINPUT
 * for what is no array of objects that have horizon_us. */
int sdw_horizons_next(struct sdw_scan *scan, struct sdw_horizon *horizon);

/* The shortest horizon (> 0) that has lo <= mid <= hi: 1, 0 when none has, SDW_EINPUT for what is
 * no array of horizons. */
int sdw_horizon_shortest(struct sdw_str horizons, struct sdw_horizon *shortest,
                         struct sdw_err *err);

/* Append "15 min 6.63G [6.2G, 7.1G]; 1 h ..." for people: the median and the 95 % interval, or the
 * odds; a dash stands for what is not there. What comes after an element that is no horizon is left
 * out, and nothing is appended for a value that is no array. */
void sdw_horizons_text(const struct sdw_member *member, struct sdw_buf *out);

#endif
