#include "net/mirror_book.h"

#include <math.h>

#include "net/pace.h"

enum {
    MS = 1000000,
    SETTLE_NS = 60 * MS, /* for answers, beyond the base round trip */
    TRAIN_LONGEST_NS = 150 * MS,
    LOAD_MOST = 20, /* packets of a train: they all expire at the last router */
};

/* Clocks drift apart: what is taken off the one-way delays inside a tunnel holds for a window. */
static void set_base(struct sdw_mirror_path *path)
{
    path->chirp_base_ns = path->route.base_one_way_ns != INT64_MAX ? path->route.base_one_way_ns
                                                                   : path->route.hop[1].base_ns;
    for (size_t i = 0; i < SDW_AIM_SIZES; i++)
        path->aim.base_ns[i] = INT64_MAX;
}

static void begin_window(struct sdw_mirror *mirror, struct sdw_mirror_path *path)
{
    if (path->carrier)
        set_base(path);
    sdw_window_begin(&path->window, SDW_WINDOW_PLAIN, (unsigned)mirror->config.pairs,
                     path->route.hops, &mirror->rng);
    path->windows++;
    path->slots = 0;
    (void)sdw_window_next(&path->window, &path->ticket);
}

/* Which hops the ladder asks: those that may be asked now. */
static bool pick_rungs(const struct sdw_mirror *mirror, const struct sdw_mirror_path *path,
                       int64_t now_ns, struct sdw_rungs *rungs)
{
    bool any = false;
    size_t traces = sdw_mirror_traced_lately(mirror, now_ns);
    *rungs = (struct sdw_rungs){.hops = path->route.hops};
    for (unsigned hop = 1; hop <= path->route.hops; hop++) {
        bool known = sdw_address_family(&path->route.hop[hop].addr) != AF_UNSPEC;
        rungs->wanted[hop] = known && sdw_router_open(path->router[hop], traces, now_ns);
        any = any || rungs->wanted[hop];
    }
    return any;
}

static int64_t ladder_bytes(const struct sdw_mirror *mirror, const struct sdw_mirror_path *path)
{
    return path->carrier ? sdw_mirror_inside_bytes(mirror->inside, path->carrier->min_ip_bytes)
                         : path->route.hops * SDW_MIRROR_MARKER;
}

static int64_t load_bytes(const struct sdw_mirror *mirror, const struct sdw_mirror_path *path)
{
    return path->carrier ? LOAD_MOST * sdw_mirror_inside_bytes(mirror->inside, SDW_LOAD_BYTES_MAX)
                         : LOAD_MOST * SDW_LOAD_BYTES_MAX;
}

/* Whether a train may go now: nothing is sent on a path that it would hurt, nor more than the last
 * router should have to answer. */
static bool train_may_go(const struct sdw_mirror *mirror, const struct sdw_mirror_path *path,
                         int64_t now_ns)
{
    const struct sdw_router *last = path->router[path->route.hops];
    size_t traces = sdw_mirror_traced_lately(mirror, now_ns);
    int64_t bytes = load_bytes(mirror, path) + ladder_bytes(mirror, path);
    bool answered = path->carrier || (last && !last->limited && !mirror->trace_waits &&
                                      sdw_gate_allows(&last->gate, LOAD_MOST + 1 + traces, now_ns));
    return !mirror->train && mirror->config.max_bps > 0 && now_ns >= path->hold_ns && answered &&
           sdw_budget_wait_ns(mirror->config.budget, bytes, now_ns) == 0;
}

static struct sdw_hover make_train(struct sdw_mirror_path *path)
{
    struct sdw_hover_limits limits = {.bytes = LOAD_MOST * (int64_t)sdw_aim_bytes(&path->aim),
                                      .length_ns = TRAIN_LONGEST_NS,
                                      .abort_ns = SDW_MIRROR_ABORT_NS,
                                      .round_ns = sdw_route_longest_ns(&path->route),
                                      .ttl =
                                          path->carrier ? SDW_TTL_FAR : (uint8_t)path->route.hops};
    limits.most_bytes = limits.bytes;
    return sdw_hover(&path->aim, &limits);
}

/* Charge the routers that will answer. */
static void charge(struct sdw_mirror *mirror, struct sdw_mirror_path *path,
                   const struct sdw_rungs *rungs, bool train, int64_t now_ns)
{
    if (!path->carrier)
        sdw_gate_take(&mirror->ladders, 1, now_ns);
    for (unsigned hop = 1; hop <= rungs->hops; hop++) {
        struct sdw_router *router = path->router[hop];
        if (!router || !rungs->wanted[hop])
            continue;
        sdw_gate_take(&router->gate, train && hop == rungs->hops ? LOAD_MOST + 1 : 1, now_ns);
        router->asked_ns = now_ns;
    }
    if (!train || path->carrier)
        return;
    mirror->loaded[mirror->next_loaded] = path->router[rungs->hops];
    mirror->next_loaded = (mirror->next_loaded + 1) % SDW_MIRROR_LOADED;
}

static void begin_flight(struct sdw_mirror_path *path, struct sdw_mirror_flight *f, bool train,
                         int64_t now_ns)
{
    struct sdw_plan *plan = &f->flight.plan;
    struct sdw_run_rules rules = {
        .trigger = {.abort_ns = SDW_MIRROR_ABORT_NS},
        .base_one_way_ns = path->route.base_one_way_ns,
        .base_round_ns = path->route.hop[path->route.hops].base_ns,
        .settle_ns = SETTLE_NS + 2 * sdw_route_longest_ns(&path->route),
        .late_ns = SDW_LATE_NS,
    };
    sdw_plan_clear(plan);
    sdw_plan_ladder(plan, 0, &f->rungs);
    for (size_t i = 0; i < plan->n && !path->carrier; i++) /* the last hop is a router too */
        plan->shots[i].ttl = plan->shots[i].hop;
    struct sdw_hover hover = {0};
    if (train)
        hover = make_train(path);
    sdw_flight_begin(&f->flight, &rules, train ? &hover : NULL, LOAD_MOST, now_ns);
}

/* Whether one more ladder may go: one between the slots of the path, which only shows that a flow
 * goes it, when three quarters of them are left for flows that come. */
static bool ladder_may_go(const struct sdw_mirror *mirror, const struct sdw_mirror_path *path,
                          bool regular, int64_t now_ns)
{
    size_t n = mirror->ladders.n, free = regular || path->unserved ? 1 : n - n / 4;
    free += sdw_mirror_traced_lately(mirror, now_ns);
    return (path->carrier || sdw_gate_allows(&mirror->ladders, free, now_ns)) &&
           sdw_budget_wait_ns(mirror->config.budget, ladder_bytes(mirror, path), now_ns) == 0;
}

/* Whose packets it has: of the flow that waits most, but load only of one that is known to go the
 * path. */
static struct sdw_shadow *pick_carrier(const struct sdw_mirror *mirror,
                                       const struct sdw_mirror_path *path, bool regular,
                                       int64_t now_ns, bool *train)
{
    struct sdw_shadow *first = path->shadows.first, *last = path->shadows.last;
    struct sdw_shadow *known = first->verified ? first : path->unserved == 0 ? last : first;
    *train = regular && path->ticket.on && known->verified && train_may_go(mirror, path, now_ns);
    return *train ? known : first;
}

/* When the next slots are due. One that should have had load and could not is one more without: its
 * turn stays; so does one between. */
static void go_on(struct sdw_mirror *mirror, struct sdw_mirror_path *path, bool on, bool regular,
                  int64_t now_ns)
{
    path->slot_ns = now_ns;
    if (regular) {
        int64_t late_ns = now_ns - path->regular_ns - path->period_ns;
        path->in_time = late_ns < path->period_ns / 2 ? path->in_time + 1 : 0;
        path->regular_ns = now_ns;
    }
    path->due_ns = path->regular_ns + path->period_ns;
    if (regular && on == path->ticket.on && !sdw_window_next(&path->window, &path->ticket))
        begin_window(mirror, path);
}

int sdw_mirror_slot(struct sdw_mirror *mirror, struct sdw_mirror_path *path, int64_t now_ns,
                    struct sdw_err *err)
{
    struct sdw_rungs rungs;
    bool train, regular = now_ns - path->regular_ns >= path->period_ns;
    if (!ladder_may_go(mirror, path, regular, now_ns) || !pick_rungs(mirror, path, now_ns, &rungs))
        return 0;
    if (path->windows == 0)
        begin_window(mirror, path);
    struct sdw_shadow *carrier = pick_carrier(mirror, path, regular, now_ns, &train);
    int64_t bytes = ladder_bytes(mirror, path) + (train ? load_bytes(mirror, path) : 0);
    struct sdw_mirror_flight *f = sdw_mirror_flight(mirror, carrier, bytes, err);
    if (!f)
        return err->code;
    f->path = path;
    f->carrier = path->carrier;
    f->rungs = rungs;
    f->rungs.wanted[rungs.hops] = rungs.wanted[rungs.hops] || train;
    f->ticket = path->ticket;
    f->ticket.slot = (unsigned)path->slots++;
    f->ticket.on = train || (regular && path->ticket.on && mirror->config.max_bps <= 0);
    f->target_bps = train ? round(path->aim.available_bps) : 0;
    charge(mirror, path, &f->rungs, train, now_ns);
    begin_flight(path, f, train, now_ns);
    path->flights++;
    mirror->train = mirror->train || train;
    go_on(mirror, path, f->ticket.on, regular, now_ns);
    return 1;
}
