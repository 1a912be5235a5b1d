/*
 * The points that are not yet in a segment, as arrays a series, in time order. Series are numbered
 * from 1 by the catalogue.
 */
#ifndef SDW_STORE_HEAD_H
#define SDW_STORE_HEAD_H

#include "core/base.h"

struct sdw_head_series {
    int64_t *ts_us;
    double *value;
    size_t n, cap;
    int64_t newest_us;  /* of all points ever taken, also those in segments; INT64_MIN: none */
    int64_t flushed_us; /* the newest in a segment; INT64_MIN: none */
};

struct sdw_head {
    struct sdw_head_series *series; /* by number less 1 */
    size_t n, cap;
    uint64_t points;
};

enum sdw_take { SDW_TAKEN, SDW_REPLACED, SDW_LATE };

void sdw_head_release(struct sdw_head *head);
/* The series, made when absent; NULL for number 0 and absurd ones. */
struct sdw_head_series *sdw_head_at(struct sdw_head *head, uint32_t series);
/* Take a point. One of a time that is there replaces its value; one more than window_us older
 * than the newest of its series, or not newer than what is in a segment, is late and not taken.
 * window_us INT64_MAX: none is; for what was taken before and is read from a log. Such points are
 * in no segment, though what they were rolled up to may be. */
enum sdw_take sdw_head_take(struct sdw_head *head, uint32_t series, int64_t ts_us, double value,
                            int64_t window_us);
/* Forget the first n points of a series. */
void sdw_head_drop(struct sdw_head *head, struct sdw_head_series *series, size_t n);
/* Index of the first point at or after ts_us. */
size_t sdw_head_find(const struct sdw_head_series *series, int64_t ts_us);

#endif
