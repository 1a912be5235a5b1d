/*
 * A STAMP session-reflector (RFC 8762 section 4.3, RFC 8972): takes test packets and sends each
 * back with the times it came and went.
 *
 * T2 is the kernel's receive stamp; T3 is read right before the reply's own system call, one call a
 * reply, so that it never waits behind others; the follow-up telemetry of the next reply carries
 * the kernel's transmit stamp. A reply is never larger than its request, comes from the address
 * that was asked, and goes only to a unicast sender that no server could be: two reflectors never
 * play ball.
 */
#ifndef SDW_NET_REFLECTOR_H
#define SDW_NET_REFLECTOR_H

#include "core/buf.h"
#include "net/socket.h"
#include "net/stamp.h"

struct sdw_reflector_config {
    struct sdw_address local[2]; /* where to listen: one or two families */
    size_t n_local;
    const struct sdw_stamp_key *key; /* only authenticated requests are answered; NULL: open */
    bool stateless;                  /* the sender's sequence number comes back as ours */
    bool keep_dscp;                  /* do not let senders choose the DSCP of replies */
    double rate_cap_pps; /* replies a second to one source (an address; IPv6: its /64) */
    bool some_suffice;   /* it is enough that one of the addresses can be had */
};

/* What became of the requests. */
struct sdw_reflector_counts {
    uint64_t received, reflected, reflected_bytes;
    uint64_t too_short, oversized; /* fewer than 41 (or 112) octets; more than a jumbo frame */
    uint64_t unauthenticated;      /* the HMAC is wrong */
    uint64_t refused;              /* multicast, or from a port below 1024 or our own */
    uint64_t capped;               /* over the rate cap of their source */
    uint64_t unsent;               /* the reply could not be sent */
    uint64_t dropped;              /* by the kernel, before we saw them */
    uint64_t sessions;             /* begun */
    uint64_t evicted;              /* sessions forgotten for want of room */
};

struct sdw_reflector;

/* Opens the sockets; the key stays the caller's. NULL with err on failure. */
struct sdw_reflector *sdw_reflector_new(const struct sdw_reflector_config *config,
                                        struct sdw_err *err);
void sdw_reflector_free(struct sdw_reflector *reflector);

/* The number of sockets, the descriptor of one to poll for POLLIN, its address and port. */
size_t sdw_reflector_sockets(const struct sdw_reflector *reflector);
int sdw_reflector_fd(const struct sdw_reflector *reflector, size_t i);
struct sdw_address sdw_reflector_local(const struct sdw_reflector *reflector, size_t i);

/* Answer what has arrived, at most a batch a socket and at most `most` packets in all. Returns how
 * many were taken: call again while it is not 0. Negative when a socket fails. */
int sdw_reflector_serve(struct sdw_reflector *reflector, size_t most, struct sdw_err *err);

struct sdw_reflector_counts sdw_reflector_counts(const struct sdw_reflector *reflector);
/* The same as a JSON object, appended. */
void sdw_reflector_counts_write(const struct sdw_reflector_counts *counts, struct sdw_buf *out);

#endif
