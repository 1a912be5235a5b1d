#include "core/clock.h"

#include <errno.h>
#include <time.h>

static int64_t clock_ns(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t sdw_wall_ns(void)
{
    return clock_ns(CLOCK_REALTIME);
}

int64_t sdw_wall_us(void)
{
    return sdw_wall_ns() / 1000;
}

int64_t sdw_mono_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

int64_t sdw_sleep_until(int64_t mono_ns, int64_t spin_ns)
{
    int64_t wake = mono_ns - spin_ns;
    if (wake > sdw_mono_ns()) {
        struct timespec t = {.tv_sec = wake / 1000000000, .tv_nsec = wake % 1000000000};
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
            ;
    }
    int64_t now = sdw_mono_ns();
    while (now < mono_ns)
        now = sdw_mono_ns();
    return now - mono_ns;
}
