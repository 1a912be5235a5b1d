/* Walking through a captured packet header by header; for the decoder's own files. */
#ifndef SDW_NET_PACKET_WALK_H
#define SDW_NET_PACKET_WALK_H

#include "net/packet.h"

enum {
    SDW_TYPE_IP = 0x0800,       /* EtherTypes: IPv4; here either version, which tells itself */
    SDW_TYPE_ETHERNET = 0x6558, /* transparent Ethernet bridging, of tunnels */
};

enum {
    SDW_WALK_TUNNELS = 4, /* tunnels in tunnels that are followed; deeper ones are payload */
    SDW_WALK_FRAMES = 16, /* Ethernet frames in frames; more are made up */
};

/* What is left: `n` bytes captured of `wire` bytes on the wire. */
struct sdw_walk {
    const uint8_t *p;
    size_t n;
    uint32_t wire;
    unsigned tunnels, frames;
};

/* The next n bytes, which are passed; NULL when they were not captured. */
static inline const uint8_t *sdw_walk_take(struct sdw_walk *walk, size_t n)
{
    const uint8_t *at = walk->p;
    if (n > walk->n)
        return NULL;
    walk->p += n;
    walk->n -= n;
    walk->wire -= walk->wire < n ? walk->wire : (uint32_t)n;
    return at;
}

/* What is left ends after `wire` bytes: the rest is padding. */
static inline void sdw_walk_limit(struct sdw_walk *walk, uint32_t wire)
{
    walk->wire = wire;
    if (walk->n > wire)
        walk->n = wire;
}

/* Decode what an EtherType says is there, and an IP packet of either version. `packet` holds what
 * was found around it. */
enum sdw_packet_verdict sdw_walk_type(struct sdw_walk walk, unsigned type,
                                      struct sdw_packet *packet);
enum sdw_packet_verdict sdw_walk_ip(struct sdw_walk walk, struct sdw_packet *packet);

/* Decode the transport header of packet->protocol, and the packet inside where it is a tunnel. */
void sdw_walk_transport(struct sdw_walk walk, struct sdw_packet *packet);

#endif
