/* What local time is ahead of UTC, by the system's zone files. One zone a process. */
#ifndef SDW_IO_ZONE_H
#define SDW_IO_ZONE_H

#include "core/err.h"

/* Remembers the quarter of an hour asked for last: zones change on its boundaries. */
struct sdw_zone {
    int64_t quarter, ahead_us;
    bool known;
};

/* Take the zone of the name ("Europe/Berlin", "UTC") for this process. SDW_EUSAGE when there is no
 * file of that name. */
int sdw_zone_set(struct sdw_zone *zone, const char *name, struct sdw_err *err);
/* Microseconds that local time is ahead of UTC at ts (since the epoch). arg: a struct sdw_zone. */
int64_t sdw_zone_ahead(int64_t ts, void *arg);

#endif
