/* Keeping a store in shape: few segments, each of one period, and nothing that is too old. */
#ifndef SDW_STORE_COMPACT_H
#define SDW_STORE_COMPACT_H

#include "io/tool.h"
#include "store/merge.h"
#include "store/retain.h"

struct sdw_compacted {
    uint64_t rolled; /* rows made */
    struct sdw_merged merged;
    uint64_t dropped; /* segments whose time was over */
    uint64_t dropped_points;
};

/* Drop what is too old, roll up what is not kept for ever, and merge segments. What has been rolled
 * up is dropped before anything is written: that makes room on a full disk. Loses nothing when it
 * fails or is killed. SDW_EINPUT when it went around damage: all else is done. */
int sdw_store_compact(struct sdw_store *store, struct sdw_compacted *done, struct sdw_err *err);
/* Compact when there are enough segments to make it worth while. */
int sdw_store_maintain(struct sdw_store *store, struct sdw_err *err);

/* What the tool does: change what is retained (text of sdw_store_retain), flush, compact; and the
 * `end` record with what was done. The same for rolling up alone. */
int sdw_compact_run(struct sdw_ctx *ctx, struct sdw_store *store,
                    const char *const retain[SDW_LEVELS]);
int sdw_rollup_run(struct sdw_ctx *ctx, struct sdw_store *store);

#endif
