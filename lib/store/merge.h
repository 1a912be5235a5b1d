/*
 * Merging segments of one level until each covers a period of its own: a day of points or of rows
 * of a minute, 30 days of rows of an hour, 360 of a day. A period with a damaged segment is left as
 * it is, with all that reaches into it: its bytes must stay what they are until they are repaired.
 */
#ifndef SDW_STORE_MERGE_H
#define SDW_STORE_MERGE_H

#include "store/rollup.h"

struct sdw_merged {
    uint64_t merged, into; /* segments that became others, and how many */
    uint64_t damaged;      /* segments with damage, for which periods were left as they are */
};

/* Adds to *done. Loses nothing when it fails or is killed. */
int sdw_merge_level(struct sdw_store *store, uint32_t level, struct sdw_merged *done,
                    struct sdw_err *err);
/* How many segments of a level a merge would put together. */
size_t sdw_merge_waiting(const struct sdw_store *store, uint32_t level);

#endif
