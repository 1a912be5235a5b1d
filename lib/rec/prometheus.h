/* Prometheus' query API (and that of what speaks like it), from the side that asks: the URL of a
 * question, and its answer, a matrix of series. */
#ifndef SDW_REC_PROMETHEUS_H
#define SDW_REC_PROMETHEUS_H

#include "core/base.h"
#include "core/buf.h"
#include "core/err.h"

/* Begin a URL: server is http://host:9090 or with a path, path is what follows /api/v1/. Then its
 * parameters, texts escaped and moments in seconds with three decimals. */
void sdw_prometheus_url(struct sdw_buf *url, const char *server, const char *path);
void sdw_prometheus_param(struct sdw_buf *url, const char *key, struct sdw_str value);
void sdw_prometheus_moment(struct sdw_buf *url, const char *key, int64_t ts_us);

/* One point of one series. series is how Prometheus writes it, up{job="a"}; name is only up, empty
 * when a function took it away; labels is a JSON object of the others. All are valid during the
 * call. */
struct sdw_prometheus_point {
    struct sdw_str series, name, labels;
    int64_t ts; /* us */
    double value;
};

enum sdw_prometheus_order {
    SDW_PROMETHEUS_BY_TIME,   /* the oldest first, of all series together */
    SDW_PROMETHEUS_BY_SERIES, /* one series after the other */
};

/* Read an answer of query_range, or of query for a range of points, and hand over its points; those
 * that are no number (NaN, +Inf) are left out. each returns negative to end. The number of points,
 * SDW_EUSAGE with Prometheus' own words when it refused the query, SDW_EINPUT when it is no such
 * answer, or what each returned. */
int sdw_prometheus_read(struct sdw_str body, enum sdw_prometheus_order order,
                        int (*each)(const struct sdw_prometheus_point *point, void *arg), void *arg,
                        struct sdw_err *err);

/* Read an answer of label/NAME/values. The number of values; errors as above. */
int sdw_prometheus_values(struct sdw_str body, int (*each)(const char *value, void *arg), void *arg,
                          struct sdw_err *err);

#endif
