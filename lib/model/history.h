/*
 * What is remembered of a series on a regular grid, on the scale the models work on:
 * z = asinh(value / unit), a logarithm far from zero and a straight line near it.
 *
 * Three rings: the latest values, as far back as a day before the furthest horizon; the profile
 * of the day, each slot a mean over days that forgets, faster while the shape of the day is a new
 * one; and of what is older than a day, a week of means over slots of a quarter of an hour or more.
 * The first two are of 16-bit numbers, multiples of `quantum` around `base`, the week of 12-bit
 * ones, sixteen times coarser. The quantum grows whenever a value would not fit. The unit follows
 * the series' usual size: when that has changed by a factor of thirty, everything is carried over
 * to the new one.
 *
 * The state is one block without pointers, of sdw_history_bytes, the caller's.
 */
#ifndef SDW_MODEL_HISTORY_H
#define SDW_MODEL_HISTORY_H

#include "core/base.h"

/* The shape of the rings: 0 entries where there is no such season. */
struct sdw_history_plan {
    int day, week;      /* in steps */
    int ring;           /* values */
    int slot, slots;    /* steps a slot of the week, slots */
    int phase, profile; /* steps a slot of the profile, slots */
};

struct sdw_history {
    int64_t index, first; /* of the newest step, of the oldest */
    int64_t values;       /* learned, the held ones of gaps not counted */
    int64_t gap;          /* missing steps since the newest value */
    double value, z;      /* the newest */
    double least, greatest;
    double unit, size; /* usual size of a value */
    double base, quantum;
    double slow;                          /* mean of z that forgets in a day */
    int32_t rebased;                      /* 1: the newest push changed the unit */
    float off_profile, off_day, off_week; /* smoothed distances of z from those */
    int16_t data[];                       /* the values, the profile, the week */
};

/* The furthest horizon in steps: 1 <= last. day 0: no seasons; week 0: no week. */
struct sdw_history_plan sdw_history_plan(int day, int week, int slot, int last);
size_t sdw_history_bytes(const struct sdw_history_plan *plan);
void sdw_history_init(struct sdw_history *h, const struct sdw_history_plan *plan);

/* Take up the value of step `index`, later than the newest. NAN: missing; then the last value is
 * held for three steps and decays to the profile afterwards. */
void sdw_history_push(struct sdw_history *h, const struct sdw_history_plan *plan, int64_t index,
                      double value);

double sdw_history_z(const struct sdw_history *h, double value); /* to the scale of the models */
double sdw_history_value(const struct sdw_history *h, double z); /* and back; finite */

/* z at a step; of a day before a step, mean of three; of a week before, mean over the slots around
 * it; of the profile. `index` may lie ahead: whole seasons are taken off until it is known. NAN
 * where nothing is. */
double sdw_history_at(const struct sdw_history *h, const struct sdw_history_plan *plan,
                      int64_t index);
double sdw_history_day(const struct sdw_history *h, const struct sdw_history_plan *plan,
                       int64_t index, int64_t now);
double sdw_history_week(const struct sdw_history *h, const struct sdw_history_plan *plan,
                        int64_t index, int64_t now);
double sdw_history_profile(const struct sdw_history *h, const struct sdw_history_plan *plan,
                           int64_t index);

/* Mean of the n values up to and including `index`; of what is known of them. */
double sdw_history_mean(const struct sdw_history *h, const struct sdw_history_plan *plan,
                        int64_t index, int n);

/* The part of the day, 0..23. 0 where there is no day. */
int sdw_history_hour(const struct sdw_history_plan *plan, int64_t index);

/* The values no forecast leaves: twice the range shown (of the first 48 values at least their usual
 * size), not below zero for a series never there. */
double sdw_history_floor(const struct sdw_history *h);
double sdw_history_ceiling(const struct sdw_history *h);

#endif
