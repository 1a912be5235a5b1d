/* What the interfaces of a namespace have counted: 64-bit statistics by rtnetlink. */
#ifndef SDW_SYS_LINKCOUNT_H
#define SDW_SYS_LINKCOUNT_H

#include "core/base.h"
#include "core/err.h"
#include "sys/netlink.h"

struct sdw_link_count {
    int ifindex;
    char name[16];
    bool up, carrier, loopback;
    uint64_t tx_bytes, rx_bytes, tx_packets, rx_packets; /* since the interface was made */
    uint64_t tx_dropped, rx_dropped, tx_errors, rx_errors;
};

/* Calls each for every interface. A negative return ends the dump with it. */
int sdw_link_count_dump(struct sdw_netlink *netlink,
                        int (*each)(const struct sdw_link_count *count, void *arg), void *arg,
                        struct sdw_err *err);

#endif
