/*
 * Whether the trend of a series will cross a limit: the odds per horizon, the time left, and the
 * severity that actors go by.
 *
 * Severity, 0 to 5, from the odds p of a breach within the shortest, a middle and the longest of
 * the horizons asked for:
 *
 *     5  beyond the limit now (p >= 0.9 for no time at all), or p >= 0.9 within the shortest
 *     4  p >= 0.5 within the shortest
 *     3  p >= 0.5 within one between the shortest and the longest
 *     2  p >= 0.5 within the longest
 *     1  p >= 0.2 within the longest
 *     0  less than that
 *
 * With one horizon there is no 2 and 3; with two there is no 3.
 */
#ifndef SDW_MODEL_BREACH_H
#define SDW_MODEL_BREACH_H

#include "model/trend.h"

enum { SDW_HORIZONS_MAX = 64 };

struct sdw_limit {
    double value;
    bool below; /* the side that is a breach */
};

struct sdw_breach_odds {
    double now;                 /* odds that the level is beyond the limit already */
    double p[SDW_HORIZONS_MAX]; /* odds of being beyond it within horizon_us[i] */
    /* The times within which a breach has odds 0.1, 0.5 and 0.9; NAN where that takes longer than
     * four times the longest horizon. */
    double eta_lo_us, eta_mid_us, eta_hi_us;
    int severity;
};

/* horizon_us[n]: ascending, positive, 1 <= n <= SDW_HORIZONS_MAX. */
void sdw_breach_foresee(const struct sdw_trend *trend, struct sdw_limit limit,
                        const int64_t *horizon_us, size_t n, struct sdw_breach_odds *odds);

/* The severity that now and p[n] come to. */
int sdw_breach_severity(const struct sdw_breach_odds *odds, size_t n);

#endif
