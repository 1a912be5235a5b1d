#include "rec/series.h"
#include "rec/table.h"

static const char *const directions[] = {"above", "below", NULL};

#define OF sdw_metric
static const struct sdw_field metric_fields[] = {
    F(SDW_STR, series, SDW_F_REQUIRED | SDW_F_COLUMN, NULL, "name of the series"),
    F(SDW_RAW, labels, 0, NULL, "labels: an object of strings"),
    F(SDW_REAL, value, SDW_F_NULL | SDW_F_COLUMN, NULL, "the value; null: not known"),
    F(SDW_RANGE, interval, 0, NULL, "interval of the value, where its source knows it"),
    {0},
};
#undef OF

#define OF sdw_forecast
static const struct sdw_field forecast_fields[] = {
    F(SDW_STR, series, SDW_F_REQUIRED | SDW_F_COLUMN, NULL, "name of the series"),
    F(SDW_REAL, value, SDW_F_NULL | SDW_F_COLUMN, NULL, "the value that caused the forecast"),
    F(SDW_RAW, horizons, SDW_F_REQUIRED | SDW_F_COLUMN | SDW_F_HORIZONS, NULL,
      "for each horizon horizon_us, mean and q, the quantiles by probability"),
    FN(SDW_INT, n, SDW_F_COLUMN, 0, 0, NULL, "values seen so far"),
    F(SDW_BOOL, cold, SDW_F_COLUMN, NULL, "whether it rests on too few values to be trusted"),
    {0},
};
#undef OF

#define OF sdw_breach
static const struct sdw_field breach_fields[] = {
    F(SDW_STR, series, SDW_F_REQUIRED | SDW_F_COLUMN, NULL, "name of the series"),
    F(SDW_REAL, value, SDW_F_COLUMN, NULL, "its value now"),
    F(SDW_MODEL, capacity, SDW_F_REQUIRED | SDW_F_COLUMN, NULL, "the level that will be crossed"),
    FV(direction, SDW_F_REQUIRED | SDW_F_COLUMN, directions, "the side that is a breach"),
    FN(SDW_INT, severity, SDW_F_REQUIRED | SDW_F_COLUMN, 0, 5, NULL,
       "0 none to 5 certain and severe"),
    F(SDW_RAW, horizons, SDW_F_REQUIRED | SDW_F_COLUMN | SDW_F_HORIZONS, NULL,
      "for each horizon horizon_us and p, the probability of a breach within it"),
    F(SDW_RANGE, eta_us, SDW_F_NULL | SDW_F_COLUMN, "us",
      "time from ts until the level is crossed"),
    F(SDW_STR, path_id, 0, NULL, "the path the series is about"),
    F(SDW_BOOL, cold, 0, NULL, "whether it rests on too few values to be trusted"),
    {0},
};
#undef OF

#define OF sdw_score
static const struct sdw_field score_fields[] = {
    F(SDW_STR, series, SDW_F_REQUIRED | SDW_F_COLUMN, NULL, "name of the series"),
    FN(SDW_INT, horizon_us, SDW_F_REQUIRED | SDW_F_COLUMN, 0, 0, "us", "how far ahead"),
    F(SDW_REAL, mase, SDW_F_NULL | SDW_F_COLUMN, NULL,
      "mean absolute error of the median, in mean changes from one step to the next"),
    F(SDW_REAL, pinball, SDW_F_NULL | SDW_F_COLUMN, NULL,
      "mean pinball loss of the five quantiles, in the same unit"),
    F(SDW_REAL, cover95, SDW_F_COLUMN, "share", "values that were within the 95 % interval"),
    F(SDW_REAL, bias, SDW_F_NULL | SDW_F_COLUMN, NULL,
      "mean of the median minus the value, in the same unit"),
    FN(SDW_INT, n, SDW_F_REQUIRED | SDW_F_COLUMN, 0, 0, NULL, "forecasts that were compared"),
    {0},
};
#undef OF

#define OF sdw_correlation
static const struct sdw_field correlation_fields[] = {
    F(SDW_STR, series, SDW_F_REQUIRED | SDW_F_COLUMN, NULL, "name of the series"),
    F(SDW_STR, driver, SDW_F_REQUIRED | SDW_F_COLUMN, NULL, "name of the series it goes with"),
    FN(SDW_INT, lag_us, SDW_F_REQUIRED | SDW_F_COLUMN, 0, 0, "us",
       "time by which the driver is ahead"),
    FN(SDW_MODEL, correlation, SDW_F_REQUIRED | SDW_F_COLUMN, -1, 1, NULL,
       "correlation of what was not expected of either"),
    FN(SDW_MODEL, p_value, SDW_F_REQUIRED | SDW_F_COLUMN, 0, 1, NULL,
       "of a correlation as high by chance, over all lags and drivers"),
    FN(SDW_INT, n, SDW_F_REQUIRED | SDW_F_COLUMN, 0, 0, NULL, "steps that were compared"),
    {0},
};
#undef OF

const struct sdw_schema sdw_metric_schema = {"metric", "one value of a series",
                                             sizeof(struct sdw_metric), metric_fields};
const struct sdw_schema sdw_forecast_schema = {"forecast", "what a series is expected to be",
                                               sizeof(struct sdw_forecast), forecast_fields};
const struct sdw_schema sdw_breach_schema = {"breach", "a level that is expected to be crossed",
                                             sizeof(struct sdw_breach), breach_fields};
const struct sdw_schema sdw_score_schema = {"score", "what forecasts of a series were worth",
                                            sizeof(struct sdw_score), score_fields};
const struct sdw_schema sdw_correlation_schema = {
    "correlation", "what drives a series", sizeof(struct sdw_correlation), correlation_fields};
