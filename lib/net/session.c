#include "net/session.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/mem.h"
#include "net/flow.h"
#include "net/injection.h"

enum {
    MS = 1000000,
    SLOT_PERIOD_NS = 196 * MS,
    SLOT_JITTER_NS = 60 * MS,
    LIMITED_PERIOD_NS = 420 * MS, /* three slots between two questions to a limited router */
    SCOPED_PERIOD_NS = 130 * MS,
    DRAIN_NS = 60 * MS, /* from the end of a slot to the next */
    PATIENCE_NS = 500 * MS,
    RETRY_NS = 2000 * (int64_t)MS,
    TURN_NS = 20 * MS,         /* look again whether another session still waits for the budget */
    REHEARSALS = 4,            /* trains before the first window */
    FIRST_TRAIN_BYTES = 10000, /* about; a path of 100 Mbit/s takes twice as many */
    REHEARSALS_MOST = 12,
    LEARNING = 2, /* the first trains, which find out where to look */
    STEADY_TRAINS = 2,
    VOID_PAIRS = 8, /* more pairs than a climbing window needs: some will be void */
    WATCH_FAST_NS = 150 * MS,
    WATCH_SLOW_NS = 2000 * (int64_t)MS,
    ABORTS_ENOUGH = 3,  /* trains in a row that met a long queue */
    LOST_SENTINELS = 2, /* slots without any answer of the far end */
    LOST_LIMITED = 12,  /* the same where it limits its answers: about five seconds */
    RESTARTS_MOST = 3,  /* path changes before a window is complete */
    SILENCES_MOST = 3,  /* walks that may miss a far end that answers at times */
    NOTE_BYTES = 512,
};

static const double usual_max_bps = 100e6, mute_max_bps = 5e6;

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

/* Where load is not answered nothing tells what is available: the limit is what to aim at, and the
 * usual one is too much for that. */
static void aim_deaf(struct sdw_session *session)
{
    if (session->config.max_bps >= usual_max_bps)
        session->config.max_bps = mute_max_bps;
    session->aim = sdw_aim(session->config.max_bps);
    session->aim.available_bps = session->config.max_bps;
}

/* Echo for a far end that does not reflect, unless packets with this key or port were asked for. */
static struct sdw_carrier *open_spare(const struct sdw_session_config *config)
{
    struct sdw_err why = {0}; /* no right to it: the session does without */
    bool asked = config->carrier.key || sdw_address_port(&config->carrier.src);
    return config->kind == SDW_CARRIER_AUTO && !asked
               ? sdw_carrier_open(SDW_CARRIER_ICMP, &config->carrier, &why)
               : NULL;
}

static void drop_spare(struct sdw_session *session)
{
    if (session->spare)
        session->spare->ops->close(session->spare);
    session->spare = NULL;
}

struct sdw_session *sdw_session_new(const struct sdw_session_config *config,
                                    struct sdw_budget *budget, const struct sdw_sink *sink,
                                    struct sdw_err *err)
{
    if (config->scope && config->schedule != SDW_SCHEDULE_CHIRP) {
        sdw_err_set(err, SDW_EUSAGE,
                    "--scope goes with --schedule chirp only: the load of the "
                    "others goes to the far end");
        return NULL;
    }
    struct sdw_carrier *carrier = sdw_carrier_open(config->kind, &config->carrier, err);
    if (!carrier)
        return NULL;
    struct sdw_session *session = sdw_xalloc(sizeof *session);
    session->config = *config;
    session->budget = budget;
    session->sink = *sink;
    session->carrier = carrier;
    session->spare = open_spare(config);
    session->next_id = 1;
    session->due_ns = sdw_mono_ns();
    session->reason = "done";
    session->aim = sdw_aim(config->max_bps);
    if (carrier->mute_load)
        aim_deaf(session);
    sdw_rng_seed(&session->rng, config->seed);
    return session;
}

void sdw_session_free(struct sdw_session *session)
{
    if (!session)
        return;
    drop_spare(session);
    session->carrier->ops->close(session->carrier);
    sdw_plan_release(&session->plan);
    sdw_run_release(&session->run);
    sdw_buf_release(&session->scratch);
    free(session);
}

int64_t sdw_session_due(const struct sdw_session *session)
{
    return session->phase == SDW_PHASE_DONE ? INT64_MAX : session->due_ns;
}

const struct sdw_session_counts *sdw_session_counts(const struct sdw_session *session)
{
    return &session->counts;
}

const char *sdw_session_reason(const struct sdw_session *session)
{
    return session->reason;
}

/* Two trains that differ by less saw the same. */
static const double steady = 0.2;

static void give_up_turn(struct sdw_session *session)
{
    if (session->budget->turn == session)
        session->budget->turn = NULL;
}

static int finish(struct sdw_session *session, const char *reason)
{
    give_up_turn(session);
    session->phase = SDW_PHASE_DONE;
    session->reason = reason;
    session->counts.drops = (int64_t)session->carrier->drops;
    return 0;
}

/* The shortest period in which the slots of all destinations leave a router no more than --ttl-rate
 * packets a second to answer: the first routers may be those of all of them. Load that dies at a
 * router does so in one of the two slots of a pair, at each hop in turn. */
static int64_t least_period_ns(const struct sdw_session *session)
{
    double expiring = SDW_SLOT_LADDERS;
    if (session->config.scope)
        expiring = SDW_SCOPED_LOAD / (2.0 * session->route.hops);
    double paths = session->budget->paths > 1 ? session->budget->paths : 1;
    return (int64_t)(expiring * paths / session->config.ttl_rate * 1e9);
}

/* afresh: with all the bytes that a window may take; a climb takes them for all its steps. */
static void begin_window(struct sdw_session *session, bool afresh)
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
    if (sdw_injection_climbs(session)) {
        pairs = SDW_LOCKIN_PAIRS + VOID_PAIRS;
        sdw_lockin_begin(&session->lockin, session->route.hops, limited);
    }
    sdw_window_begin(&session->window, kind, (unsigned)pairs, session->route.hops, &session->rng);
    session->counts.windows++;
    if (afresh)
        session->window_spent = 0;
    session->ticket_open = false;
    give_up_turn(session);
    session->period_ns = kind == SDW_WINDOW_LIMITED  ? LIMITED_PERIOD_NS
                         : kind == SDW_WINDOW_SCOPED ? SCOPED_PERIOD_NS
                                                     : SLOT_PERIOD_NS;
    if (sdw_injection_climbs(session) && kind == SDW_WINDOW_PLAIN)
        session->period_ns = sdw_injection_slot_ns(session) + SDW_LOCKIN_APART_NS;
    if (session->period_ns < least_period_ns(session))
        session->period_ns = least_period_ns(session);
    for (size_t i = 0; i < SDW_AIM_SIZES; i++) /* clocks drift apart */
        session->aim.base_ns[i] = session->config.watch ? INT64_MAX : session->aim.base_ns[i];
    session->chirp_base_ns = session->route.base_one_way_ns != INT64_MAX
                                 ? session->route.base_one_way_ns
                                 : session->route.hop[session->route.hops].base_ns;
    session->slot_ns = sdw_mono_ns();
    session->phase = SDW_PHASE_MEASURE;
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

/* Without --watch one answer is wanted, and a path that goes on to change has none. */
static int unstable(struct sdw_session *session, struct sdw_err *err)
{
    (void)finish(session, "unstable");
    return sdw_err_set(err, SDW_ENO, "the path to %s has changed %u times within a window",
                       session->config.name, session->restarts);
}

/* Where echo reaches the far end it takes the place of UDP, with the route that it found. */
static void try_spare(struct sdw_session *session, const struct sdw_route_options *options,
                      struct sdw_route *route)
{
    struct sdw_route other;
    struct sdw_err why = {0}; /* no way for echo here: UDP it stays */
    int code = sdw_route_walk(&other, options, session->spare, &session->next_id, &why);
    if (code == 0 && other.reached && other.far_end == SDW_FAR_ECHO) {
        struct sdw_carrier *udp = session->carrier;
        other.bytes += route->bytes;
        *route = other;
        session->carrier = session->spare;
        session->spare = udp;
    } else {
        route->bytes += other.bytes;
    }
    if (route->reached)
        drop_spare(session);
}

static int find_route(struct sdw_session *session, struct sdw_route *route, struct sdw_err *err)
{
    struct sdw_route_options options = {.max_hops = (unsigned)session->config.max_hops,
                                        .ttl_rate = session->config.ttl_rate,
                                        .patience_ns = PATIENCE_NS,
                                        .dscp = session->config.dscp};
    int code = sdw_route_walk(route, &options, session->carrier, &session->next_id, err);
    if (code < 0)
        return code;
    if (route->far_end < SDW_FAR_ECHO)
        drop_spare(session);
    if (session->spare)
        try_spare(session, &options, route);
    code = sdw_route_survey(route, &options, session->carrier, &session->next_id, err);
    sdw_injection_account(session, route->bytes, 0);
    return code;
}

/* What the user should know of a new path. */
static void tell(const struct sdw_session *session)
{
    const struct sdw_session_config *config = &session->config;
    enum sdw_far_end far_end = session->route.far_end;
    bool chosen = config->kind == SDW_CARRIER_AUTO && session->route.reached;
    const char *kind = "", *what = NULL;
    if (config->flow && config->flow[0] == '[' && session->carrier->flow_label < 0) {
        kind = "flow ";
        what = "was not seen here: its flow label is taken for 0";
    } else if (chosen && far_end == SDW_FAR_ECHO) {
        what = "does not reflect: measured by ICMP echo, which equal-cost paths may send another "
               "way than UDP";
    } else if (chosen && far_end > SDW_FAR_ECHO) {
        what = "does not reflect, nor is echo answered or allowed here (root, or "
               "net.ipv4.ping_group_range): its few ICMP errors tell little";
    }
    if (!what)
        return;
    char text[NOTE_BYTES];
    (void)snprintf(text, sizeof text, "%s%s %s", kind, config->name, what);
    session->sink.note(session->sink.arg, text);
}

/* A far end that limits its ICMP errors spends them on the load and tells nothing of it: then the
 * routers in front of it have to do. */
static void heed_limit(struct sdw_session *session)
{
    if (session->route.far_end == SDW_FAR_ECHO || !sdw_route_far_limited(&session->route))
        return;
    session->carrier->mute_load = true;
    aim_deaf(session);
}

/* Walk the path, and say so when it is new or another. */
static int find_path(struct sdw_session *session, struct sdw_err *err)
{
    struct sdw_route route;
    int code = find_route(session, &route, err);
    if (code < 0)
        return code;
    session->silences = route.reached ? 0 : session->silences + 1;
    bool shy = session->known && session->silences <= SILENCES_MOST &&
               sdw_route_shy(&session->route, &route);
    bool same = shy || (session->known && sdw_route_same(&session->route, &route));
    session->lost = 0;
    if (!same) {
        session->route = route;
        struct sdw_path_about about = {.src = &session->carrier->src,
                                       .dst = &session->carrier->dst,
                                       .protocol = session->carrier->protocol,
                                       .reason = session->known ? "change" : "new",
                                       .flow = session->config.flow,
                                       .tunnel = session->config.tunnel,
                                       .flow_label = session->carrier->flow_label};
        code = sdw_path_put(&route, &about, &session->sink, &session->scratch);
        if (code == 0)
            code = sdw_hops_put(&route, &session->sink);
        session->counts.changes += session->known;
        session->restarts += session->known;
        session->known = true;
        tell(session);
        heed_limit(session);
    }
    if (code < 0)
        return code;
    if (!route.reached && !(session->carrier->mute_far_end && route.hops)) {
        session->due_ns = sdw_mono_ns() + RETRY_NS;
        return session->config.watch || shy ? 0 : unreachable(session, err);
    }
    if (session->restarts >= RESTARTS_MOST && !session->config.watch)
        return unstable(session, err);
    bool open = session->counts.windows > 0;
    if (same && open) { /* a silence, not another path: the window goes on */
        session->slot_ns = sdw_mono_ns();
        session->phase = SDW_PHASE_MEASURE;
    } else if (session->config.max_bps <= 0 || session->aim.available_bps > 0) {
        begin_window(session, true);
    } else {
        session->phase = SDW_PHASE_REHEARSE;
    }
    session->due_ns = sdw_mono_ns() + DRAIN_NS;
    return 0;
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

/* A chirp aims anew with every train. A climb is in shares of what the trains have found, so that
 * has to be right before: where bursts come and go, in the mean. */
static bool rehearsed(struct sdw_session *session)
{
    struct sdw_aim *aim = &session->aim;
    unsigned enough = session->budget->share > 0 ? 1 : REHEARSALS; /* shares are scarce at first */
    bool same = fabs(aim->available_bps - aim->before_bps) < steady * aim->before_bps;
    session->steady = same ? session->steady + 1 : 0;
    if (session->rehearsals >= LEARNING)
        session->rehearsed_bps += aim->available_bps;
    if (++session->rehearsals < enough)
        return false;
    if (!sdw_injection_climbs(session) || session->budget->share > 0)
        return true;
    if (session->steady < STEADY_TRAINS && session->rehearsals < REHEARSALS_MOST)
        return false;
    double mean = session->rehearsed_bps / (session->rehearsals - LEARNING);
    aim->available_bps = fmax(aim->available_bps, mean);
    return true;
}

/* The first trains are not part of any window. */
static int rehearse(struct sdw_session *session, struct sdw_err *err)
{
    int64_t wait = session->budget->share > 0 ? wait_turn_ns(session, FIRST_TRAIN_BYTES) : 0;
    if (wait > 0) {
        session->due_ns = sdw_mono_ns() + wait;
        return 0;
    }
    int code = sdw_injection_rehearse(session, err);
    if (code < 0)
        return code;
    if (session->run.load_answered == 0 && ++session->lost >= LOST_SENTINELS)
        session->phase = SDW_PHASE_FIND;
    session->due_ns = sdw_mono_ns() + DRAIN_NS;
    if (rehearsed(session) && session->phase == SDW_PHASE_REHEARSE)
        begin_window(session, !sdw_injection_climbs(session));
    return 0;
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
    int64_t least = least_period_ns(session);
    session->slot_ns += session->period_ns > least ? session->period_ns : least;
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
    int64_t bytes = sdw_injection_bytes(session), wait = wait_turn_ns(session, bytes);
    if (wait == INT64_MAX || session->window_spent + bytes > session->config.window_bytes) {
        if (session->config.watch && wait != INT64_MAX)
            begin_window(session, true);
        else
            (void)finish(session, "budget");
        return true;
    }
    session->due_ns = sdw_mono_ns() + wait;
    return wait > 0;
}

static int end_window(struct sdw_session *session)
{
    bool climb = sdw_injection_climbs(session) && !session->lockin.found &&
                 sdw_lockin_climb(&session->lockin, &session->aim);
    if (climb || session->config.watch || session->counts.windows < session->config.windows) {
        session->restarts = 0;
        begin_window(session, !climb);
        return 0;
    }
    return finish(session, "done");
}

static int measure(struct sdw_session *session, struct sdw_err *err)
{
    bool done = sdw_injection_climbs(session) && sdw_lockin_done(&session->lockin, &session->aim);
    if (!session->ticket_open && (done || !sdw_window_next(&session->window, &session->ticket)))
        return end_window(session);
    session->ticket_open = true;
    if (over_budget(session))
        return 0;
    bool same_path = true;
    int code = sdw_injection_slot(session, &same_path, err);
    if (session->ticket_open)
        return code;
    schedule_next(session);
    unsigned enough = sdw_route_far_limited(&session->route) ? LOST_LIMITED : LOST_SENTINELS;
    if (!same_path || session->lost >= enough)
        session->phase = SDW_PHASE_FIND;
    return code;
}

int sdw_session_step(struct sdw_session *session, struct sdw_err *err)
{
    static int (*const steps[])(struct sdw_session *, struct sdw_err *) = {find_path, rehearse,
                                                                           measure};
    if (session->phase == SDW_PHASE_DONE)
        return 0;
    int code = steps[session->phase](session, err);
    if (code < 0 && session->phase != SDW_PHASE_DONE)
        (void)finish(session, "error");
    return code;
}
