#include "net/session.h"

#include <math.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/mem.h"
#include "net/aim.h"
#include "net/flow.h"
#include "net/hover.h"
#include "net/lockin.h"
#include "net/pace.h"
#include "net/window.h"

enum {
    MS = 1000000,
    SLOT_PERIOD_NS = 196 * MS,
    SLOT_JITTER_NS = 60 * MS,
    LIMITED_PERIOD_NS = 420 * MS, /* three slots between two questions to a limited router */
    SCOPED_PERIOD_NS = 130 * MS,
    DRAIN_NS = 60 * MS,  /* from the end of a slot to the next */
    SETTLE_NS = 60 * MS, /* for answers, beyond the base round trip */
    SILENCE_NS = 100 * MS,
    ABORT_NS = 20 * MS,
    TRAIN_LONGEST_NS = 150 * MS,
    PATIENCE_NS = 500 * MS,
    RETRY_NS = 2000 * (int64_t)MS,
    TURN_NS = 20 * MS,      /* look again whether another session still waits for the budget */
    LADDER_GAP_NS = 400000, /* between the ladders of a slot */
    LADDERS = 2,
    SCOPED_MARKERS = 6,
    SCOPED_TTL_PACKETS = 30,   /* most load packets that expire at one router in a slot */
    REHEARSALS = 4,            /* trains before the first window */
    FIRST_TRAIN_BYTES = 10000, /* about; a path of 100 Mbit/s takes twice as many */
    TRAIN_MOST_BYTES = 50000,
    WATCH_BYTES = 20000,
    WATCH_FAST_NS = 150 * MS,
    WATCH_SLOW_NS = 2000 * (int64_t)MS,
    ABORTS_ENOUGH = 3,  /* trains in a row that met a long queue */
    LOST_SENTINELS = 2, /* slots without any answer of the far end */
    TRAIN_PACKETS = 50, /* of a recursive train */
    TRAIN_BYTES = 500,
};

enum phase { FIND, REHEARSE, MEASURE, DONE };

struct sdw_session {
    struct sdw_session_config config;
    struct sdw_budget *budget;
    struct sdw_sink sink;
    struct sdw_carrier *carrier;
    struct sdw_route route;
    struct sdw_aim aim;
    struct sdw_window window;
    struct sdw_lockin lockin;
    struct sdw_rng rng;
    struct sdw_plan plan;
    struct sdw_run run;
    struct sdw_buf scratch;
    struct sdw_session_counts counts;
    struct sdw_ticket ticket;
    enum phase phase;
    bool ticket_open; /* the ticket's slot is still to be done */
    bool known;       /* a path record was written */
    unsigned rehearsals, lost;
    unsigned aborts; /* trains in a row that met a long queue */
    uint32_t next_id;
    int64_t due_ns, slot_ns; /* next step; start of the current slot's period */
    int64_t period_ns;
    int64_t chirp_base_ns, window_spent;
    const char *reason;
};

int sdw_session_mirror(struct sdw_session_config *config, const char *text, struct sdw_err *err)
{
    struct sdw_flow flow;
    int code = sdw_flow_parse(text, &flow, err);
    if (code < 0)
        return code;
    config->kind = flow.tcp ? SDW_CARRIER_MIRROR_TCP : SDW_CARRIER_MIRROR_UDP;
    config->carrier.src = flow.src;
    config->carrier.dst = flow.dst;
    config->name = config->flow = text;
    return 0;
}

struct sdw_session *sdw_session_new(const struct sdw_session_config *config,
                                    struct sdw_budget *budget, const struct sdw_sink *sink,
                                    struct sdw_err *err)
{
    struct sdw_carrier *carrier = sdw_carrier_open(config->kind, &config->carrier, err);
    if (!carrier)
        return NULL;
    struct sdw_session *session = sdw_xalloc(sizeof *session);
    session->config = *config;
    session->budget = budget;
    session->sink = *sink;
    session->carrier = carrier;
    session->next_id = 1;
    session->due_ns = sdw_mono_ns();
    session->reason = "done";
    session->aim = sdw_aim(config->max_bps);
    if (carrier->mute_load) /* nothing tells what is available: the limit is what to aim at */
        session->aim.available_bps = config->max_bps;
    sdw_rng_seed(&session->rng, config->seed);
    return session;
}

void sdw_session_free(struct sdw_session *session)
{
    if (!session)
        return;
    session->carrier->ops->close(session->carrier);
    sdw_plan_release(&session->plan);
    sdw_run_release(&session->run);
    sdw_buf_release(&session->scratch);
    free(session);
}

int64_t sdw_session_due(const struct sdw_session *session)
{
    return session->phase == DONE ? INT64_MAX : session->due_ns;
}

const struct sdw_session_counts *sdw_session_counts(const struct sdw_session *session)
{
    return &session->counts;
}

const char *sdw_session_reason(const struct sdw_session *session)
{
    return session->reason;
}

static void give_up_turn(struct sdw_session *session)
{
    if (session->budget->turn == session)
        session->budget->turn = NULL;
}

static int finish(struct sdw_session *session, const char *reason)
{
    give_up_turn(session);
    session->phase = DONE;
    session->reason = reason;
    session->counts.drops = (int64_t)session->carrier->drops;
    return 0;
}

static void account(struct sdw_session *session, int64_t bytes, int64_t packets)
{
    session->counts.bytes += bytes;
    session->counts.packets += packets;
    session->window_spent += bytes;
    sdw_budget_spend(session->budget, bytes, sdw_mono_ns());
}

/* Schedules of a constant rate that rises from window to window. */
static bool climbs(const struct sdw_session *session)
{
    return session->config.schedule == SDW_SCHEDULE_LOCKIN ||
           session->config.schedule == SDW_SCHEDULE_REPLAY;
}

static void begin_window(struct sdw_session *session)
{
    bool limited = sdw_route_limited(&session->route);
    enum sdw_window_kind kind = session->config.scope ? SDW_WINDOW_SCOPED
                                : limited             ? SDW_WINDOW_LIMITED
                                                      : SDW_WINDOW_PLAIN;
    int64_t pairs = session->config.pairs;
    if (kind == SDW_WINDOW_SCOPED) {
        pairs = (pairs * 2 / 5 + 1) * session->route.hops;
        pairs = pairs < SDW_PAIRS_MAX ? pairs : SDW_PAIRS_MAX;
    }
    if (climbs(session)) {
        pairs = SDW_LOCKIN_PAIRS;
        sdw_lockin_begin(&session->lockin, session->route.hops);
    }
    sdw_window_begin(&session->window, kind, (unsigned)pairs, session->route.hops, &session->rng);
    session->counts.windows++;
    session->window_spent = 0;
    session->ticket_open = false;
    give_up_turn(session);
    session->period_ns = kind == SDW_WINDOW_LIMITED  ? LIMITED_PERIOD_NS
                         : kind == SDW_WINDOW_SCOPED ? SCOPED_PERIOD_NS
                                                     : SLOT_PERIOD_NS;
    for (size_t i = 0; i < SDW_AIM_SIZES; i++) /* clocks drift apart */
        session->aim.base_ns[i] = session->config.watch ? INT64_MAX : session->aim.base_ns[i];
    session->chirp_base_ns = session->route.base_one_way_ns != INT64_MAX
                                 ? session->route.base_one_way_ns
                                 : session->route.hop[session->route.hops].base_ns;
    session->slot_ns = sdw_mono_ns();
    session->phase = MEASURE;
}

static int unreachable(struct sdw_session *session, struct sdw_err *err)
{
    const struct sdw_route *route = &session->route;
    char text[SDW_ADDRESS_TEXT];
    (void)finish(session, "unreachable");
    if (route->hops == 0)
        return sdw_err_set(err, SDW_ENO, "%s: nothing answers, not even the first router",
                           session->config.name);
    return sdw_err_set(err, SDW_ENO,
                       "%s does not answer; the last router that does is hop %u (%s). Is "
                       "shadow-reflect running there, and UDP port %u open?",
                       session->config.name, route->hops,
                       sdw_address_text(&route->hop[route->hops].addr, text),
                       sdw_address_port(&session->carrier->dst));
}

/* Walk the path, and say so when it is new or another. */
static int find_path(struct sdw_session *session, struct sdw_err *err)
{
    struct sdw_route_options options = {.max_hops = (unsigned)session->config.max_hops,
                                        .ttl_rate = session->config.ttl_rate,
                                        .patience_ns = PATIENCE_NS,
                                        .dscp = session->config.dscp};
    struct sdw_route route;
    int code = sdw_route_find(&route, &options, session->carrier, &session->next_id, err);
    if (code < 0)
        return code;
    account(session, route.bytes, 0);
    bool same = session->known && sdw_route_same(&session->route, &route);
    session->lost = 0;
    if (!same) {
        session->route = route;
        code = sdw_route_put(&route, session->carrier, session->known ? "change" : "new",
                             session->config.flow, &session->sink, &session->scratch);
        session->counts.changes += session->known;
        session->known = true;
    }
    if (code < 0)
        return code;
    if (!route.reached && !(session->carrier->mute_far_end && route.hops)) {
        session->due_ns = sdw_mono_ns() + RETRY_NS;
        return session->config.watch ? 0 : unreachable(session, err);
    }
    bool open = session->counts.windows > 0;
    if (same && open) { /* a silence, not another path: the window goes on */
        session->slot_ns = sdw_mono_ns();
        session->phase = MEASURE;
    } else if (session->config.max_bps <= 0 || session->aim.available_bps > 0) {
        begin_window(session);
    } else {
        session->phase = REHEARSE;
    }
    session->due_ns = sdw_mono_ns() + DRAIN_NS;
    return 0;
}

static int64_t train_bytes(const struct sdw_session *session)
{
    int64_t most = session->config.watch ? WATCH_BYTES : TRAIN_MOST_BYTES;
    int64_t bytes = session->config.window_bytes / (2 * session->config.pairs);
    if (bytes > most)
        bytes = most;
    double afford = fmax(session->budget->bytes_per_s * 0.8, session->budget->credit);
    return afford < (double)bytes ? (int64_t)afford : bytes;
}

static struct sdw_hover make_train(struct sdw_session *session, unsigned load_hop)
{
    int64_t bytes = train_bytes(session);
    double spare = session->budget->tokens - 1.5 * (double)bytes;
    struct sdw_hover_limits limits = {.bytes = bytes,
                                      .most_bytes =
                                          bytes + (int64_t)fmax(0, fmin(spare, (double)bytes)),
                                      .length_ns = TRAIN_LONGEST_NS,
                                      .abort_ns = ABORT_NS,
                                      .round_ns = sdw_route_longest_ns(&session->route),
                                      .ttl = load_hop ? (uint8_t)load_hop : SDW_TTL_FAR,
                                      .deaf = load_hop != 0 || session->carrier->mute_load};
    struct sdw_hover train = sdw_hover(&session->aim, &limits);
    if (load_hop && train.limits.bytes > SCOPED_TTL_PACKETS * train.ip_bytes)
        train.limits.bytes = SCOPED_TTL_PACKETS * (int64_t)train.ip_bytes;
    return train;
}

static struct sdw_run_rules make_rules(const struct sdw_session *session)
{
    const struct sdw_route *route = &session->route;
    return (struct sdw_run_rules){
        .trigger = {.abort_ns = ABORT_NS},
        .base_one_way_ns = route->base_one_way_ns,
        .base_round_ns = route->hop[route->hops].base_ns,
        .settle_ns = SETTLE_NS + 2 * sdw_route_longest_ns(route),
        .silence_ns = session->carrier->mute_load ? 0 : SILENCE_NS,
        .dscp = session->config.dscp,
    };
}

static const char *why_void(const struct sdw_session *session, bool same_path)
{
    const struct sdw_run *run = &session->run;
    if (!same_path)
        return "path change";
    if (run->stall_ns > SDW_STALL_NS || run->train_stall_ns > SDW_TRAIN_STALL_NS)
        return "host stalled";
    if (run->load_late * 10 > run->load_sent)
        return "late";
    return NULL;
}

static void learn_train(struct sdw_session *session, const struct sdw_hover *train)
{
    if (train->limits.deaf)
        return;
    struct sdw_run_load load = sdw_run_load(&session->plan, &session->run, 0);
    if (train->first)
        sdw_aim_first(&session->aim, train->rate_bps, load.sent_ns, load.ip_bytes, load.delay_ns,
                      load.n);
    else
        sdw_aim_feed(&session->aim, load.sent_ns, load.ip_bytes, load.delay_ns, load.n);
    sdw_run_load_release(&load);
}

/* How long until the session may spend the bytes: who waits for a budget that several share goes
 * before the others. INT64_MAX: never. */
static int64_t wait_turn_ns(struct sdw_session *session, int64_t bytes)
{
    struct sdw_budget *budget = session->budget;
    if (budget->turn && budget->turn != session)
        return TURN_NS;
    int64_t wait = sdw_budget_wait_ns(budget, bytes, sdw_mono_ns());
    budget->turn = wait > 0 && wait != INT64_MAX ? session : NULL;
    return wait;
}

/* The first trains: how much is there, roughly? Not part of any window. */
static int rehearse(struct sdw_session *session, struct sdw_err *err)
{
    int64_t wait = session->budget->share > 0 ? wait_turn_ns(session, FIRST_TRAIN_BYTES) : 0;
    if (wait > 0) {
        session->due_ns = sdw_mono_ns() + wait;
        return 0;
    }
    struct sdw_run_rules rules = make_rules(session);
    struct sdw_hover train = make_train(session, 0);
    sdw_plan_clear(&session->plan);
    int code = sdw_run(&session->run, &session->plan, &train, &rules, session->carrier,
                       &session->next_id, err);
    if (code < 0)
        return code;
    account(session, session->run.bytes, session->run.load_sent);
    if (session->run.load_answered == 0 && ++session->lost >= LOST_SENTINELS)
        session->phase = FIND;
    else if (session->run.load_answered)
        learn_train(session, &train);
    session->due_ns = sdw_mono_ns() + DRAIN_NS;
    unsigned enough = session->budget->share > 0 ? 1 : REHEARSALS; /* shares are scarce at first */
    if (++session->rehearsals >= enough && session->phase == REHEARSE)
        begin_window(session);
    return 0;
}

/* Which hops the slot's ladders ask. */
static struct sdw_rungs pick_rungs(const struct sdw_session *session)
{
    const struct sdw_route *route = &session->route;
    struct sdw_rungs rungs = {.hops = route->hops};
    for (unsigned hop = 1; hop <= route->hops; hop++) {
        const struct sdw_route_hop *h = &route->hop[hop];
        rungs.wanted[hop] = h->answered > 0 && (!h->limited || session->ticket.limited);
        if (session->config.scope)
            rungs.wanted[hop] = hop == route->hops;
    }
    return rungs;
}

static void plan_ladders(struct sdw_session *session, const struct sdw_rungs *rungs)
{
    int ladders = session->window.kind == SDW_WINDOW_LIMITED  ? 1
                  : session->window.kind == SDW_WINDOW_SCOPED ? SCOPED_MARKERS
                                                              : LADDERS;
    for (int i = 0; i < ladders; i++)
        sdw_plan_ladder(&session->plan, i * LADDER_GAP_NS, rungs);
}

/* Fill the plan of the ticket's slot; returns whether a train goes in front. *target_bps: what it
 * aims at. */
static bool plan_slot(struct sdw_session *session, const struct sdw_rungs *rungs,
                      double *target_bps)
{
    const struct sdw_ticket *ticket = &session->ticket;
    bool inject = ticket->on && session->config.max_bps > 0;
    sdw_plan_clear(&session->plan);
    *target_bps = 0;
    switch (session->config.schedule) {
    case SDW_SCHEDULE_CHIRP:
        plan_ladders(session, rungs);
        *target_bps = inject ? session->aim.available_bps : 0;
        return inject;
    case SDW_SCHEDULE_TRAIN:
        sdw_plan_train(&session->plan, 0, inject ? TRAIN_PACKETS : 0, TRAIN_BYTES, rungs);
        break;
    case SDW_SCHEDULE_LOCKIN:
    case SDW_SCHEDULE_POISSON:
        *target_bps = inject ? sdw_lockin_rate(&session->lockin, &session->aim) : 0;
        sdw_lockin_plan(&session->plan, *target_bps,
                        session->config.schedule == SDW_SCHEDULE_POISSON, rungs,
                        session->config.ttl_rate, &session->rng);
        break;
    case SDW_SCHEDULE_REPLAY:
        *target_bps = inject ? sdw_lockin_rate(&session->lockin, &session->aim) : 0;
        sdw_lockin_plan(&session->plan, 0, false, rungs, session->config.ttl_rate, &session->rng);
        if (inject)
            sdw_shape_plan(session->config.shape, &session->plan, 0, SDW_LOCKIN_NS, *target_bps,
                           SDW_TTL_FAR, &session->rng);
        sdw_plan_sort(&session->plan);
        break;
    }
    return false;
}

static const char *why_ended(const struct sdw_session *session, const struct sdw_hover *train)
{
    if (session->run.stop == SDW_STOP_ABORT || (train && train->queue_ns > ABORT_NS))
        return "abort";
    if (session->run.stop == SDW_STOP_SILENT)
        return "silent";
    return train && train->turned ? "trigger" : NULL;
}

/* Whether anything came back from the far end; without load its markers are the sentinels. */
static bool far_end_heard(const struct sdw_session *session)
{
    for (size_t i = 0; i < session->run.n; i++)
        if (session->plan.shots[i].ttl == SDW_TTL_FAR && session->run.fates[i].kind >= 0)
            return true;
    return false;
}

/* When the next slot is due: steady within a window, adapting while watching. */
static void schedule_next(struct sdw_session *session)
{
    if (session->config.watch && session->window.kind != SDW_WINDOW_SCOPED) {
        int64_t longer = session->period_ns + session->period_ns / 10;
        int64_t fast =
            session->window.kind == SDW_WINDOW_LIMITED ? LIMITED_PERIOD_NS : WATCH_FAST_NS;
        if (session->aborts >= ABORTS_ENOUGH) /* it is known to be full: more would only harm */
            session->period_ns = 2 * (int64_t)WATCH_SLOW_NS;
        else
            session->period_ns = sdw_aim_urgent(&session->aim) ? fast
                                 : longer < WATCH_SLOW_NS      ? longer
                                                               : WATCH_SLOW_NS;
    }
    session->slot_ns += session->period_ns;
    int64_t jitter = (int64_t)sdw_rng_below(&session->rng, SLOT_JITTER_NS);
    int64_t drained = sdw_mono_ns() + DRAIN_NS;
    if (session->slot_ns < drained - SLOT_JITTER_NS)
        session->slot_ns = drained;
    session->due_ns = session->slot_ns + jitter;
    if (session->due_ns < drained)
        session->due_ns = drained;
}

/* Put the slot off until the budget allows it. Returns true when it has to wait or stop. */
static bool over_budget(struct sdw_session *session)
{
    if (!session->ticket.on || session->config.max_bps <= 0)
        return false;
    int64_t bytes = train_bytes(session);
    if (session->config.schedule == SDW_SCHEDULE_TRAIN)
        bytes = TRAIN_PACKETS * TRAIN_BYTES;
    else if (session->config.schedule != SDW_SCHEDULE_CHIRP)
        bytes = sdw_lockin_bytes(sdw_lockin_rate(&session->lockin, &session->aim));
    int64_t wait = wait_turn_ns(session, bytes);
    if (wait == INT64_MAX || session->window_spent + bytes > session->config.window_bytes) {
        if (session->config.watch && wait != INT64_MAX)
            begin_window(session);
        else
            (void)finish(session, "budget");
        return true;
    }
    session->due_ns = sdw_mono_ns() + wait;
    return wait > 0;
}

static int put_slot(struct sdw_session *session, const struct sdw_hover *train,
                    const struct sdw_rungs *rungs, double target_bps, bool same_path)
{
    static const char *const names[] = {"chirp", "lockin", "train", "poisson", "replay"};
    const char *voided = why_void(session, same_path);
    struct sdw_slot_about about = {
        .window = session->counts.windows,
        .slot = session->ticket.slot,
        .pair = session->ticket.pair,
        .schedule = names[session->config.schedule],
        .on = session->ticket.on,
        .voided = voided != NULL,
        .mute = session->carrier->mute_load,
        .load_hop = session->ticket.load_hop,
        .target_bps = round(target_bps),
        .chirp_base_ns = session->chirp_base_ns,
        .reason = voided ? voided : why_ended(session, train),
        .rungs = rungs,
    };
    if (session->config.scope && !about.load_hop)
        about.load_hop = session->route.hops;
    session->counts.slots++;
    session->counts.void_slots += about.voided;
    bool aborted = about.reason && strcmp(about.reason, "abort") == 0;
    session->counts.aborts += aborted;
    if (session->ticket.on)
        session->aborts = aborted ? session->aborts + 1 : 0;
    if (about.voided)
        sdw_window_extend(&session->window);
    return sdw_slot_put(&about, &session->route, &session->plan, &session->run, &session->sink,
                        &session->scratch);
}

static int end_window(struct sdw_session *session)
{
    bool climb = climbs(session) && !session->lockin.found && sdw_lockin_climb(&session->lockin);
    if (climb || session->config.watch || session->counts.windows < session->config.windows) {
        begin_window(session);
        return 0;
    }
    return finish(session, "done");
}

static int measure(struct sdw_session *session, struct sdw_err *err)
{
    if (!session->ticket_open &&
        (session->lockin.found || !sdw_window_next(&session->window, &session->ticket)))
        return end_window(session);
    session->ticket_open = true;
    if (over_budget(session))
        return 0;
    struct sdw_rungs rungs = pick_rungs(session);
    struct sdw_run_rules rules = make_rules(session);
    double target_bps;
    bool with_train = plan_slot(session, &rungs, &target_bps);
    struct sdw_hover train = {0};
    if (with_train)
        train = make_train(session, session->ticket.load_hop);
    int code = sdw_run(&session->run, &session->plan, with_train ? &train : NULL, &rules,
                       session->carrier, &session->next_id, err);
    if (code < 0)
        return code;
    session->ticket_open = false;
    account(session, session->run.bytes, (int64_t)session->run.n);
    bool same_path = sdw_route_learn(&session->route, &session->plan, &session->run);
    if (with_train && session->run.load_answered && same_path)
        learn_train(session, &train);
    session->lost = far_end_heard(session) ? 0 : session->lost + 1;
    code = put_slot(session, with_train ? &train : NULL, &rungs, target_bps, same_path);
    if (climbs(session))
        sdw_lockin_feed(&session->lockin, session->ticket.on, session->run.stop, &session->route,
                        &session->plan, &session->run);
    schedule_next(session);
    if (!same_path || session->lost >= LOST_SENTINELS)
        session->phase = FIND;
    return code;
}

int sdw_session_step(struct sdw_session *session, struct sdw_err *err)
{
    static int (*const steps[])(struct sdw_session *, struct sdw_err *) = {find_path, rehearse,
                                                                           measure};
    if (session->phase == DONE)
        return 0;
    int code = steps[session->phase](session, err);
    if (code < 0 && session->phase != DONE)
        (void)finish(session, "error");
    return code;
}
