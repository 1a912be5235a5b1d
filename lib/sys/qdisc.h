/* Queues that shape the egress of an interface, and what they count. */
#ifndef SDW_SYS_QDISC_H
#define SDW_SYS_QDISC_H

#include "core/base.h"
#include "core/err.h"
#include "sys/netlink.h"

enum sdw_shaper { SDW_SHAPER_TBF, SDW_SHAPER_HTB };

struct sdw_shape_queue {
    enum sdw_shaper shaper;
    double rate_bps;      /* of Ethernet bytes, as the kernel counts them */
    int64_t burst_bytes;  /* token bucket */
    int64_t buffer_bytes; /* what may wait; the rest is dropped at the tail */
};

/* Shape the interface, or change the shape of one shaped with the same shaper before: what waits
 * stays. */
int sdw_qdisc_set(struct sdw_netlink *netlink, int interface, const struct sdw_shape_queue *queue,
                  struct sdw_err *err);

struct sdw_qdisc_count {
    int64_t bytes, packets; /* sent, Ethernet */
    int64_t drops, backlog_bytes, backlog_packets;
};

/* Calls each for the root queue of every interface that has one. A negative return ends the
 * dump with it. The kernel keeps drops in 32 bits. */
int sdw_qdisc_dump(struct sdw_netlink *netlink,
                   int (*each)(int interface, const struct sdw_qdisc_count *count, void *arg),
                   void *arg, struct sdw_err *err);

/* Of the interface's root queue; SDW_ENO when it has none. */
int sdw_qdisc_count(struct sdw_netlink *netlink, int interface, struct sdw_qdisc_count *count,
                    struct sdw_err *err);

#endif
