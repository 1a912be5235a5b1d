/* VXLAN devices (RFC 7348). */
#ifndef SDW_SYS_VXLAN_H
#define SDW_SYS_VXLAN_H

#include "core/base.h"
#include "core/err.h"
#include "core/ip.h"
#include "sys/netlink.h"

struct sdw_vxlan {
    const char *name;            /* at most 15 characters */
    uint32_t vni;                /* 1..2^24-1 */
    struct sdw_ip remote, local; /* outer addresses, of one family */
    uint16_t port;               /* UDP port of the remote end */
    uint16_t source_port;        /* the one outer source port of all its packets */
    int link;                    /* index of the interface that it sends by; 0: as routed */
};

/* Make the device in the namespace of ns (a descriptor), its outer packets staying in that of the
 * netlink socket. It is never visible anywhere else; it is down. */
int sdw_vxlan_create(struct sdw_netlink *netlink, const struct sdw_vxlan *vxlan, int ns,
                     struct sdw_err *err);

#endif
