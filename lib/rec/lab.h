/* Laboratories and their live traffic: node, link, traffic. */
#ifndef SDW_REC_LAB_H
#define SDW_REC_LAB_H

#include "rec/rec.h"

struct sdw_node {
    int64_t ts;
    struct sdw_str node;
    struct sdw_str role;    /* host router */
    struct sdw_str sysctls; /* RAW: object, set in its namespace */
    struct sdw_str addrs;   /* RAW: array of addresses; their prefixes are routed to it */
    struct sdw_str routes;  /* RAW: [{"to":PREFIX,"via":NODE,"priority":N}], pinned */
};

/* A link between two nodes, shaped in each direction on its own. */
struct sdw_link {
    int64_t ts;
    struct sdw_str link; /* a-b when absent */
    struct sdw_str a, b;
    double rate_bps, rate_back_bps;          /* shaped Ethernet rate a to b, b to a; absent: none */
    int64_t buffer_bytes, buffer_back_bytes; /* queue limit */
    int64_t burst_bytes;                     /* token bucket; absent: 2 packets */
    double loss_share, loss_back_share;      /* random ("gray") loss */
    double nominal_bps;                      /* what a counter-reader believes */
    int64_t metric;                          /* routing cost, default 1 */
    struct sdw_str shaper;                   /* tbf htb */
    struct sdw_str a_dev, b_dev;             /* interfaces, as the laboratory named them */
    struct sdw_str a_addrs, b_addrs;         /* RAW: arrays of addresses, given out */
};

/* What one live flow saw, over an interval or (final) over its life. */
struct sdw_traffic {
    int64_t ts;
    struct sdw_str flow, src, dst, protocol, model;
    int8_t final;
    int64_t duration_us;
    double rate_bps;
    int64_t sent, received, lost, reordered, duplicated, retransmitted;
    double delay_p50_us, delay_p95_us, delay_p99_us, delay_max_us;
    int64_t late, skipped; /* packets sent > 2 ms late; not sent because of a stall */
};

extern const struct sdw_schema sdw_node_schema, sdw_link_schema, sdw_traffic_schema;

#endif
