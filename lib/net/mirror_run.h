/* shadow-probe --mirror: records in, shadows of their flows, records on. */
#ifndef SDW_NET_MIRROR_RUN_H
#define SDW_NET_MIRROR_RUN_H

#include "io/tool.h"
#include "net/group.h"
#include "net/mirror.h"

struct sdw_mirror_plan {
    struct sdw_mirror_config mirror; /* budget and sink are set here */
    struct sdw_group *group;         /* whose budget it is; it has no session */
    const char *const *conditions;   /* conditions[n]: which flows, as shadow filter has them */
    size_t n;
    int64_t duration_us; /* end then, also when the records end before; 0: with the records */
};

/* Read the records of standard input, pass each on, and keep a shadow of every flow that meets the
 * conditions. Gives up all rights that open sockets do not need. Returns when the records end, each
 * open shadow has had its first slot or ten seconds have passed; or when asked to stop. */
int sdw_mirror_run(struct sdw_ctx *ctx, struct sdw_mirror_plan *plan);

#endif
