/* What an application carries between two ends. */
#ifndef SDW_REC_APP_H
#define SDW_REC_APP_H

#include "rec/rec.h"

/* Both directions together, unless said otherwise; src is the end that opened the flows. */
struct sdw_app {
    int64_t ts; /* end of the interval */
    struct sdw_str app, category;
    struct sdw_str sensitivity;                /* high medium low */
    struct sdw_str src, dst;                   /* absent: all ends not named otherwise */
    double current_bps, average_bps, peak_bps; /* over the interval; duration_us; its highest */
    int64_t interval_us, duration_us;          /* since the first flow */
    int64_t flows;                             /* opened in duration_us */
    int64_t packets, bytes, forward_bytes;     /* in duration_us; forward: src to dst */
    int64_t transfers;                         /* ended in duration_us */
    double transfers_per_s;                    /* over duration_us */
    struct sdw_str transfer_bytes;             /* RAW: [[bytes, count], ...] */
    struct sdw_str transfer_bytes_q;           /* RAW: {"0.5":bytes, "0.9":..., "0.99":...} */
    struct sdw_str transfer_gap_us, transfer_gap_us_q; /* the same of times from start to start */
};

extern const struct sdw_schema sdw_app_schema;

/* Append the name of the series of its rate: app/NAME/SRC>DST/bps, * for an end that is not named;
 * app/NAME/bps when neither is. The one place that makes it: series are joined by their names. */
void sdw_app_series(const struct sdw_app *app, struct sdw_buf *name);

#endif
