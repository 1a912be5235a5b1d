/* Flows that routers and probes export, as sources. */
#ifndef SDW_NET_COLLECT_EXPORT_H
#define SDW_NET_COLLECT_EXPORT_H

#include "io/opt.h"
#include "net/collect.h"
#include "net/listener.h"

/* Ports as an operator types them; NULL: not wanted, "0": a free one. */
struct sdw_export_ports {
    const char *netflow, *ipfix, *sflow;
    const struct sdw_list *bind; /* addresses to listen on: at most one of each family; none: any */
};

/* Listen on each port that is wanted, and say so on standard error. SDW_EUSAGE for what is no port
 * or no address. */
int sdw_collect_exports(struct sdw_ctx *ctx, struct sdw_collect *collect,
                        const struct sdw_export_ports *ports, struct sdw_err *err);

/* NetFlow v5, v9 and IPFIX that come to the listener, which is now the source's (and is freed with
 * it, also when this fails). */
int sdw_collect_netflow(struct sdw_collect *collect, struct sdw_listener *listener,
                        struct sdw_err *err);
/* The same for sFlow v5: sampled packets are gathered by flow for an interval; the counters of an
 * agent's interfaces become link/AGENT:INDEX/bps, rx_bps, ... */
int sdw_collect_sflow(struct sdw_collect *collect, struct sdw_listener *listener,
                      struct sdw_err *err);

#endif
