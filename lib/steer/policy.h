/*
 * How much to move, and where to: arithmetic only. Shares are of the unit's traffic and add up to
 * 1; way 0 is the primary.
 */
#ifndef SDW_STEER_POLICY_H
#define SDW_STEER_POLICY_H

#include "steer/unit.h"

/* The kernel's weights are whole numbers: shares are multiples of 1/200. */
enum { SDW_SHARE_STEPS = 200 };

struct sdw_policy_ask {
    size_t n;                      /* ways */
    double share[SDW_WAYS_MAX];    /* as they are */
    double load_bps;               /* of the unit, an upper estimate, above 0 */
    double excess_bps;             /* to be taken off the primary; INFINITY: all of it */
    double least_share;            /* move no less than this once anything moves */
    bool usable[SDW_WAYS_MAX];     /* verified, and nothing speaks against it */
    double room_bps[SDW_WAYS_MAX]; /* load that each may take on top of what it has */
};

struct sdw_policy_answer {
    double share[SDW_WAYS_MAX];
    double moved_bps;   /* load that changes its way */
    double missing_bps; /* what no shadow had room for */
};

/* Moves only the excess, to the shadows in order of preference, each filled to its room. When all
 * must go (the primary is dead), what finds no room follows in proportion to the room. */
void sdw_policy_excess(const struct sdw_policy_ask *ask, struct sdw_policy_answer *answer);

/* The seed's rule: min(50, max(10, (prediction + anomaly) * 10)) per cent of the unit, split
 * evenly over the usable shadows, never beyond their room. Severities are 0..5. */
void sdw_policy_seed(const struct sdw_policy_ask *ask, double prediction, double anomaly,
                     struct sdw_policy_answer *answer);

/* One step back: the shadows give `step` (a share) to the primary, in proportion. */
void sdw_policy_return(const struct sdw_policy_ask *ask, double step,
                       struct sdw_policy_answer *answer);

/* Whole weights for a next-hop group that add up to sum: weight[n] for share[n]. A share above 0
 * gets at least 1. */
void sdw_share_weights(const double *share, size_t n, unsigned sum, unsigned *weight);

#endif
