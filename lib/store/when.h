/* Moments as an operator types them. */
#ifndef SDW_STORE_WHEN_H
#define SDW_STORE_WHEN_H

#include "core/base.h"

/* "-15m": that long before newest_us. "2026-11-20", "2026-11-20T10:00", "2026-11-20T10:00:00.5Z",
 * all UTC. A number: seconds since the epoch, or milliseconds or microseconds when it is too large
 * for that (from 10^11 and 10^14). False for anything else. */
bool sdw_when_parse(const char *text, int64_t newest_us, int64_t *out_us);

#endif
