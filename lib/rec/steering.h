/* What shadow-steer reads and says: unit, event, change, held, alert, request, reject. */
#ifndef SDW_REC_STEERING_H
#define SDW_REC_STEERING_H

#include "rec/rec.h"

/* Something steerable, as the plan names it. */
struct sdw_unit {
    int64_t ts;
    struct sdw_str unit;  /* its name */
    struct sdw_str match; /* RAW: {"prefix":"10.9.0.0/24"} or {"flow":"SRC:SPORT-DST:DPORT/udp"} */
    struct sdw_str primary;  /* RAW: {"via":..,"dev":..,"path_id":..,"capacity_bps":..} */
    struct sdw_str shadows;  /* RAW: array of the same, in order of preference */
    struct sdw_str watch;    /* RAW: array of path ids, links and series that concern it */
    double load_bps;         /* live load, when no counter tells */
    struct sdw_str load_dev; /* interface whose counters tell the live load */
    struct sdw_str digest;   /* of the routes the plan was made for */
};

struct sdw_event {
    int64_t ts;
    struct sdw_str kind;    /* prediction degradation recovery */
    struct sdw_str failure; /* congestion loss delay capacity-gradient dead anomaly
                             * maintenance gap */
    struct sdw_str unit, flow, link, path_id, series;
    int64_t hop;
    int64_t severity;
    double value, threshold;
    struct sdw_str reason;
};

/* A change that was made, or (applied false) would be. */
struct sdw_change {
    int64_t ts;
    struct sdw_str unit, state; /* the state it enters */
    struct sdw_str from, to;    /* RAW: shares by next hop, {"192.0.2.1":1} */
    struct sdw_str why;         /* the record that caused it, in words */
    struct sdw_str cause;       /* RAW: {"type":..,"ts":..,"series":..} */
    double moved_bps;
    int8_t applied;
    int64_t call_us;    /* length of the kernel call */
    int64_t latency_us; /* from the input line read to the kernel call done */
    int64_t seq;        /* of the journal */
    struct sdw_str back_end;
};

/* Why nothing was done. */
struct sdw_held {
    int64_t ts;
    struct sdw_str unit, state, guard; /* guard: standby-unverified no-room last-path ... */
    struct sdw_str reason;
};

struct sdw_alert {
    int64_t ts;
    struct sdw_str unit;
    int64_t severity;
    struct sdw_str reason;
};

/* A request for capacity that the network does not have. */
struct sdw_request {
    int64_t ts;
    struct sdw_str unit, path_id;
    double wanted_bps;
    struct sdw_str reason;
};

/* Input that an actor refused to act on. */
struct sdw_reject {
    int64_t ts;
    int64_t line;
    struct sdw_str field, reason;
};

extern const struct sdw_schema sdw_unit_schema, sdw_event_schema, sdw_change_schema,
    sdw_held_schema, sdw_alert_schema, sdw_request_schema, sdw_reject_schema;

#endif
