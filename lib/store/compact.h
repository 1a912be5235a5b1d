/* Keeping a store in shape: few segments, each of one period, and nothing that is too old. */
#ifndef SDW_STORE_COMPACT_H
#define SDW_STORE_COMPACT_H

#include "io/tool.h"
#include "store/retain.h"

struct sdw_compacted {
    uint64_t rolled;       /* rows made */
    uint64_t merged, into; /* segments that became others, and how many */
    uint64_t dropped;      /* segments whose time was over */
    uint64_t dropped_points;
};

/* Roll up what is not kept for ever, merge segments of the same period (levels 0 and 1: a day, 2:
 * 30 days, 3: 360) and drop those that are too old. Loses nothing when it fails or is killed. */
int sdw_store_compact(struct sdw_store *store, struct sdw_compacted *done, struct sdw_err *err);
/* The same after sdw_store_retain and a flush, and the `end` record with what was done. */
int sdw_compact_run(struct sdw_ctx *ctx, struct sdw_store *store,
                    const char *const retain[SDW_LEVELS]);
/* Compact when there are enough segments to make it worth while. */
int sdw_store_maintain(struct sdw_store *store, struct sdw_err *err);

#endif
