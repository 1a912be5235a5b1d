/*
 * The train of the schedule `chirp`: it comes in low, rises until there is a queue, and then keeps
 * a small queue alive (a few ms at most) for as long as its bytes last. Every packet sent while the
 * queue lasts tells what the link had left for it, so that such a train measures several times as
 * precisely as one that rises once and stops. Bursts of three in its middle show the capacity;
 * its end is paced gently, so that the ladder right behind it meets the queue of the tight link
 * only, not that of a narrow but idle one in front.
 *
 * A closed loop over what came back so far; without feedback (a long path) it stays a little above
 * the available rate. Pure: times are given.
 */
#ifndef SDW_NET_HOVER_H
#define SDW_NET_HOVER_H

#include "core/base.h"
#include "net/aim.h"
#include "net/plan.h"

struct sdw_hover_limits {
    int64_t bytes;      /* of the train */
    int64_t most_bytes; /* when it has not met a queue by then */
    int64_t length_ns;
    int64_t abort_ns; /* delay at which it ends at once */
    int64_t round_ns; /* round-trip time of the path */
    uint8_t ttl;      /* of its packets */
    bool deaf;        /* its packets die on their way: no feedback will come */
};

struct sdw_hover {
    struct sdw_aim *aim;
    struct sdw_hover_limits limits;
    uint16_t ip_bytes;
    bool first;                         /* nothing is known of the path yet */
    double available_bps, capacity_bps; /* as believed, at its start and then by what it met */
    double least_bps;                   /* retreat to this */
    int64_t climb_ns;        /* time in which the rate rises by a factor e without a queue */
    int64_t low_ns, high_ns; /* the queue to keep */
    double rate_bps;         /* of the next gap */
    int64_t gap_ns;          /* the one just sent */
    unsigned packets, bump, burst_left, bursts;
    int64_t spent, started_ns;
    int64_t queue_ns;   /* newest known delay above base; -1: none yet */
    bool climbing;      /* the queue is gone: the rate rises */
    bool ended, turned; /* turned: it met a queue */
};

/* The aim outlives the train. */
struct sdw_hover sdw_hover(struct sdw_aim *aim, const struct sdw_hover_limits *limits);

/* A load packet came back with this delay (offset as in net/aim.h). A deaf train takes no notice.
 */
void sdw_hover_answer(struct sdw_hover *hover, uint16_t ip_bytes, int64_t delay_ns);

/* The next packet, when the last one was sent at now_ns (the first: the start); false at the end
 * of the train. shot->at_ns is now_ns plus the gap. */
bool sdw_hover_next(struct sdw_hover *hover, int64_t now_ns, struct sdw_shot *shot);

#endif
