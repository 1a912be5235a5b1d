/* Connections that a device keeps track of: conn. */
#ifndef SDW_REC_CONN_H
#define SDW_REC_CONN_H

#include "rec/rec.h"

/* The connections of a firewall, a NAT or a load balancer: how many are open, how many there is
 * room for, and how they come and go. */
struct sdw_conn {
    int64_t ts;
    struct sdw_str series;   /* of the count: host/conntrack/entries, ... */
    double count;            /* NAN: unknown (null) */
    double limit;            /* of the count */
    double new_per_s;        /* arrivals, over the time since the record before */
    double ended_per_s;      /* departures */
    double duration_mean_us; /* of those that ended; NAN: none did, or it is not known */
};

extern const struct sdw_schema sdw_conn_schema;

#endif
