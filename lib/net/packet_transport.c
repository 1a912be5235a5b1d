#include "net/packet_walk.h"
#include "net/wire.h"

#include <netinet/in.h>

enum {
    TCP_HEADER = 20,
    UDP_HEADER = 8,
    GRE_CHECKSUM = 0x8000,
    GRE_ROUTING = 0x4000,
    GRE_KEY = 0x2000,
    GRE_SEQUENCE = 0x1000,
    GRE_VERSION = 7,
    VXLAN_PORT = 4789,
    VXLAN_PORT_LINUX = 8472,
    VXLAN_HAS_VNI = 8,
    OPTION_END = 0,
    OPTION_PADDING = 1,
    OPTION_MSS = 2,
    OPTION_WSCALE = 3,
    OPTION_SACK = 5,
    OPTION_TIMES = 8,
    WSCALE_MAX = 14, /* RFC 7323 section 2.3 */
};

static void read_option(const uint8_t *option, size_t length, struct sdw_packet_tcp *tcp)
{
    bool syn = tcp->flags & SDW_TCP_SYN;
    switch (option[0]) {
    case OPTION_MSS:
        if (syn && length == 4)
            tcp->mss = sdw_get16(option + 2);
        break;
    case OPTION_WSCALE:
        if (syn && length == 3)
            tcp->wscale = option[2] > WSCALE_MAX ? WSCALE_MAX : (int8_t)option[2];
        break;
    case OPTION_SACK:
        for (size_t at = 2; at + 8 <= length && tcp->n_sack < SDW_SACK_BLOCKS; at += 8) {
            tcp->sack[tcp->n_sack][0] = sdw_get32(option + at);
            tcp->sack[tcp->n_sack++][1] = sdw_get32(option + at + 4);
        }
        break;
    case OPTION_TIMES:
        if (length == 10) {
            tcp->has_ts = true;
            tcp->ts_value = sdw_get32(option + 2);
            tcp->ts_echo = sdw_get32(option + 6);
        }
        break;
    default:
        break;
    }
}

static void read_options(const uint8_t *p, size_t n, struct sdw_packet_tcp *tcp)
{
    for (size_t at = 0; at < n && p[at] != OPTION_END;) {
        if (p[at] == OPTION_PADDING) {
            at++;
            continue;
        }
        if (n - at < 2 || p[at + 1] < 2 || p[at + 1] > n - at)
            return;
        read_option(p + at, p[at + 1], tcp);
        at += p[at + 1];
    }
}

static void walk_tcp(struct sdw_walk *walk, struct sdw_packet *packet)
{
    const uint8_t *p = walk->p;
    size_t header = walk->n >= TCP_HEADER ? (size_t)(p[12] >> 4) * 4 : 0;
    if (header < TCP_HEADER || header > walk->wire)
        return;
    struct sdw_packet_tcp *tcp = &packet->tcp;
    packet->whole = true;
    packet->payload_bytes = walk->wire - (uint32_t)header;
    tcp->seq = sdw_get32(p + 4);
    tcp->ack = sdw_get32(p + 8);
    tcp->flags = p[13];
    tcp->window = sdw_get16(p + 14);
    tcp->wscale = -1;
    size_t there = header < walk->n ? header : walk->n;
    read_options(p + TCP_HEADER, there - TCP_HEADER, tcp);
    sdw_walk_take(walk, there);
    packet->payload = walk->p;
    packet->payload_n = walk->n;
}

/* Headers of a fixed length: UDP, UDP-Lite, SCTP, DCCP, ICMP. */
static void walk_fixed(struct sdw_walk *walk, size_t header, struct sdw_packet *packet)
{
    if (!sdw_walk_take(walk, header))
        return;
    packet->whole = true;
    packet->payload_bytes = walk->wire;
    packet->payload = walk->p;
    packet->payload_n = walk->n;
}

static struct sdw_packet_outer outermost(const struct sdw_packet *packet)
{
    struct sdw_packet_outer outer = packet->outer;
    if (outer.version)
        return outer;
    outer = (struct sdw_packet_outer){.sport = packet->sport,
                                      .dport = packet->dport,
                                      .version = packet->version,
                                      .protocol = packet->protocol};
    memcpy(outer.src, packet->src, sizeof outer.src);
    memcpy(outer.dst, packet->dst, sizeof outer.dst);
    return outer;
}

/* What a tunnel holds takes the place of the tunnel's own packet; what cannot be decoded leaves it
 * as it is. */
static void enter(struct sdw_walk walk, unsigned type, unsigned around, uint32_t vni,
                  struct sdw_packet *packet)
{
    struct sdw_packet inside = {.around = (uint8_t)(packet->around | around),
                                .vlan = packet->vlan,
                                .vni = vni ? vni : packet->vni,
                                .outer = outermost(packet)};
    if (++walk.tunnels <= SDW_WALK_TUNNELS && sdw_walk_type(walk, type, &inside) == SDW_PACKET_IP)
        *packet = inside;
}

/* RFC 2784, RFC 2890. */
static void enter_gre(struct sdw_walk walk, struct sdw_packet *packet)
{
    const uint8_t *header = sdw_walk_take(&walk, 4);
    unsigned flags = header ? sdw_get16(header) : GRE_ROUTING;
    if (flags & (GRE_ROUTING | GRE_VERSION))
        return;
    size_t more = (flags & GRE_CHECKSUM ? 4U : 0U) + (flags & GRE_KEY ? 4U : 0U) +
                  (flags & GRE_SEQUENCE ? 4U : 0U);
    if (sdw_walk_take(&walk, more))
        enter(walk, sdw_get16(header + 2), SDW_AROUND_GRE, 0, packet);
}

/* RFC 7348. */
static void enter_vxlan(struct sdw_walk walk, struct sdw_packet *packet)
{
    const uint8_t *header = sdw_walk_take(&walk, 8);
    if (header && header[0] & VXLAN_HAS_VNI)
        enter(walk, SDW_TYPE_ETHERNET, SDW_AROUND_VXLAN, sdw_get32(header + 4) >> 8, packet);
}

static void read_ports(const struct sdw_walk *walk, struct sdw_packet *packet)
{
    if (walk->n < 4)
        return;
    packet->sport = sdw_get16(walk->p);
    packet->dport = sdw_get16(walk->p + 2);
}

static void walk_udp(struct sdw_walk walk, struct sdw_packet *packet)
{
    if (walk.n >= UDP_HEADER) {
        uint32_t length = sdw_get16(walk.p + 4);
        if (length >= UDP_HEADER && length < walk.wire)
            sdw_walk_limit(&walk, length);
    }
    walk_fixed(&walk, UDP_HEADER, packet);
    if (packet->whole && packet->fragment == SDW_FRAGMENT_NONE &&
        (packet->dport == VXLAN_PORT || packet->dport == VXLAN_PORT_LINUX))
        enter_vxlan(walk, packet);
}

static void walk_icmp(struct sdw_walk walk, struct sdw_packet *packet)
{
    if (walk.n >= 2) {
        packet->icmp_type = walk.p[0];
        packet->icmp_code = walk.p[1];
    }
    walk_fixed(&walk, 4, packet);
}

void sdw_walk_transport(struct sdw_walk walk, struct sdw_packet *packet)
{
    if (packet->fragment == SDW_FRAGMENT_LATER) {
        packet->payload_bytes = walk.wire;
        packet->payload = walk.p;
        packet->payload_n = walk.n;
        return;
    }
    switch (packet->protocol) {
    case IPPROTO_TCP:
        read_ports(&walk, packet);
        walk_tcp(&walk, packet);
        break;
    case IPPROTO_UDP:
        read_ports(&walk, packet);
        walk_udp(walk, packet);
        break;
    case IPPROTO_UDPLITE:
        read_ports(&walk, packet);
        walk_fixed(&walk, UDP_HEADER, packet);
        break;
    case IPPROTO_SCTP:
    case IPPROTO_DCCP:
        read_ports(&walk, packet);
        walk_fixed(&walk, 12, packet);
        break;
    case IPPROTO_ICMP:
    case IPPROTO_ICMPV6:
        walk_icmp(walk, packet);
        break;
    case IPPROTO_IPIP:
    case IPPROTO_IPV6:
        enter(walk, SDW_TYPE_IP, SDW_AROUND_IP, 0, packet);
        break;
    case IPPROTO_GRE:
        enter_gre(walk, packet);
        break;
    default:
        break;
    }
}
