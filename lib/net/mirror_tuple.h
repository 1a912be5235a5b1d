/* One direction of a live flow, as records tell of it. */
#ifndef SDW_NET_MIRROR_TUPLE_H
#define SDW_NET_MIRROR_TUPLE_H

#include "net/address.h"
#include "rec/flow.h"

enum { SDW_MIRROR_FLOW = 2 * SDW_ADDRESS_TEXT + 32 };

struct sdw_mirror_tuple {
    struct sdw_address src, dst; /* with their ports */
    bool tcp;
    bool common;        /* no flow's own: that of a tunnel's packets, which flows share */
    bool bound;         /* it leaves by its interface, whatever the routes say */
    int32_t flow_label; /* IPv6; -1: not known, 0 is sent */
    unsigned interface; /* index of the one that it leaves by; 0: not known */
};

/* The tuple of the record's flow, from its src to its dst. NULL, or why there is none to mirror;
 * then src and dst are as far as they could be read. */
const char *sdw_mirror_tuple_read(const struct sdw_flow_rec *rec, struct sdw_mirror_tuple *tuple);
/* Whether the packets of the record's flow were inside others, whose ends route them. */
bool sdw_mirror_tunnelled(const struct sdw_flow_rec *rec);

/* The tuple of the packets that the flow's were in, where they go to the far end of this tunnel too
 * and the record tells their ports; else the tunnel's own. Of a flow from the far end the
 * ports of the other direction are not known. NULL, or why the tunnel is not the flow's. */
const char *sdw_mirror_tuple_outer(const struct sdw_flow_rec *rec,
                                   const struct sdw_mirror_tuple *tunnel,
                                   struct sdw_mirror_tuple *tuple);

/* As an operator names the flow (net/flow.h). Both ends must have been read. */
void sdw_mirror_tuple_write(const struct sdw_mirror_tuple *tuple, char out[SDW_MIRROR_FLOW]);

#endif
