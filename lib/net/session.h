/*
 * Measuring one destination: finds the path, learns how much it may inject, then runs windows of
 * slots, and hands out path, hop and slot records. The caller waits and calls: no function here
 * sleeps longer than one slot lasts.
 */
#ifndef SDW_NET_SESSION_H
#define SDW_NET_SESSION_H

#include "core/base.h"
#include "core/err.h"
#include "net/budget.h"
#include "net/carrier.h"
#include "net/shape.h"
#include "net/slotrec.h"

/* In the order of the `schedule` values of a slot record. */
enum sdw_schedule {
    SDW_SCHEDULE_CHIRP,
    SDW_SCHEDULE_LOCKIN,
    SDW_SCHEDULE_TRAIN,
    SDW_SCHEDULE_POISSON,
    SDW_SCHEDULE_REPLAY,
};

struct sdw_session_config {
    enum sdw_carrier_kind kind;
    struct sdw_carrier_config carrier;
    const char *name;   /* of the destination, for messages */
    const char *flow;   /* the live flow that is mirrored; NULL: none */
    const char *tunnel; /* the tunnel whose inside, or whose outer tuple, it is; NULL: none */
    enum sdw_schedule schedule;
    const struct sdw_traffic_shape *shape; /* of replay */
    bool scope;                            /* let the load die at each router in turn */
    bool watch;                            /* windows for ever */
    int64_t windows;                       /* stop after so many; 0: no limit */
    int64_t pairs;                         /* of a window */
    int64_t window_bytes;                  /* most that one window may inject */
    int64_t max_hops;
    double max_bps, ttl_rate;
    uint8_t dscp;
    uint64_t seed;
};

/* Mirror the live flow (net/flow.h): its ends and the carrier that keeps it from harm. text must
 * outlive the session. SDW_EUSAGE. */
int sdw_session_mirror(struct sdw_session_config *config, const char *text, struct sdw_err *err);

/* What the session did, for the end record. */
struct sdw_session_counts {
    int64_t windows, slots, void_slots, packets, bytes, changes, aborts, drops;
};

struct sdw_session;

/* The budget is shared with other sessions and stays the caller's. */
struct sdw_session *sdw_session_new(const struct sdw_session_config *config,
                                    struct sdw_budget *budget, const struct sdw_sink *sink,
                                    struct sdw_err *err);
void sdw_session_free(struct sdw_session *session);

/* Monotonic time of its next step; INT64_MAX when it is done. */
int64_t sdw_session_due(const struct sdw_session *session);
/* Do that step: one slot at most. SDW_ENO: the destination does not answer (the message says how
 * far the path goes); other codes: cannot go on. The session is then done. */
int sdw_session_step(struct sdw_session *session, struct sdw_err *err);

const struct sdw_session_counts *sdw_session_counts(const struct sdw_session *session);
/* Why it ended: done, budget or unreachable. */
const char *sdw_session_reason(const struct sdw_session *session);

#endif
