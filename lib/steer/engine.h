/*
 * What shadow-steer knows while it runs. The files of this room share it:
 *   input  turns records into sights and signals      decide  turns these into shifts
 *   apply  journals a shift and carries it out         load    samples the head-end's counters
 *   join   finds who is concerned by a record          say     hands records to the output
 *   ask    weighs load, room and doubts of a unit      layout  makes the members of its group
 *   now    sets the time, and sees a clock that steps
 *   session starts, reconciles with the kernel, ends   loop    waits for all of it at once
 */
#ifndef SDW_STEER_ENGINE_H
#define SDW_STEER_ENGINE_H

#include "core/map.h"
#include "steer/back.h"
#include "steer/guard.h"
#include "steer/guardian.h"
#include "steer/journal.h"
#include "steer/ledger.h"
#include "steer/plan.h"
#include "steer/policy.h"
#include "steer/routes.h"
#include "steer/sight.h"
#include "steer/state.h"
#include "sys/link.h"

enum sdw_steer_policy { SDW_POLICY_EXCESS, SDW_POLICY_SEED };

struct sdw_steer_options {
    bool apply, replay;
    int policy;                     /* enum sdw_steer_policy */
    double limit_share;             /* keep each way's load below this part of what is usable */
    double enter_share;             /* a verdict above this is pressure by itself */
    double leave_share;             /* go back only below this */
    double headroom;                /* load counts times this */
    double act_p;                   /* a breach counts from this probability */
    double least_share, step_share; /* least to move; one step back */
    double max_loss, blast_share;
    int64_t act_within_us, lookahead_us, fresh_us, max_age_us, dwell_us, hold_us, cycle_us;
    int64_t window_us, windows; /* confirmation: seen healthy within windows * window_us */
    int64_t max_changes;        /* a minute */
    int64_t grace_us;           /* what a successor has to take over before the guardian acts */
    const char *state_dir;
};

/* An interface and its counters. */
struct sdw_steer_dev {
    char name[16];
    int ifindex; /* 0: not found */
    bool carrier;
    uint64_t tx_bytes, rx_bytes;
    int64_t sampled_us;    /* 0: never */
    double tx_bps, rx_bps; /* NAN until sampled twice */
    double weight;         /* of the units whose load it tells */
    unsigned ways;         /* of all units, that go by it */
};

/* Our load by the name of a way: of all units, and of those that know nothing of its path. */
struct sdw_named_own {
    struct sdw_own all, unseen;
};

enum { SDW_LOADS = 12 };

/* A unit while it is steered. Times are 0 for "never". */
struct sdw_steer_run {
    const struct sdw_steer_unit *unit;
    const struct sdw_back *back;
    enum sdw_unit_state state;
    int64_t slot;
    bool armed, frozen, failed;
    enum sdw_order order; /* that was obeyed last */
    bool differs;         /* failed because the routes are not those of the plan */
    char digest[24];      /* of its routes when it was armed */
    uint64_t intent;      /* of arming it: its number in the journal; 0: none */
    unsigned refusals;    /* by the kernel, in a row */
    int set;              /* of next hops that its group uses; -1: not known */
    double share[SDW_WAYS_MAX];
    bool up[SDW_WAYS_MAX]; /* the primary: while any of its hops is */
    bool hop_up[SDW_FIB_HOPS];
    struct sdw_steer_dev *dev[SDW_WAYS_MAX], *hop_dev[SDW_FIB_HOPS], *load_dev;
    struct sdw_sight *sight[SDW_WAYS_MAX]; /* NULL: nothing is known of that path */
    struct sdw_named_own *named[SDW_WAYS_MAX];
    double part[SDW_WAYS_MAX];       /* of the load, as far as an interface tells; else the share */
    double others_bps[SDW_WAYS_MAX]; /* what its interface carries that is not ours; NAN */
    double load[SDW_LOADS];          /* last samples of the unit's load, bit/s */
    uint64_t loads;
    int64_t changed_us;   /* last change of shares */
    int64_t forward_us;   /* last change away from the primary */
    int64_t pressed_us;   /* last reason to be away */
    int64_t good_us;      /* since when it could go back */
    int64_t well_us;      /* last time the new path was seen healthy */
    int64_t stepped_us;   /* last step back */
    int64_t recovered_us; /* last word that the primary is well again */
    int64_t tried_us;     /* last attempt to arm */
    bool confirmed;
    struct sdw_guard_hold hold;
    char held_guard[24];
    int64_t held_us, alerted_us;
};

struct sdw_steer_counts {
    int64_t changes, moves, held, alerts, requests, rejected, lost;
};

struct sdw_steer {
    struct sdw_steer_options options;
    struct sdw_steer_plan plan;
    struct sdw_steer_run *run; /* run[plan.n] */
    size_t away;               /* units that are not altogether on their primary */
    struct sdw_steer_dev **dev;
    size_t n_dev, dev_cap;
    struct sdw_map sights;   /* path id, or destination of its probes -> struct sdw_sight */
    struct sdw_map watchers; /* key -> struct sdw_watch_list */
    struct sdw_map named;    /* name of a way -> struct sdw_named_own */
    struct sdw_guard_rate rate;
    struct sdw_routes routes;
    bool routes_changed;
    bool has_netlink; /* false: a dry run where netlink is not to be had */
    struct sdw_netlink netlink, notices;
    struct sdw_journal journal;
    struct sdw_ledger ledger;
    struct sdw_guardian guardian;
    struct sdw_orders orders;
    int lock;                 /* of the state directory; -1: none */
    int netns_lock;           /* of the network namespace; -1: none */
    int64_t now_us;           /* wall clock, or record time in a replay */
    int64_t newest_us;        /* newest record time */
    int64_t wall_us, mono_ns; /* what both clocks said when now_us was set; kept by now */
    int64_t ticked_us, verified_us;
    int64_t unsynced_us; /* when it was last said that the journal could not be synced */
    int64_t line_ns;     /* monotonic time at which the current line was read; 0: none */
    uint64_t line;
    struct sdw_steer_counts counts;
    struct sdw_arena arena; /* of the current record */
    void (*say)(void *arg, struct sdw_str record);
    void *say_arg;
    struct sdw_buf out;
};

/* Units a record concerns, by key. way: 0.. the way that the key names, SDW_WAYS_MAX for a key of
 * `watch` that names none. */
struct sdw_watcher {
    struct sdw_steer_run *run;
    size_t way;
};
struct sdw_watch_list {
    struct sdw_watcher *watcher;
    size_t n, cap;
};

#endif
