#include "core/histogram.h"

#include <math.h>

enum { SUB = 32, SUB_BITS = 5 };

size_t sdw_histogram_bucket(uint64_t value)
{
    if (value < SUB)
        return (size_t)value;
    unsigned shift = 63u - (unsigned)__builtin_clzll(value) - SUB_BITS;
    size_t bucket = (size_t)(shift + 1) * SUB + (size_t)((value >> shift) - SUB);
    return bucket < SDW_HISTOGRAM_BUCKETS ? bucket : SDW_HISTOGRAM_BUCKETS - 1;
}

double sdw_histogram_value(size_t bucket)
{
    if (bucket < SUB)
        return (double)bucket;
    double width = ldexp(1, (int)(bucket / SUB) - 1);
    return width * ((double)(bucket % SUB) + SUB) + (width - 1) / 2;
}

double sdw_histogram_quantile(const uint32_t *counts, double q)
{
    uint64_t total = 0, seen = 0;
    for (size_t i = 0; i < SDW_HISTOGRAM_BUCKETS; i++)
        total += counts[i];
    for (size_t i = 0; i < SDW_HISTOGRAM_BUCKETS; i++) {
        seen += counts[i];
        if (seen > 0 && (double)seen >= q * (double)total)
            return sdw_histogram_value(i);
    }
    return NAN;
}
