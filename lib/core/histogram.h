/*
 * A histogram of whole numbers with a relative resolution of 1/32: exact below 32, then 32
 * buckets for each power of two. The counts are the caller's array; whoever adds only needs the
 * index, so that one process may add and another may read.
 */
#ifndef SDW_CORE_HISTOGRAM_H
#define SDW_CORE_HISTOGRAM_H

#include "core/base.h"

enum { SDW_HISTOGRAM_BUCKETS = 32 * 32 };

/* The bucket of a value; values of 2^36 and more share the last. */
size_t sdw_histogram_bucket(uint64_t value);
/* The middle of a bucket. */
double sdw_histogram_value(size_t bucket);
/* The q-quantile (0 < q <= 1): the value of the smallest bucket with at least a share q of all
 * counts in it and below. NAN when counts[SDW_HISTOGRAM_BUCKETS] are all zero. */
double sdw_histogram_quantile(const uint32_t *counts, double q);

#endif
