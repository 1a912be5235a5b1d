/* The answers of Prometheus' query API (and of what speaks like it): matrices of series. */
#ifndef SDW_NET_PROMETHEUS_H
#define SDW_NET_PROMETHEUS_H

#include "core/base.h"
#include "core/err.h"

/* One point of one series. name is the series as Prometheus writes it, up{job="a"}; labels is a
 * JSON object. Both are valid during the call. */
struct sdw_prometheus_point {
    struct sdw_str name, labels;
    int64_t ts; /* us */
    double value;
};

/* Read an answer of query_range and hand over its points, the oldest first, of all series together;
 * those that are no number (NaN, +Inf) are left out. each returns negative to end. The number of
 * points, SDW_EUSAGE with Prometheus' own words when it refused the query, SDW_EINPUT when it is no
 * such answer, or what each returned. */
int sdw_prometheus_read(struct sdw_str body,
                        int (*each)(const struct sdw_prometheus_point *point, void *arg), void *arg,
                        struct sdw_err *err);

#endif
