/* Queries: what a tool asks of a store, as metric records. */
#ifndef SDW_STORE_QUERY_H
#define SDW_STORE_QUERY_H

#include "io/tool.h"
#include "store/aggregate.h"
#include "store/read.h"
#include "store/select.h"

struct sdw_query {
    int64_t from_us, to_us; /* from <= t < to; INT64_MIN and INT64_MAX: all */
    int64_t step_us;        /* 0: all of the range is one step */
    enum sdw_aggregate kind;
    double quantile;
    struct sdw_damage *damage; /* what it leaves out is added here; may be NULL */
};

/* Fill in what the texts say: moments (store/when.h; NULL: no limit) and a kind of aggregate (NULL:
 * the average of each step when step_us is set, otherwise the points). SDW_EUSAGE. */
int sdw_query_parse(struct sdw_query *query, const char *from, const char *to, const char *kind,
                    int64_t newest_us, struct sdw_err *err);

/* Calls each for every value of one series, in time order. Where the points are no longer kept, the
 * finest rollups that are stand for them. Returns 1 when that left out something that only points
 * can tell (percentiles); SDW_EINPUT when something was damaged: the rest has been given out. */
int sdw_query_series(const struct sdw_store *store, uint32_t series, const struct sdw_query *query,
                     struct sdw_chunk_room *room, int (*each)(int64_t ts, double value, void *arg),
                     void *arg, struct sdw_err *err);

/* Emit a metric record for each value of each series selected, and the `end` record.
 * SDW_EINPUT when damage left something out: the `end` record says how much. */
int sdw_query_run(struct sdw_ctx *ctx, const struct sdw_store *store,
                  const struct sdw_selected *selected, const struct sdw_query *query);

#endif
