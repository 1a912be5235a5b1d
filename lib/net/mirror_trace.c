#include "net/mirror_book.h"

#include <stdlib.h>

#include "core/clock.h"

enum {
    PATIENCE_NS = 400000000, /* for the answer of a router */
    NOTHING = 4,             /* traces without any answer, after which the wait grows no more */
};

static const int64_t met_for_ns = INT64_C(60000000000); /* that routers get more is remembered */

#define SECOND_NS INT64_C(1000000000)

static void ask(struct sdw_mirror_flight *f, unsigned ttl, int64_t now_ns)
{
    struct sdw_shot shot = {.ttl = (uint8_t)ttl, .hop = (uint8_t)ttl};
    sdw_flight_add(&f->flight, &shot, now_ns);
    f->top = ttl;
    f->asked_ns = now_ns;
}

/* As many TTLs as may be asked beyond the last router that answered. */
static void ask_on(const struct sdw_mirror *mirror, struct sdw_mirror_flight *f, int64_t now_ns)
{
    unsigned most = (unsigned)mirror->config.max_hops;
    while (!f->known && !f->far && f->top < f->reach + SDW_MIRROR_BEYOND && f->top < most)
        ask(f, f->top + 1, now_ns);
}

static void begin(struct sdw_mirror *mirror, struct sdw_mirror_flight *f, int64_t now_ns)
{
    struct sdw_mirror_goal *goal = sdw_mirror_goal(mirror, &f->tuple, true);
    struct sdw_run_rules rules = {
        .base_round_ns = INT64_MAX, .base_one_way_ns = INT64_MAX, .settle_ns = PATIENCE_NS};
    mirror->counts.traces++;
    f->shadow->tracing = true;
    f->path = NULL;
    f->top = f->reach = f->far = 0;
    f->known = !f->carrier && goal->path;
    goal->traces++;
    sdw_plan_clear(&f->flight.plan);
    sdw_flight_begin(&f->flight, &rules, NULL, 0, now_ns);
}

/* Inside a tunnel there is nothing between its ends: one packet to the far one. */
static int trace_inside(struct sdw_mirror *mirror, struct sdw_shadow *shadow, int64_t now_ns,
                        struct sdw_err *err)
{
    const struct sdw_carrier *carrier = sdw_mirror_inside_carrier(mirror->inside);
    struct sdw_shot shot = {.ttl = SDW_TTL_FAR, .hop = 1};
    int64_t bytes = sdw_mirror_inside_bytes(mirror->inside, carrier->min_ip_bytes);
    if (sdw_budget_wait_ns(mirror->config.budget, bytes, now_ns) > 0)
        return 0;
    struct sdw_mirror_flight *f = sdw_mirror_flight(mirror, shadow, bytes, err);
    if (!f)
        return err->code;
    begin(mirror, f, now_ns);
    sdw_flight_add(&f->flight, &shot, now_ns);
    return 1;
}

/* Packets that one router may get of a trace. */
static size_t meets(const struct sdw_mirror *mirror, int64_t now_ns)
{
    return mirror->met_most && now_ns - mirror->met_ns < met_for_ns ? mirror->met_most : 1;
}

size_t sdw_mirror_traced_lately(const struct sdw_mirror *mirror, int64_t now_ns)
{
    size_t n = sdw_gate_used(&mirror->traced, now_ns);
    for (size_t i = 0; mirror->n_flights && i < SDW_MIRROR_FLIGHTS; i++) {
        const struct sdw_mirror_flight *f = &mirror->flights[i];
        n += f->serial && !f->path && !f->carrier;
    }
    return n * meets(mirror, now_ns);
}

/* Whether one trace more may meet any router: those where nothing but ladders and traces expire get
 * no more than there are of these. */
static bool may_meet_all(const struct sdw_mirror *mirror, int64_t now_ns)
{
    size_t traces = sdw_mirror_traced_lately(mirror, now_ns) + meets(mirror, now_ns);
    bool may = sdw_gate_allows(&mirror->ladders, traces, now_ns);
    for (size_t i = 0; i < SDW_MIRROR_LOADED && may; i++)
        may = !mirror->loaded[i] || sdw_gate_allows(&mirror->loaded[i]->gate, traces, now_ns);
    return may;
}

int sdw_mirror_trace(struct sdw_mirror *mirror, struct sdw_shadow *shadow, int64_t now_ns,
                     struct sdw_err *err)
{
    if (sdw_shadow_inside(shadow))
        return trace_inside(mirror, shadow, now_ns, err);
    const struct sdw_mirror_goal *goal = sdw_mirror_goal(mirror, &shadow->tuple, true);
    int64_t bytes = mirror->config.max_hops * SDW_MIRROR_MARKER; /* each TTL is asked once */
    if (!may_meet_all(mirror, now_ns) ||
        sdw_budget_wait_ns(mirror->config.budget, bytes, now_ns) > 0)
        return 0;
    struct sdw_mirror_flight *f = sdw_mirror_flight(mirror, shadow, bytes, err);
    if (!f)
        return err->code;
    begin(mirror, f, now_ns);
    unsigned hops = goal->path ? goal->path->route.hops : 0;
    for (unsigned ttl = 1; ttl <= hops; ttl++)
        ask(f, ttl, now_ns);
    ask_on(mirror, f, now_ns);
    return 1;
}

/* Where packets go round in a circle: the TTL at which a router answered again that had answered
 * one before its neighbour's. 0: nowhere. Neighbours may be one, where a router lets packets of TTL
 * 0 pass. */
static unsigned find_circle(const struct sdw_mirror_flight *f, size_t shot)
{
    const struct sdw_plan *plan = &f->flight.plan;
    const struct sdw_shot_fate *fates = f->flight.run.fates;
    unsigned ttl = plan->shots[shot].ttl, first = 0;
    for (size_t i = 0; i < plan->n; i++) {
        unsigned other = plan->shots[i].ttl, high = other > ttl ? other : ttl;
        if (fates[i].kind == SDW_ANSWER_EXPIRED && (other > ttl + 1 || other + 1 < ttl) &&
            sdw_address_same_host(&fates[i].from, &fates[shot].from) && (!first || high < first))
            first = high;
    }
    return first;
}

/* Remember that the router of this answer gave another in the same trace: the next traces are
 * fewer. */
static void count_met(struct sdw_mirror *mirror, const struct sdw_mirror_flight *f, size_t shot,
                      int64_t now_ns)
{
    const struct sdw_shot_fate *fates = f->flight.run.fates;
    size_t met = 0;
    for (size_t i = 0; i < f->flight.plan.n; i++)
        met += fates[i].kind == SDW_ANSWER_EXPIRED &&
               sdw_address_same_host(&fates[i].from, &fates[shot].from);
    met = met < mirror->traced.n ? met : mirror->traced.n;
    if (met < 2)
        return;
    size_t most = meets(mirror, now_ns);
    mirror->met_most = met > most ? met : most;
    mirror->met_ns = now_ns;
}

void sdw_mirror_trace_answer(struct sdw_mirror *mirror, struct sdw_mirror_flight *f, size_t shot,
                             int64_t now_ns)
{
    const struct sdw_shot_fate *fate = &f->flight.run.fates[shot];
    unsigned ttl = f->flight.plan.shots[shot].ttl;
    /* The destination itself, or a router that has no way on: the path ends in front. */
    bool far =
        fate->kind != SDW_ANSWER_EXPIRED || sdw_address_same_host(&fate->from, &f->tuple.dst);
    unsigned end = far ? ttl : find_circle(f, shot);
    if (!far)
        count_met(mirror, f, shot, now_ns);
    if (end && (!f->far || end < f->far))
        f->far = end;
    if (!far && ttl > f->reach)
        f->reach = ttl;
    ask_on(mirror, f, now_ns);
}

/* The far end of a tunnel, when it answered; or the route as far as routers did, in front of the
 * destination. */
static void read_route(const struct sdw_mirror_flight *f, struct sdw_route *route)
{
    unsigned hops = f->far && f->far <= f->reach ? f->far - 1 : f->reach;
    if (f->carrier)
        hops = f->flight.run.fates[0].kind >= 0;
    *route =
        (struct sdw_route){.hops = hops, .base_one_way_ns = INT64_MAX, .far_end = SDW_FAR_NONE};
    for (unsigned hop = 0; hop <= SDW_HOPS_MAX; hop++)
        route->hop[hop].base_ns = INT64_MAX;
    for (size_t i = 0; i < f->flight.plan.n; i++) {
        const struct sdw_shot *shot = &f->flight.plan.shots[i];
        const struct sdw_shot_fate *fate = &f->flight.run.fates[i];
        if (shot->hop > hops)
            continue;
        struct sdw_route_hop *hop = &route->hop[shot->hop];
        int64_t round_ns = sdw_fate_round_ns(fate);
        hop->asked++;
        if (round_ns < 0)
            continue;
        hop->round_ns[hop->answered++] = hop->base_ns = round_ns;
        hop->addr = fate->from;
        int64_t one_way = sdw_fate_one_way_ns(fate);
        if (one_way != INT64_MIN)
            route->base_one_way_ns = one_way;
    }
    if (f->carrier && hops) {
        route->reached = true;
        route->far_end = f->carrier->far_end;
    }
}

/* Nothing answered: again after a while, which grows. All flows to a destination wait for it: one
 * without a router in front would get packets for each of them. */
static int failed(struct sdw_mirror *mirror, struct sdw_shadow *shadow, int64_t now_ns)
{
    if (sdw_shadow_inside(shadow) && sdw_mirror_inside_next_carrier(mirror->inside))
        return 0; /* which is tried at once */
    struct sdw_mirror_goal *goal = sdw_mirror_goal(mirror, &shadow->tuple, true);
    bool alone = goal->path || goal->several;
    unsigned before = alone ? shadow->failed : goal->failed++;
    int64_t until_ns = now_ns + (5 * SECOND_NS << (before < NOTHING ? before : NOTHING));
    sdw_shadow_unlist(&mirror->traces[shadow->sensitivity], shadow);
    sdw_shadow_last(&mirror->traces[shadow->sensitivity], shadow);
    int code = sdw_mirror_put_off(mirror, shadow, until_ns);
    if (alone)
        return code;
    goal->trace_ns = until_ns;
    for (size_t i = 0; i < SDW_MIRROR_CLASSES; i++)
        for (struct sdw_shadow *s = mirror->traces[i].first; s && code == 0; s = s->after)
            if (s != shadow && sdw_mirror_same_goal(&s->tuple, &shadow->tuple))
                code = sdw_mirror_put_off(mirror, s, until_ns);
    return code;
}

static int found(struct sdw_mirror *mirror, struct sdw_shadow *shadow, struct sdw_mirror_path *path,
                 bool made)
{
    struct sdw_mirror_goal *goal = sdw_mirror_goal(mirror, &shadow->tuple, true);
    goal->several = goal->several || (goal->path && goal->path != path);
    goal->path = path;
    goal->failed = 0;
    goal->trace_ns = 0;
    sdw_shadow_unlist(&mirror->traces[shadow->sensitivity], shadow);
    int code = sdw_mirror_attach(mirror, shadow, path, true);
    if (code == 0 && made)
        code = sdw_hops_put(&path->route, &mirror->config.sink);
    return code == 0 && !goal->several ? sdw_mirror_place_others(mirror, shadow) : code;
}

/* Whether a destination's known path is what answered, be it not all of it: answers get lost. */
static bool fits(const struct sdw_mirror_path *path, const struct sdw_route *route)
{
    bool fit = route->hops > 0 && route->hops <= path->route.hops;
    for (unsigned hop = 1; fit && hop <= route->hops; hop++) {
        const struct sdw_address *own = &path->route.hop[hop].addr, *seen = &route->hop[hop].addr;
        fit = sdw_address_family(own) == AF_UNSPEC || sdw_address_family(seen) == AF_UNSPEC ||
              sdw_address_same_host(own, seen);
    }
    return fit;
}

/* The path that was traced, when it is one that is known. What a destination was known for and did
 * not answer is forgotten. */
static struct sdw_mirror_path *recognise(struct sdw_mirror *mirror,
                                         const struct sdw_mirror_flight *f,
                                         const struct sdw_route *route)
{
    struct sdw_mirror_goal *goal = f->known ? sdw_mirror_goal(mirror, &f->tuple, false) : NULL;
    if (goal && goal->path && fits(goal->path, route))
        return goal->path;
    if (goal && route->hops == 0)
        *goal = (struct sdw_mirror_goal){0};
    return route->hops ? sdw_mirror_path_known(mirror, route) : NULL;
}

int sdw_mirror_traced(struct sdw_mirror *mirror, struct sdw_mirror_flight *f, int64_t now_ns)
{
    struct sdw_route route;
    struct sdw_shadow *shadow = f->shadow;
    bool made = false;
    read_route(f, &route);
    struct sdw_mirror_path *path = shadow ? recognise(mirror, f, &route) : NULL;
    if (shadow && !path && f->known &&
        f->reach) { /* another path, of which this may not be the end */
        f->known = false;
        ask_on(mirror, f, now_ns);
        if (f->flight.next < f->flight.plan.n)
            return 1;
    }
    struct sdw_mirror_goal *goal = sdw_mirror_goal(mirror, &f->tuple, true);
    goal->traces -= goal->traces > 0;
    if (!f->carrier)
        sdw_gate_take(&mirror->traced, 1, f->asked_ns);
    mirror->launch_ns = 0;
    if (!shadow)
        return 0;
    shadow->tracing = false;
    if (!path && route.hops) {
        path = sdw_mirror_path_new(mirror, &route);
        made = path != NULL;
    }
    if (path)
        path->carrier = f->carrier;
    if (path && f->carrier) /* should it be lost, what is best is tried first again */
        sdw_mirror_inside_first_carrier(mirror->inside);
    if (path)
        return found(mirror, shadow, path, made);
    return failed(mirror, shadow, now_ns);
}
