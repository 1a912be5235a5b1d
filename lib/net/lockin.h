/*
 * Load at a constant mean rate in longer slots with ladders spread over them: the schedules
 * `lockin`, which climbs from little until it sees an effect, and `poisson`.
 *
 * A step of the climb is a window. Most steps are low, and there a few pairs are enough to see
 * that nothing happens; a step goes on for as long as some hop looks as if it felt the load, and
 * the climb ends with the first one whose effect is significant, by the test that shadow-gradient
 * will make of the same slots (core/sign_flip.h). Slots get shorter as the rate rises, so that
 * none costs more than its bytes. When load hurts, no later slot is as fast.
 */
#ifndef SDW_NET_LOCKIN_H
#define SDW_NET_LOCKIN_H

#include "core/base.h"
#include "net/aim.h"
#include "net/plan.h"
#include "net/trigger.h"
#include "net/window.h"

enum {
    SDW_LOCKIN_PAIRS = 16,          /* of a window, at most */
    SDW_LOCKIN_SLOT_SHARE = 40,     /* an on slot takes so much less than the window's bytes */
    SDW_LOCKIN_NS = 200000000,      /* length of a slot, at most */
    SDW_LOCKIN_APART_NS = 100000000 /* about what lies between two slots */
};

/* One half of a pair whose other half is not done. */
struct sdw_lockin_half {
    unsigned pair;
    bool filled, on;
    double level[SDW_HOPS_MAX + 1];
};

/* The pairs of one hop. */
struct sdw_lockin_hop {
    unsigned n;
    double difference[SDW_LOCKIN_PAIRS]; /* on - off, of the mean logarithm */
    double on, off;                      /* sums of the mean logarithms */
};

struct sdw_lockin {
    unsigned step, hops; /* which share of the available capacity; hops of the path */
    bool limited;        /* some hops are asked in every third pair only */
    bool found;          /* a significant effect was seen: do not climb */
    double ceiling_bps;  /* load of this rate hurt; 0: it never did */
    unsigned hurt[2];    /* slots without and with load that hurt, of all windows */
    unsigned pairs;      /* complete ones */
    struct sdw_lockin_half halves[3];
    struct sdw_lockin_hop hop[SDW_HOPS_MAX + 1];
};

/* A new window at the step reached so far. */
void sdw_lockin_begin(struct sdw_lockin *lockin, unsigned hops, bool limited);
/* To the next share that is faster; false at the top. */
bool sdw_lockin_climb(struct sdw_lockin *lockin, const struct sdw_aim *aim);
/* Whether the window has seen enough. */
bool sdw_lockin_done(const struct sdw_lockin *lockin, const struct sdw_aim *aim);

double sdw_lockin_rate(const struct sdw_lockin *lockin, const struct sdw_aim *aim);
/* Length of the slots when a window may inject window_bytes. */
int64_t sdw_lockin_length_ns(const struct sdw_lockin *lockin, const struct sdw_aim *aim,
                             int64_t window_bytes);
/* About what an on slot of this rate and length costs. */
int64_t sdw_lockin_bytes(double bps, int64_t length_ns);

/* Plan the load: a constant rate, but for a few packets that go back to back. */
void sdw_lockin_load(struct sdw_plan *plan, int64_t length_ns, double bps);
/* Append the slot's ladders, as many as ttl_rate (packets a second at one router) allows, the time
 * between the slots counted in; evenly spread and jittered. */
void sdw_lockin_ladders(struct sdw_plan *plan, int64_t length_ns, const struct sdw_rungs *rungs,
                        double ttl_rate, struct sdw_rng *rng);

/* Learn from a slot that is not void: level[1..hops] as in net/slotrec.h. */
void sdw_lockin_feed(struct sdw_lockin *lockin, const struct sdw_ticket *ticket,
                     const double *level);
/* A slot of this rate (0: without load) hurt: delay went beyond the guard. No later slot is as fast
 * while slots with load hurt more often than those without, which are as many: then it is the
 * load. */
void sdw_lockin_hurt(struct sdw_lockin *lockin, double bps);

#endif
