/* Reading the points of one series, in time order, from segments and memory. */
#ifndef SDW_STORE_READ_H
#define SDW_STORE_READ_H

#include "core/base.h"
#include "core/err.h"
#include "store/store.h"

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
};

/* A damaged chunk is left out, and reported when all others have been read: SDW_EINPUT. */
int sdw_read_series(const struct sdw_store *store, const struct sdw_read *read,
                    struct sdw_chunk_room *room, struct sdw_err *err);

#endif
