#include "model/breach.h"

#include <math.h>

int sdw_breach_severity(const struct sdw_breach_odds *odds, size_t n)
{
    if (odds->now >= 0.9 || odds->p[0] >= 0.9)
        return 5;
    if (odds->p[0] >= 0.5)
        return 4;
    for (size_t i = 1; i + 1 < n; i++)
        if (odds->p[i] >= 0.5)
            return 3;
    if (odds->p[n - 1] >= 0.5)
        return 2;
    return odds->p[n - 1] >= 0.2;
}

void sdw_breach_foresee(const struct sdw_trend *trend, struct sdw_limit limit,
                        const int64_t *horizon_us, size_t n, struct sdw_breach_odds *odds)
{
    *odds = (struct sdw_breach_odds){0};
    odds->now = sdw_trend_passage(trend, limit.value, limit.below, 0);
    double least = odds->now;
    for (size_t i = 0; i < n; i++) {
        least = fmax(least, sdw_trend_passage(trend, limit.value, limit.below, horizon_us[i]));
        odds->p[i] = least;
    }
    int64_t most = horizon_us[n - 1] * 4;
    odds->eta_lo_us = sdw_trend_passage_time(trend, limit.value, limit.below, most, 0.1);
    odds->eta_mid_us = sdw_trend_passage_time(trend, limit.value, limit.below, most, 0.5);
    odds->eta_hi_us = sdw_trend_passage_time(trend, limit.value, limit.below, most, 0.9);
    odds->severity = sdw_breach_severity(odds, n);
}
