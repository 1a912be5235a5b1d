/*
 * A counter that only grows and is read now and then: how much it grew since the reading before,
 * with what happens to counters on the way. A 32-bit one wraps; any starts again from zero when
 * its owner is replaced or restarted.
 */
#ifndef SDW_CORE_COUNTER_H
#define SDW_CORE_COUNTER_H

#include "core/base.h"

/* Zeroed: never read. */
struct sdw_counter {
    uint64_t last;
    bool known;
};

enum sdw_counter_step {
    SDW_COUNTER_FIRST, /* nothing to compare with */
    SDW_COUNTER_GREW,
    SDW_COUNTER_WRAPPED, /* past its highest value, once */
    SDW_COUNTER_RESET,   /* it fell and cannot have wrapped: what it grew by is not known */
};

/* Take a reading. bits is the width of the counter, 1..64; most is the most that it can have grown
 * by since the last one (0: no bound known): a fall that would mean more than that is a reset. Of
 * a 64-bit counter every fall is one. *grown is 0 unless it GREW or WRAPPED. */
enum sdw_counter_step sdw_counter_read(struct sdw_counter *counter, uint64_t now, unsigned bits,
                                       double most, uint64_t *grown);

/* The same as a rate a second over elapsed_ns; NAN when it is not known. */
double sdw_counter_rate(struct sdw_counter *counter, uint64_t now, unsigned bits, double most,
                        int64_t elapsed_ns);

#endif
