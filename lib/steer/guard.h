/* What keeps shadow-steer from doing harm: limits on how often, how much at once, how soon back. */
#ifndef SDW_STEER_GUARD_H
#define SDW_STEER_GUARD_H

#include "core/base.h"

enum { SDW_GUARD_RING = 1024 };

/* At most `most` changes within a minute. */
struct sdw_guard_rate {
    size_t most; /* 1..SDW_GUARD_RING */
    int64_t time_us[SDW_GUARD_RING];
    uint64_t n;
};
bool sdw_guard_rate_ok(const struct sdw_guard_rate *rate, int64_t now_us);
void sdw_guard_rate_note(struct sdw_guard_rate *rate, int64_t now_us);
/* The clock that now_us comes from stepped: what was noted moves with it. */
void sdw_guard_rate_step(struct sdw_guard_rate *rate, int64_t step_us);

/* Whether one more unit may leave its primary when `away` of `units` have: never more than the
 * larger of one unit and `share` of them. */
bool sdw_guard_blast_ok(size_t units, size_t away, double share);

/* How long a unit waits before it goes back: it doubles with each reversal up to an hour, and
 * halves again for each such time without one. */
struct sdw_guard_hold {
    int64_t base_us, hold_us, reversed_us;
};
void sdw_guard_hold_init(struct sdw_guard_hold *hold, int64_t base_us);
void sdw_guard_hold_reversed(struct sdw_guard_hold *hold, int64_t now_us);
int64_t sdw_guard_hold_us(struct sdw_guard_hold *hold, int64_t now_us);

/* Whether a record of time ts may be acted on at now: not older than max_age_us, not from the
 * future (by more than 2 s), not behind the newest seen by more than max_age_us. Otherwise the
 * reason, in words. */
const char *sdw_guard_stale(int64_t ts, int64_t now_us, int64_t newest_us, int64_t max_age_us);

#endif
