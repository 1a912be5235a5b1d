#include "rec/flow.h"
#include "rec/table.h"

#include <math.h>

static const char *const tcp_confidences[] = {"high", "low", NULL};
static const char *const app_confidences[] = {"unknown", "port", "address", "cache",
                                              "payload", "user", NULL};
static const char *const reasons[] = {"idle",    "closed", "reset", "reused",
                                      "evicted", "clock",  "eof",   NULL};

const struct sdw_flow_rec sdw_flow_rec_none = {
    .ts = SDW_NO_INT,
    .sport = SDW_NO_INT,
    .dport = SDW_NO_INT,
    .vlan = SDW_NO_INT,
    .vni = SDW_NO_INT,
    .outer_sport = SDW_NO_INT,
    .outer_dport = SDW_NO_INT,
    .flow_label = SDW_NO_INT,
    .duration_us = SDW_NO_INT,
    .packets_fwd = SDW_NO_INT,
    .packets_rev = SDW_NO_INT,
    .bytes_fwd = SDW_NO_INT,
    .bytes_rev = SDW_NO_INT,
    .rtt_fwd_min_us = SDW_NO_INT,
    .rtt_rev_min_us = SDW_NO_INT,
    .rtt_min_us = SDW_NO_INT,
    .retransmitted_fwd = SDW_NO_INT,
    .retransmitted_rev = SDW_NO_INT,
    .retransmitted_bytes_fwd = SDW_NO_INT,
    .retransmitted_bytes_rev = SDW_NO_INT,
    .reordered_fwd = SDW_NO_INT,
    .reordered_rev = SDW_NO_INT,
    .window_fwd_bytes = SDW_NO_INT,
    .window_rev_bytes = SDW_NO_INT,
    .zero_windows_fwd = SDW_NO_INT,
    .zero_windows_rev = SDW_NO_INT,
    .sampling = SDW_NO_INT,
    .current_bps = NAN,
    .average_bps = NAN,
    .peak_bps = NAN,
    .rtt_fwd_us = NAN,
    .rtt_rev_us = NAN,
    .midflow = -1,
};

#define OF sdw_flow_rec

/* Who talks to whom: in front of every record, so that each stands for itself. */
#define WHO                                                                                        \
    F(SDW_STR, flow_id, SDW_F_REQUIRED, NULL, "the flow: the same in all records about it"),       \
        F(SDW_STR, src, SDW_F_REQUIRED | SDW_F_COLUMN, NULL,                                       \
          "address of the end that opened it, or was heard first"),                                \
        FN(SDW_INT, sport, SDW_F_COLUMN, 0, 65535, NULL, "its port"),                              \
        F(SDW_STR, dst, SDW_F_REQUIRED | SDW_F_COLUMN, NULL, "address of the other end"),          \
        FN(SDW_INT, dport, SDW_F_COLUMN, 0, 65535, NULL, "its port"),                              \
        F(SDW_STR, protocol, SDW_F_REQUIRED | SDW_F_COLUMN, NULL,                                  \
          "tcp, udp, icmp ... or the number of the protocol"),                                     \
        F(SDW_STR, app, SDW_F_COLUMN, NULL, "the application, once it is known")

/* Where its packets went inside others: what the routers between the ends of the tunnel see. */
#define OUTER                                                                                      \
    FN(SDW_INT, vni, 0, 1, 16777215, NULL, "innermost VXLAN network identifier"),                  \
        F(SDW_STR, outer_src, 0, NULL,                                                             \
          "of a flow in a tunnel: source address of the outermost packets around those from src"), \
        FN(SDW_INT, outer_sport, 0, 0, 65535, NULL,                                                \
           "their source port; absent while none from src was seen, and where there is none"),     \
        F(SDW_STR, outer_dst, 0, NULL, "their destination address"),                               \
        FN(SDW_INT, outer_dport, 0, 0, 65535, NULL, "their destination port"),                     \
        F(SDW_STR, outer_protocol, 0, NULL, "their protocol: udp (VXLAN), gre, ipip or ipv6")

#define COUNTS                                                                                     \
    FN(SDW_INT, duration_us, 0, 0, 0, "us", "time since its first packet"),                        \
        FN(SDW_MODEL, average_bps, SDW_F_COLUMN, 0, 1e15, "bit/s",                                 \
           "mean rate since its first packet, both directions, IP bytes"),                         \
        FN(SDW_MODEL, peak_bps, 0, 0, 1e15, "bit/s", "highest rate of an interval so far"),        \
        FN(SDW_INT, packets_fwd, SDW_F_COLUMN, 0, 0, NULL, "packets from src to dst so far"),      \
        FN(SDW_INT, packets_rev, SDW_F_COLUMN, 0, 0, NULL, "packets from dst to src so far"),      \
        FN(SDW_INT, bytes_fwd, SDW_F_COLUMN, 0, 0, "bytes", "IP bytes from src to dst so far"),    \
        FN(SDW_INT, bytes_rev, SDW_F_COLUMN, 0, 0, "bytes", "IP bytes from dst to src so far"),    \
        FN(SDW_MODEL, rtt_fwd_us, 0, 0, 0, "us",                                                   \
           "mean round trip between here and dst since the last record"),                          \
        FN(SDW_MODEL, rtt_rev_us, 0, 0, 0, "us",                                                   \
           "mean round trip between here and src since the last record"),                          \
        FN(SDW_INT, rtt_fwd_min_us, 0, 0, 0, "us", "least round trip between here and dst"),       \
        FN(SDW_INT, rtt_rev_min_us, 0, 0, 0, "us", "least round trip between here and src"),       \
        FN(SDW_INT, rtt_min_us, SDW_F_COLUMN, 0, 0, "us", "sum of both: from end to end"),         \
        FN(SDW_INT, retransmitted_fwd, SDW_F_COLUMN, 0, 0, NULL, "segments src sent again"),       \
        FN(SDW_INT, retransmitted_rev, SDW_F_COLUMN, 0, 0, NULL, "segments dst sent again"),       \
        FN(SDW_INT, retransmitted_bytes_fwd, 0, 0, 0, "bytes", "payload src sent again"),          \
        FN(SDW_INT, retransmitted_bytes_rev, 0, 0, 0, "bytes", "payload dst sent again"),          \
        FN(SDW_INT, reordered_fwd, 0, 0, 0, NULL, "segments of src that came late"),               \
        FN(SDW_INT, reordered_rev, 0, 0, 0, NULL, "segments of dst that came late"),               \
        FN(SDW_INT, window_fwd_bytes, 0, 0, 0, "bytes",                                            \
           "window that dst leaves to src, scaled; absent when the scale is not known"),           \
        FN(SDW_INT, window_rev_bytes, 0, 0, 0, "bytes", "window that src leaves to dst, scaled"),  \
        FN(SDW_INT, zero_windows_fwd, 0, 0, 0, NULL, "times that dst closed its window"),          \
        FN(SDW_INT, zero_windows_rev, 0, 0, 0, NULL, "times that src closed its window"),          \
        FV(tcp_confidence, 0, tcp_confidences,                                                     \
           "low: some segments were told apart without timestamps, or some passed unseen")

static const struct sdw_field new_fields[] = {
    WHO,
    F(SDW_RAW, around, 0, NULL, "what its first packet was in: vlan, qinq, mpls, gre, vxlan, ip"),
    FN(SDW_INT, vlan, 0, 1, 4095, NULL, "innermost VLAN id"),
    OUTER,
    FN(SDW_INT, flow_label, 0, 0, 1048575, NULL, "flow label of its first packet (IPv6)"),
    F(SDW_BOOL, midflow, SDW_F_COLUMN, NULL,
      "whether it was under way when it was first seen (TCP)"),
    {0},
};

static const struct sdw_field app_fields[] = {
    WHO,
    F(SDW_STR, master, SDW_F_COLUMN, NULL, "the protocol that carries the application"),
    F(SDW_STR, category, SDW_F_COLUMN, NULL, "kind of application"),
    FV(confidence, SDW_F_COLUMN, app_confidences,
       "what the application's name rests on: the user's map, payload, another flow (cache) ..."),
    F(SDW_STR, sni, SDW_F_COLUMN, NULL, "name of the server that the client asked for"),
    OUTER,
    {0},
};

static const struct sdw_field update_fields[] = {
    WHO,
    FN(SDW_MODEL, current_bps, SDW_F_COLUMN, 0, 1e15, "bit/s",
       "rate since the last record, both directions, IP bytes"),
    COUNTS,
    F(SDW_STR, exporter, 0, NULL, "address of the router or probe that told of it"),
    FN(SDW_INT, sampling, 0, 1, 1e7, NULL,
       "packets that each one its exporter looked at stands for: counts are multiplied by it"),
    OUTER,
    {0},
};

static const struct sdw_field end_fields[] = {
    WHO,
    FV(reason, SDW_F_REQUIRED | SDW_F_COLUMN, reasons, "why nothing more is said of it"),
    F(SDW_BOOL, midflow, 0, NULL, "whether it was under way when it was first seen (TCP)"),
    COUNTS,
    OUTER,
    {0},
};

#undef OF

const struct sdw_schema sdw_flow_new_schema = {"flow.new", "a flow is seen for the first time",
                                               sizeof(struct sdw_flow_rec), new_fields};
const struct sdw_schema sdw_flow_app_schema = {"flow.app", "the application of a flow is known",
                                               sizeof(struct sdw_flow_rec), app_fields};
const struct sdw_schema sdw_flow_update_schema = {"flow.update", "a flow goes on",
                                                  sizeof(struct sdw_flow_rec), update_fields};
const struct sdw_schema sdw_flow_end_schema = {"flow.end", "a flow has ended: its totals",
                                               sizeof(struct sdw_flow_rec), end_fields};
