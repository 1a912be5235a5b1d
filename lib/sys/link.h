/* Interfaces: whether they carry, what they have counted, and being told when that changes. */
#ifndef SDW_SYS_LINK_H
#define SDW_SYS_LINK_H

#include "core/base.h"
#include "core/err.h"
#include "sys/netlink.h"
#include "sys/nexthop.h"

struct sdw_link_state {
    int ifindex;
    char name[16];
    bool up, carrier;            /* set up by the operator; the far end is there */
    uint64_t tx_bytes, rx_bytes; /* since the interface was made */
};

/* By ifindex, or by name when ifindex is 0. 1 and *out, 0 when there is none. */
int sdw_link_get(struct sdw_netlink *netlink, int ifindex, const char *name,
                 struct sdw_link_state *out, struct sdw_err *err);

/* What the kernel tells of a change. */
enum sdw_notice_kind {
    SDW_NOTICE_LINK,    /* link is filled */
    SDW_NOTICE_NEXTHOP, /* nexthop is filled; gone says that it was deleted */
    SDW_NOTICE_ROUTE,   /* a unicast route outside table local came or went */
    SDW_NOTICE_LOST,    /* the kernel had to drop notices: look at everything again */
};

struct sdw_notice {
    enum sdw_notice_kind kind;
    bool gone;
    struct sdw_link_state link;
    struct sdw_nexthop nexthop;
    int family;       /* of the route */
    uint8_t protocol; /* of the route */
};

/* A socket that is told of changes to links, next hops and routes of both families. */
int sdw_notice_open(struct sdw_netlink *netlink, struct sdw_err *err);
/* Hands over all notices that wait; never blocks. */
int sdw_notice_read(struct sdw_netlink *netlink,
                    void (*each)(const struct sdw_notice *notice, void *arg), void *arg,
                    struct sdw_err *err);

#endif
