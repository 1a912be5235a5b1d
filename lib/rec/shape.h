/* The shape of traffic: what shadow traffic has to look like. */
#ifndef SDW_REC_SHAPE_H
#define SDW_REC_SHAPE_H

#include "rec/rec.h"

struct sdw_shape {
    int64_t ts;
    struct sdw_str shape;     /* its name: an application, an interface */
    struct sdw_str sizes;     /* RAW: [[ip_bytes, count], ...] */
    struct sdw_str gaps_us;   /* RAW: [[gap_us, count], ...] */
    struct sdw_str protocols; /* RAW: [["udp", count], ...] */
    struct sdw_str pairs;     /* RAW: [["SRC:SPORT-DST:DPORT/udp", count], ...] */
    int64_t packets, duration_us;
    double rate_bps; /* mean over duration_us */
};

extern const struct sdw_schema sdw_shape_schema;

#endif
