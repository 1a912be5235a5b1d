/* A Prometheus server, or one that speaks like it, as a source. */
#ifndef SDW_NET_COLLECT_PROMETHEUS_H
#define SDW_NET_COLLECT_PROMETHEUS_H

#include "net/collect.h"

struct sdw_prometheus_plan {
    const char *url;        /* http://host:9090; NULL: nothing is to be asked */
    const char *query;      /* a PromQL expression */
    const char *token_file; /* a bearer token to show; NULL: none */
    int64_t since_us;       /* how far back to begin */
    int64_t step_us;        /* between points; > 0 */
};

/* At the start what was since then, at every interval what came after. A query that is refused ends
 * the run; while the server does not answer the exit status is 1. Texts stay the caller's. */
int sdw_collect_prometheus(struct sdw_collect *collect, const struct sdw_prometheus_plan *plan,
                           struct sdw_err *err);

#endif
