/* What was forecast of a series, until its time comes: bytes without pointers. */
#ifndef SDW_MODEL_FORESEEN_H
#define SDW_MODEL_FORESEEN_H

#include "core/base.h"

enum { SDW_FORESEEN_KEPT = 4 };

/* The median and the 95 % interval of the value at ts, in the series' unit: finite, lo <= mid <=
 * hi. */
struct sdw_foreseen {
    int64_t ts;
    double lo, mid, hi;
};

/* All zero holds nothing. */
struct sdw_foreseens {
    struct sdw_foreseen item[SDW_FORESEEN_KEPT];
    uint64_t n; /* added so far: the newest are kept */
};

void sdw_foreseens_add(struct sdw_foreseens *foreseens, const struct sdw_foreseen *foreseen);
/* Of what is kept, that with the time nearest to ts, at most within_us from it, and of several the
 * one that came last. NULL: none. */
const struct sdw_foreseen *sdw_foreseens_at(const struct sdw_foreseens *foreseens, int64_t ts,
                                            double within_us);

#endif
