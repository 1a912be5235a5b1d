/* This machine as a source: links and queues, processors, memory, pressure, connections. */
#ifndef SDW_NET_COLLECT_HOST_H
#define SDW_NET_COLLECT_HOST_H

#include "net/collect.h"

/* Links and their queues: link/IF/bps (sent), rx_bps, ... of the interfaces that match one of the
 * n globs; without any, of all but loopbacks. The globs stay the caller's. An event tells when
 * the far end of a link goes and comes. */
int sdw_collect_links(struct sdw_collect *collect, const char *const *globs, size_t n,
                      struct sdw_err *err);
/* host/cpu/..., host/memory/..., host/pressure/..., host/softnet/... */
int sdw_collect_load(struct sdw_collect *collect, struct sdw_err *err);
/* host/conntrack/...; without the right to hear events only what /proc tells, with one line of
 * detail about it. */
int sdw_collect_connections(struct sdw_ctx *ctx, struct sdw_collect *collect, struct sdw_err *err);

#endif
