#include "net/plan.h"

#include <math.h>
#include <stdlib.h>

#include "core/mem.h"

enum { NS_PER_S = 1000000000 };

void sdw_plan_clear(struct sdw_plan *plan)
{
    plan->n = 0;
    plan->ladders = 0;
}

void sdw_plan_release(struct sdw_plan *plan)
{
    free(plan->shots);
    *plan = (struct sdw_plan){0};
}

static void add(struct sdw_plan *plan, struct sdw_shot shot)
{
    SDW_GROW(plan->shots, plan->cap, plan->n + 1);
    plan->shots[plan->n++] = shot;
}

static void add_load(struct sdw_plan *plan, int64_t at_ns, uint16_t ip_bytes, uint8_t ttl)
{
    add(plan, (struct sdw_shot){.at_ns = at_ns, .ip_bytes = ip_bytes, .ttl = ttl, .load = true});
}

static void add_marker(struct sdw_plan *plan, int64_t at_ns, unsigned hop, unsigned hops)
{
    add(plan, (struct sdw_shot){.at_ns = at_ns,
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

static double chirp_rate(const struct sdw_chirp_shape *shape, unsigned i)
{
    double share = (double)i / (shape->packets - 1);
    return shape->low_bps * pow(shape->high_bps / shape->low_bps, share);
}

/* Whether packet i follows its predecessor back to back. */
static bool second_of_pair(const struct sdw_chirp_shape *shape, unsigned i)
{
    unsigned half = shape->packets / 2, rest = shape->packets - half;
    for (unsigned k = 0; k < shape->pairs; k++)
        if (i == half + (2 * k + 1) * rest / (2 * shape->pairs))
            return true;
    return false;
}

/* The time of each packet after the first; a packet that follows back to back leaves its gap to
 * the next one, so that the mean rate stays that of the chirp. */
static int64_t chirp_walk(struct sdw_plan *plan, int64_t at_ns, const struct sdw_chirp_shape *shape,
                          uint8_t ttl)
{
    int64_t owed = 0;
    for (unsigned i = 0; i < shape->packets; i++) {
        int64_t gap = gap_ns(shape->ip_bytes, chirp_rate(shape, i));
        if (i > 0 && second_of_pair(shape, i))
            owed += gap;
        else if (i > 0) {
            at_ns += gap + owed;
            owed = 0;
        }
        if (plan)
            add_load(plan, at_ns, shape->ip_bytes, ttl);
    }
    return at_ns;
}

int64_t sdw_chirp_length_ns(const struct sdw_chirp_shape *shape)
{
    return chirp_walk(NULL, 0, shape, 0);
}

int64_t sdw_plan_chirp(struct sdw_plan *plan, int64_t at_ns, const struct sdw_chirp_shape *shape,
                       uint8_t load_ttl)
{
    return chirp_walk(plan, at_ns, shape, load_ttl) + gap_ns(shape->ip_bytes, shape->high_bps);
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

void sdw_plan_order(struct sdw_rng *rng, bool *order, size_t pairs)
{
    for (size_t i = 0; i < pairs; i += 4) {
        size_t n = pairs - i < 4 ? pairs - i : 4;
        for (size_t j = 0; j < n; j++)
            order[i + j] = j % 2 == 0;
        for (size_t j = n - 1; j > 0; j--) {
            size_t other = i + (size_t)sdw_rng_below(rng, j + 1);
            bool kept = order[i + j];
            order[i + j] = order[other];
            order[other] = kept;
        }
    }
}
