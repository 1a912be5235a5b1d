#include "rec/lab.h"
#include "rec/table.h"

static const char *const roles[] = {"host", "router", NULL};
static const char *const shapers[] = {"tbf", "htb", NULL};
static const char *const models[] = {"cbr", "poisson", "onoff", "app", "bulk", NULL};

#define OF sdw_node
static const struct sdw_field node_fields[] = {
    F(SDW_STR, node, SDW_F_REQUIRED | SDW_F_COLUMN, NULL, "its name"),
    FV(role, SDW_F_COLUMN, roles, "what it does"),
    F(SDW_RAW, sysctls, 0, NULL, "sysctls to set in its namespace, by name"),
    F(SDW_RAW, addrs, SDW_F_COLUMN, NULL, "its addresses; their prefixes are routed to it"),
    F(SDW_RAW, routes, 0, NULL, "pinned routes: array of {to, via, priority}"),
    {0},
};
#undef OF

#define OF sdw_link
static const struct sdw_field link_fields[] = {
    F(SDW_STR, link, SDW_F_COLUMN, NULL, "its name"),
    F(SDW_STR, a, SDW_F_REQUIRED | SDW_F_COLUMN, NULL, "one end"),
    F(SDW_STR, b, SDW_F_REQUIRED | SDW_F_COLUMN, NULL, "the other end"),
    FN(SDW_REAL, rate_bps, SDW_F_COLUMN, 0, 1e12, "bit/s", "shaped rate from a to b"),
    FN(SDW_REAL, rate_back_bps, 0, 0, 1e12, "bit/s", "shaped rate from b to a"),
    FN(SDW_INT, buffer_bytes, SDW_F_COLUMN, 0, 1e12, "bytes", "queue from a to b"),
    FN(SDW_INT, buffer_back_bytes, 0, 0, 1e12, "bytes", "queue from b to a"),
    FN(SDW_INT, burst_bytes, 0, 0, 1e9, "bytes", "token bucket of the shaper"),
    FN(SDW_REAL, loss_share, SDW_F_COLUMN, 0, 1, "share", "random loss from a to b"),
    FN(SDW_REAL, loss_back_share, 0, 0, 1, "share", "random loss from b to a"),
    FN(SDW_REAL, nominal_bps, 0, 0, 1e13, "bit/s", "rate that a reader of counters believes"),
    FN(SDW_INT, metric, 0, 1, 65535, NULL, "routing cost"),
    FV(shaper, 0, shapers, "queueing discipline that shapes"),
    F(SDW_STR, a_dev, 0, NULL, "interface at a, given out by the laboratory"),
    F(SDW_STR, b_dev, 0, NULL, "interface at b, given out by the laboratory"),
    F(SDW_RAW, a_addrs, 0, NULL, "addresses at a, given out by the laboratory"),
    F(SDW_RAW, b_addrs, 0, NULL, "addresses at b, given out by the laboratory"),
    {0},
};
#undef OF

#define OF sdw_traffic
static const struct sdw_field traffic_fields[] = {
    F(SDW_STR, flow, SDW_F_REQUIRED | SDW_F_COLUMN, NULL, "name of the flow"),
    F(SDW_STR, src, 0, NULL, "source address and port"),
    F(SDW_STR, dst, 0, NULL, "destination address and port"),
    F(SDW_STR, protocol, SDW_F_COLUMN, NULL, "udp or tcp"),
    FV(model, SDW_F_COLUMN, models, "how packets are timed"),
    F(SDW_BOOL, final, SDW_F_REQUIRED | SDW_F_COLUMN, NULL, "whether it covers the whole life"),
    FN(SDW_INT, duration_us, 0, 0, 0, "us", "what the counts cover"),
    FN(SDW_REAL, rate_bps, SDW_F_COLUMN, 0, 1e13, "bit/s", "achieved rate, IP bytes"),
    FN(SDW_INT, sent, SDW_F_COLUMN, 0, 1e15, NULL, "packets sent"),
    FN(SDW_INT, received, SDW_F_COLUMN, 0, 1e15, NULL, "packets received"),
    FN(SDW_INT, lost, SDW_F_COLUMN, 0, 1e15, NULL, "packets lost (sequence gaps)"),
    FN(SDW_INT, reordered, SDW_F_COLUMN, 0, 1e15, NULL, "packets that came late (RFC 4737)"),
    FN(SDW_INT, duplicated, 0, 0, 1e15, NULL, "packets that came twice"),
    FN(SDW_INT, retransmitted, SDW_F_COLUMN, 0, 1e15, NULL, "TCP segments sent again"),
    F(SDW_REAL, delay_p50_us, SDW_F_COLUMN, "us", "median one-way delay"),
    F(SDW_REAL, delay_p95_us, 0, "us", "95th percentile of one-way delay"),
    F(SDW_REAL, delay_p99_us, SDW_F_COLUMN, "us", "99th percentile of one-way delay"),
    F(SDW_REAL, delay_max_us, 0, "us", "greatest one-way delay"),
    FN(SDW_INT, late, 0, 0, 1e15, NULL, "packets sent more than 2 ms after their time"),
    FN(SDW_INT, skipped, 0, 0, 1e15, NULL, "packets not sent because the host had stalled"),
    {0},
};
#undef OF

const struct sdw_schema sdw_node_schema = {"node", "a node of a laboratory",
                                           sizeof(struct sdw_node), node_fields};
const struct sdw_schema sdw_link_schema = {"link", "a link of a laboratory",
                                           sizeof(struct sdw_link), link_fields};
const struct sdw_schema sdw_traffic_schema = {"traffic", "what one live flow saw",
                                              sizeof(struct sdw_traffic), traffic_fields};
