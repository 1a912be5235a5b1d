#include "net/packet.h"
#include "net/packet_walk.h"
#include "net/wire.h"

#include <pcap/pcap.h>

enum {
    TYPE_VLAN = 0x8100,
    TYPE_IP6 = 0x86dd,
    TYPE_MPLS = 0x8847,
    TYPE_MPLS_MULTICAST = 0x8848,
    TYPE_PPPOE = 0x8864,
    TYPE_QINQ = 0x88a8,
    TYPE_QINQ_OLD = 0x9100,
    PPP_IP4 = 0x0021,
    PPP_IP6 = 0x0057,
    VLAN_ID = 0x0fff,
    TAGS = 8,    /* VLAN tags in one frame */
    LABELS = 16, /* MPLS labels in one stack */
};

/* Passes VLAN tags; *type becomes that of what they are in front of. False when cut off. */
static bool pass_tags(struct sdw_walk *walk, unsigned *type, struct sdw_packet *packet)
{
    for (unsigned i = 0; i < TAGS; i++) {
        if (*type != TYPE_VLAN && *type != TYPE_QINQ && *type != TYPE_QINQ_OLD)
            return true;
        const uint8_t *tag = sdw_walk_take(walk, 4);
        if (!tag)
            return false;
        if (i > 0)
            packet->around |= SDW_AROUND_QINQ;
        packet->around |= SDW_AROUND_VLAN;
        packet->vlan = sdw_get16(tag) & VLAN_ID;
        *type = sdw_get16(tag + 2);
    }
    return true;
}

static enum sdw_packet_verdict walk_ethernet(struct sdw_walk walk, struct sdw_packet *packet)
{
    const uint8_t *header = sdw_walk_take(&walk, 14);
    if (++walk.frames > SDW_WALK_FRAMES)
        return SDW_PACKET_BAD;
    return header ? sdw_walk_type(walk, sdw_get16(header + 12), packet) : SDW_PACKET_SHORT;
}

/* What a label stack is in front of is not said: an IP packet tells itself by its version, a
 * pseudowire of Ethernet by its control word (RFC 4385), which starts with a zero nibble. */
static enum sdw_packet_verdict walk_mpls(struct sdw_walk walk, struct sdw_packet *packet)
{
    const uint8_t *label = NULL;
    for (unsigned i = 0; i < LABELS && !(label && label[2] & 1); i++) {
        label = sdw_walk_take(&walk, 4);
        if (!label)
            return SDW_PACKET_SHORT;
    }
    packet->around |= SDW_AROUND_MPLS;
    if (walk.n == 0)
        return SDW_PACKET_SHORT;
    unsigned nibble = walk.p[0] >> 4;
    if (nibble == 4 || nibble == 6)
        return sdw_walk_ip(walk, packet);
    if (nibble != 0)
        return SDW_PACKET_OTHER;
    return sdw_walk_take(&walk, 4) ? walk_ethernet(walk, packet) : SDW_PACKET_SHORT;
}

static enum sdw_packet_verdict walk_ppp(struct sdw_walk walk, struct sdw_packet *packet)
{
    const uint8_t *protocol = sdw_walk_take(&walk, 2);
    if (!protocol)
        return SDW_PACKET_SHORT;
    unsigned number = sdw_get16(protocol);
    return number == PPP_IP4 || number == PPP_IP6 ? sdw_walk_ip(walk, packet) : SDW_PACKET_OTHER;
}

static enum sdw_packet_verdict walk_pppoe(struct sdw_walk walk, struct sdw_packet *packet)
{
    return sdw_walk_take(&walk, 6) ? walk_ppp(walk, packet) : SDW_PACKET_SHORT;
}

static const struct {
    unsigned type;
    enum sdw_packet_verdict (*walk)(struct sdw_walk walk, struct sdw_packet *packet);
} types[] = {
    {SDW_TYPE_IP, sdw_walk_ip}, {TYPE_IP6, sdw_walk_ip},  {TYPE_MPLS_MULTICAST, walk_mpls},
    {TYPE_MPLS, walk_mpls},     {TYPE_PPPOE, walk_pppoe}, {SDW_TYPE_ETHERNET, walk_ethernet},
};

enum sdw_packet_verdict sdw_walk_type(struct sdw_walk walk, unsigned type,
                                      struct sdw_packet *packet)
{
    if (!pass_tags(&walk, &type, packet))
        return SDW_PACKET_SHORT;
    for (size_t i = 0; i < SDW_LEN(types); i++)
        if (types[i].type == type)
            return types[i].walk(walk, packet);
    return SDW_PACKET_OTHER;
}

/* A header of `size` bytes with the EtherType at `at`. */
static enum sdw_packet_verdict walk_cooked(struct sdw_walk walk, size_t size, size_t at,
                                           struct sdw_packet *packet)
{
    const uint8_t *header = sdw_walk_take(&walk, size);
    return header ? sdw_walk_type(walk, sdw_get16(header + at), packet) : SDW_PACKET_SHORT;
}

static enum sdw_packet_verdict walk_sll(struct sdw_walk walk, struct sdw_packet *packet)
{
    return walk_cooked(walk, 16, 14, packet);
}

static enum sdw_packet_verdict walk_sll2(struct sdw_walk walk, struct sdw_packet *packet)
{
    return walk_cooked(walk, 20, 0, packet);
}

/* BSD loopback: an address family in the byte order of the machine that captured, which gives
 * IPv6 one of several numbers. The IP version tells as much. */
static enum sdw_packet_verdict walk_loop(struct sdw_walk walk, struct sdw_packet *packet)
{
    const uint8_t *header = sdw_walk_take(&walk, 4);
    if (!header)
        return SDW_PACKET_SHORT;
    uint32_t family = sdw_get32(header);
    if (family > 0xffff)
        family = family >> 24 | (family >> 8 & 0xff00);
    bool ip = family == 2 || family == 10 || family == 24 || family == 28 || family == 30;
    return ip ? sdw_walk_ip(walk, packet) : SDW_PACKET_OTHER;
}

/* PPP with or without the HDLC-like framing of RFC 1662. */
static enum sdw_packet_verdict walk_ppp_link(struct sdw_walk walk, struct sdw_packet *packet)
{
    if (walk.n >= 2 && walk.p[0] == 0xff && walk.p[1] == 0x03)
        sdw_walk_take(&walk, 2);
    return walk_ppp(walk, packet);
}

static const struct {
    int link;
    enum sdw_packet_verdict (*walk)(struct sdw_walk walk, struct sdw_packet *packet);
} links[] = {
    {DLT_EN10MB, walk_ethernet}, {DLT_RAW, sdw_walk_ip},  {DLT_LINUX_SLL, walk_sll},
    {DLT_LINUX_SLL2, walk_sll2}, {DLT_NULL, walk_loop},   {DLT_LOOP, walk_loop},
    {DLT_IPV4, sdw_walk_ip},     {DLT_IPV6, sdw_walk_ip}, {DLT_PPP, walk_ppp_link},
};

bool sdw_link_known(int link)
{
    for (size_t i = 0; i < SDW_LEN(links); i++)
        if (links[i].link == link)
            return true;
    return false;
}

enum sdw_packet_verdict sdw_packet_decode(int link, struct sdw_str bytes, uint32_t wire_bytes,
                                          struct sdw_packet *packet)
{
    struct sdw_walk walk = {.p = (const uint8_t *)bytes.p, .n = bytes.n, .wire = wire_bytes};
    if (walk.wire < walk.n)
        walk.wire = (uint32_t)walk.n;
    *packet = (struct sdw_packet){0};
    for (size_t i = 0; i < SDW_LEN(links); i++)
        if (links[i].link == link)
            return links[i].walk(walk, packet);
    return SDW_PACKET_OTHER;
}
