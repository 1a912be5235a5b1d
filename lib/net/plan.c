#include "net/plan.h"

#include <stdlib.h>

#include "core/mem.h"

enum { NS_PER_S = 1000000000 };

void sdw_plan_clear(struct sdw_plan *plan)
{
    plan->n = 0;
    plan->ladders = 0;
    plan->lead = 0;
}

void sdw_plan_release(struct sdw_plan *plan)
{
    free(plan->shots);
    *plan = (struct sdw_plan){0};
}

void sdw_plan_add(struct sdw_plan *plan, const struct sdw_shot *shot)
{
    SDW_GROW(plan->shots, plan->cap, plan->n + 1);
    plan->shots[plan->n++] = *shot;
}

static void add_load(struct sdw_plan *plan, int64_t at_ns, uint16_t ip_bytes, uint8_t ttl)
{
    sdw_plan_add(
        plan, &(struct sdw_shot){.at_ns = at_ns, .ip_bytes = ip_bytes, .ttl = ttl, .load = true});
}

static void add_marker(struct sdw_plan *plan, int64_t at_ns, unsigned hop, unsigned hops)
{
    sdw_plan_add(plan, &(struct sdw_shot){.at_ns = at_ns,
                                          .ttl = hop == hops ? SDW_TTL_FAR : (uint8_t)hop,
                                          .hop = (uint8_t)hop,
                                          .ladder = plan->ladders});
}

static int64_t gap_ns(uint16_t ip_bytes, double bps)
{
    return (int64_t)(ip_bytes * 8.0 / bps * NS_PER_S);
}

uint16_t sdw_load_bytes(double bps)
{
    const double packet_s = 0.0008;
    double bytes = bps * packet_s / 8;
    if (bytes < SDW_LOAD_BYTES_MIN)
        return SDW_LOAD_BYTES_MIN;
    return bytes > SDW_LOAD_BYTES_MAX ? SDW_LOAD_BYTES_MAX : (uint16_t)bytes;
}

void sdw_plan_ladder(struct sdw_plan *plan, int64_t at_ns, const struct sdw_rungs *rungs)
{
    plan->ladders++;
    for (unsigned hop = 1; hop <= rungs->hops; hop++)
        if (rungs->wanted[hop])
            add_marker(plan, at_ns, hop, rungs->hops);
}

void sdw_plan_constant(struct sdw_plan *plan, int64_t from_ns, int64_t to_ns, double bps,
                       uint16_t ip_bytes, uint8_t load_ttl)
{
    int64_t gap = gap_ns(ip_bytes, bps);
    for (int64_t at = from_ns; at < to_ns; at += gap)
        add_load(plan, at, ip_bytes, load_ttl);
}

void sdw_plan_poisson(struct sdw_plan *plan, int64_t from_ns, int64_t to_ns, double bps,
                      uint16_t ip_bytes, uint8_t load_ttl, struct sdw_rng *rng)
{
    double mean_ns = ip_bytes * 8.0 / bps * NS_PER_S;
    for (double at = (double)from_ns + sdw_rng_exponential(rng, mean_ns); at < (double)to_ns;
         at += sdw_rng_exponential(rng, mean_ns))
        add_load(plan, (int64_t)at, ip_bytes, load_ttl);
}

void sdw_plan_train(struct sdw_plan *plan, int64_t at_ns, unsigned packets, uint16_t ip_bytes,
                    const struct sdw_rungs *rungs)
{
    sdw_plan_ladder(plan, at_ns, rungs);
    for (unsigned i = 0; i < packets; i++)
        add_load(plan, at_ns, ip_bytes, SDW_TTL_FAR);
    plan->ladders++;
    for (unsigned hop = rungs->hops; hop >= 1; hop--)
        if (rungs->wanted[hop])
            add_marker(plan, at_ns, hop, rungs->hops);
}

void sdw_plan_sort(struct sdw_plan *plan)
{
    for (size_t i = 1; i < plan->n; i++) {
        struct sdw_shot shot = plan->shots[i];
        size_t j = i;
        for (; j > 0 && plan->shots[j - 1].at_ns > shot.at_ns; j--)
            plan->shots[j] = plan->shots[j - 1];
        plan->shots[j] = shot;
    }
}
