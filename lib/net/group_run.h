/* shadow-probe's loop over the sessions of a group. */
#ifndef SDW_NET_GROUP_RUN_H
#define SDW_NET_GROUP_RUN_H

#include "io/tool.h"
#include "net/group.h"

/* Step until all destinations are done, or for duration_us (0: no limit), or until asked to stop;
 * *reason says which. An unreachable one is reported and does not keep the others from being
 * measured: SDW_ENO at the end. */
int sdw_group_run(struct sdw_ctx *ctx, struct sdw_group *group, int64_t duration_us,
                  const char **reason);

#endif
