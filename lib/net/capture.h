/*
 * Where packets come from: an interface, as libpcap gives it (TPACKET_V3 with blocks that are
 * handed over after 5 ms at the latest), or a capture file, pcap or pcapng.
 */
#ifndef SDW_NET_CAPTURE_H
#define SDW_NET_CAPTURE_H

#include "core/base.h"
#include "core/err.h"

struct sdw_capture;

struct sdw_capture_config {
    const char *interface; /* or */
    const char *file;      /* "-": standard input */
    const char *filter;    /* pcap-filter(7); NULL: all packets */
    int snap;              /* look at no more than this of a packet */
    bool immediate;        /* each packet at once instead of in blocks */
};

/* SDW_EINPUT for what is no capture, and for a kind of link that cannot be decoded; SDW_EUSAGE for
 * a filter that makes no sense; SDW_EPERM without CAP_NET_RAW; SDW_ESYS. */
struct sdw_capture *sdw_capture_new(const struct sdw_capture_config *config, struct sdw_err *err);
void sdw_capture_free(struct sdw_capture *capture);

int sdw_capture_link(const struct sdw_capture *capture); /* DLT_... */
/* To poll for packets; -1 for a file, which always has some until it ends. */
int sdw_capture_fd(const struct sdw_capture *capture);

/* One packet: bytes as they were captured, valid during the call; ts_ns since the epoch. */
typedef void sdw_capture_each(void *arg, int64_t ts_ns, struct sdw_str bytes, uint32_t wire_bytes);

/* Hand over the packets that are there, some `max` of them at most, without waiting. Returns how
 * many; 0: none now, or the end of the file. SDW_EINPUT names the file and how far it was good. */
int sdw_capture_read(struct sdw_capture *capture, int max, sdw_capture_each *each, void *arg,
                     struct sdw_err *err);

/* Packets of an interface that the kernel lost for want of room so far. What it counts with has 32
 * bits: to be asked before that many are lost. */
uint64_t sdw_capture_lost(struct sdw_capture *capture);

#endif
