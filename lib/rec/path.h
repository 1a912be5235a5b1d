/* What shadow-probe says of a path: path, hop, slot. */
#ifndef SDW_REC_PATH_H
#define SDW_REC_PATH_H

#include "rec/rec.h"

/* A measured path: the join key of everything that is measured along it. */
struct sdw_path {
    int64_t ts;
    struct sdw_str path_id; /* 16 hex digits: hash of the 5-tuple class and the hop list */
    struct sdw_str src, dst, protocol;
    int64_t sport, dport;
    int64_t hops;         /* number of hops to the destination; absent when not reached */
    struct sdw_str addrs; /* RAW: array of addresses, null for a silent hop */
    int8_t reached;
    struct sdw_str far_end; /* stamp twamp-light echo icmp none: how the far end answers */
    struct sdw_str reason;  /* new change */
    struct sdw_str flow;    /* the live flow that it mirrors, when one is */
    struct sdw_str flow_id; /* of that flow's own records */
    struct sdw_str tunnel;  /* the prober's own whose inside, or whose outer tuple, it is */
    int64_t flow_label;     /* that flow's, IPv6; absent: not seen */
};

/* One hop of the ladder, before any injection. */
struct sdw_hop {
    int64_t ts;
    struct sdw_str path_id;
    int64_t hop; /* 1.. */
    struct sdw_str addr;
    int64_t sent, received;
    int64_t rtt_min_us, rtt_p50_us, rtt_p95_us;
    int8_t icmp_limited; /* answers at a limited rate */
    double icmp_per_s;   /* answers a second it gives, when limited */
};

/* One injection slot seen at one hop. Delay is queueing delay in excess of the hop's base,
 * increments are against the hop before in the same ladder. */
struct sdw_slot {
    int64_t ts; /* start of the slot */
    struct sdw_str path_id;
    int64_t window, slot, pair; /* the verdict window, slot in it, randomisation pair */
    int64_t hop;
    struct sdw_str addr;
    struct sdw_str schedule; /* chirp lockin train poisson replay */
    int8_t on;               /* whether load was injected */
    int64_t load_hop;        /* TTL-scoped: the hop where the load died; absent: end to end */
    int64_t hops;            /* hops of the path */
    double target_bps, achieved_bps;
    int64_t load_packets, load_bytes;
    int64_t sent, received; /* measuring packets at this hop */
    int64_t load_lost;      /* load packets known lost (far end only) */
    int64_t duration_us;
    double delay_min_us, delay_p50_us, delay_p95_us, delay_mean_us;
    double delay_before_us; /* TTL-scoped: what the load found; without load, a train earlier */
    double increment_log;   /* mean of log1p(increment / 100 us) */
    double increment_mean_us;
    /* RAW (far end of an on slot): the load as it was sent and arrived, packet by packet:
     * {"sent_ns":[..],"bytes":[..],"delay_ns":[..]}. sent_ns counts from the first packet, bytes
     * are IP bytes, delay_ns is the delay above an arbitrary but constant base (one way where the
     * far end stamps, round trip otherwise), null for a packet that was lost. */
    struct sdw_str chirp;
    double available_bps;   /* chirp: the estimate of this slot (far end only) */
    double capacity_bps;    /* narrow capacity seen in the dispersion (far end only) */
    double turn_bps;        /* chirp: rate at which the delay gradient triggered */
    int64_t late;           /* packets sent later than 100 us after their time */
    int8_t voided;          /* key "void": measured by an unhealthy host: do not use */
    struct sdw_str reason;  /* why void, or why it ended early: trigger abort budget */
    struct sdw_str flow_id; /* the live flow that it is measured for */
    int8_t shared;          /* measured with the packets of another flow on the same path */
};

extern const struct sdw_schema sdw_path_schema, sdw_hop_schema, sdw_slot_schema;

#endif
