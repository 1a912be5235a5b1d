/*
 * The kernel's routes and rules (ip-route(8), ip-rule(8)) as an actor needs them: read them all,
 * put one of our own in front of an existing one, take it away again.
 */
#ifndef SDW_SYS_FIB_H
#define SDW_SYS_FIB_H

#include "core/base.h"
#include "core/err.h"
#include "sys/netlink.h"
#include "sys/nexthop.h"

enum { SDW_FIB_HOPS = 8 };

struct sdw_fib_hop {
    struct sdw_gateway gateway;
    unsigned weight; /* 1.. */
    bool dead;       /* its interface is down or has no carrier */
};

struct sdw_fib_route {
    int family;
    uint8_t dst[16];
    uint8_t dst_len;
    uint8_t protocol, type, scope, tos;
    uint32_t table, metric;
    uint32_t nexthop_id; /* 0: none */
    bool has_source;
    uint8_t source[16]; /* preferred source address */
    bool cut;           /* it has more next hops than the n that are here */
    size_t n;
    struct sdw_fib_hop hop[SDW_FIB_HOPS];
};

/* Calls each for every unicast route of the family, in all tables but local. A negative return
 * ends the dump. */
int sdw_fib_dump(struct sdw_netlink *netlink, int family,
                 int (*each)(const struct sdw_fib_route *route, void *arg), void *arg,
                 struct sdw_err *err);

/* Put a route that uses next hop (or group) route->nexthop_id, or else route->hop[0], in front of
 * those of the same destination and metric (IPv4), or at its own metric (IPv6, where one of equal
 * metric would be ignored). Existing routes stay as they are. One that is there is no error. */
int sdw_fib_prepend(struct sdw_netlink *netlink, const struct sdw_fib_route *route,
                    struct sdw_err *err);
/* Delete the route of this destination, table, metric and protocol. One that is gone is no
 * error. */
int sdw_fib_delete(struct sdw_netlink *netlink, const struct sdw_fib_route *route,
                   struct sdw_err *err);

/* "from all fwmark mark lookup table", at priority. */
struct sdw_fib_rule {
    int family;
    uint8_t protocol;
    uint32_t mark, table, priority;
};
int sdw_fib_rule_put(struct sdw_netlink *netlink, const struct sdw_fib_rule *rule,
                     struct sdw_err *err);
int sdw_fib_rule_delete(struct sdw_netlink *netlink, const struct sdw_fib_rule *rule,
                        struct sdw_err *err);
int sdw_fib_rule_dump(struct sdw_netlink *netlink, int family, uint8_t protocol,
                      int (*each)(const struct sdw_fib_rule *rule, void *arg), void *arg,
                      struct sdw_err *err);

#endif
