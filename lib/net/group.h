/* Several destinations measured in turn by one thread, on one budget. */
#ifndef SDW_NET_GROUP_H
#define SDW_NET_GROUP_H

#include "core/base.h"
#include "core/err.h"
#include "net/session.h"

struct sdw_group {
    struct sdw_session **sessions;
    size_t n, cap;
    struct sdw_budget budget;
    int64_t window_bytes; /* most that one window may inject */
    const char *live;     /* interface whose counters tell the live traffic; NULL: none */
    int64_t count_ns;     /* when to read them again */
};

/* budget: bytes a window may inject ("3M"), or a share of what `live` carries ("1%"). mean_bps is
 * what may be injected in the mean when it is bytes. Strings stay the caller's. SDW_EUSAGE. */
int sdw_group_init(struct sdw_group *group, const char *budget, const char *live, double mean_bps,
                   struct sdw_err *err);
void sdw_group_release(struct sdw_group *group);

/* One destination more. The group sets budget and window_bytes, and adds the number of sessions in
 * front of it to the seed. */
int sdw_group_add(struct sdw_group *group, const struct sdw_session_config *config,
                  const struct sdw_sink *sink, struct sdw_err *err);

/* Monotonic time of the next step; INT64_MAX when all are done. */
int64_t sdw_group_due(const struct sdw_group *group);
/* The step that is due first. *reason: why its session ended, should it have. SDW_ENO when a
 * destination does not answer: the others go on. */
int sdw_group_step(struct sdw_group *group, const char **reason, struct sdw_err *err);

/* Read the counters of `live` when it is time to: for a caller that has the budget alone. */
int sdw_group_count_live(struct sdw_group *group, struct sdw_err *err);

/* Sums over all sessions, as the JSON object of an end record. */
void sdw_group_counts(const struct sdw_group *group, struct sdw_buf *out);

#endif
