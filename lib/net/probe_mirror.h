/* shadow-probe --mirror: what its options ask for, done. */
#ifndef SDW_NET_PROBE_MIRROR_H
#define SDW_NET_PROBE_MIRROR_H

#include "net/group.h"
#include "net/probe.h"
#include "net/tunnel.h"

/* The tunnel that the options describe. */
struct sdw_tunnel_config sdw_probe_tunnel(const struct sdw_probe_config *config);

/* Keep shadows of the flows of standard input that meet the operands, on the group's budget. */
int sdw_probe_mirror(struct sdw_ctx *ctx, const struct sdw_probe_config *config,
                     struct sdw_group *group);

#endif
