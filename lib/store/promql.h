/*
 * The part of PromQL that the store answers: a selector, with a range or without, or one function
 * of a selector over a range, with the meaning that Prometheus gives them: rate increase
 * avg_over_time min_over_time max_over_time sum_over_time count_over_time last_over_time
 * quantile_over_time(q, ...) and sums of numbers (Grafana asks 1+1 to see whether somebody is
 * there).
 */
#ifndef SDW_STORE_PROMQL_H
#define SDW_STORE_PROMQL_H

#include "core/base.h"
#include "core/err.h"
#include "store/grouping.h"
#include "store/selector.h"

enum { SDW_PROMQL_GROUPINGS = 4 };

enum sdw_promql_function {
    SDW_PROMQL_NUMBER,
    SDW_PROMQL_INSTANT, /* the newest point within five minutes */
    SDW_PROMQL_POINTS,  /* all points of the range, as they are */
    SDW_PROMQL_RATE,
    SDW_PROMQL_INCREASE,
    SDW_PROMQL_AVG,
    SDW_PROMQL_MIN,
    SDW_PROMQL_MAX,
    SDW_PROMQL_SUM,
    SDW_PROMQL_COUNT,
    SDW_PROMQL_LAST,
    SDW_PROMQL_QUANTILE,
};

struct sdw_promql {
    enum sdw_promql_function function;
    double number;    /* of NUMBER; the quantile of QUANTILE */
    int64_t range_us; /* how far back a value looks */
    struct sdw_selector selector;
    struct sdw_grouping grouping[SDW_PROMQL_GROUPINGS]; /* the innermost first */
    size_t n_groupings;
};

/* SDW_EUSAGE for anything else. The text is borrowed. Release in any case. */
int sdw_promql_parse(struct sdw_promql *query, struct sdw_str text, struct sdw_err *err);
void sdw_promql_release(struct sdw_promql *query);

/* The value at at_us of ts_us[n], value[n], which are the points with
 * at_us - range_us < t <= at_us; NAN when there is none, and for POINTS. scratch[n]: for quantiles.
 */
double sdw_promql_value(const struct sdw_promql *query, int64_t at_us, const int64_t *ts_us,
                        const double *value, size_t n, double *scratch);

#endif
