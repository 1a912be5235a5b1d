/*
 * Connection tracking (netfilter): how many connections are kept, how many may be, and, from the
 * kernel's own events, how many came and went and how long they were kept.
 */
#ifndef SDW_SYS_CONNTRACK_H
#define SDW_SYS_CONNTRACK_H

#include "core/base.h"
#include "core/err.h"

struct sdw_conntrack;

/* Since the last sdw_conntrack_take. A connection is kept until the kernel forgets it: for some
 * protocols long after its last packet. */
struct sdw_conntrack_count {
    uint64_t made, ended;
    uint64_t timed;    /* of those that ended: how long they were kept is known */
    double kept_us;    /* sum over the timed ones */
    uint64_t overruns; /* times that the kernel had to drop events: the counts are too low */
};

/* Listen for events in the namespace that the process is in; needs CAP_NET_ADMIN there (SDW_EPERM
 * without). NULL, and err, on failure. */
struct sdw_conntrack *sdw_conntrack_open(struct sdw_err *err);
void sdw_conntrack_close(struct sdw_conntrack *conntrack); /* NULL is fine */
int sdw_conntrack_fd(const struct sdw_conntrack *conntrack);
/* Take all events that wait; never blocks. now_ns: monotonic. */
int sdw_conntrack_read(struct sdw_conntrack *conntrack, int64_t now_ns, struct sdw_err *err);
struct sdw_conntrack_count sdw_conntrack_take(struct sdw_conntrack *conntrack);

/* Connections now, and at most. SDW_ENO when this kernel does not track connections. */
int sdw_conntrack_entries(int64_t *entries, int64_t *limit, struct sdw_err *err);

#endif
