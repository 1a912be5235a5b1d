/*
 * What the next value of a series is expected to be, and how far off that usually is: recursive
 * least squares on the scale asinh(value / unit), a logarithm for large values and a line around
 * zero, with the last values, two running means, and the season's profile as regressors. The size
 * of the error is tracked for the moment and for the part of the season.
 *
 * Made for detection: each value is one step whatever the time since the last, and outliers move
 * neither the coefficients nor the size of the error by more than a few of its own sizes.
 */
#ifndef SDW_MODEL_DETECT_EXPECT_H
#define SDW_MODEL_DETECT_EXPECT_H

#include "core/base.h"
#include "model/foreseen.h"
#include "model/rls.h"

enum { SDW_EXPECT_TERMS = 8, SDW_EXPECT_PARTS = 24 };

/* A season of `slots` equal slots; slots 0: none. */
struct sdw_season {
    int64_t period_us;
    int slots;
};

/* The slot that ts, microseconds since the epoch, is in; 0 without a season. */
int sdw_season_slot(const struct sdw_season *season, int64_t ts);

struct sdw_slot {
    float mean, last; /* NAN: not seen yet */
};

struct sdw_expect {
    int64_t n;
    double size, unit;          /* running mean of |value|; of the scale */
    double last[3], fast, slow; /* newest first; running means */
    double least, greatest;     /* on the scale */
    float regression[SDW_RLS_FLOATS(SDW_EXPECT_TERMS)];
    double now2, ever2; /* squared size of the error */
    float part2[SDW_EXPECT_PARTS];
    int32_t part_n[SDW_EXPECT_PARTS];
    int previous; /* slot of the last value */
};

/* A value against what was expected of it. */
struct sdw_surprise_at {
    double z, expected_z; /* on the scale */
    double error, size;   /* z - expected_z, and the usual size of that */
    double residual;      /* error / size; 0 for the first twenty values */
    double season;        /* z against the profile of the season; NAN while there is none */
};

/* slot[season->slots] is the caller's, and goes with the state. */
void sdw_expect_init(struct sdw_expect *e, struct sdw_slot *slot, const struct sdw_season *season);

/* Compare, then learn. value: finite, up to 1e300 in size. ts: microseconds since the epoch. */
void sdw_expect_step(struct sdw_expect *e, struct sdw_slot *slot, const struct sdw_season *season,
                     int64_t ts, double value, struct sdw_surprise_at *out);

/* The same value against what another expected of it: its median and its 95 % interval, in the
 * series' unit, take the place of what the regression expected. After sdw_expect_step. */
void sdw_expect_given(const struct sdw_expect *e, const struct sdw_foreseen *foreseen,
                      struct sdw_surprise_at *out);

/* A value on the scale, in the series' unit again: finite, within twice the range of what was seen,
 * and of no sign that the series has not shown. */
double sdw_expect_value(const struct sdw_expect *e, double z);

#endif
