/*
 * Packets that carry somebody else's 5-tuple, built with libnet. What must never be taken for real
 * has a wrong transport checksum: routers forward it, no host delivers it.
 */
#ifndef SDW_NET_CRAFT_H
#define SDW_NET_CRAFT_H

#include "net/address.h"

enum { SDW_CRAFT_MAX = 1500 };

struct sdw_craft; /* libnet's context and what it builds */

/* Addresses with ports decide family and tuple; protocol is IPPROTO_UDP or IPPROTO_TCP. NULL with
 * err when libnet refuses. */
struct sdw_craft *sdw_craft_new(const struct sdw_address *src, const struct sdw_address *dst,
                                int protocol, struct sdw_err *err);
void sdw_craft_free(struct sdw_craft *craft);

/* The smallest IP packet it makes. */
uint16_t sdw_craft_least(const struct sdw_craft *craft);

/* What one packet is. */
struct sdw_crafted {
    uint8_t ttl, tos;
    uint32_t flow_label; /* IPv6: 20 bits */
    uint16_t ip_id;      /* IPv4; not 0 */
    uint16_t ip_bytes;   /* of the whole packet, clamped to what can be made */
    uint32_t seq;        /* TCP */
    uint8_t tcp_flags;
    uint16_t checksum;      /* of a poisoned UDP packet: this one, not 0, is wrong for it */
    bool poisoned;          /* wrong checksum */
    const uint8_t *payload; /* first octets of the payload; the rest is noise */
    size_t payload_n;
};

/* Build it. *packet is the IP packet of *n octets, valid until the next call. */
int sdw_craft(struct sdw_craft *craft, const struct sdw_crafted *what, const uint8_t **packet,
              size_t *n, struct sdw_err *err);

/* The transport checksum of an IP packet of UDP or TCP (RFC 1071), computed as if the field were
 * zero; 0 when it is neither. What a host compares the field with. */
uint16_t sdw_transport_checksum(const uint8_t *packet, size_t n);

#endif
