/* A clock that leaps: which times are too far ahead to be believed at once. */
#ifndef SDW_MODEL_LEAP_H
#define SDW_MODEL_LEAP_H

#include <stdbool.h>
#include <stdint.h>

/* All zero at first. */
struct sdw_leap {
    int64_t ts; /* the newest time that was not believed */
    int ticks;  /* such times in a row, each later than the one before */
};

/* Whether ts is more than a year after newest: not believed at once. */
bool sdw_leap_is(int64_t newest, int64_t ts);

/* False for a record time (microseconds) that is more than a year after `newest`, until
 * three of them have come in order with no earlier one between them: one source whose clock is
 * wrong does not make everything else old, and records after a long gap are still taken up.
 * newest: the newest time that was believed, INT64_MIN for none. */
bool sdw_leap_believed(struct sdw_leap *leap, int64_t newest, int64_t ts);

#endif
