/* Virtual Ethernet pairs between namespaces, and interfaces in general. */
#ifndef SDW_SYS_VETH_H
#define SDW_SYS_VETH_H

#include "core/base.h"
#include "core/err.h"
#include "sys/netlink.h"

struct sdw_veth_end {
    const char *name; /* at most 15 characters */
    uint8_t mac[6];
};

/* Make a pair: one end where the netlink socket is, the other in the namespace of peer_ns (a
 * descriptor). Neither is ever visible anywhere else. Both are down. */
int sdw_veth_create(struct sdw_netlink *netlink, const struct sdw_veth_end *here,
                    const struct sdw_veth_end *peer, int peer_ns, struct sdw_err *err);
/* Set the interface up or down. */
int sdw_interface_up(struct sdw_netlink *netlink, const char *name, bool up, struct sdw_err *err);
/* Its index in the namespace that the process is in; SDW_ESYS when there is none. */
int sdw_interface_index(const char *name, struct sdw_err *err);

#endif
