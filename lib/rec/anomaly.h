/* What is unusual about a series: anomaly, anomaly.score, surge. */
#ifndef SDW_REC_ANOMALY_H
#define SDW_REC_ANOMALY_H

#include "rec/rec.h"

struct sdw_anomaly {
    int64_t ts;
    struct sdw_str series;
    struct sdw_str state; /* open update close */
    struct sdw_str kind;  /* spike drop shift novel flat missing */
    int64_t severity;     /* 0..5 */
    double score, p;
    double value, expected, lo, hi;
    struct sdw_str incident; /* of all alarms that began together */
    struct sdw_str parent;   /* what their series' names have in common */
    struct sdw_str members;  /* RAW: array of series */
};

struct sdw_anomaly_score {
    int64_t ts;
    struct sdw_str series;
    double score, p;
    double value, expected;
};

struct sdw_surge {
    int64_t ts;
    struct sdw_str series;
    int64_t severity; /* 1..5 */
    double value, expected, ratio;
    struct sdw_str incident;
};

extern const struct sdw_schema sdw_anomaly_schema, sdw_anomaly_score_schema, sdw_surge_schema;

#endif
