/* Points of a series to values a step: average, least, most, sum, count, last, rate, quantiles. */
#ifndef SDW_STORE_AGGREGATE_H
#define SDW_STORE_AGGREGATE_H

#include "core/base.h"
#include "core/err.h"
#include "store/chunk.h"

enum sdw_aggregate {
    SDW_AGG_NONE, /* the points as they are */
    SDW_AGG_AVG,
    SDW_AGG_MIN,
    SDW_AGG_MAX,
    SDW_AGG_SUM,
    SDW_AGG_COUNT,
    SDW_AGG_LAST,
    SDW_AGG_RATE, /* growth of a counter a second; a fall is a restart from 0 */
    SDW_AGG_QUANTILE,
};

/* avg min max sum count last rate, or p and a percentage: p50 p95 p99.9. False for other texts. */
bool sdw_aggregate_parse(const char *text, enum sdw_aggregate *kind, double *quantile);

/* Steps begin at multiples of step_us since the epoch, or (step_us 0) there is one, from from_us
 * or (INT64_MIN) the first point.
 * Points before from_us only serve as the one before the first, for the rate. */
struct sdw_stepper {
    enum sdw_aggregate kind;
    double quantile; /* 0..1; interpolated as in Prometheus' quantile_over_time */
    int64_t from_us, step_us;
    /* A value of the step that begins at ts_us; negative ends. */
    int (*each)(int64_t ts_us, double value, void *arg);
    void *arg;
    /* The step that is being filled; end_us INT64_MIN: none. */
    int64_t start_us, end_us;
    double min, max, sum, last, count;
    double grown; /* of a counter, and the time in which it grew */
    int64_t grown_us;
    int64_t before_us; /* the point before; INT64_MIN: none */
    double before;
    double *sample; /* for quantiles */
    size_t n, cap;
    bool lacking; /* a quantile was asked of a rollup */
};

void sdw_stepper_init(struct sdw_stepper *stepper);
void sdw_stepper_release(struct sdw_stepper *stepper);
int sdw_stepper_points(struct sdw_stepper *stepper, const struct sdw_points *points);
/* True when the statistics of a chunk were enough. Call it with chunks that begin at or after
 * from_us, in order with points. */
bool sdw_stepper_stats(struct sdw_stepper *stepper, const struct sdw_chunk_stats *stats, int *code);
/* Give out the last step. The stepper may then be used for another series. */
int sdw_stepper_finish(struct sdw_stepper *stepper);

#endif
