/* Queries of an engine past this machine: Prometheus, VictoriaMetrics and what speaks like them. */
#ifndef SDW_STORE_REMOTE_H
#define SDW_STORE_REMOTE_H

#include "io/tool.h"
#include "store/query.h"

struct sdw_remote {
    const char *url;        /* http://host:9090 */
    const char *token_file; /* a bearer token; NULL: none */
};

/* Emit metric records of the selectors that are the operands of ctx, as sdw_query_put does of a
 * store, in the same order and with the names that series had before they were exported. The engine
 * aggregates (query_range); times are those of engines, milliseconds. from_us must be set; to_us
 * INT64_MAX is now_us. SDW_ENO when no series matches or the engine does not answer, SDW_EUSAGE
 * when it refuses the query. */
int sdw_remote_run(struct sdw_ctx *ctx, const struct sdw_remote *remote,
                   const struct sdw_query *query, int64_t now_us);

#endif
