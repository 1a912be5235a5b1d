/* Values over time and what is expected of them: metric, forecast, breach, score. */
#ifndef SDW_REC_SERIES_H
#define SDW_REC_SERIES_H

#include "rec/rec.h"

struct sdw_metric {
    int64_t ts;
    struct sdw_str series;     /* path/ID/available_bps, link/a-b/bps, ... */
    struct sdw_str labels;     /* RAW: object of strings */
    double value;              /* NAN: unknown (null) */
    struct sdw_range interval; /* of the value, where its source knows it */
};

struct sdw_forecast {
    int64_t ts;
    struct sdw_str series;
    double value;            /* the value that caused it */
    struct sdw_str horizons; /* RAW: [{"horizon_us":..,"mean":..,"q":{"0.025":..}}] */
    int64_t n;               /* values seen */
    int8_t cold;
};

struct sdw_breach {
    int64_t ts;
    struct sdw_str series;
    double value;
    double capacity;          /* the level that will be crossed */
    struct sdw_str direction; /* above below */
    int64_t severity;         /* 0..5 */
    struct sdw_str horizons;  /* RAW: [{"horizon_us":..,"p":..}] */
    struct sdw_range eta_us;  /* time from ts until the level is crossed */
    struct sdw_str path_id;   /* when the series is about a path */
    int8_t cold;
};

/* What the forecasts of a series for one horizon were worth (model/feedback.h). */
struct sdw_score {
    int64_t ts;
    struct sdw_str series;
    int64_t horizon_us;
    double mase, pinball, cover95, bias;
    int64_t n; /* forecasts compared */
};

/* A series that another goes with: what is not expected of the one comes with what is not
 * expected of the other. */
struct sdw_correlation {
    int64_t ts;
    struct sdw_str series, driver;
    int64_t lag_us;     /* by which the driver is ahead */
    double correlation; /* -1..1 */
    double p_value;
    int64_t n; /* steps compared */
};

extern const struct sdw_schema sdw_metric_schema, sdw_forecast_schema, sdw_breach_schema,
    sdw_score_schema, sdw_correlation_schema;

#endif
