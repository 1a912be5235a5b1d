#include "net/mirrored.h"

#include <netinet/in.h>

const uint8_t sdw_mirrored_sign[SDW_MIRRORED_OCTETS] = {0x73, 0xd3, 0x4a, 0x9e,
                                                        0x0b, 0xe1, 0x77, 0xc6};

uint32_t sdw_mirrored_cookie(uint64_t random)
{
    const uint32_t vxlan_valid = 0x08000000, geneve_version = 0x40000000;
    return ((uint32_t)random & ~vxlan_valid) | geneve_version;
}

bool sdw_packet_mirrored(const struct sdw_packet *packet)
{
    if (packet->protocol == IPPROTO_TCP)
        return packet->whole && packet->tcp.flags == SDW_TCP_ACK && packet->tcp.ack == 0;
    return packet->protocol == IPPROTO_UDP &&
           packet->payload_n >= SDW_MIRRORED_AT + SDW_MIRRORED_OCTETS &&
           memcmp(packet->payload + SDW_MIRRORED_AT, sdw_mirrored_sign, SDW_MIRRORED_OCTETS) == 0;
}
