/*
 * Ports of IP fragments. Only the first fragment of a packet has the transport header; this
 * remembers its ports for the later ones. Bounded: the newest packets are remembered, and which
 * ones displace each other cannot be chosen by who sends them (keyed hash).
 */
#ifndef SDW_NET_FRAGMENTS_H
#define SDW_NET_FRAGMENTS_H

#include "core/base.h"
#include "net/packet.h"

struct sdw_fragments;

struct sdw_fragments *sdw_fragments_new(uint64_t hash_key);
void sdw_fragments_free(struct sdw_fragments *fragments);

/* Remember the ports of a first fragment; give a later one those of its first, when that was seen
 * within the 30 s before. Other packets are left alone. */
void sdw_fragments_join(struct sdw_fragments *fragments, struct sdw_packet *packet, int64_t ts_ns);

#endif
