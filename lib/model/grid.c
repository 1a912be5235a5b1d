#include "model/grid.h"

#include <math.h>
#include <stdlib.h>

const double sdw_grid_most = 1e150;
static const double once = 0.15;   /* values about this share from the step come once a step */
static const double wrap_most = 8; /* times the highest growth seen: more is a reset */

void sdw_grid_init(struct sdw_grid *grid, int64_t step_us, int64_t least_us, bool counter)
{
    *grid = (struct sdw_grid){.step_us = step_us, .least_us = least_us, .counts = counter};
}

int64_t sdw_grid_convenient(double interval_us)
{
    static const int64_t second = 1000000, minute = 60 * second, hour = 60 * minute;
    const int64_t steps[] = {
        1000,        2000,        5000,        10000,       20000,       50000,       100000,
        200000,      500000,      second,      2 * second,  5 * second,  10 * second, 15 * second,
        20 * second, 30 * second, minute,      2 * minute,  3 * minute,  4 * minute,  5 * minute,
        6 * minute,  10 * minute, 15 * minute, 20 * minute, 30 * minute, hour,        2 * hour,
        3 * hour,    4 * hour,    6 * hour,    8 * hour,    12 * hour,   24 * hour};
    size_t best = 0;
    for (size_t i = 1; i < SDW_LEN(steps); i++)
        if (fabs(log((double)steps[i] / interval_us)) <
            fabs(log((double)steps[best] / interval_us)))
            best = i;
    return steps[best];
}

static int by_size(const void *a, const void *b)
{
    int64_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

/* The median distance of the values that wait. */
static double typical_distance(const struct sdw_grid *grid, const struct sdw_grid_wait *wait)
{
    int64_t distance[SDW_GRID_WAIT - 1] = {0};
    size_t n = 0;
    for (int i = 1; i < grid->waiting; i++)
        distance[n++] = wait->ts[i] - wait->ts[i - 1];
    qsort(distance, n, sizeof distance[0], by_size);
    size_t middle = n / 2;
    return (double)distance[middle];
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* With what is known of the distances: the step where it is automatic, and how it is filled. */
static void choose(struct sdw_grid *grid, const struct sdw_grid_wait *wait, int64_t local_us)
{
    double distance = fmax(typical_distance(grid, wait), 1);
    if (grid->step_us == 0) {
        grid->step_us = sdw_grid_convenient(distance);
        for (int i = 2; grid->step_us < grid->least_us && i < 64; i++)
            grid->step_us = sdw_grid_convenient((double)grid->least_us * (1 + i * 0.05));
    }
    grid->at_once = distance > (1 - once) * (double)grid->step_us;
    if (grid->at_once) {
        int64_t middle = wait->ts[0] + local_us - grid->step_us / 2;
        grid->phase_us = middle - floor_div(middle, grid->step_us) * grid->step_us;
        if (grid->phase_us >= grid->step_us / 2)
            grid->phase_us -= grid->step_us; /* values at whole steps have the number they are at */
    }
}

/* The number of the step that a local time falls into, made to grow. */
static int64_t number(struct sdw_grid *grid, int64_t local_ts)
{
    int64_t index = floor_div(local_ts - grid->phase_us, grid->step_us) + grid->skipped;
    int64_t week = 7 * INT64_C(86400000000) / grid->step_us;
    if (grid->n > 0 && index < grid->index) {
        int64_t weeks = week > 0 ? (grid->index - index + week) / week : grid->index - index + 1;
        grid->skipped += weeks * (week > 0 ? week : 1);
        index += weeks * (week > 0 ? week : 1);
    }
    return index;
}

static void complete(const struct sdw_grid *grid, struct sdw_grid_step *step, size_t *n)
{
    step[(*n)++] = (struct sdw_grid_step){grid->index, grid->open_ts, grid->sum / grid->n};
}

/* A value whose time is in order, into its step. */
static void fill(struct sdw_grid *grid, int64_t ts, int64_t local_us, double value,
                 struct sdw_grid_step *step, size_t *n)
{
    int64_t index = number(grid, ts + local_us);
    bool fresh = grid->n == 0 || index != grid->index;
    if (fresh && grid->n > 0 && !grid->at_once)
        complete(grid, step, n);
    if (fresh) {
        grid->index = index;
        grid->sum = 0;
        grid->n = 0;
    }
    grid->sum += value;
    grid->n++;
    grid->open_ts = ts;
    if (fresh && grid->at_once)
        complete(grid, step, n);
}

/* What a counter grew by, a second; NAN when it is not known. */
static double growth(struct sdw_grid *grid, int64_t ts, double value)
{
    bool wide = grid->counter.known && grid->counter.last >> 32 != 0;
    double elapsed_s = (double)(ts - grid->last_ts) / 1e6;
    double most = grid->most_grown > 0 ? wrap_most * grid->most_grown * elapsed_s : 0;
    double rate = sdw_counter_rate(&grid->counter, (uint64_t)value, wide ? 64 : 32, most,
                                   (ts - grid->last_ts) * 1000);
    if (isfinite(rate))
        grid->most_grown = fmax(grid->most_grown, rate);
    return rate;
}

/* True when the late values themselves show that the clock was set back. */
static bool set_back(struct sdw_grid *grid, int64_t ts)
{
    grid->late = grid->late > 0 && ts > grid->late_ts ? grid->late + 1 : 1;
    grid->late_ts = ts;
    return grid->late >= SDW_GRID_LATE_IN_A_ROW;
}

static bool step_is_open(const struct sdw_grid *grid, int64_t local_ts)
{
    return grid->step_us > 0 && !grid->at_once && !grid->counts && grid->n > 0 &&
           floor_div(local_ts - grid->phase_us, grid->step_us) + grid->skipped == grid->index;
}

static void wait_for_step(struct sdw_grid *grid, struct sdw_grid_wait *wait, int64_t ts,
                          int64_t local_us, double value, struct sdw_grid_step *step, size_t *n)
{
    if (grid->waiting > 0 && ts <= wait->ts[grid->waiting - 1])
        grid->waiting = 0; /* the clock was set back: what waited has no place any more */
    wait->ts[grid->waiting] = ts;
    wait->value[grid->waiting++] = value;
    if (grid->waiting < SDW_GRID_WAIT)
        return;
    choose(grid, wait, local_us);
    for (int i = 0; i < SDW_GRID_WAIT; i++)
        fill(grid, wait->ts[i], local_us, wait->value[i], step, n);
}

enum sdw_grid_use sdw_grid_take(struct sdw_grid *grid, struct sdw_grid_wait *wait, int64_t ts,
                                int64_t local_us, double value,
                                struct sdw_grid_step step[SDW_GRID_WAIT], size_t *n)
{
    *n = 0;
    if (!isfinite(value) || fabs(value) > sdw_grid_most || (grid->counts && !(value >= 0)) ||
        (grid->counts && value > (double)INT64_MAX))
        return SDW_GRID_BAD;
    if (grid->any && ts == grid->last_ts && value == grid->last)
        return SDW_GRID_DUPLICATE;
    if (grid->any && ts < grid->last_ts) {
        if (step_is_open(grid, ts + local_us)) {
            grid->sum += value;
            grid->n++;
            return SDW_GRID_USED;
        }
        if (!set_back(grid, ts))
            return SDW_GRID_LATE;
        grid->counter.known = false;
    }
    double measured = grid->counts ? growth(grid, ts, value) : value;
    grid->any = true;
    grid->last_ts = ts;
    grid->last = value;
    grid->late = 0;
    if (!isfinite(measured))
        return SDW_GRID_BAD;
    if (grid->waiting < SDW_GRID_WAIT)
        wait_for_step(grid, wait, ts, local_us, measured, step, n);
    else
        fill(grid, ts, local_us, measured, step, n);
    return SDW_GRID_USED;
}
