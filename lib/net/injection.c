#include "net/injection.h"

#include <math.h>

#include "core/clock.h"
#include "net/hover.h"
#include "net/pace.h"

enum {
    MS = 1000000,
    SETTLE_NS = 60 * MS, /* for answers, beyond the base round trip */
    SILENCE_NS = 100 * MS,
    ABORT_NS = 20 * MS,
    SPREAD_STALL_NS = 10 * MS, /* a longer one is a hole in the load */
    TRAIN_LONGEST_NS = 150 * MS,
    LADDER_GAP_NS = 400000, /* between the ladders of a slot */
    SCOPED_MARKERS = 6,
    SCOPED_LEAD = 3, /* markers before scoped load: the queue that it finds */
    TRAIN_MOST_BYTES = 50000,
    WATCH_BYTES = 20000,
    TRAIN_PACKETS = 50, /* of a recursive train */
    TRAIN_BYTES = 500,
};

void sdw_injection_account(struct sdw_session *session, int64_t bytes, int64_t packets)
{
    session->counts.bytes += bytes;
    session->counts.packets += packets;
    session->window_spent += bytes;
    sdw_budget_spend(session->budget, bytes, sdw_mono_ns());
}

bool sdw_injection_climbs(const struct sdw_session *session)
{
    return session->config.schedule == SDW_SCHEDULE_LOCKIN ||
           session->config.schedule == SDW_SCHEDULE_REPLAY;
}

/* Schedules whose load and ladders are spread over the slot: a stall spoils the ladders that it
 * met, not those before and after. */
static bool spread(const struct sdw_session *session)
{
    return sdw_injection_climbs(session) || session->config.schedule == SDW_SCHEDULE_POISSON;
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
    if (load_hop && train.limits.bytes > SDW_SCOPED_LOAD * train.ip_bytes)
        train.limits.bytes = SDW_SCOPED_LOAD * (int64_t)train.ip_bytes;
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
        /* Over a longer slot it is the mean rate that counts. */
        .late_ns = spread(session) ? SDW_STALL_NS : SDW_LATE_NS,
        .dscp = session->config.dscp,
    };
}

static const char *why_void(const struct sdw_session *session, bool same_path)
{
    const struct sdw_run *run = &session->run;
    if (!same_path)
        return "path change";
    int64_t longest = spread(session) ? SPREAD_STALL_NS : SDW_STALL_NS;
    if (run->stall_ns > longest || run->train_stall_ns > SDW_TRAIN_STALL_NS)
        return "host stalled";
    if (run->load_late * (spread(session) ? 4 : 10) > run->load_sent)
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

int sdw_injection_rehearse(struct sdw_session *session, struct sdw_err *err)
{
    struct sdw_run_rules rules = make_rules(session);
    struct sdw_hover train = make_train(session, 0);
    sdw_plan_clear(&session->plan);
    int code = sdw_run(&session->run, &session->plan, &train, &rules, session->carrier,
                       &session->next_id, err);
    if (code < 0)
        return code;
    sdw_injection_account(session, session->run.bytes, session->run.load_sent);
    if (session->run.load_answered)
        learn_train(session, &train);
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

/* How long the last train took that died at a router, or reached the far end, as the ticket's. */
static int64_t *scoped_train_ns(struct sdw_session *session)
{
    return &session->scoped_train_ns[session->ticket.load_hop == 0];
}

static void plan_ladders(struct sdw_session *session, const struct sdw_rungs *rungs, bool train)
{
    int ladders = session->window.kind == SDW_WINDOW_LIMITED  ? 1
                  : session->window.kind == SDW_WINDOW_SCOPED ? SCOPED_MARKERS
                                                              : SDW_SLOT_LADDERS;
    int64_t from_ns = 0;
    if (session->window.kind == SDW_WINDOW_SCOPED) {
        for (int i = 0; i < SCOPED_LEAD; i++)
            sdw_plan_ladder(&session->plan, i * (int64_t)LADDER_GAP_NS, rungs);
        session->plan.lead = session->plan.n;
        /* Without load as long lies between the two as with it. */
        from_ns = train ? 0 : SCOPED_LEAD * LADDER_GAP_NS + *scoped_train_ns(session);
    }
    for (int i = 0; i < ladders; i++)
        sdw_plan_ladder(&session->plan, from_ns + i * (int64_t)LADDER_GAP_NS, rungs);
}

int64_t sdw_injection_slot_ns(const struct sdw_session *session)
{
    if (!sdw_injection_climbs(session))
        return SDW_LOCKIN_NS;
    return sdw_lockin_length_ns(&session->lockin, &session->aim, session->config.window_bytes);
}

static void plan_spread(struct sdw_session *session, double bps, const struct sdw_rungs *rungs)
{
    struct sdw_plan *plan = &session->plan;
    int64_t ns = sdw_injection_slot_ns(session);
    if (bps > 0 && session->config.schedule == SDW_SCHEDULE_LOCKIN)
        sdw_lockin_load(plan, ns, bps);
    else if (bps > 0 && session->config.schedule == SDW_SCHEDULE_POISSON)
        sdw_plan_poisson(plan, 0, ns, bps, sdw_load_bytes(bps), SDW_TTL_FAR, &session->rng);
    else if (bps > 0)
        sdw_shape_plan(session->config.shape, plan, 0, ns, bps, SDW_TTL_FAR, &session->rng);
    sdw_lockin_ladders(plan, ns, rungs, session->config.ttl_rate, &session->rng);
    sdw_plan_sort(plan);
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
        plan_ladders(session, rungs, inject);
        *target_bps = inject ? session->aim.available_bps : 0;
        return inject;
    case SDW_SCHEDULE_TRAIN:
        sdw_plan_train(&session->plan, 0, inject ? TRAIN_PACKETS : 0, TRAIN_BYTES, rungs);
        break;
    case SDW_SCHEDULE_LOCKIN:
    case SDW_SCHEDULE_POISSON:
    case SDW_SCHEDULE_REPLAY:
        *target_bps = inject ? sdw_lockin_rate(&session->lockin, &session->aim) : 0;
        plan_spread(session, *target_bps, rungs);
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

/* Slots in a row that the far end did not answer, this one included; without load its markers are
 * the sentinels. A slot that asked it nothing tells nothing. */
static unsigned count_lost(const struct sdw_session *session)
{
    bool asked = false;
    for (size_t i = 0; i < session->run.n; i++) {
        if (session->plan.shots[i].ttl != SDW_TTL_FAR)
            continue;
        if (session->run.fates[i].kind >= 0)
            return 0;
        asked = true;
    }
    return session->lost + asked;
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
        .lead = session->plan.lead ? SCOPED_LEAD : 0,
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

int64_t sdw_injection_bytes(const struct sdw_session *session)
{
    const struct sdw_lockin *lockin = &session->lockin;
    if (session->config.schedule == SDW_SCHEDULE_TRAIN)
        return TRAIN_PACKETS * TRAIN_BYTES;
    if (session->config.schedule != SDW_SCHEDULE_CHIRP)
        return sdw_lockin_bytes(sdw_lockin_rate(lockin, &session->aim),
                                sdw_injection_slot_ns(session));
    return train_bytes(session);
}

/* Whether the 95th percentile of the far end's markers is above what the guard allows. */
static bool hurts(const struct sdw_session *session)
{
    const struct sdw_route *route = &session->route;
    unsigned n = 0, above = 0;
    for (size_t i = 0; i < session->run.n; i++) {
        const struct sdw_shot *shot = &session->plan.shots[i];
        int64_t round_ns = sdw_fate_round_ns(&session->run.fates[i]);
        if (shot->load || shot->hop != route->hops || round_ns < 0)
            continue;
        n++;
        above += round_ns - route->hop[route->hops].base_ns > ABORT_NS;
    }
    return above * 20 > n;
}

static void learn_slot(struct sdw_session *session, double target_bps, bool voided)
{
    double level[SDW_HOPS_MAX + 1];
    if (session->run.stop != SDW_STOP_NONE || hurts(session))
        sdw_lockin_hurt(&session->lockin, target_bps);
    if (voided)
        return;
    sdw_slot_levels(&session->route, &session->plan, &session->run, level);
    sdw_lockin_feed(&session->lockin, &session->ticket, level);
}

int sdw_injection_slot(struct sdw_session *session, bool *same_path, struct sdw_err *err)
{
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
    if (with_train && session->plan.lead)
        *scoped_train_ns(session) =
            session->run.duration_ns - (SCOPED_LEAD + SCOPED_MARKERS - 2) * (int64_t)LADDER_GAP_NS;
    sdw_injection_account(session, session->run.bytes, (int64_t)session->run.n);
    if (spread(session))
        sdw_run_forget_stalled(&session->run, &session->plan);
    *same_path = sdw_route_learn(&session->route, &session->plan, &session->run);
    if (with_train && session->run.load_answered && *same_path)
        learn_train(session, &train);
    session->lost = count_lost(session);
    code = put_slot(session, with_train ? &train : NULL, &rungs, target_bps, *same_path);
    if (sdw_injection_climbs(session))
        learn_slot(session, target_bps, why_void(session, *same_path) != NULL);
    return code;
}
