/*
 * A flow as a router or a probe exports it, whatever the protocol, and the bounds that every one
 * is held against.
 */
#ifndef SDW_NET_EXPORT_H
#define SDW_NET_EXPORT_H

#include "core/base.h"

struct sdw_export {
    uint8_t src[16], dst[16]; /* the first 4 or all 16 bytes */
    uint8_t version;          /* 4 or 6; 0: no addresses were told */
    uint8_t protocol;         /* 0 also where it was not told */
    uint16_t sport, dport;
    uint32_t input, output; /* interfaces of the exporter; 0: not told */
    uint32_t vlan;
    uint32_t sampling;                       /* packets that one counted packet stands for; >= 1 */
    uint64_t packets, bytes;                 /* src to dst: already multiplied by sampling */
    uint64_t reverse_packets, reverse_bytes; /* dst to src (RFC 5103); mostly 0 */
    bool no_packets;                         /* the exporter counts bytes only */
    int64_t first_us, last_us;               /* since the epoch; 0: not told, or not true */
    int64_t duration_us;                     /* -1: not told; filled by sdw_export_plausible */
};

typedef void sdw_export_each(const struct sdw_export *flow, void *arg);

enum {
    SDW_SAMPLING_MAX = 10000000, /* a greater rate is no rate */
    SDW_IP_BYTES_MAX = 65575,    /* of one packet: 65535 of payload and an IPv6 header */
};

/* Multiply the counts by the sampling rate. */
void sdw_export_scale(struct sdw_export *flow, uint32_t sampling);
/* Whether the counts can be true: within 2^53, and no packet longer than one can be. The duration
 * is filled from the times; times that cannot be (after export_us by more than a day, a year before
 * it) are then taken out: an exporter may not know when it was started. */
bool sdw_export_plausible(struct sdw_export *flow, int64_t export_us);

#endif
