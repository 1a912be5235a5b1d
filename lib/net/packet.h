/*
 * Decoding a captured packet down to its innermost IP packet and transport header: Ethernet with
 * VLAN and QinQ tags, MPLS, Linux cooked captures, loopback and raw IP; GRE, VXLAN and IP in IP;
 * IPv6 extension headers, fragments.
 *
 * Any bytes may be given: nothing is read beyond those that were captured, and every length that a
 * header claims is held against what is there. Pointers in the result point into the bytes given.
 */
#ifndef SDW_NET_PACKET_H
#define SDW_NET_PACKET_H

#include "core/base.h"

/* Kinds of link that can be decoded, by their libpcap number (DLT_...). */
bool sdw_link_known(int link);

enum { SDW_TCP_FIN = 1, SDW_TCP_SYN = 2, SDW_TCP_RST = 4, SDW_TCP_PSH = 8, SDW_TCP_ACK = 16 };

/* What was around the innermost IP packet (bits of sdw_packet.around). */
enum {
    SDW_AROUND_VLAN = 1,
    SDW_AROUND_QINQ = 2, /* more than one tag */
    SDW_AROUND_MPLS = 4,
    SDW_AROUND_GRE = 8,
    SDW_AROUND_VXLAN = 16,
    SDW_AROUND_IP = 32, /* IP in IP, of either family */
};

enum sdw_packet_fragment {
    SDW_FRAGMENT_NONE,
    SDW_FRAGMENT_FIRST, /* has the ports, but not all of the payload */
    SDW_FRAGMENT_LATER, /* has no transport header: ports are 0 */
};

enum { SDW_SACK_BLOCKS = 4 };

/* What matters of a TCP header; sequence numbers are those on the wire. */
struct sdw_packet_tcp {
    uint32_t seq, ack;
    uint32_t ts_value, ts_echo; /* RFC 7323, when has_ts */
    uint32_t sack[SDW_SACK_BLOCKS][2];
    uint16_t window; /* not scaled */
    uint16_t mss;    /* of a SYN; 0: none */
    uint8_t flags;   /* SDW_TCP_... */
    int8_t wscale;   /* of a SYN; -1: none */
    uint8_t n_sack;
    bool has_ts;
};

/* The outermost IP packet around the innermost, which is what routers see. */
struct sdw_packet_outer {
    uint8_t src[16], dst[16];
    uint16_t sport, dport; /* as below */
    uint8_t version;       /* 4 or 6; 0: there is none */
    uint8_t protocol;      /* UDP of VXLAN, GRE, IPv4 or IPv6 */
};

/* The innermost IP packet. Addresses are the first 4 or all 16 bytes, the rest is zero; ports are
 * in host order, 0 where the protocol has none (TCP, UDP, SCTP, UDP-Lite and DCCP have). */
struct sdw_packet {
    uint8_t src[16], dst[16];
    uint16_t sport, dport;
    uint8_t version;  /* 4 or 6 */
    uint8_t protocol; /* IPPROTO_...: what follows the last extension header */
    uint8_t ttl;
    uint8_t around;   /* SDW_AROUND_... */
    uint8_t fragment; /* enum sdw_packet_fragment */
    bool whole;       /* the transport header was captured in full; TCP fields hold only then */
    uint8_t icmp_type, icmp_code;
    uint16_t vlan;          /* the innermost tag's VLAN id; 0: none */
    uint32_t vni;           /* of the innermost VXLAN; 0: none */
    uint32_t ip_id;         /* identification; of IPv6 that of the fragment header, 0 without */
    uint32_t ip_bytes;      /* length of the IP packet as it was on the wire */
    uint32_t payload_bytes; /* behind the transport header, on the wire */
    const uint8_t *ip;      /* the IP header, as far as it was captured */
    size_t ip_n;
    const uint8_t *payload; /* behind the transport header, as far as it was captured; else NULL */
    size_t payload_n;
    struct sdw_packet_tcp tcp;
    struct sdw_packet_outer outer;
};

enum sdw_packet_verdict {
    SDW_PACKET_IP,    /* decoded: the struct is filled */
    SDW_PACKET_OTHER, /* no IP packet: ARP, LLDP, 802.3 ... */
    SDW_PACKET_SHORT, /* cut off before the end of an IP header */
    SDW_PACKET_BAD,   /* headers contradict themselves */
};

/* Decode `bytes` (captured of `wire_bytes`, what was on the wire) of a link of this kind. */
enum sdw_packet_verdict sdw_packet_decode(int link, struct sdw_str bytes, uint32_t wire_bytes,
                                          struct sdw_packet *packet);

#endif
