/* Looking at one chunk closely. */
#ifndef SDW_STORE_INSPECT_H
#define SDW_STORE_INSPECT_H

#include "store/segment.h"

/* Whether a chunk is whole, has the points and statistics that its index tells of, in order of
 * time, and is of a series of the catalogue, whose last number is last_series. SDW_EINPUT, and what
 * is wrong, when not. */
int sdw_chunk_inspect(const struct sdw_segment *segment, const struct sdw_entry *entry,
                      uint32_t last_series, struct sdw_chunk_room *room, struct sdw_err *err);

#endif
