/*
 * A bidirectional flow (RFC 5103) as it is seen going by: who talks to whom, how much in each
 * direction, and what is kept of it besides (TCP state, application).
 */
#ifndef SDW_NET_BIFLOW_H
#define SDW_NET_BIFLOW_H

#include "core/base.h"
#include "net/packet.h"
#include "net/transfer.h"

struct sdw_tcp_track;
struct sdw_dpi_flow;

/* What packets of one flow have in common, the same for both directions: the lower of the two
 * (address, port) ends first. Hashed and compared as bytes: unused ones are zero. */
struct sdw_biflow_key {
    uint8_t low[16], high[16]; /* addresses as in struct sdw_packet */
    uint16_t low_port, high_port;
    uint16_t vlan;
    uint8_t protocol, version;
    uint32_t vni;
    uint32_t zero;
};

/* The two directions of a flow. The source is the end that opened it, where that was seen (SYN,
 * SYN-ACK); otherwise the end that was heard first. */
enum sdw_direction { SDW_FORWARD, SDW_REVERSE };

struct sdw_biflow_count {
    uint64_t packets, bytes; /* IP bytes */
};

enum sdw_biflow_reason {
    SDW_ENDED_IDLE,   /* nothing for the idle time */
    SDW_ENDED_CLOSED, /* FIN of both sides */
    SDW_ENDED_RESET,
    SDW_ENDED_REUSED,  /* a new SYN on the same addresses and ports */
    SDW_ENDED_EVICTED, /* the table was full */
    SDW_ENDED_CLOCK,   /* the clock of the capture stepped back */
    SDW_ENDED_EOF,     /* the capture ended */
};

/* Which ends of TCP were seen: FIN of each direction (1 << direction), RST. */
enum { SDW_CLOSING_FIN = 1, SDW_CLOSING_BOTH = 3, SDW_CLOSING_RST = 4 };

/* Times are those of the capture, in ns since the epoch. What each packet needs comes first, so
 * that it shares few cache lines. */
struct sdw_biflow {
    struct sdw_biflow_key key;
    uint32_t hash, touched_at; /* the table's */
    int64_t last_ns;
    struct sdw_biflow_count count[2]; /* in all, by direction */
    struct sdw_tcp_track *tcp;        /* NULL for other protocols */
    int64_t first_ns;
    uint32_t syn_seq;               /* once syn_seen */
    uint16_t app, master, category; /* the classifier's numbers; 0: unknown */
    uint8_t closing;                /* SDW_CLOSING_... */
    uint8_t src_is_high;            /* the source is the key's high end */
    bool app_known;                 /* its application will not change any more */
    bool app_counted;               /* it counts among the flows of its application */
    bool midflow;                   /* TCP that was under way when it was first seen */
    bool syn_seen;
    bool awaits;              /* the table's: it is to be told of in the current round */
    struct sdw_dpi_flow *dpi; /* the classifier's: NULL before its first packet and once done */
    struct sdw_packet_outer *outer; /* of packets from its source; NULL: was never in a tunnel */
    struct sdw_transfers transfers;
    struct sdw_biflow_count told[2]; /* at the last update */
    int64_t told_ns;                 /* of the last update; first_ns before */
    uint64_t id;                     /* keyed hash of the key and first_ns */
    double peak_bps;                 /* highest of the updates, both directions together */
    uint32_t wheel_next, wheel_prev, wheel_slot; /* the table's */
};

/* The key of a packet; *src_is_high: which end sent it. */
struct sdw_biflow_key sdw_biflow_key_of(const struct sdw_packet *packet, bool *src_is_high);

enum { SDW_PROTOCOL_TEXT = 4 };
/* The name of a protocol ("tcp"), or its number as text, which may be in `out`. */
const char *sdw_biflow_protocol(uint8_t protocol, char out[SDW_PROTOCOL_TEXT]);

/* The ends of a flow: 4 or 16 bytes by key.version. */
static inline const uint8_t *sdw_biflow_src(const struct sdw_biflow *flow)
{
    return flow->src_is_high ? flow->key.high : flow->key.low;
}

static inline const uint8_t *sdw_biflow_dst(const struct sdw_biflow *flow)
{
    return flow->src_is_high ? flow->key.low : flow->key.high;
}

static inline uint16_t sdw_biflow_sport(const struct sdw_biflow *flow)
{
    return flow->src_is_high ? flow->key.high_port : flow->key.low_port;
}

static inline uint16_t sdw_biflow_dport(const struct sdw_biflow *flow)
{
    return flow->src_is_high ? flow->key.low_port : flow->key.high_port;
}

#endif
