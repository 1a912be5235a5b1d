/*
 * A carrier takes single probe packets to one destination and brings back what the network
 * answers: routers where the TTL ran out, the far end, or an error. The engine (net/slot.h)
 * decides what to send and when; it knows nothing of sockets, and a carrier nothing of schedules.
 *
 * Implementations: carrier_udp.c (an ordinary UDP socket with a STAMP payload, no rights needed),
 * carrier_raw.c (the 5-tuple of a live flow, its application never receiving a byte),
 * carrier_icmp.c (ICMP echo, TCP SYN, plain UDP: when nothing reflects).
 *
 * All packets of a carrier have one flow identifier (5-tuple; for ICMP: type, identifier and
 * checksum), so that equal-cost paths send them one way. Ids are chosen by the caller, ascending
 * from 1, at most 2^24 of them outstanding being distinguished; a carrier that has fewer bits on
 * the wire extends what comes back to the latest id that fits.
 *
 * One thread. The carrier owns its descriptors; answers are values.
 */
#ifndef SDW_NET_CARRIER_H
#define SDW_NET_CARRIER_H

#include "core/base.h"
#include "core/err.h"
#include "net/address.h"

/* One packet to send. */
struct sdw_probe_packet {
    uint32_t id;
    uint8_t ttl;       /* TTL or hop limit, 1..255 */
    uint8_t dscp;      /* 0..63 */
    uint16_t ip_bytes; /* length of the whole IP packet; raised to what the carrier needs */
    bool short_reply;  /* ask for an answer no larger than needed, where the far end can */
};

enum sdw_answer_kind {
    SDW_ANSWER_FAR_END,     /* the destination answered the probe */
    SDW_ANSWER_EXPIRED,     /* a router: TTL exceeded in transit */
    SDW_ANSWER_UNREACHABLE, /* a router or the destination: cannot be delivered */
};

struct sdw_answer {
    uint32_t id;
    enum sdw_answer_kind kind;
    struct sdw_address from; /* port 0 */
    int64_t received_ns;     /* wall clock, the kernel's receive stamp where it gives one */
    int64_t far_received_ns; /* STAMP T2, the far end's clock; 0: unknown */
    int64_t far_sent_ns;     /* STAMP T3; 0: unknown */
    uint32_t far_seq;        /* STAMP: the reflector's own sequence number (stateful), else 0 */
    uint8_t far_ttl;         /* TTL that our packet had left when it arrived there; 0: unknown */
    uint8_t icmp_type, icmp_code;
    uint32_t mtu; /* next-hop MTU of "packet too big"; 0: none */
};

/* How the far end answers; in the order of the `far_end` values of a path record. */
enum sdw_far_end {
    SDW_FAR_STAMP,
    SDW_FAR_TWAMP_LIGHT,
    SDW_FAR_ECHO,
    SDW_FAR_ICMP, /* an ICMP error of the destination itself (port unreachable) */
    SDW_FAR_NONE,
};

struct sdw_carrier;

struct sdw_carrier_ops {
    /* Send one packet. *sent_ns: the wall clock right before the system call. Returns the IP bytes
     * sent, SDW_EAGAIN when the socket's buffer is full (nothing was sent), or an error. */
    int (*send)(struct sdw_carrier *carrier, const struct sdw_probe_packet *packet,
                int64_t *sent_ns, struct sdw_err *err);
    /* Take what has arrived, without blocking: up to `max` answers. Returns their number; 0 when
     * nothing is there; an error only when the carrier cannot go on. Foreign, unmatched and
     * malformed packets are skipped (and counted in `foreign`). */
    int (*receive)(struct sdw_carrier *carrier, struct sdw_answer *answers, size_t max,
                   struct sdw_err *err);
    void (*close)(struct sdw_carrier *carrier);
};

/* What every carrier has; implementations embed it first and are made by their own function. */
struct sdw_carrier {
    const struct sdw_carrier_ops *ops;
    const char *protocol;        /* udp tcp icmp: for records */
    struct sdw_address src, dst; /* with their ports; 0 where the protocol has none */
    int32_t flow_label;    /* IPv6, of the live flow that is mirrored; -1: not seen, or none is */
    uint16_t min_ip_bytes; /* the smallest packet it sends */
    int fds[3];            /* to poll for POLLIN|POLLERR before receive; -1: unused */
    enum sdw_far_end far_end; /* what far-end answers look like; NONE until the first one */
    bool mute_load;           /* load is not answered: only markers are */
    bool mute_far_end; /* nor are markers to the far end: one is answered by the last router */
    uint64_t drops;    /* arrived packets that the kernel dropped for want of room */
    uint64_t foreign;  /* arrived packets that were no answers of ours */
};

/* What the constructors need. Absent: zero. */
struct sdw_carrier_config {
    struct sdw_address dst, src; /* with their ports; src none or port 0: the kernel chooses */
    const char *interface;       /* bind to it */
    uint32_t mark;               /* SO_MARK; 0: none */
    const uint8_t *key;          /* STAMP authentication key (HMAC-SHA-256), key_bytes long */
    size_t key_bytes;
    uint16_t ssid; /* STAMP session identifier; 0: none */
};

enum sdw_carrier_kind {
    SDW_CARRIER_AUTO, /* UDP; a session takes ICMP echo instead where nothing reflects */
    SDW_CARRIER_UDP,
    SDW_CARRIER_ICMP,
    SDW_CARRIER_TCP,
    SDW_CARRIER_MIRROR_UDP,
    SDW_CARRIER_MIRROR_TCP,
};

/* One of the carriers below. */
struct sdw_carrier *sdw_carrier_open(enum sdw_carrier_kind kind,
                                     const struct sdw_carrier_config *config, struct sdw_err *err);

/* Each returns a carrier that the caller closes with ops->close, or NULL with err. */
struct sdw_carrier *sdw_carrier_udp(const struct sdw_carrier_config *config, struct sdw_err *err);
/* The same 5-tuple as a live flow of this host or one behind it; `tcp`: a TCP flow. */
struct sdw_carrier *sdw_carrier_raw(const struct sdw_carrier_config *config, bool tcp,
                                    struct sdw_err *err);
struct sdw_carrier *sdw_carrier_icmp(const struct sdw_carrier_config *config, struct sdw_err *err);
/* TCP SYNs that a closed or open port of the destination answers by RST or SYN-ACK. */
struct sdw_carrier *sdw_carrier_tcp(const struct sdw_carrier_config *config, struct sdw_err *err);

#endif
