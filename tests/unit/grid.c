/* Values of any timing become steps: chosen, averaged, late, doubled, set back, counted. */
#include "model/grid.h"
#include "unit/tap.h"

#define S        INT64_C(1000000)
#define MINUTE   (60 * S)
#define DAY_STEP 288 /* of 5 minutes */

static struct sdw_grid grid;
static struct sdw_grid_wait waiting;
static struct sdw_grid_step step[SDW_GRID_WAIT];
static size_t n;

static enum sdw_grid_use take(int64_t ts, double value)
{
    return sdw_grid_take(&grid, &waiting, ts, 0, value, step, &n);
}

static void automatic_step(void)
{
    static const struct {
        double distance_s;
        int64_t step_us;
    } cases[] = {{300, 300 * S}, {299.4, 300 * S}, {60.05, 60 * S},    {1, S},
                 {0.25, 200000}, {3600, 3600 * S}, {86400, 86400 * S}, {1e9, 86400 * S}};
    for (size_t i = 0; i < SDW_LEN(cases); i++)
        ok(sdw_grid_convenient(cases[i].distance_s * 1e6) == cases[i].step_us,
           "values %g s apart make steps of %lld s", cases[i].distance_s,
           (long long)(cases[i].step_us / S));
    sdw_grid_init(&grid, 0, 0, false);
    size_t complete = 0;
    for (int i = 0; i < SDW_GRID_WAIT; i++) {
        take(i * 300 * S + (i % 3) * S, i);
        complete += n;
    }
    ok(grid.step_us == 300 * S && complete == SDW_GRID_WAIT && n == SDW_GRID_WAIT,
       "once the step is chosen all that waited is put on the grid");
    ok(step[0].value == 0 && step[5].value == 5 && step[5].index == step[0].index + 5,
       "in order, each value a step");
    sdw_grid_init(&grid, 0, 10 * S, false);
    for (int i = 0; i < SDW_GRID_WAIT; i++)
        take(i * S, i);
    ok(grid.step_us >= 10 * S, "a far horizon makes the step longer");
}

static void jitter_skips_nothing(void)
{
    sdw_grid_init(&grid, 60 * S, 0, false);
    int64_t last = INT64_MIN;
    int good = 0, seen = 0;
    for (int i = 0; i < 200; i++) {
        take(1000 * MINUTE + i * MINUTE + (i * 7919 % 21 - 10) * S, i);
        for (size_t k = 0; k < n; k++) {
            good += last == INT64_MIN || step[k].index == last + 1;
            last = step[k].index;
            seen++;
        }
    }
    ok(seen == 200 && good == 200, "ten seconds of jitter neither skip nor double a minute");
}

static void means_of_many(void)
{
    sdw_grid_init(&grid, 300 * S, 0, false);
    size_t complete = 0;
    double sum = 0;
    for (int i = 0; i < 15; i++) {
        take(i * MINUTE, i);
        complete += n;
        sum += n > 0 ? step[0].value : 0;
        if (n > 1)
            sum += step[1].value;
    }
    ok(complete == 2, "a step of five values is known when the sixth comes (%zu)", complete);
    is_near(sum, 2 + 7, 1e-12, "and is their mean");
    ok(take(12 * MINUTE + S, 100) == SDW_GRID_USED, "a late value counts while its step is open");
    take(15 * MINUTE, 0);
    is_near(step[0].value, (10 + 11 + 12 + 13 + 14 + 100) / 6.0, 1e-12, "in its mean");
    ok(take(14 * MINUTE, 7) == SDW_GRID_LATE, "and not when it is over");
}

static void gaps_are_told_by_numbers(void)
{
    sdw_grid_init(&grid, 300 * S, 0, false);
    for (int i = 0; i < 10; i++)
        take(i * 300 * S, i);
    int64_t before = step[0].index;
    take(20 * 300 * S, 1);
    ok(n == 1 && step[0].index == before + 11, "a gap of ten steps is one of ten numbers");
}

static void bad_and_double_values(void)
{
    sdw_grid_init(&grid, 300 * S, 0, false);
    ok(take(0, NAN) == SDW_GRID_BAD && take(0, INFINITY) == SDW_GRID_BAD &&
           take(0, 1e308) == SDW_GRID_BAD,
       "what is not a value, or too large to square, is refused");
    ok(take(0, -5) == SDW_GRID_USED, "a gauge may be negative");
    ok(take(0, -5) == SDW_GRID_DUPLICATE, "the same again is a duplicate");
}

static void clock_set_back(void)
{
    sdw_grid_init(&grid, 300 * S, 0, false);
    for (int i = 0; i < 3000; i++)
        take(i * 300 * S, i);
    int64_t before = step[0].index;
    int refused = 0;
    for (int i = 0; i < 5; i++)
        refused += take((1000 + i) * 300 * S, i) != SDW_GRID_USED;
    ok(refused == SDW_GRID_LATE_IN_A_ROW - 1,
       "late values in order mean that the clock was set back");
    ok(step[0].index > before, "the numbers go on growing");
    ok((step[0].index - (before + 1 - 3000 + 1000 + 4)) % (7 * DAY_STEP) == 0,
       "and keep the time of the week");
    ok(take(2000000 * 300 * S, 1) == SDW_GRID_USED && step[0].index > before,
       "a clock set forward is a gap");
}

/* A zone one hour ahead until summer time ends at step 1000. */
static void summer_time_ends(void)
{
    sdw_grid_init(&grid, 300 * S, 0, false);
    int64_t last = INT64_MIN, at_noon[2] = {0};
    bool grows = true;
    for (int i = 0; i < 2000; i++) {
        int64_t local = i < 1000 ? 7200 * S : 3600 * S;
        sdw_grid_take(&grid, &waiting, i * 300 * S, local, i, step, &n);
        for (size_t k = 0; k < n; k++) {
            grows = grows && step[k].index > last;
            last = step[k].index;
        }
        int hour = (int)((i * 300 + local / S) % 86400);
        if (hour == 43200)
            at_noon[i >= 1000] = last;
    }
    ok(grows, "numbers grow over the end of summer time");
    ok(at_noon[0] > 0 && (at_noon[1] - at_noon[0]) % DAY_STEP == 0, "and noon stays noon");
}

static void counters(void)
{
    sdw_grid_init(&grid, 10 * S, 0, true);
    ok(take(0, 4294960000.0) == SDW_GRID_BAD, "a counter's first reading says nothing");
    double seen[12];
    size_t m = 0;
    uint32_t count = 4294960000u;
    for (int i = 1; i <= 8; i++) {
        count += 1000;
        take(i * 10 * S, count);
        for (size_t k = 0; k < n; k++)
            seen[m++] = step[k].value;
    }
    take(90 * S, 50);
    ok(n == 0, "a reset says nothing");
    take(100 * S, 1050);
    for (size_t k = 0; k < n; k++)
        seen[m++] = step[k].value;
    bool good = m == 9;
    for (size_t i = 0; i < m; i++)
        good = good && fabs(seen[i] - 100) < 1e-9;
    ok(good, "growth a second, over a wrap and after a reset");
    ok(take(110 * S, -1) == SDW_GRID_BAD, "a counter is not negative");
}

int main(void)
{
    automatic_step();
    jitter_skips_nothing();
    means_of_many();
    gaps_are_told_by_numbers();
    bad_and_double_values();
    clock_set_back();
    summer_time_ends();
    counters();
    return tap_done();
}
