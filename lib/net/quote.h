/*
 * An IPv4 or IPv6 packet as it was captured: an ICMP error with what it quotes of the packet that
 * caused it, or a TCP segment. Any bytes may be given; nothing is read beyond n.
 */
#ifndef SDW_NET_QUOTE_H
#define SDW_NET_QUOTE_H

#include "net/address.h"

enum { SDW_QUOTE_TCP_SYN = 2, SDW_QUOTE_TCP_RST = 4, SDW_QUOTE_TCP_ACK = 16 };

/* The header of a packet of ours, in full or as far as a router quoted it. */
struct sdw_header {
    struct sdw_address src, dst; /* with ports, 0 when the protocol has none */
    uint8_t protocol;            /* IPPROTO_UDP, _TCP, _ICMP or _ICMPV6; others are not told */
    uint8_t ttl;
    uint16_t ip_id;         /* 0 for IPv6 */
    uint16_t checksum;      /* UDP */
    uint32_t seq, ack;      /* TCP; ack 0 when it is not there */
    uint8_t tcp_flags;      /* 0 when they are not there */
    const uint8_t *payload; /* of UDP, behind its header */
    size_t payload_n;       /* as far as it is there */
};

/* An ICMP or ICMPv6 error. */
struct sdw_icmp_error {
    struct sdw_address from;
    uint8_t type, code;
    uint32_t mtu; /* of "packet too big" and "fragmentation needed"; 0 otherwise */
    struct sdw_header quoted;
};

/* Read an IP packet with its transport header; later fragments and what has fewer than the 8 octets
 * that every router quotes are no packets of ours. */
bool sdw_header_read(const uint8_t *packet, size_t n, struct sdw_header *header);
/* Read an IP packet that is an ICMP error; false for everything else. */
bool sdw_icmp_error_read(const uint8_t *packet, size_t n, struct sdw_icmp_error *error);
/* Whether the error says that the TTL ran out. */
bool sdw_icmp_expired(int family, uint8_t type);

#endif
