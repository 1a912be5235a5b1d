/*
 * Next-hop objects of the kernel (ip-nexthop(8)): single next hops and hash-threshold groups.
 * Every object carries the protocol number of who made it, so that a dump finds exactly one's own.
 */
#ifndef SDW_SYS_NEXTHOP_H
#define SDW_SYS_NEXTHOP_H

#include "core/base.h"
#include "core/err.h"
#include "sys/netlink.h"

enum { SDW_NEXTHOP_MEMBERS = 96, SDW_NEXTHOP_WEIGHT_MAX = 256 };

/* Where a packet goes next: a gateway (all zero: directly on the link) and an interface. */
struct sdw_gateway {
    int family; /* AF_INET or AF_INET6 */
    uint8_t addr[16];
    int ifindex;
};

/* A member of a group; of the flows, weight / (sum of the weights) go to it. */
struct sdw_nexthop_member {
    uint32_t id;
    unsigned weight; /* 1..256 */
};

struct sdw_nexthop {
    uint32_t id;
    uint8_t protocol;
    struct sdw_gateway gateway; /* family AF_UNSPEC for a group */
    size_t n;                   /* members; 0: a single next hop */
    struct sdw_nexthop_member member[SDW_NEXTHOP_MEMBERS];
};

/* Make or replace; the kernel moves no packet of a route that points at a replaced group other
 * than those whose member changed. Members are hashed in their order (hash-threshold, RFC 2992):
 * growing a member only takes flows from its neighbours. */
int sdw_nexthop_put(struct sdw_netlink *netlink, uint32_t id, uint8_t protocol,
                    const struct sdw_gateway *gateway, struct sdw_err *err);
int sdw_nexthop_put_group(struct sdw_netlink *netlink, uint32_t id, uint8_t protocol,
                          const struct sdw_nexthop_member *member, size_t n, struct sdw_err *err);
/* Deleting a next hop takes it out of its groups, deleting the last member of a group deletes the
 * group, and deleting a group deletes the routes that use it. One that is gone is no error. */
int sdw_nexthop_delete(struct sdw_netlink *netlink, uint32_t id, struct sdw_err *err);
/* 1 and *out, 0 when there is none of that id. */
int sdw_nexthop_get(struct sdw_netlink *netlink, uint32_t id, struct sdw_nexthop *out,
                    struct sdw_err *err);
/* Calls each for every object of protocol (0: of all). A negative return ends the dump. */
int sdw_nexthop_dump(struct sdw_netlink *netlink, uint8_t protocol,
                     int (*each)(const struct sdw_nexthop *nexthop, void *arg), void *arg,
                     struct sdw_err *err);
/* Decode an RTM_NEWNEXTHOP or RTM_DELNEXTHOP message. */
void sdw_nexthop_decode(const struct nlmsghdr *message, struct sdw_nexthop *out);

#endif
