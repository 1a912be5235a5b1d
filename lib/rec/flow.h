/* What shadow-profile says of a flow: flow.new, flow.app, flow.update, flow.end. */
#ifndef SDW_REC_FLOW_H
#define SDW_REC_FLOW_H

#include "rec/rec.h"

/* All four types: each has the members that its table names. fwd is the direction from src to
 * dst, rev the other. */
struct sdw_flow_rec {
    int64_t ts;
    struct sdw_str flow_id; /* 16 hex digits: the same in all records of a flow */
    struct sdw_str src, dst, protocol;
    int64_t sport, dport;
    struct sdw_str app;    /* what the classifier calls it; absent before it knows */
    struct sdw_str around; /* RAW: array of what the packets were in: "vlan", "gre" ... */
    int64_t vlan, vni;
    struct sdw_str outer_src, outer_dst, outer_protocol; /* the packets around those from src */
    int64_t outer_sport, outer_dport;
    int64_t flow_label; /* IPv6, from src to dst */
    int8_t midflow;     /* was under way when it was first seen */

    struct sdw_str master, category, confidence, sni; /* flow.app */

    int64_t duration_us; /* since its first packet */
    double current_bps, average_bps, peak_bps;
    int64_t packets_fwd, packets_rev, bytes_fwd, bytes_rev;
    double rtt_fwd_us, rtt_rev_us;
    int64_t rtt_fwd_min_us, rtt_rev_min_us, rtt_min_us;
    int64_t retransmitted_fwd, retransmitted_rev, retransmitted_bytes_fwd, retransmitted_bytes_rev;
    int64_t reordered_fwd, reordered_rev;
    int64_t window_fwd_bytes, window_rev_bytes, zero_windows_fwd, zero_windows_rev;
    struct sdw_str tcp_confidence;
    struct sdw_str reason; /* flow.end */

    struct sdw_str exporter; /* flow.update of an exporter: its address */
    int64_t sampling;        /* packets that each one it counted stands for */
};

extern const struct sdw_flow_rec sdw_flow_rec_none; /* every member absent */
extern const struct sdw_schema sdw_flow_new_schema, sdw_flow_app_schema, sdw_flow_update_schema,
    sdw_flow_end_schema;

#endif
