/* SNMP agents as sources. */
#ifndef SDW_NET_COLLECT_SNMP_H
#define SDW_NET_COLLECT_SNMP_H

#include "io/opt.h"
#include "net/collect.h"

/* Ask each host at every interval: link/HOST:IF/bps, rx_bps, ..., host/HOST/cpu/busy_share,
 * host/HOST/memory/available_bytes. auth_file: sdw_snmp_auth_load. When a host stops answering, or
 * answers again, an event says so; while one does not, the tool's exit status is 1. */
int sdw_collect_snmp(struct sdw_ctx *ctx, struct sdw_collect *collect, const struct sdw_list *hosts,
                     const char *auth_file, struct sdw_err *err);

#endif
