/*
 * The online trend of one series: where its level is, where it is going, how sure that is.
 *
 * Six state-space models run side by side, three of a level that wanders (slowly, moderately,
 * fast) and three of a level with a slope that wanders, and are mixed by how well each predicted
 * the latest values: an interacting multiple model filter (Blom and Bar-Shalom, 1988) over local
 * level and local linear trend models (Harvey, 1989). A noise-only series is so taken for a
 * level, a ramp for a trend, and a drop is taken up at once by the fast models. Sampling may be
 * irregular; the models' memories are counted in the series' own typical interval.
 *
 * A struct sdw_trend is a value without heap memory. Nothing here reads a clock.
 */
#ifndef SDW_MODEL_TREND_H
#define SDW_MODEL_TREND_H

#include "core/base.h"

enum {
    SDW_TREND_MODELS = 6,
    SDW_TREND_WARM = 8,          /* values until a forecast is more than a guess */
    SDW_TREND_LATE_IN_A_ROW = 3, /* late values until the clock is taken to have stepped back */
};

/* One model's belief: level (in the series' unit), slope (unit per second), their covariance. */
struct sdw_trend_belief {
    double level, slope;
    double var_level, cov, var_slope;
    double weight; /* the weights of the models sum to 1 */
};

struct sdw_trend {
    int64_t ts, n; /* time of the newest value, values learned from */
    double value;  /* the newest value */
    double least, greatest;
    double interval_s;     /* typical distance of two values */
    double noise, noise_n; /* variance of the measuring noise, and the values it rests on */
    int64_t past_ts[2];    /* the two values before, for the noise */
    double past[2];
    int64_t late_ts; /* newest of the run of late values */
    int late;
    struct sdw_trend_belief model[SDW_TREND_MODELS];
};

enum sdw_trend_use {
    SDW_TREND_USED,
    SDW_TREND_DUPLICATE, /* same time and same value as the newest: ignored */
    SDW_TREND_LATE,      /* older than the newest: ignored */
    SDW_TREND_BAD,       /* not finite: ignored */
};

void sdw_trend_init(struct sdw_trend *trend);

/* Learn one value. ts in microseconds. Late values are ignored, until SDW_TREND_LATE_IN_A_ROW of
 * them follow each other in order: then the clock has stepped back, and learning goes on from the
 * new time with the level kept. After a long gap the level is kept and trusted less. */
enum sdw_trend_use sdw_trend_learn(struct sdw_trend *trend, int64_t ts, double value);

bool sdw_trend_cold(const struct sdw_trend *trend);

/* Mean, and quantile at probability p (0 < p < 1), of a value measured horizon_us after the
 * newest. Kept within one range of what was seen, and one more for each time as far ahead as values
 * were seen; never negative for a series that never was, zero for one that always was.
 * NAN before the first value. */
double sdw_trend_mean(const struct sdw_trend *trend, int64_t horizon_us);
double sdw_trend_quantile(const struct sdw_trend *trend, int64_t horizon_us, double p);

/* The probability that the level, without the noise of measuring it, is beyond `limit` (below it,
 * or above) at some time within horizon_us: first passage of a Brownian motion (reflection
 * principle) for the level models, of a line with uncertain level and slope for the others.
 * 0 before the first value. */
double sdw_trend_passage(const struct sdw_trend *trend, double limit, bool below,
                         int64_t horizon_us);

/* The time within which the passage has probability p, found up to most_us; NAN when it has not
 * reached p by then. */
double sdw_trend_passage_time(const struct sdw_trend *trend, double limit, bool below,
                              int64_t most_us, double p);

#endif
