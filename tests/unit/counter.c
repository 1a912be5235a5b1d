/* Counters that are read now and then, and the clock they are read by. */
#include "tap.h"

#include "core/counter.h"
#include "net/collect.h"

static void counters(void)
{
    struct sdw_counter counter = {0};
    uint64_t grown = 99;
    ok(sdw_counter_read(&counter, 100, 64, 0, &grown) == SDW_COUNTER_FIRST && grown == 0,
       "the first reading tells no growth");
    ok(sdw_counter_read(&counter, 150, 64, 0, &grown) == SDW_COUNTER_GREW && grown == 50,
       "growth is the difference");
    ok(sdw_counter_read(&counter, 20, 64, 0, &grown) == SDW_COUNTER_RESET && grown == 0,
       "a 64-bit counter that falls was reset");
    ok(sdw_counter_read(&counter, 25, 64, 0, &grown) == SDW_COUNTER_GREW && grown == 5,
       "after a reset it goes on from the new value");

    counter = (struct sdw_counter){UINT32_MAX - 9, true};
    ok(sdw_counter_read(&counter, 10, 32, 1000, &grown) == SDW_COUNTER_WRAPPED && grown == 20,
       "a 32-bit counter wraps");
    counter = (struct sdw_counter){5000, true};
    ok(sdw_counter_read(&counter, 10, 32, 1000, &grown) == SDW_COUNTER_RESET && grown == 0,
       "a wrap past what is possible is a reset");
    counter = (struct sdw_counter){UINT64_C(1) << 40, true};
    ok(sdw_counter_read(&counter, 10, 32, 0, &grown) == SDW_COUNTER_RESET,
       "what was larger than 32 bits did not wrap at 32 bits");
}

static void rates(void)
{
    struct sdw_counter counter = {0};
    ok(isnan(sdw_counter_rate(&counter, 1000, 64, 0, 1000000000)), "one reading is no rate");
    is_near(sdw_counter_rate(&counter, 1500, 64, 0, 250000000), 2000, 1e-9,
            "a rate is by the time that really passed");
    ok(isnan(sdw_counter_rate(&counter, 2000, 64, 0, 0)), "no time is no rate");
    ok(isnan(sdw_counter_rate(&counter, 3, 64, 0, 1000000000)), "a reset is no rate");
}

static void jumps(void)
{
    struct sdw_moment before = {1000000000, 5000000000};
    struct sdw_moment after = {1002000000, 7000000000};
    ok(sdw_moment_jump(before, after) == 0, "clocks that agree did not jump");
    after.wall_us += 400000;
    ok(sdw_moment_jump(before, after) == 0, "what slewing does is no jump");
    after.wall_us += 3200000;
    ok(sdw_moment_jump(before, after) == 3600000, "a jump ahead is told in full");
    after.wall_us -= 7200000;
    ok(sdw_moment_jump(before, after) == -3600000, "and one back too");
}

int main(void)
{
    counters();
    rates();
    jumps();
    return tap_done();
}
