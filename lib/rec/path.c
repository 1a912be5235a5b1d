#include "rec/path.h"
#include "rec/table.h"

static const char *const far_ends[] = {"stamp", "twamp-light", "echo", "icmp", "none", NULL};
static const char *const path_reasons[] = {"new", "change", NULL};
static const char *const schedules[] = {"chirp", "lockin", "train", "poisson", "replay", NULL};

#define OF sdw_path
static const struct sdw_field path_fields[] = {
    F(SDW_STR, path_id, SDW_F_REQUIRED | SDW_F_COLUMN, NULL,
      "hash of the 5-tuple class and the hop list; joins all that was measured along this path"),
    F(SDW_STR, src, SDW_F_COLUMN, NULL, "source address"),
    F(SDW_STR, dst, SDW_F_REQUIRED | SDW_F_COLUMN, NULL, "destination address"),
    F(SDW_STR, protocol, SDW_F_COLUMN, NULL, "protocol of the probes: udp, tcp or icmp"),
    FN(SDW_INT, sport, 0, 0, 65535, NULL, "source port"),
    FN(SDW_INT, dport, SDW_F_COLUMN, 0, 65535, NULL, "destination port"),
    FN(SDW_INT, hops, SDW_F_NULL | SDW_F_COLUMN, 1, 255, NULL, "number of hops to the destination"),
    F(SDW_RAW, addrs, 0, NULL, "addresses hop by hop; null for a hop that does not answer"),
    F(SDW_BOOL, reached, SDW_F_COLUMN, NULL, "whether the destination answered"),
    FV(far_end, SDW_F_COLUMN, far_ends, "how the destination answers"),
    FV(reason, SDW_F_COLUMN, path_reasons, "why the record was written"),
    F(SDW_STR, flow, 0, NULL, "the live flow whose 5-tuple the probes carry"),
    F(SDW_STR, flow_id, 0, NULL, "the same in all records about that flow"),
    F(SDW_STR, tunnel, 0, NULL,
      "the prober's tunnel, vxlan/VNI/REMOTE: inside it, or with flow on its outer 5-tuple"),
    FN(SDW_INT, flow_label, 0, 0, 1048575, NULL,
       "the live flow's IPv6 flow label, which the probes carry too; absent when it was not seen"),
    {0},
};
#undef OF

#define OF sdw_hop
static const struct sdw_field hop_fields[] = {
    F(SDW_STR, path_id, SDW_F_REQUIRED, NULL, "the path"),
    FN(SDW_INT, hop, SDW_F_REQUIRED | SDW_F_COLUMN, 1, 255, NULL, "distance from the source"),
    F(SDW_STR, addr, SDW_F_NULL | SDW_F_COLUMN, NULL, "address of the hop"),
    FN(SDW_INT, sent, SDW_F_COLUMN, 0, 1e12, NULL, "ladder packets sent to this hop"),
    FN(SDW_INT, received, SDW_F_COLUMN, 0, 1e12, NULL, "answers received"),
    F(SDW_INT, rtt_min_us, SDW_F_NULL | SDW_F_COLUMN, "us", "least round-trip time: the base"),
    F(SDW_INT, rtt_p50_us, SDW_F_NULL | SDW_F_COLUMN, "us", "median round-trip time"),
    F(SDW_INT, rtt_p95_us, SDW_F_NULL | SDW_F_COLUMN, "us", "95th percentile of round-trip time"),
    F(SDW_BOOL, icmp_limited, SDW_F_COLUMN, NULL, "whether it answers at a limited rate only"),
    F(SDW_MODEL, icmp_per_s, 0, "1/s", "answers a second it gives, when limited"),
    {0},
};
#undef OF

#define OF sdw_slot
static const struct sdw_field slot_fields[] = {
    F(SDW_STR, path_id, SDW_F_REQUIRED, NULL, "the path"),
    FN(SDW_INT, window, SDW_F_REQUIRED | SDW_F_COLUMN, 0, 0, NULL, "number of the verdict window"),
    FN(SDW_INT, slot, SDW_F_REQUIRED | SDW_F_COLUMN, 0, 1e9, NULL, "number of the slot in it"),
    FN(SDW_INT, pair, SDW_F_REQUIRED, 0, 1e9, NULL, "randomisation pair: one slot of it is on"),
    FN(SDW_INT, hop, SDW_F_REQUIRED | SDW_F_COLUMN, 1, 255, NULL, "the hop this record is about"),
    F(SDW_STR, addr, SDW_F_NULL, NULL, "address of the hop"),
    FV(schedule, SDW_F_REQUIRED | SDW_F_COLUMN, schedules, "how load was injected"),
    F(SDW_BOOL, on, SDW_F_REQUIRED | SDW_F_COLUMN, NULL, "whether load was injected in this slot"),
    FN(SDW_INT, load_hop, 0, 1, 255, NULL, "hop where TTL-scoped load died; absent: end to end"),
    FN(SDW_INT, hops, 0, 1, 255, NULL, "number of hops of the path"),
    FN(SDW_REAL, target_bps, 0, 0, 1e13, "bit/s", "rate the slot aimed at (IP bytes)"),
    FN(SDW_REAL, achieved_bps, SDW_F_COLUMN, 0, 1e13, "bit/s", "rate that was injected"),
    FN(SDW_INT, load_packets, 0, 0, 1e12, NULL, "load packets sent"),
    FN(SDW_INT, load_bytes, 0, 0, 1e15, "bytes", "IP bytes sent in this slot, all packets"),
    FN(SDW_INT, sent, 0, 0, 1e12, NULL, "measuring packets sent to this hop"),
    FN(SDW_INT, received, 0, 0, 1e12, NULL, "answers received"),
    FN(SDW_INT, load_lost, 0, 0, 1e12, NULL, "load packets that never arrived (far end)"),
    FN(SDW_INT, duration_us, 0, 0, 1e12, "us", "length of the slot"),
    F(SDW_REAL, delay_min_us, 0, "us", "least delay above the hop's base"),
    F(SDW_REAL, delay_p50_us, SDW_F_COLUMN, "us", "median delay above the hop's base"),
    F(SDW_REAL, delay_p95_us, SDW_F_COLUMN, "us", "95th percentile of delay above the base"),
    F(SDW_REAL, delay_mean_us, 0, "us", "mean delay above the hop's base"),
    F(SDW_REAL, delay_before_us, 0, "us",
      "the same just before the load, or as long before where there is none (TTL-scoped)"),
    F(SDW_MODEL, increment_log, 0, NULL,
      "mean of log1p(d / 100 us), d the delay this hop adds to the hop before in one ladder"),
    F(SDW_MODEL, increment_mean_us, SDW_F_COLUMN, "us", "mean delay this hop adds"),
    F(SDW_RAW, chirp, 0, "ns, bytes",
      "the load packet by packet (far end): sent_ns from the first packet, bytes, delay_ns above a "
      "constant base, null where lost"),
    FN(SDW_MODEL, available_bps, SDW_F_COLUMN, 0, 1e13, "bit/s",
       "available IP-layer capacity this slot saw (far end; RFC 5136)"),
    FN(SDW_MODEL, capacity_bps, 0, 0, 1e13, "bit/s", "IP-layer capacity of the tight link"),
    FN(SDW_MODEL, turn_bps, 0, 0, 1e13, "bit/s", "rate at which the delay began to rise"),
    FN(SDW_INT, late, 0, 0, 1e12, NULL, "packets sent more than 100 us after their time"),
    {"void", SDW_BOOL, offsetof(struct sdw_slot, voided), SDW_F_COLUMN, 0, 0, NULL, NULL,
     "whether the measuring host was not fit to judge this slot", LEAD(void)},
    F(SDW_STR, reason, 0, NULL, "why it is void or ended early"),
    F(SDW_STR, flow_id, 0, NULL, "the live flow that it is measured for"),
    F(SDW_BOOL, shared, 0, NULL,
      "whether it repeats a slot of the same path for another flow: nothing new to judge"),
    {0},
};
#undef OF

const struct sdw_schema sdw_path_schema = {"path", "a measured path", sizeof(struct sdw_path),
                                           path_fields};
const struct sdw_schema sdw_hop_schema = {"hop", "one hop of the ladder", sizeof(struct sdw_hop),
                                          hop_fields};
const struct sdw_schema sdw_slot_schema = {"slot", "one injection slot at one hop",
                                           sizeof(struct sdw_slot), slot_fields};
