#include "model/leap.h"

static const double year_us = 366 * 86400e6;
enum { TICKS = 3 };

bool sdw_leap_is(int64_t newest, int64_t ts)
{
    return newest != INT64_MIN && (double)ts - (double)newest > year_us;
}

bool sdw_leap_believed(struct sdw_leap *leap, int64_t newest, int64_t ts)
{
    if (!sdw_leap_is(newest, ts)) {
        leap->ticks = 0;
        return true;
    }
    if (leap->ticks == 0 || ts > leap->ts) {
        leap->ts = ts;
        leap->ticks++;
    }
    if (leap->ticks < TICKS)
        return false;
    leap->ticks = 0;
    return true;
}
