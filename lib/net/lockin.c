#include "net/lockin.h"

#include <math.h>

#include "core/sign_flip.h"

enum {
    MS = 1000000,
    SHORTEST_NS = 10 * MS,
    LADDERS_LEAST = 2,
    LADDERS_MOST = 16,
    BURST = 3, /* packets back to back, of so many: they show the capacity of the tight link */
    BURST_EVERY = 24,
    PAIRS_TOP = 8,      /* at the top, before it is said that nothing happens */
    PAIRS_LIMITED = 15, /* five of a hop that is asked in every third pair */
};

/* Shares of what is available, the longest slot, and the pairs after which the climb goes on when
 * nothing happens. What is available is known roughly, and with bursts in the cross traffic hardly:
 * the last steps are certain to reach it, in slots too short to build a long queue. */
static const struct {
    double share;
    int64_t longest_ns;
    unsigned least;
} steps[] = {{0.05, 100 * MS, 3}, {0.1, 100 * MS, 3}, {0.2, 100 * MS, 3},
             {0.4, 100 * MS, 3},  {0.8, 200 * MS, 4}, {1.15, 60 * MS, 4},
             {1.5, 30 * MS, 4},   {2.1, 20 * MS, 4},  {3, 15 * MS, PAIRS_TOP}};

static const double full_share = 0.8; /* slots of lower shares are not longer than this one's */
static const double alpha = 0.005, floor_us = 300, scale_us = 100; /* as in model/window.h */
/* p-values beyond which nothing is to be expected: of a step, in terms of the least that so many
 * pairs can reach, for a faster one will show it sooner; of the last. */
static const double promising = 2, promising_top = 0.25;
static const double retreat = 0.7; /* of a rate that hurt */

void sdw_lockin_begin(struct sdw_lockin *lockin, unsigned hops, bool limited)
{
    struct sdw_lockin fresh = {
        .step = lockin->step, .hops = hops, .limited = limited, .ceiling_bps = lockin->ceiling_bps};
    memcpy(fresh.hurt, lockin->hurt, sizeof fresh.hurt);
    *lockin = fresh;
}

static double rate_of(unsigned step, const struct sdw_aim *aim)
{
    return fmin(steps[step].share * aim->available_bps, aim->max_bps);
}

/* Whether nothing faster follows. */
static bool at_top(const struct sdw_lockin *lockin, const struct sdw_aim *aim)
{
    return lockin->ceiling_bps > 0 || lockin->step + 1 >= SDW_LEN(steps) ||
           rate_of(lockin->step + 1, aim) <= rate_of(lockin->step, aim);
}

bool sdw_lockin_climb(struct sdw_lockin *lockin, const struct sdw_aim *aim)
{
    if (at_top(lockin, aim))
        return false;
    lockin->step++;
    return true;
}

double sdw_lockin_rate(const struct sdw_lockin *lockin, const struct sdw_aim *aim)
{
    double bps = rate_of(lockin->step, aim);
    return lockin->ceiling_bps > 0 ? fmin(bps, retreat * lockin->ceiling_bps) : bps;
}

int64_t sdw_lockin_length_ns(const struct sdw_lockin *lockin, const struct sdw_aim *aim,
                             int64_t window_bytes)
{
    double full = fmin(full_share * aim->available_bps, aim->max_bps);
    double bps = fmax(full, sdw_lockin_rate(lockin, aim));
    double ns = bps > 0 ? (double)window_bytes / SDW_LOCKIN_SLOT_SHARE * 8 / bps * 1e9 : INFINITY;
    int64_t longest = steps[lockin->step].longest_ns;
    return ns >= (double)longest ? longest : ns <= SHORTEST_NS ? SHORTEST_NS : (int64_t)ns;
}

int64_t sdw_lockin_bytes(double bps, int64_t length_ns)
{
    return (int64_t)(bps / 8 * (double)length_ns / 1e9);
}

void sdw_lockin_load(struct sdw_plan *plan, int64_t length_ns, double bps)
{
    sdw_plan_constant(plan, 0, length_ns, bps, sdw_load_bytes(bps), SDW_TTL_FAR);
    for (size_t i = 0; i < plan->n; i++)
        if (i % BURST_EVERY >= BURST_EVERY - BURST + 1)
            plan->shots[i].at_ns = plan->shots[i - 1].at_ns;
}

void sdw_lockin_ladders(struct sdw_plan *plan, int64_t length_ns, const struct sdw_rungs *rungs,
                        double ttl_rate, struct sdw_rng *rng)
{
    double allowed = ttl_rate * (double)(length_ns + SDW_LOCKIN_APART_NS) / 1e9;
    int64_t n = allowed < LADDERS_LEAST  ? LADDERS_LEAST
                : allowed > LADDERS_MOST ? LADDERS_MOST
                                         : (int64_t)allowed;
    int64_t gap = length_ns / n;
    /* The first ladder waits for the load to take effect. */
    for (int64_t i = 0; i < n; i++)
        sdw_plan_ladder(plan, i * gap + gap / 2 + (int64_t)sdw_rng_below(rng, (uint64_t)gap / 2),
                        rungs);
}

/* The value whose mean logarithm is level, in us. */
static double value_us(double level)
{
    return scale_us * expm1(level);
}

/* p-value of the hop; 1 where load adds less than the floor. */
static double p_of(const struct sdw_lockin_hop *hop)
{
    if (hop->n == 0 || value_us(hop->on / hop->n) - value_us(hop->off / hop->n) < floor_us)
        return 1;
    return sdw_sign_flip(hop->difference, hop->n, 0, 0);
}

static double least_p(const struct sdw_lockin *lockin)
{
    double least = 1;
    for (unsigned hop = 1; hop <= lockin->hops; hop++)
        least = fmin(least, p_of(&lockin->hop[hop]));
    return least;
}

bool sdw_lockin_done(const struct sdw_lockin *lockin, const struct sdw_aim *aim)
{
    bool top = at_top(lockin, aim);
    unsigned least = top ? PAIRS_TOP : steps[lockin->step].least;
    double bound = top ? promising_top : promising * sdw_sign_flip_least(lockin->pairs, 0);
    return lockin->found || lockin->pairs >= SDW_LOCKIN_PAIRS ||
           (lockin->pairs >= least && least_p(lockin) > bound);
}

static void close_pair(struct sdw_lockin *lockin, const double *on, const double *off)
{
    if (lockin->pairs >= SDW_LOCKIN_PAIRS)
        return;
    lockin->pairs++;
    for (unsigned i = 1; i <= lockin->hops; i++) {
        struct sdw_lockin_hop *hop = &lockin->hop[i];
        if (isnan(on[i]) || isnan(off[i]))
            continue;
        hop->difference[hop->n++] = on[i] - off[i];
        hop->on += on[i];
        hop->off += off[i];
    }
    unsigned enough = lockin->limited ? PAIRS_LIMITED : 1;
    /* For the number of hops: the first of them has to pass Holm's correction. */
    lockin->found = lockin->pairs >= enough && least_p(lockin) * lockin->hops <= alpha;
}

void sdw_lockin_feed(struct sdw_lockin *lockin, const struct sdw_ticket *ticket,
                     const double *level)
{
    struct sdw_lockin_half *half = &lockin->halves[ticket->pair % SDW_LEN(lockin->halves)];
    if (half->filled && half->pair == ticket->pair && half->on != ticket->on) {
        close_pair(lockin, ticket->on ? level : half->level, ticket->on ? half->level : level);
        half->filled = false;
        return;
    }
    *half = (struct sdw_lockin_half){.pair = ticket->pair, .filled = true, .on = ticket->on};
    memcpy(half->level, level, sizeof half->level);
}

void sdw_lockin_hurt(struct sdw_lockin *lockin, double bps)
{
    lockin->hurt[bps > 0]++;
    if (bps > 0 && (lockin->ceiling_bps == 0 || bps < lockin->ceiling_bps))
        lockin->ceiling_bps = bps;
    if (lockin->hurt[true] <= lockin->hurt[false]) /* bursts of others do as much */
        lockin->ceiling_bps = 0;
}
