#include "steer/guard.h"

#include <math.h>

enum { MINUTE_US = 60 * 1000 * 1000, AHEAD_US = 2 * 1000 * 1000 };
static const int64_t hour_us = INT64_C(3600) * 1000 * 1000;

bool sdw_guard_rate_ok(const struct sdw_guard_rate *rate, int64_t now_us)
{
    if (rate->n < rate->most)
        return true;
    return now_us - rate->time_us[(rate->n - rate->most) % SDW_GUARD_RING] >= MINUTE_US;
}

void sdw_guard_rate_note(struct sdw_guard_rate *rate, int64_t now_us)
{
    rate->time_us[rate->n++ % SDW_GUARD_RING] = now_us;
}

void sdw_guard_rate_step(struct sdw_guard_rate *rate, int64_t step_us)
{
    for (uint64_t i = 0; i < rate->n && i < SDW_GUARD_RING; i++)
        rate->time_us[i] += step_us;
}

bool sdw_guard_blast_ok(size_t units, size_t away, double share)
{
    size_t most = (size_t)floor((double)units * share + 1e-9);
    return away < (most > 1 ? most : 1);
}

void sdw_guard_hold_init(struct sdw_guard_hold *hold, int64_t base_us)
{
    *hold = (struct sdw_guard_hold){.base_us = base_us, .hold_us = base_us};
}

void sdw_guard_hold_reversed(struct sdw_guard_hold *hold, int64_t now_us)
{
    int64_t longest = hold->base_us > hour_us ? hold->base_us : hour_us;
    int64_t doubled = sdw_guard_hold_us(hold, now_us) * 2;
    hold->hold_us = doubled < longest ? doubled : longest;
    hold->reversed_us = now_us;
}

int64_t sdw_guard_hold_us(struct sdw_guard_hold *hold, int64_t now_us)
{
    while (hold->hold_us > hold->base_us && now_us - hold->reversed_us > 2 * hold->hold_us) {
        hold->reversed_us += 2 * hold->hold_us;
        hold->hold_us /= 2;
        if (hold->hold_us < hold->base_us)
            hold->hold_us = hold->base_us;
    }
    return hold->hold_us;
}

const char *sdw_guard_stale(int64_t ts, int64_t now_us, int64_t newest_us, int64_t max_age_us)
{
    if (ts > now_us + AHEAD_US)
        return "the record is from the future: a clock is wrong";
    if (ts < now_us - max_age_us)
        return "the record is too old to act on";
    if (ts < newest_us - max_age_us)
        return "the clock of the records went back";
    return NULL;
}
