/*
 * Within net/mirror: packets of shadows to the far end of a tunnel, inside it. All flows have the
 * same far end there, which reflects what it gets or answers echo requests; which of the two is
 * found out by trying.
 */
#ifndef SDW_NET_MIRROR_INSIDE_H
#define SDW_NET_MIRROR_INSIDE_H

#include "net/carrier.h"
#include "net/mirror.h"
#include "net/mirror_tuple.h"
#include "net/mirror_wire.h"

struct sdw_mirror_inside;

/* wire_fd: another descriptor to wait for. SDW_EUSAGE when the tunnel's flow is none. */
struct sdw_mirror_inside *sdw_mirror_inside_new(const struct sdw_mirror_tunnel *tunnel, int wire_fd,
                                                struct sdw_err *err);
void sdw_mirror_inside_free(struct sdw_mirror_inside *inside);
int sdw_mirror_inside_fd(const struct sdw_mirror_inside *inside); /* readable: either has answers */

/* The tuple of the tunnel's outer packets. */
const struct sdw_mirror_tuple *sdw_mirror_inside_outer(const struct sdw_mirror_inside *inside);
/* Both ends inside; the ports are those of probes. */
struct sdw_mirror_tuple sdw_mirror_inside_ends(const struct sdw_mirror_inside *inside);

/* The carrier to try now, and whether there is another to try when it gets no answer; after the
 * last comes the first. */
struct sdw_carrier *sdw_mirror_inside_carrier(const struct sdw_mirror_inside *inside);
bool sdw_mirror_inside_next_carrier(struct sdw_mirror_inside *inside);
void sdw_mirror_inside_first_carrier(struct sdw_mirror_inside *inside);
/* IP bytes on the way outside of a packet of so many inside. */
int64_t sdw_mirror_inside_bytes(const struct sdw_mirror_inside *inside, int64_t ip_bytes);

/* Send the shot by the carrier. Returns IP bytes outside, or an error; *sent_ns as in
 * net/mirror_wire.h. */
int sdw_mirror_inside_send(struct sdw_mirror_inside *inside, struct sdw_carrier *carrier,
                           const struct sdw_shot *shot, uint8_t dscp,
                           const struct sdw_mirror_claim *claim, int64_t *sent_ns,
                           struct sdw_err *err);
/* The next answer of the far end, without blocking: 1; 0: none; negative: cannot go on. */
int sdw_mirror_inside_next(struct sdw_mirror_inside *inside, struct sdw_answer *answer,
                           struct sdw_mirror_claim *claim, struct sdw_err *err);
uint64_t sdw_mirror_inside_drops(const struct sdw_mirror_inside *inside);

#endif
