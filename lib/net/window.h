/*
 * The order of the slots in a verdict window: pairs of one on and one off slot, which of the two
 * comes first decided by lot, so that what the network does by itself falls on both alike. Pure.
 */
#ifndef SDW_NET_WINDOW_H
#define SDW_NET_WINDOW_H

#include "core/base.h"
#include "core/rng.h"

enum { SDW_PAIRS_MAX = 512 };

enum sdw_window_kind {
    SDW_WINDOW_PLAIN,
    /* Some routers give about one ICMP answer a second: two slots of every six ask them, and
     * those are a pair of their own; the other four are two pairs that leave them out. */
    SDW_WINDOW_LIMITED,
    /* The load of pair i dies at hop i modulo the number of hops. */
    SDW_WINDOW_SCOPED,
};

struct sdw_ticket {
    unsigned slot, pair;
    bool on;
    bool limited;      /* ask also the routers that limit ICMP */
    unsigned load_hop; /* scoped: where the load dies; 0: at the far end */
};

struct sdw_window {
    enum sdw_window_kind kind;
    unsigned hops, slots, wanted, most; /* slots given out; slots in all; at most */
    bool on_first[SDW_PAIRS_MAX];
};

/* pairs 1..SDW_PAIRS_MAX; for LIMITED rounded up to threes. */
void sdw_window_begin(struct sdw_window *window, enum sdw_window_kind kind, unsigned pairs,
                      unsigned hops, struct sdw_rng *rng);
/* The next slot; false when the window is complete. */
bool sdw_window_next(struct sdw_window *window, struct sdw_ticket *ticket);
/* A slot was void: one pair more, up to an eighth of what was asked for. LIMITED and SCOPED
 * windows keep their length: their patterns are long as it is. */
void sdw_window_extend(struct sdw_window *window);

#endif
