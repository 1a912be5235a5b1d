#include "net/biflow.h"

#include <netinet/in.h>

struct sdw_biflow_key sdw_biflow_key_of(const struct sdw_packet *packet, bool *src_is_high)
{
    struct sdw_biflow_key key = {.protocol = packet->protocol,
                                 .version = packet->version,
                                 .vlan = packet->vlan,
                                 .vni = packet->vni};
    int order = memcmp(packet->src, packet->dst, sizeof packet->src);
    *src_is_high = order > 0 || (order == 0 && packet->sport > packet->dport);
    bool swap = *src_is_high;
    memcpy(key.low, swap ? packet->dst : packet->src, sizeof key.low);
    memcpy(key.high, swap ? packet->src : packet->dst, sizeof key.high);
    key.low_port = swap ? packet->dport : packet->sport;
    key.high_port = swap ? packet->sport : packet->dport;
    return key;
}

const char *sdw_biflow_protocol(uint8_t protocol, char out[SDW_PROTOCOL_TEXT])
{
    static const struct {
        uint8_t protocol;
        const char *name;
    } names[] = {
        {IPPROTO_TCP, "tcp"},
        {IPPROTO_UDP, "udp"},
        {IPPROTO_ICMP, "icmp"},
        {IPPROTO_ICMPV6, "icmp"},
        {IPPROTO_SCTP, "sctp"},
        {IPPROTO_GRE, "gre"},
        {IPPROTO_ESP, "esp"},
        {IPPROTO_AH, "ah"},
        {IPPROTO_IGMP, "igmp"},
        {IPPROTO_DCCP, "dccp"},
        {IPPROTO_UDPLITE, "udplite"},
        {IPPROTO_PIM, "pim"},
        {89, "ospf"},
        {112, "vrrp"},
        {IPPROTO_IPIP, "ipip"},
        {IPPROTO_IPV6, "ipv6"},
    };
    for (size_t i = 0; i < SDW_LEN(names); i++)
        if (names[i].protocol == protocol)
            return names[i].name;
    size_t at = SDW_PROTOCOL_TEXT - 1;
    out[at] = '\0';
    do
        out[--at] = (char)('0' + protocol % 10);
    while (protocol /= 10);
    return out + at;
}
