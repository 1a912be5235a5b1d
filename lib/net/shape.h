/*
 * Shadow traffic shaped like live traffic: packet sizes and gaps drawn from the histograms of a
 * `shape` record, at another mean rate when that is wanted. The gaps are then stretched all alike,
 * so that bursts stay bursts.
 */
#ifndef SDW_NET_SHAPE_H
#define SDW_NET_SHAPE_H

#include "core/base.h"
#include "core/err.h"
#include "core/rng.h"
#include "net/plan.h"

/* Values and how many there are of each and of all in front: value[n], upto[n] rising. */
struct sdw_histogram {
    int64_t *value;
    uint64_t *upto;
    size_t n;
    double mean;
};

struct sdw_traffic_shape {
    struct sdw_histogram sizes; /* IP bytes, 20..65535 */
    struct sdw_histogram gaps;  /* us, 0..10^9; not all 0 */
    char **flows;               /* flows[n_flows], the most frequent first, as net/flow.h reads */
    size_t n_flows;
};

enum { SDW_SHAPE_FLOWS_MAX = 16 }; /* pairs that are kept */

/* From a `shape` record, one line. SDW_EINPUT with the field. Release what it made. */
int sdw_shape_read(struct sdw_traffic_shape *shape, struct sdw_str line, struct sdw_err *err);
/* From the first `shape` record in a file ("-": standard input). */
int sdw_shape_load(struct sdw_traffic_shape *shape, const char *path, struct sdw_err *err);
void sdw_shape_release(struct sdw_traffic_shape *shape);

/* Draw one value. */
int64_t sdw_histogram_draw(const struct sdw_histogram *histogram, struct sdw_rng *rng);
/* The mean rate of the shape itself, in bit/s. */
double sdw_shape_rate(const struct sdw_traffic_shape *shape);

/* Append load over [from_ns, to_ns) at a mean rate of bps (0: that of the shape) to the plan; sizes
 * above 1500 are cut to it. At most twice the bytes of that rate: of a longer burst only the start.
 */
void sdw_shape_plan(const struct sdw_traffic_shape *shape, struct sdw_plan *plan, int64_t from_ns,
                    int64_t to_ns, double bps, uint8_t load_ttl, struct sdw_rng *rng);

#endif
