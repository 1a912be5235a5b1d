/*
 * The slots of one verdict window, and what they say: which hop's delay follows the sender's own
 * coin, and how much the path still carries.
 *
 * In every pair of slots chance decides which one carries load. Per hop the statistic of a slot is
 * the mean of log1p(d / 100 us), d the delay that hop adds to the hop before inside one ladder:
 * queues of the reverse path and of other hops are in both ends of the difference. Under "load
 * does nothing" the sign of on - off is a coin's, whatever the cross traffic does: hence a
 * randomisation test, Holm's correction over the hops, and, because a test finds effects of 3 us
 * too, a floor for the effect. The bottleneck is the first hop above both. With TTL-scoped load
 * (load_hop) the delay to the far end takes the increment's place, above what it was just before
 * the load where the slots tell it, and the hop where the load died the hop's: the first scope
 * whose load has an effect ends just beyond the tight link.
 *
 * Loss of TTL-expired answers never decides anything: routers drop those as they please.
 *
 * A value: init, add, judge, release. Pure.
 */
#ifndef SDW_MODEL_WINDOW_H
#define SDW_MODEL_WINDOW_H

#include "model/capacity.h"
#include "rec/capacity.h"
#include "rec/path.h"

enum { SDW_WINDOW_HOPS = 255, SDW_WINDOW_SAMPLES = 65536 };

struct sdw_window_rules {
    double alpha;        /* chance of a false verdict a window may take (0.005) */
    double floor_us;     /* effects below are none (300) */
    double delay_weight; /* of the capacity gradient */
    double loss_weight;
    double void_share; /* more void slots than this: the window is void (0.3) */
    unsigned rounds;   /* of randomisation and bootstrap */
    uint64_t seed;
    struct sdw_capacity_rules capacity;
};
extern const struct sdw_window_rules sdw_window_defaults;

/* What one slot shows of one hop (or, scoped, of one load hop). */
struct sdw_sample {
    int64_t slot, pair;
    int hop;         /* or the load hop, when scoped */
    bool on, bad;    /* bad: void */
    double level;    /* the statistic; NAN: no answer */
    double delay_us; /* added by the hop, as the prober saw it; of the far end, all of it */
    double rtt_us;   /* delay above the base; NAN: no answer */
    double rate_bps; /* of the load; NAN: not told */
    double sent, received;
};

struct sdw_window {
    int64_t number, first_ts, last_ts, last_slot;
    struct sdw_sample *samples; /* of the hops */
    size_t n, cap;
    struct sdw_sample *far; /* delay of the far end, slot by slot */
    size_t n_far, cap_far;
    double far_scale_us; /* of its levels */
    struct sdw_slot_sum *slots;
    size_t n_slots, cap_slots;
    size_t first_train; /* index into the path's trains */
    int hops;
    bool scoped, changed; /* changed: the path changed during it */
    bool spread;  /* load spread over whole slots: the schedules lockin, poisson and replay */
    bool narrow;  /* recursive trains: they find the narrow link, whatever is left of it */
    bool one_way; /* the trains' delays are one-way: the far end says when they came */
    char addr[SDW_WINDOW_HOPS + 1][48];
};

void sdw_window_init(struct sdw_window *window, int64_t number);
void sdw_window_release(struct sdw_window *window);
void sdw_window_add(struct sdw_window *window, const struct sdw_slot *slot);
size_t sdw_window_slots(const struct sdw_window *window);

/* The answer. gradients[n_gradients] are the hops in order. Strings are views into the window,
 * into `reason`, or static. */
struct sdw_judgement {
    struct sdw_gradient gradients[SDW_WINDOW_HOPS];
    size_t n_gradients;
    struct sdw_verdict verdict;
    bool live_delay[SDW_WINDOW_HOPS]; /* delay above the floor in off slots too, per gradient */
    char reason[256];
};

/* trains: those of the path, of which the window's own begin at window->first_train. path_id is
 * borrowed by the records. */
void sdw_window_judge(const struct sdw_window *window, const struct sdw_window_rules *rules,
                      const struct sdw_trains *trains, struct sdw_str path_id,
                      struct sdw_judgement *out);

#endif
