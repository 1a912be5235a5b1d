#include "net/packet_walk.h"
#include "net/wire.h"

#include <netinet/in.h>

enum {
    IP4_HEADER = 20,
    IP6_HEADER = 40,
    IP4_OFFSET = 0x1fff,
    IP4_MORE = 0x2000,
    EXTENSIONS = 16, /* extension headers in one packet */
};

static enum sdw_packet_verdict walk_ip4(struct sdw_walk walk, struct sdw_packet *packet)
{
    const uint8_t *ip = walk.p;
    if (walk.n < IP4_HEADER)
        return SDW_PACKET_SHORT;
    size_t header = (size_t)(ip[0] & 15) * 4;
    uint32_t total = sdw_get16(ip + 2);
    if (total == 0 || total > walk.wire) /* 0: a segment that the interface is to cut */
        total = walk.wire;
    if (header < IP4_HEADER || total < header)
        return SDW_PACKET_BAD;
    sdw_walk_limit(&walk, total);
    packet->ip = ip;
    packet->ip_n = walk.n;
    packet->ip_bytes = total;
    packet->version = 4;
    packet->protocol = ip[9];
    packet->ttl = ip[8];
    packet->ip_id = sdw_get16(ip + 4);
    memcpy(packet->src, ip + 12, 4);
    memcpy(packet->dst, ip + 16, 4);
    unsigned fragment = sdw_get16(ip + 6);
    packet->fragment = fragment & IP4_OFFSET ? SDW_FRAGMENT_LATER
                       : fragment & IP4_MORE ? SDW_FRAGMENT_FIRST
                                             : SDW_FRAGMENT_NONE;
    if (!sdw_walk_take(&walk, header))
        return SDW_PACKET_SHORT;
    sdw_walk_transport(walk, packet);
    return SDW_PACKET_IP;
}

/* Length of an extension header, 0 when the protocol is none (RFC 8200, RFC 7045). */
static size_t extension_length(unsigned protocol, const uint8_t *header)
{
    switch (protocol) {
    case IPPROTO_HOPOPTS:
    case IPPROTO_ROUTING:
    case IPPROTO_DSTOPTS:
    case IPPROTO_MH:
    case 139: /* HIP */
    case 140: /* Shim6 */
        return ((size_t)header[1] + 1) * 8;
    case IPPROTO_AH:
        return ((size_t)header[1] + 2) * 4;
    case IPPROTO_FRAGMENT:
        return 8;
    default:
        return 0;
    }
}

/* Passes extension headers up to the transport header, or up to what a later fragment holds. */
static bool pass_extensions(struct sdw_walk *walk, struct sdw_packet *packet)
{
    static const uint8_t nothing[2] = {0};
    for (unsigned i = 0; i < EXTENSIONS && packet->fragment != SDW_FRAGMENT_LATER; i++) {
        if (extension_length(packet->protocol, nothing) == 0)
            return true;
        if (walk->n < 8)
            return false;
        const uint8_t *header = sdw_walk_take(walk, extension_length(packet->protocol, walk->p));
        if (!header)
            return false;
        if (packet->protocol == IPPROTO_FRAGMENT) {
            unsigned offset = sdw_get16(header + 2);
            packet->ip_id = sdw_get32(header + 4);
            packet->fragment = offset & 0xfff8 ? SDW_FRAGMENT_LATER
                               : offset & 1    ? SDW_FRAGMENT_FIRST
                                               : SDW_FRAGMENT_NONE;
        }
        packet->protocol = header[0];
    }
    return true;
}

static enum sdw_packet_verdict walk_ip6(struct sdw_walk walk, struct sdw_packet *packet)
{
    const uint8_t *ip = walk.p;
    if (walk.n < IP6_HEADER)
        return SDW_PACKET_SHORT;
    uint32_t total = sdw_get16(ip + 4);
    total = total ? total + IP6_HEADER : walk.wire; /* 0: a jumbogram, or to be cut */
    if (total > walk.wire)
        total = walk.wire;
    sdw_walk_limit(&walk, total);
    packet->ip = ip;
    packet->ip_n = walk.n;
    packet->ip_bytes = total;
    packet->version = 6;
    packet->protocol = ip[6];
    packet->ttl = ip[7];
    memcpy(packet->src, ip + 8, 16);
    memcpy(packet->dst, ip + 24, 16);
    sdw_walk_take(&walk, IP6_HEADER);
    if (!pass_extensions(&walk, packet))
        return SDW_PACKET_SHORT;
    sdw_walk_transport(walk, packet);
    return SDW_PACKET_IP;
}

enum sdw_packet_verdict sdw_walk_ip(struct sdw_walk walk, struct sdw_packet *packet)
{
    if (walk.n == 0)
        return SDW_PACKET_SHORT;
    switch (walk.p[0] >> 4) {
    case 4:
        return walk_ip4(walk, packet);
    case 6:
        return walk_ip6(walk, packet);
    default:
        return SDW_PACKET_BAD;
    }
}
