/* The sum over a region, while its members come one after the other. */
#include "model/region.h"
#include "unit/tap.h"

static struct sdw_region region;
static struct sdw_region_share share[3];

static void begin(void)
{
    region = (struct sdw_region){.index = INT64_MIN, .members = 3};
    for (int i = 0; i < 3; i++)
        share[i] = (struct sdw_region_share){.index = INT64_MIN};
}

static double learn(int member, int64_t index, double value)
{
    sdw_region_learn(&region, &share[member], index, value);
    return sdw_region_sum(&region);
}

static void the_sum_is_whole_at_any_moment_of_a_step(void)
{
    begin();
    ok(learn(0, 7, 1) == 1 && learn(1, 7, 10) == 11 && learn(2, 7, 100) == 111,
       "members are added up");
    ok(learn(2, 8, 200) == 211, "who has not come to the step yet counts with the one before");
    ok(learn(0, 8, 2) == 212 && learn(1, 8, 20) == 222, "in whatever order they come");
    ok(learn(0, 9, 3) == 223 && learn(0, 10, 4) == 4, "who falls silent falls out");
    ok(learn(1, 10, 40) == 44, "and is there again when it comes");
    ok(learn(2, 9, 300) == 344, "one that is a step late is one step late");
    ok(learn(2, 10, 400) == 444, "until it has caught up");
}

static void clocks_and_crowds(void)
{
    begin();
    learn(0, 100, 1);
    ok(learn(1, 50, 10) == 1, "a value of long ago does not count");
    learn(0, 20, 2);
    ok(sdw_region_sum(&region) == 2 && learn(1, 51, 10) == 10 && learn(0, 52, 3) == 13,
       "a clock that was set back begins anew");
    ok(learn(2, 52, 100) == 113 && learn(0, 40, 4) == 4 && learn(1, 40, 20) == 24 &&
           learn(2, 41, 200) == 224 && learn(0, 41, 5) == 225 && learn(1, 41, 30) == 235,
       "where all are set back it is whole again");
    ok(learn(0, INT64_MAX, 5) == 5, "a leap leaves the others behind");
    region.members = 1;
    ok(isnan(sdw_region_sum(&region)), "of one member alone there is no sum");
}

int main(void)
{
    the_sum_is_whole_at_any_moment_of_a_step();
    clocks_and_crowds();
    return tap_done();
}
