/*
 * Load at a constant mean rate in longer slots with ladders spread over them: the schedules
 * `lockin`, which climbs from little until it sees an effect, and `poisson`.
 */
#ifndef SDW_NET_LOCKIN_H
#define SDW_NET_LOCKIN_H

#include "core/base.h"
#include "net/aim.h"
#include "net/plan.h"
#include "net/route.h"
#include "net/run.h"

enum { SDW_LOCKIN_PAIRS = 12 };

enum { SDW_LOCKIN_NS = 200000000 }; /* length of a slot */

struct sdw_lockin {
    unsigned step, hops; /* which share of the available capacity; hops of the path */
    bool found;          /* an effect was seen, or the guard stopped it: do not climb */
    unsigned pairs;
    double on[SDW_HOPS_MAX + 1], off[SDW_HOPS_MAX + 1]; /* of the pair under way; NAN: not yet */
    unsigned above[SDW_HOPS_MAX + 1];                   /* pairs in which on was above off */
    double effect_us[SDW_HOPS_MAX + 1];                 /* sum over pairs of on - off */
};

/* A new window at the step reached so far. */
void sdw_lockin_begin(struct sdw_lockin *lockin, unsigned hops);
/* To the next share; false at the last. */
bool sdw_lockin_climb(struct sdw_lockin *lockin);
double sdw_lockin_rate(const struct sdw_lockin *lockin, const struct sdw_aim *aim);
/* About what an on slot of this rate costs. */
int64_t sdw_lockin_bytes(double bps);

/* The slot: load of bps (0: none) and ladders. */
void sdw_lockin_plan(struct sdw_plan *plan, double bps, bool poisson, const struct sdw_rungs *rungs,
                     double ttl_rate, struct sdw_rng *rng);

/* Learn from a slot. An effect: in nearly all of at least 8 pairs a hop adds more delay with load
 * than without, 300 us in the mean. */
void sdw_lockin_feed(struct sdw_lockin *lockin, bool on, enum sdw_stop stop,
                     const struct sdw_route *route, const struct sdw_plan *plan,
                     const struct sdw_run *run);

#endif
