/*
 * Rollups: least, greatest, sum, count and last value of each minute (level 1), hour (level 2) and
 * day (level 3) of a series, each level made from the one below. A step is rolled up once nothing
 * can come for it any more.
 */
#ifndef SDW_STORE_ROLLUP_H
#define SDW_STORE_ROLLUP_H

#include "store/store.h"

enum { SDW_LEVELS = 4 };

/* Length of the steps of a level; 0 for level 0, the points themselves. */
int64_t sdw_level_step(uint32_t level);
/* The multiple of step_us at or before ts_us. */
int64_t sdw_step_begin(int64_t ts_us, int64_t step_us);

/* Time of the oldest and newest row of a level of a series; false when it has none. */
bool sdw_level_range(const struct sdw_store *store, uint32_t series, uint32_t level,
                     int64_t *from_us, int64_t *to_us);

/* Roll up what can be, on levels 1 to `levels`, into new segments. *rows: how many were made.
 * SDW_EINPUT when damaged points were left out: all else is done. */
int sdw_store_rollup(struct sdw_store *store, uint32_t levels, uint64_t *rows, struct sdw_err *err);
/* Make rows of a level again that were lost, from what is left of the level below: those that are
 * missing between others, and those in [from_us, to_us). */
int sdw_store_rollup_again(struct sdw_store *store, uint32_t level, int64_t from_us, int64_t to_us,
                           uint64_t *rows, struct sdw_err *err);

#endif
