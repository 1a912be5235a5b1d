/*
 * A chunk: up to 8192 points of one series, the smallest thing that is read from disk. The times
 * (microseconds, rising) are coded once, then one column of values, or the five columns of a
 * rollup (min, max, sum, count, last). A column is integers times a power of ten where all values
 * are decimals of at most 15 digits, otherwise exclusive-or coded reals, whichever is smaller.
 * Every finite double comes back bit for bit.
 */
#ifndef SDW_STORE_CHUNK_H
#define SDW_STORE_CHUNK_H

#include "core/base.h"
#include "core/buf.h"
#include "core/err.h"

enum { SDW_CHUNK_POINTS = 8192, SDW_CHUNK_COLUMNS = 5 };

enum sdw_column { SDW_COL_MIN, SDW_COL_MAX, SDW_COL_SUM, SDW_COL_COUNT, SDW_COL_LAST };

/* Points as arrays; columns 1 (values) or SDW_CHUNK_COLUMNS (a rollup). */
struct sdw_points {
    size_t n, columns;
    const int64_t *ts_us;
    const double *column[SDW_CHUNK_COLUMNS];
};

/* What a query may use instead of the points. count: points behind a rollup. */
struct sdw_chunk_stats {
    int64_t from_us, to_us; /* first and last time */
    double min, max, sum, last;
    uint64_t count;
};

/* n within 1 and SDW_CHUNK_POINTS. */
void sdw_chunk_stats_of(const struct sdw_points *points, struct sdw_chunk_stats *stats);
void sdw_chunk_encode(const struct sdw_points *points, struct sdw_buf *out);

/* Room for the points of any chunk; `points` views it. Zero-initialise, release once. */
struct sdw_chunk_room {
    int64_t *ts_us;
    double *column[SDW_CHUNK_COLUMNS];
    struct sdw_points points;
};
void sdw_chunk_room_release(struct sdw_chunk_room *room);
/* Decode the points with from_us <= t < to_us, of which there may be none. SDW_EINPUT for bytes
 * that are no chunk; room->points.n is then 0. That the times rise is left to sdw_store_check: it
 * costs as much as decoding them. */
int sdw_chunk_decode(const void *bytes, size_t n, int64_t from_us, int64_t to_us,
                     struct sdw_chunk_room *room, struct sdw_err *err);

#endif
