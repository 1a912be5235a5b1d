/*
 * A sparse histogram of whole numbers over the buckets of core/histogram.h: as large as what was
 * added is varied, so that tens of thousands of them can be kept. Zero-initialise, release once.
 */
#ifndef SDW_CORE_TALLY_H
#define SDW_CORE_TALLY_H

#include "core/base.h"

struct sdw_tally {
    struct sdw_tally_bar {
        uint16_t bucket;
        uint32_t count; /* stays at its greatest value */
    } * bars;           /* bars[n], by rising bucket */
    uint16_t n, cap;
    uint64_t total;
};

void sdw_tally_add(struct sdw_tally *tally, uint64_t value);
/* The q-quantile (0 < q <= 1), as sdw_histogram_quantile gives it. NAN when nothing was added. */
double sdw_tally_quantile(const struct sdw_tally *tally, double q);
void sdw_tally_release(struct sdw_tally *tally);

#endif
