/*
 * The textbook rules, for those who want them and to compare with: how many deviations a value is
 * from a baseline.
 *
 *   zscore   mean and standard deviation of the first `baseline` values, or (0) of all before
 *   mad      median and 1.4826 times the median absolute deviation of the last 288 values
 *   ewma     exponentially weighted mean and variance, a twentieth a value
 *   holtwinters  what Holt and Winters' method expects at this time of the season, and how far off
 *            it usually is then, with RRDtool's gains: seven of the last nine values out of bounds
 *            are an anomaly (Brutlag, 2000)
 *
 * All but the last know no time of day.
 */
#ifndef SDW_MODEL_DETECT_RULE_H
#define SDW_MODEL_DETECT_RULE_H

#include "model/detect.h"

enum sdw_rule_method { SDW_RULE_ZSCORE, SDW_RULE_MAD, SDW_RULE_EWMA, SDW_RULE_HOLT_WINTERS };

struct sdw_rule_settings {
    enum sdw_rule_method method;
    double sigma;             /* deviations that are an anomaly */
    int64_t baseline;         /* values, of zscore; 0: all before */
    struct sdw_season season; /* of holtwinters */
};

struct sdw_rule; /* sdw_rule_bytes long, aligned like a double, no pointers inside */

size_t sdw_rule_bytes(const struct sdw_rule_settings *settings);
void sdw_rule_init(struct sdw_rule *rule, const struct sdw_rule_settings *settings);

/* Judge a value, then learn from it. ts: microseconds since the epoch. Values beyond 1e150 count as
 * that: squares must be finite. */
void sdw_rule_step(struct sdw_rule *rule, const struct sdw_rule_settings *settings, int64_t ts,
                   double value, struct sdw_detection *out);

/* Whether bytes that were read back are a rule that can be used. */
bool sdw_rule_is_sound(const struct sdw_rule *rule);

/* The greatest of the scores (now[i] - mean[i]) / deviation[i] of n >= 1 metrics: an anomaly when
 * its size is above the threshold. A deviation of 0 scores 0 for no difference, else +-1e9. */
double sdw_zscore(const double *now, const double *mean, const double *deviation, size_t n);

#endif
