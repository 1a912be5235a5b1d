#include "net/route.h"

#include <stdio.h>

#include "core/map.h"

enum {
    FIRST_STEP = 8,   /* TTLs asked at once while the length of the path is unknown */
    QUIET_STEPS = 2,  /* so many steps without any answer end the walk */
    LIMITED_TAIL = 2, /* a limited router is silent in so many last rounds */
    ROUNDS_GAP_NS = 25000000,
    SETTLE_LEAST_NS = 100000000,
};

static const uint64_t id_key = 0x7061746820696421;

static void note(struct sdw_route *route, unsigned hop, unsigned round,
                 const struct sdw_shot_fate *fate)
{
    struct sdw_route_hop *h = &route->hop[hop];
    h->asked++;
    int64_t round_ns = sdw_fate_round_ns(fate);
    if (round_ns < 0)
        return;
    h->heard[round] = true;
    h->round_ns[h->answered++] = round_ns;
    if (round_ns < h->base_ns)
        h->base_ns = round_ns;
    if (sdw_address_family(&h->addr) == AF_UNSPEC)
        h->addr = fate->from;
    int64_t one_way = sdw_fate_one_way_ns(fate);
    if (one_way != INT64_MIN && one_way < route->base_one_way_ns)
        route->base_one_way_ns = one_way;
}

static bool from_destination(const struct sdw_shot_fate *fate, const struct sdw_carrier *carrier)
{
    return fate->kind == SDW_ANSWER_FAR_END || (fate->kind == SDW_ANSWER_UNREACHABLE &&
                                                sdw_address_same_host(&fate->from, &carrier->dst));
}

/* Ask TTLs first..last once; returns how many answered. */
static int step(struct sdw_route *route, unsigned first, unsigned last,
                const struct sdw_run_rules *rules, struct sdw_carrier *carrier, uint32_t *next_id,
                struct sdw_err *err)
{
    struct sdw_plan plan = {0};
    struct sdw_run run = {0};
    struct sdw_rungs rungs = {.hops = SDW_HOPS_MAX};
    for (unsigned ttl = first; ttl <= last; ttl++)
        rungs.wanted[ttl] = true;
    sdw_plan_ladder(&plan, 0, &rungs);
    for (size_t i = 0; i < plan.n; i++) /* no hop is known to be the far end yet */
        plan.shots[i].ttl = plan.shots[i].hop;
    int code = sdw_run(&run, &plan, NULL, rules, carrier, next_id, err);
    route->bytes += run.bytes;
    int answered = 0;
    for (size_t i = 0; code == 0 && i < plan.n; i++) {
        unsigned ttl = plan.shots[i].ttl;
        const struct sdw_shot_fate *fate = &run.fates[i];
        note(route, ttl, 0, fate);
        answered += fate->kind >= 0;
        if (fate->kind >= 0 && from_destination(fate, carrier) && !route->reached) {
            route->reached = true;
            route->hops = ttl;
        } else if (fate->kind >= 0 && !route->reached) {
            route->hops = ttl;
        }
    }
    sdw_plan_release(&plan);
    sdw_run_release(&run);
    return code < 0 ? code : answered;
}

static int walk(struct sdw_route *route, const struct sdw_route_options *options,
                const struct sdw_run_rules *rules, struct sdw_carrier *carrier, uint32_t *next_id,
                struct sdw_err *err)
{
    int quiet = 0;
    for (unsigned ttl = 1; ttl <= options->max_hops && !route->reached && quiet < QUIET_STEPS;
         ttl += FIRST_STEP) {
        unsigned last = ttl + FIRST_STEP - 1;
        last = last < options->max_hops ? last : options->max_hops;
        int answered = step(route, ttl, last, rules, carrier, next_id, err);
        if (answered < 0)
            return answered;
        quiet = answered ? 0 : quiet + 1;
    }
    return 0;
}

/* The further rounds, in one go, slow enough for the routers. */
static int rounds(struct sdw_route *route, const struct sdw_route_options *options,
                  const struct sdw_run_rules *rules, struct sdw_carrier *carrier, uint32_t *next_id,
                  struct sdw_err *err)
{
    struct sdw_plan plan = {0};
    struct sdw_run run = {0};
    struct sdw_rungs rungs = {.hops = route->hops};
    for (unsigned hop = 1; hop <= route->hops; hop++)
        rungs.wanted[hop] = true;
    int64_t gap = (int64_t)(1e9 / options->ttl_rate);
    gap = gap > ROUNDS_GAP_NS ? gap : ROUNDS_GAP_NS;
    for (unsigned round = 1; round < SDW_ROUTE_ROUNDS; round++)
        sdw_plan_ladder(&plan, round * gap, &rungs);
    if (!route->reached) /* the last hop is a router */
        for (size_t i = 0; i < plan.n; i++)
            plan.shots[i].ttl = plan.shots[i].hop;
    int code = sdw_run(&run, &plan, NULL, rules, carrier, next_id, err);
    route->bytes += run.bytes;
    for (size_t i = 0; code == 0 && i < plan.n; i++) {
        const struct sdw_shot_fate *fate = &run.fates[i];
        note(route, plan.shots[i].hop, plan.shots[i].ladder, fate);
        if (plan.shots[i].ttl == SDW_TTL_FAR && fate->far_ttl)
            route->far_ttl = fate->far_ttl;
    }
    sdw_plan_release(&plan);
    sdw_run_release(&run);
    return code;
}

static void judge_limits(struct sdw_route *route)
{
    for (unsigned hop = 1; hop <= route->hops; hop++) {
        struct sdw_route_hop *h = &route->hop[hop];
        bool tail = h->answered > 0;
        for (unsigned i = SDW_ROUTE_ROUNDS - LIMITED_TAIL; i < SDW_ROUTE_ROUNDS; i++)
            tail = tail && !h->heard[i];
        h->limited = tail;
    }
}

static void name(struct sdw_route *route, const struct sdw_carrier *carrier)
{
    uint8_t key[3 + 16 * (SDW_HOPS_MAX + 1)] = {0};
    size_t used = 0, n;
    const uint8_t *bytes = sdw_address_bytes(&carrier->dst, &n);
    uint16_t port = sdw_address_port(&carrier->dst);
    key[used++] = (uint8_t)carrier->protocol[0];
    key[used++] = (uint8_t)(port >> 8);
    key[used++] = (uint8_t)port;
    memcpy(key + used, bytes, n);
    used += 16;
    for (unsigned hop = 1; hop <= route->hops; hop++, used += 16)
        if ((bytes = sdw_address_bytes(&route->hop[hop].addr, &n)))
            memcpy(key + used, bytes, n);
    (void)snprintf(route->id, sizeof route->id, "%016llx",
                   (unsigned long long)sdw_hash(key, used, id_key));
}

int sdw_route_walk(struct sdw_route *route, const struct sdw_route_options *options,
                   struct sdw_carrier *carrier, uint32_t *next_id, struct sdw_err *err)
{
    *route = (struct sdw_route){.base_one_way_ns = INT64_MAX, .far_end = SDW_FAR_NONE};
    for (unsigned hop = 0; hop <= SDW_HOPS_MAX; hop++)
        route->hop[hop].base_ns = INT64_MAX;
    struct sdw_run_rules rules = {.base_one_way_ns = INT64_MAX,
                                  .base_round_ns = INT64_MAX,
                                  .settle_ns = options->patience_ns,
                                  .dscp = options->dscp};
    int code = walk(route, options, &rules, carrier, next_id, err);
    route->far_end = route->reached ? carrier->far_end : SDW_FAR_NONE;
    return code;
}

int sdw_route_survey(struct sdw_route *route, const struct sdw_route_options *options,
                     struct sdw_carrier *carrier, uint32_t *next_id, struct sdw_err *err)
{
    struct sdw_run_rules rules = {.base_one_way_ns = INT64_MAX,
                                  .base_round_ns = INT64_MAX,
                                  .settle_ns = 3 * sdw_route_longest_ns(route),
                                  .dscp = options->dscp};
    if (rules.settle_ns < SETTLE_LEAST_NS)
        rules.settle_ns = SETTLE_LEAST_NS;
    int code = route->hops ? rounds(route, options, &rules, carrier, next_id, err) : 0;
    if (code < 0)
        return code;
    judge_limits(route);
    route->far_end = route->reached ? carrier->far_end : SDW_FAR_NONE;
    name(route, carrier);
    return 0;
}

bool sdw_route_learn(struct sdw_route *route, const struct sdw_plan *plan,
                     const struct sdw_run *run)
{
    bool same = true;
    for (size_t i = 0; i < plan->n; i++) {
        const struct sdw_shot *shot = &plan->shots[i];
        const struct sdw_shot_fate *fate = &run->fates[i];
        if (fate->kind < 0)
            continue;
        bool far = shot->ttl == SDW_TTL_FAR;
        int64_t one_way = sdw_fate_one_way_ns(fate);
        if (far && one_way != INT64_MIN && one_way < route->base_one_way_ns)
            route->base_one_way_ns = one_way;
        if (far && route->far_ttl && fate->far_ttl && fate->far_ttl != route->far_ttl)
            same = false;
        if (shot->load || shot->hop == 0 || shot->hop > route->hops)
            continue;
        struct sdw_route_hop *h = &route->hop[shot->hop];
        if (sdw_address_family(&h->addr) == AF_UNSPEC)
            h->addr = fate->from;
        if (!sdw_address_same_host(&h->addr, &fate->from) ||
            (!far && fate->kind == SDW_ANSWER_FAR_END)) {
            same = false;
            continue;
        }
        int64_t round_ns = sdw_fate_round_ns(fate);
        if (round_ns >= 0 && round_ns < h->base_ns)
            h->base_ns = round_ns;
    }
    return same;
}

/* Whether the two are one host; one that was silent matches any. */
static bool same_hop(const struct sdw_route_hop *a, const struct sdw_route_hop *b)
{
    return sdw_address_family(&a->addr) == AF_UNSPEC || sdw_address_family(&b->addr) == AF_UNSPEC ||
           sdw_address_same_host(&a->addr, &b->addr);
}

bool sdw_route_same(const struct sdw_route *a, const struct sdw_route *b)
{
    if (a->hops != b->hops || a->reached != b->reached)
        return false;
    for (unsigned hop = 1; hop <= a->hops; hop++)
        if (!same_hop(&a->hop[hop], &b->hop[hop]))
            return false;
    return true;
}

bool sdw_route_shy(const struct sdw_route *known, const struct sdw_route *walked)
{
    if (!known->reached || known->far_end < SDW_FAR_ECHO ||
        (walked->reached && walked->hops <= known->hops))
        return false;
    for (unsigned hop = 1; hop <= walked->hops; hop++)
        if (!same_hop(&known->hop[hop < known->hops ? hop : known->hops], &walked->hop[hop]))
            return false;
    return true;
}

int64_t sdw_route_longest_ns(const struct sdw_route *route)
{
    int64_t longest = 0;
    for (unsigned hop = 1; hop <= route->hops; hop++)
        if (route->hop[hop].base_ns != INT64_MAX && route->hop[hop].base_ns > longest)
            longest = route->hop[hop].base_ns;
    return longest;
}

bool sdw_route_limited(const struct sdw_route *route)
{
    for (unsigned hop = 1; hop <= route->hops; hop++)
        if (route->hop[hop].limited)
            return true;
    return false;
}

bool sdw_route_far_limited(const struct sdw_route *route)
{
    bool limited = route->far_end == SDW_FAR_ECHO && route->hop[route->hops].limited;
    return route->reached && (limited || route->far_end > SDW_FAR_ECHO);
}
