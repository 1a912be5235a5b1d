/* Which times are too far ahead to be believed at once. */
#include "model/leap.h"
#include "unit/tap.h"

static const int64_t second = 1000000, year = INT64_C(366) * 86400 * 1000000;

int main(void)
{
    struct sdw_leap leap = {0};
    ok(sdw_leap_believed(&leap, INT64_MIN, INT64_MAX), "the first time is believed");
    ok(sdw_leap_believed(&leap, 0, year), "a year ahead is believed");
    ok(sdw_leap_believed(&leap, INT64_MAX, -INT64_MAX), "an earlier time is believed");
    ok(!sdw_leap_believed(&leap, 0, year + second), "more is not");
    ok(!sdw_leap_believed(&leap, -INT64_MAX, INT64_MAX), "nor as much as there is");

    leap = (struct sdw_leap){0};
    bool same = false;
    for (int i = 0; i < 9; i++)
        same = same || sdw_leap_believed(&leap, 0, 2 * year);
    ok(!same, "many series of one tick are one time");
    ok(!sdw_leap_believed(&leap, 0, 2 * year + second), "the second tick is not believed");
    ok(sdw_leap_believed(&leap, 0, 2 * year + 2 * second), "the third one is");

    bool wrong = false;
    for (int i = 0; i < 9; i++) {
        wrong = wrong || sdw_leap_believed(&leap, i * second, 2 * year + i * second);
        sdw_leap_believed(&leap, i * second, i * second);
    }
    ok(!wrong, "a wrong clock among right ones is never believed");
    return tap_done();
}
