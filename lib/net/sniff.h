/* What is on the wire, as libpcap sees it: IP packets with the kernel's receive stamps. */
#ifndef SDW_NET_SNIFF_H
#define SDW_NET_SNIFF_H

#include "core/base.h"
#include "core/err.h"

struct sdw_sniff;

struct sdw_sniff_options {
    const char *filter; /* pcap-filter(7): what it lets through */
    int octets;         /* of each packet, the first */
    int buffer_bytes;   /* what is kept until it is taken; 0: 2 MiB */
    bool outgoing;      /* what leaves by an interface too, not only what comes in */
};

/* Packets of all interfaces. SDW_EPERM without CAP_NET_RAW. */
struct sdw_sniff *sdw_sniff_new(const struct sdw_sniff_options *options, struct sdw_err *err);
void sdw_sniff_free(struct sdw_sniff *sniff);
int sdw_sniff_fd(const struct sdw_sniff *sniff);

/* The next packet, without blocking: 1 with the IP packet (valid until the next call) and the wall
 * clock in ns when the kernel had it; 0: none; negative: cannot go on. */
int sdw_sniff_next(struct sdw_sniff *sniff, struct sdw_str *packet, int64_t *received_ns,
                   struct sdw_err *err);
/* Packets lost for want of room so far. */
uint64_t sdw_sniff_drops(const struct sdw_sniff *sniff);

#endif
