/*
 * The time that shadow-steer goes by. It is that of the wall clock, as records are; when that clock
 * steps, what is remembered is moved along with it, so that everything about elapsed time (dwell,
 * rate, hold, cycles, the age of trouble) goes by the monotonic clock.
 */
#ifndef SDW_STEER_NOW_H
#define SDW_STEER_NOW_H

#include "steer/engine.h"

/* Take over what both clocks say at one moment: the wall clock in microseconds, the monotonic one
 * in nanoseconds. When the wall clock went more than a second further or less far than the other
 * since the last call: all times that are remembered are moved by the difference, every path counts
 * as not measured, records begin anew (newest_us), and an alert says so. The first call only sets
 * the time. */
void sdw_now_take(struct sdw_steer *steer, int64_t wall_us, int64_t mono_ns);
/* The same with the clocks of the machine; nothing in a replay, whose time is that of its records.
 */
void sdw_now(struct sdw_steer *steer);

#endif
