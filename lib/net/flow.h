/* A live flow as an operator names it: "SRC:SPORT-DST:DPORT/udp" or "/tcp", IPv6 addresses in
 * brackets. */
#ifndef SDW_NET_FLOW_H
#define SDW_NET_FLOW_H

#include "net/address.h"

struct sdw_flow {
    struct sdw_address src, dst; /* with their ports */
    bool tcp;
};

/* SDW_EUSAGE with what is wrong: no such form, a name instead of an address, a port that is none,
 * ends of two families, another protocol. */
int sdw_flow_parse(const char *text, struct sdw_flow *flow, struct sdw_err *err);

#endif
