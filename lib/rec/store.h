/* What a store of time series says: stored, part, hole. */
#ifndef SDW_REC_STORE_H
#define SDW_REC_STORE_H

#include "rec/rec.h"

/* Points that are durable from now on. */
struct sdw_stored {
    int64_t ts; /* newest time stored */
    struct sdw_str store;
    int64_t points, replaced, refused; /* since the tool started */
    int64_t series;                    /* in the store */
};

/* One file of a store. */
struct sdw_part {
    int64_t ts; /* newest time in it */
    struct sdw_str store, part, kind;
    int64_t level, series, points, bytes;
    int64_t from_us, to_us;
    struct sdw_str state, reason;
};

/* Points of a series that damage cost. */
struct sdw_hole {
    int64_t ts; /* newest time in it */
    struct sdw_str store, series, labels;
    int64_t level, points;
    int64_t from_us, to_us;
    struct sdw_str kept;
};

extern const struct sdw_schema sdw_stored_schema, sdw_part_schema, sdw_hole_schema;

#endif
