/*
 * A ladder, or a train with its ladder, of which many are under way at once. The same slot as
 * net/run.h sends, for a caller that must not wait: it asks when the next packet is due, sends it,
 * and hands over what came back.
 *
 * The caller fills the plan before it begins; more shots may be added until it is done.
 */
#ifndef SDW_NET_FLIGHT_H
#define SDW_NET_FLIGHT_H

#include "net/run.h"

struct sdw_flight {
    struct sdw_plan plan;
    struct sdw_run run;
    struct sdw_run_rules rules; /* settle_ns: how long after the last packet answers count */
    struct sdw_hover train;
    struct sdw_plan tail; /* what follows the train */
    bool in_train, with_train;
    unsigned most_load; /* packets of a train */
    int64_t start_ns;   /* monotonic */
    int64_t sent_ns;    /* monotonic, of the last packet; the start before */
    size_t next;        /* the shot to send next */
    size_t waiting;     /* sent and not answered */
};

/* Zero-initialise, release once. */
void sdw_flight_release(struct sdw_flight *flight);

/* Begin to send the plan. With a train (NULL: none; its aim is the caller's) its packets go first,
 * most_load of them at most, and the plan follows. */
void sdw_flight_begin(struct sdw_flight *flight, const struct sdw_run_rules *rules,
                      const struct sdw_hover *train, unsigned most_load, int64_t now_ns);

/* Monotonic time at which something is to be done: a packet sent, or the end. */
int64_t sdw_flight_due(const struct sdw_flight *flight);
/* The shot that is due, with its number, which the caller must send now; NULL: none. */
const struct sdw_shot *sdw_flight_shot(struct sdw_flight *flight, int64_t now_ns, size_t *number);
/* That shot was sent: the wall clock right before, its IP bytes (0: it could not be), and the
 * monotonic clock after it. */
void sdw_flight_sent(struct sdw_flight *flight, size_t number, int64_t wall_ns, int64_t bytes,
                     int64_t now_ns);
/* One more shot at once, behind all others. */
void sdw_flight_add(struct sdw_flight *flight, const struct sdw_shot *shot, int64_t now_ns);

void sdw_flight_answer(struct sdw_flight *flight, size_t number, const struct sdw_answer *answer);
/* The host did not run for so long until the wall clock. */
void sdw_flight_stall(struct sdw_flight *flight, int64_t stall_ns);
/* Whether all was sent, and answered or waited for long enough. */
bool sdw_flight_done(const struct sdw_flight *flight, int64_t now_ns);

#endif
