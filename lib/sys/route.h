/* Addresses, neighbours and static routes of the namespace the netlink socket is in. */
#ifndef SDW_SYS_ROUTE_H
#define SDW_SYS_ROUTE_H

#include "core/base.h"
#include "core/err.h"
#include "core/ip.h"
#include "sys/netlink.h"

int sdw_addr_add(struct sdw_netlink *netlink, int interface, struct sdw_ip ip, struct sdw_err *err);
/* A neighbour that never expires. */
int sdw_neighbour_add(struct sdw_netlink *netlink, int interface, struct sdw_ip ip,
                      const uint8_t mac[6], struct sdw_err *err);

struct sdw_next_hop {
    struct sdw_ip via;
    int interface;
};

/* One entry of the kernel's table. */
struct sdw_kernel_route {
    struct sdw_ip to;
    const struct sdw_next_hop *hops; /* equal-cost; at least one */
    size_t n_hops;
    uint32_t priority; /* metric; 0: the kernel's default */
};

int sdw_route_add(struct sdw_netlink *netlink, const struct sdw_kernel_route *route,
                  struct sdw_err *err);

#endif
