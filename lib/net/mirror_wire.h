/*
 * Packets with the 5-tuples of many live flows over one socket a family, and the ICMP errors that
 * answer them from one capture. Every transport checksum is wrong: routers forward such a packet,
 * no host delivers it. What each packet was for is remembered, so that an answer finds its way back
 * whatever the router quotes.
 */
#ifndef SDW_NET_MIRROR_WIRE_H
#define SDW_NET_MIRROR_WIRE_H

#include "net/carrier.h"
#include "net/craft.h"
#include "net/mirror_tuple.h"
#include "net/plan.h"

/* What a packet is for; the caller's. */
struct sdw_mirror_claim {
    uint32_t serial;       /* of a flight; never 0 */
    uint16_t flight, shot; /* its place, and the shot's number */
};

struct sdw_mirror_wire;

/* SDW_EPERM without CAP_NET_RAW. mark: routing mark, 0 for none. */
struct sdw_mirror_wire *sdw_mirror_wire_new(uint32_t mark, struct sdw_err *err);
void sdw_mirror_wire_free(struct sdw_mirror_wire *wire);
int sdw_mirror_wire_fd(const struct sdw_mirror_wire *wire); /* readable: answers are there */

/* The way out of a flow's packets as the kernel routes them. A flow whose destination is this host
 * is turned around first: what leaves here is the other direction. SDW_ENO: no route, or both ends
 * are here. */
int sdw_mirror_wire_egress(struct sdw_mirror_wire *wire, struct sdw_mirror_tuple *tuple,
                           struct sdw_err *err);

/* Follow the kernel where it routes the flow's packets another way by now; without a route they
 * stay on the old one. */
void sdw_mirror_wire_follow(struct sdw_mirror_wire *wire, struct sdw_mirror_tuple *tuple);

/* Send the shot as a packet of the tuple, built with its craft. Returns IP bytes, SDW_EAGAIN when
 * the socket's buffer is full, or an error; *sent_ns: the wall clock right before. */
int sdw_mirror_wire_send(struct sdw_mirror_wire *wire, const struct sdw_mirror_tuple *tuple,
                         struct sdw_craft *craft, const struct sdw_shot *shot, uint8_t dscp,
                         const struct sdw_mirror_claim *claim, int64_t *sent_ns,
                         struct sdw_err *err);

/* The next answer, without blocking: 1 with what its packet was for and the two ends that it
 * quotes, which the caller compares with its flow's; 0: none; negative: cannot go on. */
int sdw_mirror_wire_next(struct sdw_mirror_wire *wire, struct sdw_answer *answer,
                         struct sdw_mirror_claim *claim, struct sdw_address *src,
                         struct sdw_address *dst, struct sdw_err *err);
uint64_t sdw_mirror_wire_drops(const struct sdw_mirror_wire *wire);

#endif
