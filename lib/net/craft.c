#include "net/craft.h"
#include "core/mem.h"
#include "net/mirrored.h"
#include "net/wire.h"

#include <libnet.h>

enum {
    V4_HEADER = 20,
    V6_HEADER = 40,
    UDP_HEADER = 8,
    TCP_HEADER = 20,
    WINDOW = 1024,
    NOISE_LEAST = 2, /* octets that a poisoned packet may change to be wrong */
};

struct sdw_craft {
    libnet_t *net;
    struct sdw_address src, dst;
    int protocol;
    bool v6;
    libnet_ptag_t transport, ip; /* of the packet before, to be changed */
    uint8_t *culled;
    size_t headers;
    uint8_t payload[SDW_CRAFT_MAX];
};

struct sdw_craft *sdw_craft_new(const struct sdw_address *src, const struct sdw_address *dst,
                                int protocol, struct sdw_err *err)
{
    char why[LIBNET_ERRBUF_SIZE];
    struct sdw_craft *craft = sdw_xalloc(sizeof *craft);
    craft->src = *src;
    craft->dst = *dst;
    craft->protocol = protocol;
    craft->v6 = sdw_address_family(dst) == AF_INET6;
    craft->headers = (craft->v6 ? V6_HEADER : V4_HEADER) +
                     (size_t)(protocol == IPPROTO_TCP ? TCP_HEADER : UDP_HEADER);
    craft->net = libnet_init(LIBNET_NONE, NULL, why);
    if (!craft->net) {
        sdw_err_set(err, SDW_ESYS, "libnet: %s", why);
        sdw_craft_free(craft);
        return NULL;
    }
    for (size_t i = 0; i < sizeof craft->payload; i++) /* noise that no link can compress */
        craft->payload[i] = (uint8_t)(i * 167 + i / 7 * 59);
    memcpy(craft->payload + SDW_MIRRORED_AT, sdw_mirrored_sign, SDW_MIRRORED_OCTETS);
    return craft;
}

void sdw_craft_free(struct sdw_craft *craft)
{
    if (!craft)
        return;
    if (craft->culled)
        libnet_adv_free_packet(craft->net, craft->culled);
    if (craft->net)
        libnet_destroy(craft->net);
    free(craft);
}

uint16_t sdw_craft_least(const struct sdw_craft *craft)
{
    return (uint16_t)(craft->headers + (craft->protocol == IPPROTO_UDP
                                            ? SDW_MIRRORED_AT + SDW_MIRRORED_OCTETS + NOISE_LEAST
                                            : 0));
}

static struct libnet_in6_addr v6_address(const struct sdw_address *address)
{
    struct libnet_in6_addr out;
    memcpy(&out, &address->v6.sin6_addr, sizeof out);
    return out;
}

/* The transport header and the IP header, in libnet's order. False when it refuses. */
static bool build(struct sdw_craft *c, const struct sdw_crafted *what, uint16_t ip_bytes)
{
    uint32_t payload_n = (uint32_t)(ip_bytes - c->headers);
    uint16_t sport = sdw_address_port(&c->src), dport = sdw_address_port(&c->dst);
    uint16_t length = (uint16_t)(ip_bytes - (c->v6 ? V6_HEADER : V4_HEADER));
    const uint8_t *payload = payload_n ? c->payload : NULL;
    if (c->protocol == IPPROTO_TCP)
        c->transport = libnet_build_tcp(sport, dport, what->seq, 0, what->tcp_flags, WINDOW, 0, 0,
                                        length, payload, payload_n, c->net, c->transport);
    else
        c->transport =
            libnet_build_udp(sport, dport, length, 0, payload, payload_n, c->net, c->transport);
    if (c->transport < 0)
        return false;
    if (c->v6)
        c->ip = libnet_build_ipv6(what->tos, 0, length, (uint8_t)c->protocol, what->ttl,
                                  v6_address(&c->src), v6_address(&c->dst), NULL, 0, c->net, c->ip);
    else
        c->ip = libnet_build_ipv4(ip_bytes, what->tos, what->ip_id, IP_DF, what->ttl,
                                  (uint8_t)c->protocol, 0, c->src.v4.sin_addr.s_addr,
                                  c->dst.v4.sin_addr.s_addr, NULL, 0, c->net, c->ip);
    return c->ip >= 0;
}

/* Make the transport checksum wrong. A UDP packet gets the one that was asked for; should it happen
 * to be right, the packet is changed. */
static void poison(struct sdw_craft *c, const struct sdw_crafted *what, uint8_t *packet, size_t n)
{
    size_t at = c->v6 ? V6_HEADER : V4_HEADER;
    if (c->protocol == IPPROTO_TCP) {
        uint8_t *field = packet + at + 16;
        sdw_put16(field, sdw_get16(field) ^ 0x5a5a);
        return;
    }
    uint16_t right = sdw_transport_checksum(packet, n);
    if (right == what->checksum || (right == 0 && what->checksum == 0xffff))
        packet[n - 1] ^= 1;
    sdw_put16(packet + at + 6, what->checksum);
}

int sdw_craft(struct sdw_craft *craft, const struct sdw_crafted *what, const uint8_t **packet,
              size_t *n, struct sdw_err *err)
{
    uint32_t size = 0;
    uint16_t least = sdw_craft_least(craft);
    uint16_t ip_bytes = what->ip_bytes < least ? least : what->ip_bytes;
    if (ip_bytes > SDW_CRAFT_MAX)
        ip_bytes = SDW_CRAFT_MAX;
    size_t room = ip_bytes - craft->headers;
    memcpy(craft->payload, what->payload, what->payload_n < room ? what->payload_n : room);
    if (craft->culled)
        libnet_adv_free_packet(craft->net, craft->culled);
    craft->culled = NULL;
    if (!build(craft, what, ip_bytes) ||
        libnet_pblock_coalesce(craft->net, &craft->culled, &size) < 0)
        return sdw_err_set(err, SDW_ESYS, "libnet: %s", libnet_geterror(craft->net));
    if (craft->v6) /* libnet 1.1.6 mixes up the label's octets */
        sdw_put32(craft->culled, sdw_get32(craft->culled) | (what->flow_label & 0xfffff));
    if (what->poisoned)
        poison(craft, what, craft->culled, size);
    *packet = craft->culled;
    *n = size;
    return 0;
}

static uint32_t add(uint32_t sum, const uint8_t *p, size_t n)
{
    for (; n >= 2; p += 2, n -= 2)
        sum += sdw_get16(p);
    return n ? sum + (uint32_t)(p[0] << 8) : sum;
}

uint16_t sdw_transport_checksum(const uint8_t *packet, size_t n)
{
    bool v6 = n >= V6_HEADER && packet[0] >> 4 == 6;
    size_t at = v6 ? V6_HEADER : V4_HEADER;
    if (n < at + UDP_HEADER)
        return 0;
    uint8_t protocol = v6 ? packet[6] : packet[9];
    size_t field = protocol == IPPROTO_TCP ? at + 16 : at + 6;
    if ((protocol != IPPROTO_TCP && protocol != IPPROTO_UDP) || n < field + 2)
        return 0;
    uint32_t sum = protocol + (uint32_t)(n - at);
    sum = v6 ? add(sum, packet + 8, 32) : add(sum, packet + 12, 8);
    sum = add(sum, packet + at, n - at) + (uint16_t)~sdw_get16(packet + field);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}
