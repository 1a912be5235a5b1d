/* shadow-probe: what its options ask for, done. */
#ifndef SDW_NET_PROBE_H
#define SDW_NET_PROBE_H

#include "io/tool.h"

/* As the options have it, in their order of kinds; texts are the command line's. */
struct sdw_probe_config {
    int schedule, family, protocol, tunnel;
    int64_t port, source_port, mark, dscp, hops, pairs, count, duration_us, seed, idle_us, vni,
        remote_port;
    double max_bps, ttl_rate;
    const char *source, *interface, *key, *budget, *live, *flow, *shape, *remote, *inner,
        *inner_remote;
    bool scope, watch, mirror;
};

enum sdw_probe_tunnel { SDW_PROBE_NO_TUNNEL, SDW_PROBE_VXLAN };

/* Measure the operands (ctx), or with mirror the flows of standard input that meet them. Errors as
 * a command returns them. */
int sdw_probe_run(struct sdw_ctx *ctx, void *config);

#endif
