/*
 * A laboratory that stands: a network namespace for each node, a veth pair for each link, queues
 * with a true capacity. Everything is named sdw-LAB-NODE; the plan it was built from is kept in
 * /run/shadow-lab/LAB.ndjson. All functions leave the caller in the namespace that it was in.
 */
#ifndef SDW_NET_LAB_H
#define SDW_NET_LAB_H

#include "core/base.h"
#include "core/err.h"
#include "net/topology.h"
#include "sys/qdisc.h"

#define SDW_LAB_STATE_DIR "/run/shadow-lab"

enum { SDW_LAB_NAME = 32, SDW_LAB_NETNS = 64 };

/* The namespace of a node: sdw-LAB-NODE. Returns out. */
const char *sdw_lab_netns(const char *lab, const char *node, char out[SDW_LAB_NETNS]);

/* Build it. icmp_off lifts every limit on ICMP answers. On failure nothing is left behind.
 * SDW_EUSAGE when a laboratory of that name stands (or its ruins). */
int sdw_lab_up(const char *lab, const struct sdw_topology *topology, bool icmp_off,
               struct sdw_err *err);

struct sdw_lab_down {
    int64_t namespaces, processes;
};

/* End the processes in it, delete its namespaces and its plan: also what an interrupted `up` left.
 * Nothing that is named otherwise is touched. */
int sdw_lab_down(const char *lab, struct sdw_lab_down *count, struct sdw_err *err);
/* The same for one who holds the lock. */
int sdw_lab_clear(const char *lab, struct sdw_lab_down *count, struct sdw_err *err);

/* Read the plan of a standing laboratory; release it. SDW_EUSAGE when there is none. */
int sdw_lab_load(const char *lab, struct sdw_topology *topology, struct sdw_err *err);
int sdw_lab_save(const char *lab, const struct sdw_topology *topology, struct sdw_err *err);

/* Become a program inside a node: returns only when that fails. argv is NULL-ended. Signals are
 * as a shell would have them. */
int sdw_lab_exec(const char *lab, const char *node, char **argv, struct sdw_err *err);

/* Take the lock that keeps two changes of one laboratory apart. Returns a descriptor: close it to
 * let go. */
int sdw_lab_lock(const char *lab, struct sdw_err *err);

/* Make the kernel do what end `side` of the link says: its queue (the rate must be above 0), and
 * the random loss of what leaves there (0 takes it away). */
int sdw_lab_apply_queue(const char *lab, const struct sdw_lab_link *link, int side,
                        struct sdw_err *err);
int sdw_lab_apply_loss(const char *lab, const struct sdw_lab_link *link, int side,
                       struct sdw_err *err);
/* A change of a standing link. 0 or false: as it is. */
struct sdw_lab_change {
    double rate_bps, loss_share;
    int64_t buffer_us;
    bool no_loss;
};

/* Change the link called name ("a-b": from a to b) in the kernel and in the kept plan. The new
 * link record is appended to out. */
int sdw_lab_change(const char *lab, const char *name, const struct sdw_lab_change *change,
                   int64_t ts, struct sdw_buf *out, struct sdw_err *err);

/* Emit what the queue of that end has counted as metric records: link/a-b/bytes, packets (Ethernet,
 * sent), drops, backlog_bytes. SDW_ENO when it is not shaped. */
int sdw_lab_put_counters(struct sdw_ctx *ctx, const char *lab, const char *name);

#endif
