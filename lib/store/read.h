/* Reading the points of one series, in time order, from segments and memory. */
#ifndef SDW_STORE_READ_H
#define SDW_STORE_READ_H

#include "core/base.h"
#include "core/err.h"
#include "store/store.h"

/* What could not be read. */
struct sdw_damage {
    uint64_t chunks, points; /* chunks, and the points that they held */
    uint64_t segments;       /* that might hold more, but cannot be read at all */
};

struct sdw_read {
    uint32_t series, level;
    int64_t from_us, to_us; /* from <= t < to */
    bool segments_only;     /* leave out what is in memory */
    /* What may stand for all points of a chunk within the range, without looking at them. Returns
     * true when it was enough. May be NULL. */
    bool (*stats)(const struct sdw_chunk_stats *stats, void *arg);
    /* Points within the range; negative ends. */
    int (*points)(const struct sdw_points *points, void *arg);
    void *arg;
    struct sdw_damage *damage; /* added to; may be NULL */
};

/* What is damaged is left out, and reported when all else has been read: SDW_EINPUT. */
int sdw_read_series(const struct sdw_store *store, const struct sdw_read *read,
                    struct sdw_chunk_room *room, struct sdw_err *err);

#endif
