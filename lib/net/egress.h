/* By which interface the kernel sends the packets of a flow: equal-cost paths hash its 5-tuple, and
 * a raw socket would hash less of it. */
#ifndef SDW_NET_EGRESS_H
#define SDW_NET_EGRESS_H

#include "net/address.h"
#include "sys/netlink.h"

/* The flow's ends with their ports, and its protocol. The flow may be of this host or one that it
 * forwards. *index is the interface it leaves by. SDW_ENO: there is no route. */
int sdw_egress_find(const struct sdw_address *src, const struct sdw_address *dst, uint8_t protocol,
                    uint32_t mark, unsigned *index, struct sdw_err *err);

/* The same over a netlink socket that is open. */
int sdw_egress_ask(struct sdw_netlink *netlink, const struct sdw_address *src,
                   const struct sdw_address *dst, uint8_t protocol, uint32_t mark, unsigned *index,
                   struct sdw_err *err);

#endif
