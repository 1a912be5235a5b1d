/*
 * The IPv6 flow label that a live flow carries, read off its packets (RFC 6437): routers may hash
 * it with the addresses, so that a packet with another label takes another way. A sender chooses it
 * afresh for each connection, and again when it thinks that the way is bad.
 */
#ifndef SDW_NET_LABEL_H
#define SDW_NET_LABEL_H

#include "net/address.h"

enum { SDW_LABEL_UNKNOWN = -1 };

struct sdw_label; /* a capture of the flow's packets */

/* Watch the packets from src to dst, IPv6 addresses with ports, of IPPROTO_UDP or IPPROTO_TCP, as
 * they leave this host or come in. Mirrored packets of the cookie are left out: UDP payloads begin
 * with it, TCP sequence numbers are less than 2^24 above it. NULL with err: SDW_EPERM without
 * CAP_NET_RAW. */
struct sdw_label *sdw_label_new(const struct sdw_address *src, const struct sdw_address *dst,
                                int protocol, uint32_t cookie, struct sdw_err *err);
void sdw_label_free(struct sdw_label *label);

/* The label of the latest packet that was seen, or SDW_LABEL_UNKNOWN. Looks at what was captured
 * since, a few times a second at most; does not block. */
int32_t sdw_label_now(struct sdw_label *label);
/* Wait until a packet is seen, or for so long. */
void sdw_label_wait(struct sdw_label *label, int64_t for_ns);

/* The label of an IPv6 packet of n octets, unless it is a mirrored one of that cookie or no whole
 * header: then SDW_LABEL_UNKNOWN. */
int32_t sdw_label_of(const uint8_t *packet, size_t n, uint32_t cookie);

#endif
