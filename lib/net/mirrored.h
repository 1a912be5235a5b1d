/*
 * How packets of shadows (net/craft.h) are told from the live flow whose 5-tuple they carry, where
 * both are seen: nobody else may take them for traffic of that flow, or shadows would keep flows
 * alive for ever.
 */
#ifndef SDW_NET_MIRRORED_H
#define SDW_NET_MIRRORED_H

#include "net/packet.h"

/* Behind the cookie and the id in UDP payload. TCP has no room for it: a segment that acknowledges
 * number 0, and nothing else, tells itself. */
enum { SDW_MIRRORED_AT = 8, SDW_MIRRORED_OCTETS = 8 };
extern const uint8_t sdw_mirrored_sign[SDW_MIRRORED_OCTETS];

/* The four octets that UDP payload begins with, from random bits. Far ends of tunnels need not look
 * at the checksum: for VXLAN they lack the I flag (RFC 7348, section 5), for Geneve the version is
 * an unknown one (RFC 8926, section 3.4), and both have to drop the packet. */
uint32_t sdw_mirrored_cookie(uint64_t random);

bool sdw_packet_mirrored(const struct sdw_packet *packet);

#endif
