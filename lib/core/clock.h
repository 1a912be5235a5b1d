/* Clocks and waiting. Analyses never call these: record time is their only clock. */
#ifndef SDW_CORE_CLOCK_H
#define SDW_CORE_CLOCK_H

#include "core/base.h"

int64_t sdw_wall_us(void); /* microseconds since the Unix epoch */
int64_t sdw_wall_ns(void); /* nanoseconds since the Unix epoch */
int64_t sdw_mono_ns(void); /* monotonic nanoseconds, for intervals */

/* Sleep until the monotonic time, waking up to spin_ns early and spinning the rest (0: no spin).
 * Returns how late it came back, in ns (never negative). */
int64_t sdw_sleep_until(int64_t mono_ns, int64_t spin_ns);

#endif
