/*
 * This machine's own TCP connections as flows: what the kernel knows of each (sys/sockdiag.h), told
 * as flow.new, flow.update and flow.end like flows that are seen going by.
 *
 * The source is the end that opened the connection: the other one where the local port is listened
 * on. The kernel counts payload and segments; IP bytes are those plus the headers of each segment.
 */
#ifndef SDW_NET_SOCKETS_H
#define SDW_NET_SOCKETS_H

#include "net/addrmask.h"
#include "net/appmap.h"
#include "rec/rec.h"
#include "sys/sockdiag.h"

struct sdw_sockets;

struct sdw_sockets_config {
    const struct sdw_appmap *map; /* borrowed */
    int64_t active_us;            /* a silent connection is told this often */
    size_t max_flows;
    uint64_t id_key;
    struct sdw_addrmask mask;
    /* Takes a record, valid during the call; a negative return ends the cycle with it. */
    int (*say)(void *arg, const struct sdw_schema *schema, const void *rec);
    void *arg;
};

struct sdw_sockets *sdw_sockets_new(const struct sdw_sockets_config *config);
void sdw_sockets_free(struct sdw_sockets *sockets);

/* One look at all sockets at the time ts (us since the epoch): new ones, those with segments since
 * the last look, those silent for the active time, and the end of those that are gone. */
int sdw_sockets_cycle(struct sdw_sockets *sockets, struct sdw_sockdiag *diag, int64_t ts,
                      struct sdw_err *err);
/* Those that closed since: their end, with their last counts. */
int sdw_sockets_closed(struct sdw_sockets *sockets, struct sdw_sockdiag *diag, int64_t ts,
                       struct sdw_err *err);
/* Tell each socket once, as flow.update, and keep nothing. */
int sdw_sockets_once(struct sdw_sockets *sockets, struct sdw_sockdiag *diag, int64_t ts,
                     struct sdw_err *err);

size_t sdw_sockets_count(const struct sdw_sockets *sockets); /* connections of the last look */
uint64_t
sdw_sockets_dropped(const struct sdw_sockets *sockets); /* sights of those above the limit */

#endif
