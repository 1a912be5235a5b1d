#include "net/mirror_book.h"

#include <math.h>

#include "core/clock.h"
#include "net/pace.h"

enum {
    MS = 1000000,
    SETTLE_NS = 60 * MS, /* for answers, beyond the base round trip */
    ABORT_NS = 20 * MS,
    TRAIN_LONGEST_NS = 150 * MS,
    LOAD_MOST = 20, /* packets of a train: they all expire at the last router */
    LOAD_BYTES_MOST = 20 * 1200,
    MARKER_BYTES = 44,
    SILENT_MOST = 5,     /* slots without any answer, after which the path is gone */
    SILENT_LIMITED = 15, /* the same where all routers asked limit their answers */
    STRANGERS_MOST = 2,  /* flows that went the path and do no more, after which none does */
};

#define SECOND_NS INT64_C(1000000000)
static const int64_t hold_first_ns = 10 * SECOND_NS, hold_most_ns = 640 * SECOND_NS;

static void begin_window(struct sdw_mirror *mirror, struct sdw_mirror_path *path)
{
    sdw_window_begin(&path->window, SDW_WINDOW_PLAIN, (unsigned)mirror->config.pairs,
                     path->route.hops, &mirror->rng);
    path->windows++;
    path->slots = 0;
    (void)sdw_window_next(&path->window, &path->ticket);
}

/* Which hops the ladder asks: those that may be asked now. */
static bool pick_rungs(const struct sdw_mirror_path *path, int64_t now_ns, struct sdw_rungs *rungs)
{
    bool any = false;
    *rungs = (struct sdw_rungs){.hops = path->route.hops};
    for (unsigned hop = 1; hop <= path->route.hops; hop++) {
        bool known = sdw_address_family(&path->route.hop[hop].addr) != AF_UNSPEC;
        rungs->wanted[hop] = known && sdw_router_open(path->router[hop], now_ns);
        any = any || rungs->wanted[hop];
    }
    return any;
}

/* Whether a train may go now: nothing is sent on a path that it would hurt, nor more than the last
 * router should have to answer. */
static bool train_may_go(const struct sdw_mirror *mirror, const struct sdw_mirror_path *path,
                         int64_t now_ns)
{
    const struct sdw_router *last = path->router[path->route.hops];
    return !mirror->train && mirror->config.max_bps > 0 && now_ns >= path->hold_ns && last &&
           !last->limited && sdw_gate_allows(&last->gate, LOAD_MOST + 1, now_ns) &&
           sdw_budget_wait_ns(mirror->config.budget, LOAD_BYTES_MOST, now_ns) == 0;
}

static struct sdw_hover make_train(struct sdw_mirror_path *path)
{
    struct sdw_hover_limits limits = {.bytes = LOAD_MOST * (int64_t)sdw_aim_bytes(&path->aim),
                                      .length_ns = TRAIN_LONGEST_NS,
                                      .abort_ns = ABORT_NS,
                                      .round_ns = sdw_route_longest_ns(&path->route),
                                      .ttl = (uint8_t)path->route.hops};
    limits.most_bytes = limits.bytes;
    return sdw_hover(&path->aim, &limits);
}

/* Charge the routers that will answer. */
static void charge(struct sdw_mirror *mirror, struct sdw_mirror_path *path,
                   const struct sdw_rungs *rungs, bool train, int64_t now_ns)
{
    sdw_gate_take(&mirror->ladders, 1, now_ns);
    for (unsigned hop = 1; hop <= rungs->hops; hop++) {
        struct sdw_router *router = path->router[hop];
        if (!router || !rungs->wanted[hop])
            continue;
        sdw_gate_take(&router->gate, train && hop == rungs->hops ? LOAD_MOST + 1 : 1, now_ns);
        router->asked_ns = now_ns;
    }
}

static void begin_flight(struct sdw_mirror_path *path, struct sdw_mirror_flight *f, bool train,
                         int64_t now_ns)
{
    struct sdw_plan *plan = &f->flight.plan;
    struct sdw_run_rules rules = {
        .trigger = {.abort_ns = ABORT_NS},
        .base_one_way_ns = INT64_MAX,
        .base_round_ns = path->route.hop[path->route.hops].base_ns,
        .settle_ns = SETTLE_NS + 2 * sdw_route_longest_ns(&path->route),
        .late_ns = SDW_LATE_NS,
    };
    sdw_plan_clear(plan);
    sdw_plan_ladder(plan, 0, &f->rungs);
    for (size_t i = 0; i < plan->n; i++) /* the last hop is a router too */
        plan->shots[i].ttl = plan->shots[i].hop;
    struct sdw_hover hover = {0};
    if (train)
        hover = make_train(path);
    sdw_flight_begin(&f->flight, &rules, train ? &hover : NULL, LOAD_MOST, now_ns);
}

/* Whether one more ladder may go: one that only shows that a flow goes the path, between two slots
 * of it, when three quarters of them are left for flows that come. */
static bool ladder_may_go(const struct sdw_mirror *mirror, const struct sdw_mirror_path *path,
                          int64_t now_ns)
{
    bool between = path->unserved == 0 && now_ns - path->slot_ns < path->period_ns;
    return sdw_gate_allows(&mirror->ladders,
                           between ? mirror->ladders.n - mirror->ladders.n / 4 : 1, now_ns);
}

int sdw_mirror_slot(struct sdw_mirror *mirror, struct sdw_mirror_path *path, int64_t now_ns,
                    struct sdw_err *err)
{
    struct sdw_rungs rungs;
    struct sdw_shadow *carrier = path->shadows.first;
    if (!ladder_may_go(mirror, path, now_ns) || !pick_rungs(path, now_ns, &rungs) ||
        sdw_budget_wait_ns(mirror->config.budget, path->route.hops * MARKER_BYTES, now_ns) > 0)
        return 0;
    struct sdw_mirror_flight *f = sdw_mirror_flight(mirror, carrier, err);
    if (!f)
        return err->code;
    if (path->windows == 0)
        begin_window(mirror, path);
    bool train = path->ticket.on && carrier->verified && train_may_go(mirror, path, now_ns);
    f->path = path;
    f->rungs = rungs;
    f->rungs.wanted[rungs.hops] = rungs.wanted[rungs.hops] || train;
    f->ticket = path->ticket;
    f->ticket.slot = (unsigned)path->slots++;
    f->ticket.on = train || (path->ticket.on && mirror->config.max_bps <= 0);
    f->target_bps = train ? round(path->aim.available_bps) : 0;
    charge(mirror, path, &f->rungs, train, now_ns);
    begin_flight(path, f, train, now_ns);
    path->flights++;
    mirror->train = mirror->train || train;
    /* A slot that should have had load and could not is one more without: its turn stays. */
    if (f->ticket.on == path->ticket.on && !sdw_window_next(&path->window, &path->ticket))
        begin_window(mirror, path);
    path->in_time = now_ns - path->due_ns < path->period_ns / 2 ? path->in_time + 1 : 0;
    path->slot_ns = now_ns;
    path->due_ns = now_ns + path->period_ns;
    return 1;
}

static const char *why_void(const struct sdw_run *run, bool same_path)
{
    if (!same_path)
        return "path change";
    if (run->stall_ns > SDW_STALL_NS || run->train_stall_ns > SDW_TRAIN_STALL_NS)
        return "host stalled";
    return run->load_late * 10 > run->load_sent ? "late" : NULL;
}

/* What the train found, and whether the next has to wait: it met a long queue, or half of it was
 * not answered. */
static const char *learn_train(struct sdw_mirror *mirror, struct sdw_mirror_path *path,
                               struct sdw_mirror_flight *f, int64_t now_ns)
{
    const struct sdw_run *run = &f->flight.run;
    struct sdw_run_load load = sdw_run_load(&f->flight.plan, run, 0);
    bool abort = run->stop == SDW_STOP_ABORT || f->flight.train.queue_ns > ABORT_NS;
    bool silent = run->load_answered * 2 < run->load_sent;
    if (run->load_answered)
        sdw_aim_feed(&path->aim, load.sent_ns, load.ip_bytes, load.delay_ns, load.n);
    sdw_run_load_release(&load);
    mirror->counts.aborts += abort;
    if (!abort && !silent) {
        path->hold_for_ns = 0;
        return f->flight.train.turned ? "trigger" : NULL;
    }
    path->hold_for_ns = path->hold_for_ns ? path->hold_for_ns * 2 : hold_first_ns;
    if (path->hold_for_ns > hold_most_ns)
        path->hold_for_ns = hold_most_ns;
    path->hold_ns = now_ns + path->hold_for_ns;
    return abort ? "abort" : "silent";
}

/* Markers that were answered; tells the routers. *limited: how many of those asked limit answers.
 */
static unsigned count_answers(struct sdw_mirror_path *path, const struct sdw_mirror_flight *f,
                              unsigned *limited)
{
    unsigned answered = 0;
    for (size_t i = 0; i < f->flight.plan.n; i++) {
        const struct sdw_shot *shot = &f->flight.plan.shots[i];
        const struct sdw_shot_fate *fate = &f->flight.run.fates[i];
        struct sdw_router *router = shot->load ? NULL : path->router[shot->hop];
        answered += fate->kind >= 0;
        if (!router || !fate->sent_ns)
            continue;
        sdw_router_learn(router, fate->kind >= 0);
        *limited += router->limited;
    }
    return answered;
}

static unsigned asked_hops(const struct sdw_rungs *rungs)
{
    unsigned n = 0;
    for (unsigned hop = 1; hop <= rungs->hops; hop++)
        n += rungs->wanted[hop];
    return n;
}

int sdw_mirror_share(struct sdw_mirror *mirror, struct sdw_mirror_path *path,
                     const struct sdw_shadow *carrier)
{
    int code = 0;
    struct sdw_slot_about about = path->last.about;
    about.shared = about.mute = true;
    about.rungs = &path->last.rungs;
    for (struct sdw_shadow *s = path->unserved ? path->shadows.first : NULL; s && code == 0;
         s = s->after) {
        if (s->served)
            continue;
        s->served = true;
        path->unserved--;
        about.flow_id = s->flow_id;
        if (s != carrier)
            code = sdw_slot_put(&about, &path->route, &path->last.plan, &path->last.run,
                                &mirror->config.sink, &mirror->scratch);
    }
    return code;
}

/* Keep the slot for flows that come. */
static void keep(struct sdw_mirror_path *path, struct sdw_mirror_flight *f,
                 const struct sdw_slot_about *about)
{
    struct sdw_plan plan = path->last.plan;
    struct sdw_run run = path->last.run;
    path->last.known = true;
    path->last.about = *about;
    path->last.rungs = f->rungs;
    path->last.plan = f->flight.plan;
    path->last.run = f->flight.run;
    f->flight.plan = plan;
    f->flight.run = run;
}

/* The carrier has gone the path, and is the last to go again. */
static void verify(struct sdw_mirror_path *path, struct sdw_shadow *carrier)
{
    path->unverified -= !carrier->verified;
    carrier->verified = true;
    sdw_shadow_unlist(&path->shadows, carrier);
    sdw_shadow_last(&path->shadows, carrier);
}

/* The path is gone, or flows that went it go another way: they are traced anew, one of each
 * destination first. */
static void leave(struct sdw_mirror *mirror, struct sdw_shadow *shadow)
{
    sdw_mirror_goal(mirror, &shadow->tuple.dst, true)->path = NULL;
    sdw_mirror_detach(mirror, shadow);
}

/* A flow that was only thought to go the path goes another: its destination has more than one, and
 * the others to it that have not been seen to go this one are traced too. */
static void branch(struct sdw_mirror *mirror, struct sdw_mirror_path *path,
                   const struct sdw_address *dst)
{
    struct sdw_shadow *next;
    sdw_mirror_goal(mirror, dst, true)->several = true;
    for (struct sdw_shadow *s = path->shadows.first; s; s = next) {
        next = s->after;
        if (!s->verified && sdw_address_same_host(&s->tuple.dst, dst))
            sdw_mirror_detach(mirror, s);
    }
}

/* After a slot that did not come back as it should; gone: nothing has for long. */
static void stray(struct sdw_mirror *mirror, struct sdw_mirror_path *path,
                  struct sdw_mirror_flight *f, struct sdw_shadow *carrier, bool gone)
{
    if (gone || path->strangers >= STRANGERS_MOST) {
        while (path->shadows.first)
            leave(mirror, path->shadows.first);
        path->silent = path->strangers = 0;
    } else if (carrier && carrier->verified) {
        leave(mirror, carrier);
    } else if (carrier) {
        branch(mirror, path, &f->tuple.dst);
    }
}

static int put_slot(struct sdw_mirror *mirror, struct sdw_mirror_path *path,
                    struct sdw_mirror_flight *f, const char *voided, const char *ended)
{
    struct sdw_slot_about about = {
        .window = path->windows,
        .slot = f->ticket.slot,
        .pair = f->ticket.pair,
        .schedule = "chirp",
        .on = f->ticket.on,
        .voided = voided != NULL,
        .target_bps = f->target_bps,
        .reason = voided ? voided : ended,
        .flow_id = f->flow_id,
        .rungs = &f->rungs,
    };
    mirror->counts.slots++;
    mirror->counts.void_slots += about.voided;
    int code = sdw_slot_put(&about, &path->route, &f->flight.plan, &f->flight.run,
                            &mirror->config.sink, &mirror->scratch);
    if (code < 0 || voided)
        return code;
    keep(path, f, &about);
    return sdw_mirror_share(mirror, path, f->shadow);
}

int sdw_mirror_slotted(struct sdw_mirror *mirror, struct sdw_mirror_flight *f, int64_t now_ns)
{
    struct sdw_mirror_path *path = f->path;
    const struct sdw_run *run = &f->flight.run;
    struct sdw_shadow *carrier = f->shadow && f->shadow->path == path ? f->shadow : NULL;
    const char *ended = NULL;
    path->flights--;
    if (f->flight.with_train)
        mirror->train = false;
    sdw_budget_spend(mirror->config.budget, run->bytes, now_ns);
    mirror->counts.bytes += run->bytes;
    mirror->counts.packets += (int64_t)run->n;
    bool same = sdw_route_learn(&path->route, &f->flight.plan, run);
    unsigned limited = 0, answered = count_answers(path, f, &limited);
    unsigned silent_most = limited == asked_hops(&f->rungs) ? SILENT_LIMITED : SILENT_MOST;
    path->silent = answered ? 0 : path->silent + 1;
    if (same || (carrier && carrier->verified))
        path->strangers = same ? 0 : path->strangers + 1;
    if (f->flight.with_train && same)
        ended = learn_train(mirror, path, f, now_ns);
    int code = put_slot(mirror, path, f, why_void(run, same), ended);
    if (carrier && answered && same)
        verify(path, carrier);
    if (!same || path->silent >= silent_most)
        stray(mirror, path, f, carrier, path->silent >= silent_most);
    sdw_mirror_hasten(path, now_ns);
    mirror->launch_ns = 0;
    return code;
}
