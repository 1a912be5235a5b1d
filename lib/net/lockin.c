#include "net/lockin.h"

#include <math.h>

enum {
    MS = 1000000,
    LADDER_NS = 40 * MS,
    PAIRS_LEAST = 8,
};

static const double shares[] = {0.05, 0.1, 0.2, 0.4, 0.8};
static const double effect_least_us = 300;

void sdw_lockin_begin(struct sdw_lockin *lockin, unsigned hops)
{
    *lockin = (struct sdw_lockin){.step = lockin->step, .hops = hops};
    for (unsigned hop = 0; hop <= SDW_HOPS_MAX; hop++)
        lockin->on[hop] = lockin->off[hop] = NAN;
}

bool sdw_lockin_climb(struct sdw_lockin *lockin)
{
    if (lockin->step + 1 >= SDW_LEN(shares))
        return false;
    lockin->step++;
    return true;
}

double sdw_lockin_rate(const struct sdw_lockin *lockin, const struct sdw_aim *aim)
{
    double bps = shares[lockin->step] * aim->available_bps;
    return bps < aim->max_bps ? bps : aim->max_bps;
}

int64_t sdw_lockin_bytes(double bps)
{
    return (int64_t)(bps / 8 * SDW_LOCKIN_NS / 1e9);
}

void sdw_lockin_plan(struct sdw_plan *plan, double bps, bool poisson, const struct sdw_rungs *rungs,
                     double ttl_rate, struct sdw_rng *rng)
{
    int64_t gap = (int64_t)(1e9 / ttl_rate);
    gap = gap > LADDER_NS ? gap : LADDER_NS;
    if (bps > 0 && poisson)
        sdw_plan_poisson(plan, 0, SDW_LOCKIN_NS, bps, sdw_load_bytes(bps), SDW_TTL_FAR, rng);
    else if (bps > 0)
        sdw_plan_constant(plan, 0, SDW_LOCKIN_NS, bps, sdw_load_bytes(bps), SDW_TTL_FAR);
    /* The first ladder waits for the load to take effect. */
    for (int64_t at = gap / 2; at < SDW_LOCKIN_NS; at += gap)
        sdw_plan_ladder(plan, at + (int64_t)sdw_rng_below(rng, (uint64_t)gap / 4), rungs);
    sdw_plan_sort(plan);
}

/* Mean delay of a hop's markers minus that of the hop in front, in us; NAN: nothing came back. */
static double added_us(unsigned hop, const struct sdw_route *route, const struct sdw_plan *plan,
                       const struct sdw_run *run)
{
    double sum[2] = {0};
    unsigned n[2] = {0};
    for (size_t i = 0; i < plan->n; i++) {
        const struct sdw_shot *shot = &plan->shots[i];
        int64_t round_ns = sdw_fate_round_ns(&run->fates[i]);
        if (shot->load || round_ns < 0 || (shot->hop != hop && shot->hop + 1u != hop))
            continue;
        unsigned own = shot->hop == hop;
        sum[own] += (double)(round_ns - route->hop[shot->hop].base_ns) / 1e3;
        n[own]++;
    }
    if (n[1] == 0)
        return NAN;
    return sum[1] / n[1] - (n[0] ? sum[0] / n[0] : 0);
}

static void close_pair(struct sdw_lockin *lockin)
{
    lockin->pairs++;
    for (unsigned hop = 1; hop <= lockin->hops; hop++) {
        double effect = lockin->on[hop] - lockin->off[hop];
        if (!isnan(effect)) {
            lockin->above[hop] += effect > 0;
            lockin->effect_us[hop] += effect;
        }
        lockin->on[hop] = lockin->off[hop] = NAN;
        if (lockin->pairs >= PAIRS_LEAST && lockin->above[hop] + 1 >= lockin->pairs &&
            lockin->effect_us[hop] / lockin->pairs >= effect_least_us)
            lockin->found = true;
    }
}

void sdw_lockin_feed(struct sdw_lockin *lockin, bool on, enum sdw_stop stop,
                     const struct sdw_route *route, const struct sdw_plan *plan,
                     const struct sdw_run *run)
{
    double *side = on ? lockin->on : lockin->off;
    bool other_done = false;
    for (unsigned hop = 1; hop <= lockin->hops; hop++) {
        other_done = other_done || !isnan(on ? lockin->off[hop] : lockin->on[hop]);
        side[hop] = added_us(hop, route, plan, run);
    }
    if (other_done)
        close_pair(lockin);
    if (on && stop != SDW_STOP_NONE)
        lockin->found = true;
}
