/*
 * Values that come when they come, put on a grid of equal steps: what models of days and weeks
 * need, and what no exporter keeps to.
 *
 * The step is given, or (automatic) the convenient one next to the typical distance of the first
 * values. Where values come about once a step, each is its step's value at once, and the steps are
 * laid so that the values fall into their middle: jitter then neither skips a step nor fills one
 * twice. Where more come, a step's value is their mean, known when the first value of a later step
 * comes. Steps without a value are left out: the numbers of steps tell.
 *
 * Steps are numbered in local time, so that a time of day keeps its number over a change to or
 * from summer time. Numbers only grow: where local time is set back, by the zone or by a clock
 * that is corrected, whole weeks are skipped, which keeps the time of day and of the week.
 *
 * A struct sdw_grid is a value without heap memory. Nothing here reads a clock.
 */
#ifndef SDW_MODEL_GRID_H
#define SDW_MODEL_GRID_H

#include "core/base.h"
#include "core/counter.h"

enum {
    SDW_GRID_WAIT = 6,          /* values until an automatic step is chosen */
    SDW_GRID_LATE_IN_A_ROW = 3, /* late values in order: the clock was set back */
};

struct sdw_grid {
    int64_t step_us, phase_us; /* step 0: not chosen yet */
    int64_t least_us;          /* an automatic step is at least this */
    int64_t last_ts, late_ts;  /* newest value; newest of the run of late ones */
    int64_t index, skipped;    /* the step being filled, and what was added to its number */
    int64_t open_ts;           /* newest value of the step being filled */
    double last, sum;          /* newest value; sum of the step being filled */
    int32_t n, late;           /* values in it; length of the run of late ones */
    int32_t waiting;           /* values that wait for the step to be chosen */
    bool any, counts, at_once; /* a value came; a counter; one value a step */
    struct sdw_counter counter;
    double most_grown; /* a second */
};

/* The first values, until the step is chosen; not looked at later. */
struct sdw_grid_wait {
    int64_t ts[SDW_GRID_WAIT];
    double value[SDW_GRID_WAIT];
};

/* step_us 0: automatic, at least least_us (what the longest horizon needs). counter: the values
 * only grow, wrap at 2^32 or 2^64 and start again from 0; their growth a second is what is put on
 * the grid. */
void sdw_grid_init(struct sdw_grid *grid, int64_t step_us, int64_t least_us, bool counter);

extern const double sdw_grid_most; /* values are no larger: squares of such would overflow */

enum sdw_grid_use {
    SDW_GRID_USED,
    SDW_GRID_DUPLICATE, /* same time and same value as the newest: ignored */
    SDW_GRID_LATE,      /* older than the newest, and its step is over: ignored */
    SDW_GRID_BAD, /* not finite, beyond sdw_grid_most, a negative count, or a counter's first */
};

/* A step that is complete. */
struct sdw_grid_step {
    int64_t index;
    int64_t ts; /* of its newest value */
    double value;
};

/* Take a value. wait: the same memory for each of the first SDW_GRID_WAIT values. local_us: what
 * local time is ahead of UTC at ts. step[SDW_GRID_WAIT] receives the steps that are complete by it,
 * *n of them, in order: usually one or none, several when an automatic step has just been chosen. A
 * late value counts as long as its step is being filled. After SDW_GRID_LATE_IN_A_ROW late values
 * in order the clock has been set back: from the last of them on values are taken again. */
enum sdw_grid_use sdw_grid_take(struct sdw_grid *grid, struct sdw_grid_wait *wait, int64_t ts,
                                int64_t local_us, double value,
                                struct sdw_grid_step step[SDW_GRID_WAIT], size_t *n);

/* The convenient step next to a distance of values: a divisor of a day from 1 ms to a day. */
int64_t sdw_grid_convenient(double interval_us);

#endif
