/* Running sdw_sockets as a tool: a look each interval, and what closes in between. */
#ifndef SDW_NET_SOCKETS_RUN_H
#define SDW_NET_SOCKETS_RUN_H

#include "io/tool.h"
#include "net/sockets.h"

struct sdw_sockets_run {
    struct sdw_ctx *ctx; /* set by the caller; the rest is zero before opening */
    struct sdw_sockdiag diag;
    struct sdw_appmap *map;
    struct sdw_sockets *sockets;
    uint64_t told_lost;
};

/* Open what takes rights, and read the user's map (apps NULL: none). config: map, say and arg are
 * filled in. Close in any case. */
int sdw_sockets_run_open(struct sdw_sockets_run *run, struct sdw_sockets_config *config,
                         const char *apps, struct sdw_err *err);
void sdw_sockets_run_close(struct sdw_sockets_run *run);

/* Look each interval until the duration is over (0: none) or a signal asks to stop; interval 0:
 * look once. Ends with the end record. */
int sdw_sockets_run(struct sdw_sockets_run *run, int64_t interval_us, int64_t duration_us);

#endif
