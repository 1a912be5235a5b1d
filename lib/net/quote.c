#include "net/quote.h"
#include "net/wire.h"

#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>

enum {
    V4_HEADER = 20,
    V6_HEADER = 40,
    QUOTED = 8, /* octets of the transport header that every router quotes (RFC 792) */
    ICMP_HEADER = 8,
    FRAGMENT_OFFSET = 0x1fff,
};

/* Where the transport header starts; fills addresses, protocol, TTL and id. 0: no packet of ours.
 */
static size_t read_ip(const uint8_t *p, size_t n, struct sdw_header *h)
{
    *h = (struct sdw_header){0};
    if (n >= V4_HEADER && p[0] >> 4 == 4) {
        size_t length = (size_t)(p[0] & 15) * 4;
        if (length < V4_HEADER || sdw_get16(p + 6) & FRAGMENT_OFFSET)
            return 0;
        h->protocol = p[9];
        h->ttl = p[8];
        h->ip_id = sdw_get16(p + 4);
        h->src = sdw_address_of(p + 12, 4, 0);
        h->dst = sdw_address_of(p + 16, 4, 0);
        return length;
    }
    if (n >= V6_HEADER && p[0] >> 4 == 6) {
        h->protocol = p[6];
        h->ttl = p[7];
        h->src = sdw_address_of(p + 8, 16, 0);
        h->dst = sdw_address_of(p + 24, 16, 0);
        return V6_HEADER;
    }
    return 0;
}

bool sdw_header_read(const uint8_t *packet, size_t n, struct sdw_header *header)
{
    size_t at = read_ip(packet, n, header);
    if (at == 0 || n < at + QUOTED)
        return false;
    const uint8_t *t = packet + at;
    size_t left = n - at;
    if (header->protocol == IPPROTO_ICMP || header->protocol == IPPROTO_ICMPV6)
        return true;
    if (header->protocol != IPPROTO_UDP && header->protocol != IPPROTO_TCP)
        return false;
    sdw_address_set_port(&header->src, sdw_get16(t));
    sdw_address_set_port(&header->dst, sdw_get16(t + 2));
    if (header->protocol == IPPROTO_UDP) {
        header->checksum = sdw_get16(t + 6);
        header->payload = t + 8;
        header->payload_n = left - 8;
        return true;
    }
    header->seq = sdw_get32(t + 4);
    if (left >= 14) {
        header->ack = sdw_get32(t + 8);
        header->tcp_flags = t[13];
    }
    return true;
}

/* Types that quote a packet and that a probe can cause. */
static bool is_error(int family, uint8_t type)
{
    if (family == AF_INET6)
        return type == ICMP6_DST_UNREACH || type == ICMP6_PACKET_TOO_BIG ||
               type == ICMP6_TIME_EXCEEDED || type == ICMP6_PARAM_PROB;
    return type == ICMP_UNREACH || type == ICMP_TIMXCEED || type == ICMP_PARAMPROB;
}

static uint32_t read_mtu(int family, const uint8_t *icmp)
{
    if (family == AF_INET6)
        return icmp[0] == ICMP6_PACKET_TOO_BIG ? sdw_get32(icmp + 4) : 0;
    return icmp[0] == ICMP_UNREACH && icmp[1] == ICMP_UNREACH_NEEDFRAG ? sdw_get16(icmp + 6) : 0;
}

bool sdw_icmp_error_read(const uint8_t *packet, size_t n, struct sdw_icmp_error *error)
{
    struct sdw_header outer;
    size_t at = read_ip(packet, n, &outer);
    int family = sdw_address_family(&outer.src);
    if (at == 0 || n < at + ICMP_HEADER ||
        outer.protocol != (family == AF_INET6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP) ||
        !is_error(family, packet[at]))
        return false;
    error->from = outer.src;
    error->type = packet[at];
    error->code = packet[at + 1];
    error->mtu = read_mtu(family, packet + at);
    at += ICMP_HEADER;
    return sdw_header_read(packet + at, n - at, &error->quoted);
}

bool sdw_icmp_expired(int family, uint8_t type)
{
    return type == (family == AF_INET6 ? ICMP6_TIME_EXCEEDED : ICMP_TIMXCEED);
}
