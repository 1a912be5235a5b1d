#include "steer/decide.h"
#include "steer/apply.h"
#include "steer/ask.h"
#include "steer/load.h"

#include <math.h>
#include <stdio.h>

/* Less than this is not worth a change. */
static const double least_ease = 0.02;

enum { BLOCKED_US = 30 * 1000 * 1000, RETRY_US = 10 * 1000 * 1000 };

/* It should move and cannot. */
static void block(struct sdw_steer *steer, struct sdw_steer_run *run, const char *guard,
                  const char *reason, double missing_bps)
{
    struct sdw_cause cause = {.why = reason};
    bool again = run->held_us && strcmp(run->held_guard, guard) == 0 &&
                 steer->now_us - run->held_us < RETRY_US;
    if (run->share[0] >= 1)
        sdw_apply_state(steer, run, SDW_UNIT_BLOCKED, &cause);
    if (!again) {
        sdw_say_held(steer, run, guard, "%s", reason);
        sdw_say_alert(steer, run, 4, "traffic should move and cannot: %s", reason);
        sdw_say_request(steer, run, missing_bps, reason);
    }
}

/* Whether the unit may change again so soon. False (and said) when not. */
static bool pace_allows(struct sdw_steer *steer, struct sdw_steer_run *run)
{
    const struct sdw_steer_options *options = &steer->options;
    if (run->changed_us && steer->now_us - run->changed_us < options->dwell_us) {
        sdw_say_held(steer, run, "dwell", "it changed less than %.1f s ago",
                     (double)options->dwell_us / 1e6);
        return false;
    }
    if (!sdw_guard_rate_ok(&steer->rate, steer->now_us)) {
        sdw_say_held(steer, run, "change-rate", "%lld changes within a minute",
                     (long long)options->max_changes);
        return false;
    }
    return true;
}

/* False (and said) when a guard holds. */
static bool guards_allow(struct sdw_steer *steer, struct sdw_steer_run *run,
                         const struct sdw_signal *signal, const struct sdw_policy_ask *ask)
{
    const struct sdw_steer_options *options = &steer->options;
    size_t usable = 0;
    for (size_t i = 1; i < ask->n; i++)
        usable += ask->usable[i];
    if (run->share[0] <= 0) {
        sdw_say_held(steer, run, "nothing-left", "all of it is on the shadows already");
        return false;
    }
    if (usable == 0) {
        char reason[256];
        const char *doubt = sdw_ask_doubt(steer, run, 1);
        snprintf(reason, sizeof reason, "no verified standby: %s: %s", run->unit->way[1].name,
                 doubt ? doubt : "unknown");
        block(steer, run, "standby-unverified", reason,
              isinf(ask->excess_bps) ? ask->load_bps
                                     : fmax(ask->excess_bps, ask->least_share * ask->load_bps));
        return false;
    }
    if (sdw_ask_down(run, signal))
        return true;
    if (run->share[0] >= 1 &&
        !sdw_guard_blast_ok(steer->plan.n, steer->away, options->blast_share)) {
        sdw_say_held(steer, run, "blast-radius", "%zu of %zu units are away from their primary",
                     steer->away, steer->plan.n);
        sdw_say_alert(steer, run, 5, "a forecast that moves so many units is taken to be wrong");
        return false;
    }
    return pace_allows(steer, run);
}

/* A single flow moves whole or not at all. */
static bool whole(const struct sdw_steer_run *run, const struct sdw_policy_answer *answer)
{
    return run->unit->match != SDW_MATCH_FLOW || answer->share[0] <= 0;
}

void sdw_decide_press(struct sdw_steer *steer, struct sdw_steer_run *run,
                      const struct sdw_signal *reason)
{
    char why[320];
    struct sdw_signal full = sdw_ask_borne_out(steer, run, reason, why), *signal = &full;
    struct sdw_policy_ask ask;
    struct sdw_policy_answer answer;
    if (run->frozen || run->failed) {
        sdw_say_held(steer, run, run->frozen ? "frozen" : "failed", "%s",
                     run->frozen ? "the operator froze it" : "it failed before: see the alert");
        return;
    }
    run->pressed_us = steer->now_us;
    run->good_us = 0;
    if (run->state == SDW_UNIT_RETURNING)
        sdw_guard_hold_reversed(&run->hold, steer->now_us);
    if (run->state == SDW_UNIT_RETURNING || run->state == SDW_UNIT_HOLD)
        sdw_apply_state(steer, run, SDW_UNIT_SHIFTED, &signal->cause);
    if (!run->armed && !sdw_apply_arm(steer, run))
        return;
    sdw_ask_fill(steer, run, signal, &ask);
    if (!guards_allow(steer, run, signal, &ask))
        return;
    if (steer->options.policy == SDW_POLICY_SEED && !signal->dead)
        sdw_policy_seed(&ask, signal->prediction, signal->anomaly, &answer);
    else
        sdw_policy_excess(&ask, &answer);
    bool moves = answer.share[0] < run->share[0] - 0.5 / SDW_SHARE_STEPS && whole(run, &answer);
    if (moves &&
        sdw_apply_shift(steer, run, answer.share, SDW_UNIT_SHIFTING, answer.moved_bps,
                        &signal->cause) &&
        answer.missing_bps > 0)
        sdw_say_request(steer, run, answer.missing_bps,
                        "the shadows had room for a part of it only");
    if (!moves && (answer.missing_bps > 0 || !whole(run, &answer)))
        block(steer, run, "no-room", "no shadow has room for it", answer.missing_bps);
    else if (!moves)
        sdw_say_held(steer, run, "enough-room", "what is left on the primary still fits");
}

void sdw_decide_relieve(struct sdw_steer *steer, struct sdw_steer_run *run)
{
    run->recovered_us = steer->now_us;
}

/* Whether the primary could take back `part` of the unit and stay below the lower limit. */
static bool could_return(const struct sdw_steer *steer, const struct sdw_steer_run *run,
                         double part)
{
    const struct sdw_steer_options *options = &steer->options;
    if (!run->up[0])
        return false;
    if (!run->sight[0])
        return run->recovered_us > run->pressed_us;
    if (sdw_ask_doubt(steer, run, 0))
        return false;
    double usable = sdw_ask_usable(run, 0), load = sdw_ask_load(steer, run);
    double own = sdw_load_own(run, 0, true);
    return own + part * load <= options->leave_share * usable;
}

/* Whether the primary could carry way's part too without being full. */
static bool primary_has_room(const struct sdw_steer *steer, const struct sdw_steer_run *run,
                             double part)
{
    const struct sdw_sight *primary = run->sight[0];
    if (!run->up[0] || !primary || primary->available_us == 0 ||
        steer->now_us - primary->available_us > steer->options.fresh_us)
        return false;
    return sdw_sight_room(primary, run->unit->way[0].capacity_bps, sdw_load_own(run, 0, true),
                          1.0) >= part * sdw_ask_load(steer, run);
}

/* Take way's part away from it: to the primary where that has room, else to other shadows; to
 * whatever is up when its link is down. */
static void leave_shadow(struct sdw_steer *steer, struct sdw_steer_run *run, size_t way,
                         const char *reason, bool down)
{
    double share[SDW_WAYS_MAX], part = run->share[way];
    char why[200];
    struct sdw_cause cause = {.why = why};
    size_t to = SDW_WAYS_MAX;
    snprintf(why, sizeof why, "%s: %s", run->unit->way[way].name, reason);
    if (run->up[0] && (down || primary_has_room(steer, run, part)))
        to = 0;
    for (size_t i = 1; i < run->unit->n_ways && to == SDW_WAYS_MAX; i++)
        if (i != way && !sdw_ask_doubt(steer, run, i))
            to = i;
    for (size_t i = 0; down && i < run->unit->n_ways && to == SDW_WAYS_MAX; i++)
        if (run->up[i])
            to = i;
    if (to == SDW_WAYS_MAX) {
        sdw_say_held(steer, run, "no-way-back", "%s, and nothing else has room", why);
        sdw_say_alert(steer, run, 5, "traffic is on a bad path and stays there: %s", why);
        return;
    }
    memcpy(share, run->share, sizeof share);
    share[way] = 0;
    share[to] += part;
    enum sdw_unit_state state = share[0] >= 1 - 1e-9 ? SDW_UNIT_ARMED : SDW_UNIT_SHIFTING;
    if (share[0] >= 1 - 1e-9)
        share[0] = 1;
    sdw_guard_hold_reversed(&run->hold, steer->now_us);
    (void)sdw_apply_shift(steer, run, share, state, part * sdw_ask_load(steer, run), &cause);
}

void sdw_decide_leave(struct sdw_steer *steer, struct sdw_steer_run *run, size_t way,
                      const struct sdw_signal *signal)
{
    if (way >= run->unit->n_ways || run->share[way] <= 0 || run->failed)
        return;
    if (!run->up[way] || pace_allows(steer, run))
        leave_shadow(steer, run, way, signal->cause.why, !run->up[way]);
}

void sdw_decide_way(struct sdw_steer *steer, struct sdw_steer_run *run, size_t way, bool up)
{
    struct sdw_signal signal = {
        .dead = true, .prediction = 5, .cause = {.why = "the link of the primary is down"}};
    if (run->up[way] == up)
        return;
    run->up[way] = up;
    if (run->failed || (!run->armed && !up))
        return;
    if (up) {
        /* The kernel took its next hops out of the group and never puts them back. */
        if (sdw_apply_revive(steer, run, way) && way == 0)
            run->recovered_us = steer->now_us;
        sdw_apply_verify(steer, run);
    } else if (way == 0 && run->share[0] > 0) {
        bool frozen = run->frozen;
        run->frozen = false; /* a frozen unit does not stay on a dead link */
        sdw_decide_press(steer, run, &signal);
        run->frozen = frozen;
    } else if (run->share[way] > 0) {
        leave_shadow(steer, run, way, "its link is down", true);
    }
}

void sdw_decide_hop(struct sdw_steer *steer, struct sdw_steer_run *run, size_t hop, bool up)
{
    if (run->hop_up[hop] == up)
        return;
    run->hop_up[hop] = up;
    bool any = sdw_load_any(run->hop_up, run->unit->n_hops);
    if (any == run->up[0])
        sdw_apply_hops(steer, run);
    else
        sdw_decide_way(steer, run, 0, any);
}

/* Whether all shadows in use were seen healthy since the last move. */
static bool seen_well(const struct sdw_steer *steer, const struct sdw_steer_run *run)
{
    for (size_t i = 1; i < run->unit->n_ways; i++)
        if (run->share[i] > 0 &&
            (!run->up[i] || !sdw_sight_well_since(run->sight[i], run->forward_us, steer->now_us,
                                                  steer->options.windows * steer->options.window_us,
                                                  steer->options.max_loss)))
            return false;
    return true;
}

static void check_confirmation(struct sdw_steer *steer, struct sdw_steer_run *run)
{
    struct sdw_cause cause = {.why = "the new path was seen healthy"};
    const struct sdw_steer_options *options = &steer->options;
    if (seen_well(steer, run)) {
        run->well_us = steer->now_us;
        run->confirmed = true;
        if (run->state == SDW_UNIT_SHIFTING)
            sdw_apply_state(steer, run, SDW_UNIT_SHIFTED, &cause);
        return;
    }
    int64_t since = run->well_us > run->forward_us ? run->well_us : run->forward_us;
    if (steer->now_us - since <= options->windows * options->window_us)
        return;
    for (size_t i = 1; i < run->unit->n_ways; i++)
        if (run->share[i] > 0 &&
            !sdw_sight_well_since(run->sight[i], run->forward_us, steer->now_us, options->fresh_us,
                                  options->max_loss)) {
            const char *doubt = sdw_ask_doubt(steer, run, i);
            leave_shadow(steer, run, i, doubt ? doubt : "not seen healthy since the move", false);
            return;
        }
}

void sdw_decide_end(struct sdw_steer *steer, struct sdw_steer_run *run)
{
    double primary[SDW_WAYS_MAX] = {1}, part = 1 - run->share[0];
    struct sdw_cause cause = {.why = "the end comes before the new path was seen healthy"};
    if (!run->armed || run->failed || run->frozen || run->confirmed || part <= 0)
        return;
    if (seen_well(steer, run))
        check_confirmation(steer, run);
    else if (!sdw_ask_doubt(steer, run, 0) && primary_has_room(steer, run, part))
        (void)sdw_apply_shift(steer, run, primary, SDW_UNIT_ARMED, part * sdw_ask_load(steer, run),
                              &cause);
    else
        sdw_say_alert(steer, run, 4, "%s, and the primary is not known to have room", cause.why);
}

static void step_back(struct sdw_steer *steer, struct sdw_steer_run *run)
{
    struct sdw_policy_ask ask = {.n = run->unit->n_ways, .load_bps = sdw_ask_load(steer, run)};
    struct sdw_policy_answer answer;
    struct sdw_cause cause = {.why = "the primary has room again"};
    double step = run->unit->match == SDW_MATCH_FLOW ? 1 : steer->options.step_share;
    if (steer->now_us - run->stepped_us < steer->options.cycle_us ||
        !could_return(steer, run, step) || !sdw_guard_rate_ok(&steer->rate, steer->now_us))
        return;
    memcpy(ask.share, run->share, sizeof ask.share);
    sdw_policy_return(&ask, step, &answer);
    bool home = answer.share[0] >= 1 - 1e-9;
    if (home)
        answer.share[0] = 1;
    run->stepped_us = steer->now_us;
    (void)sdw_apply_shift(steer, run, answer.share, home ? SDW_UNIT_ARMED : SDW_UNIT_RETURNING,
                          answer.moved_bps, &cause);
}

/* What is left on the primary grows over the limit: take more, without waiting for a forecast. */
static void check_load(struct sdw_steer *steer, struct sdw_steer_run *run)
{
    struct sdw_signal signal = {
        .anomaly = 2, .cause = {.why = "the load left on the primary is above the limit"}};
    double usable = sdw_ask_usable(run, 0), own = sdw_load_own(run, 0, true);
    if (isnan(usable) || !run->sight[0] || steer->options.policy == SDW_POLICY_SEED ||
        steer->now_us - run->sight[0]->available_us > steer->options.fresh_us ||
        steer->now_us - run->changed_us < 2 * steer->options.dwell_us)
        return;
    if (run->share[0] > 0 && own > (steer->options.limit_share + 0.05) * usable)
        sdw_decide_press(steer, run, &signal);
}

/* All is on the primary, and the load will soon be what it can surely not carry: act on the
 * head-end's own counters and the measured capacity, forecast or not. */
static void check_approach(struct sdw_steer *steer, struct sdw_steer_run *run)
{
    struct sdw_signal signal = {
        .anomaly = 2, .cause = {.why = "the load will soon be what the primary can carry"}};
    const struct sdw_sight *primary = run->sight[0];
    double usable = primary ? sdw_sight_usable_upper(primary) : NAN;
    double ahead = sdw_load_ahead(run, steer->options.lookahead_us, steer->options.cycle_us);
    if (isnan(usable) || isnan(ahead) || !primary || primary->readings < SDW_READINGS_LEAST ||
        steer->options.policy == SDW_POLICY_SEED ||
        steer->now_us - primary->available_us > steer->options.fresh_us ||
        steer->now_us - run->changed_us < 2 * steer->options.dwell_us)
        return;
    signal.growth_bps = (ahead - sdw_load_now(run)) / ((double)steer->options.lookahead_us / 1e6);
    if (ahead > steer->options.enter_share * usable)
        sdw_decide_press(steer, run, &signal);
}

/* A shadow that carries more than the limit gives back what the primary has room for. */
static void ease_shadow(struct sdw_steer *steer, struct sdw_steer_run *run, size_t way)
{
    const struct sdw_steer_options *options = &steer->options;
    const struct sdw_sight *primary = run->sight[0];
    struct sdw_cause cause = {.why =
                                  "the shadow carries more than the limit, the primary has room"};
    double usable = sdw_ask_usable(run, way), load = sdw_ask_load(steer, run), share[SDW_WAYS_MAX];
    double over = sdw_load_own(run, way, true) - options->limit_share * usable;
    if (isnan(usable) || load <= 0 || over <= 0.05 * usable || !run->up[0] || !primary ||
        primary->available_us == 0 || steer->now_us - primary->available_us > options->fresh_us ||
        steer->now_us - run->changed_us < 2 * options->dwell_us ||
        !sdw_guard_rate_ok(&steer->rate, steer->now_us))
        return;
    double room = sdw_sight_room(primary, run->unit->way[0].capacity_bps,
                                 sdw_load_own(run, 0, true), options->limit_share);
    double part = fmin(fmin(over, room) / load, run->share[way]);
    if (part < least_ease)
        return;
    memcpy(share, run->share, sizeof share);
    share[way] -= part;
    share[0] += part;
    (void)sdw_apply_shift(steer, run, share, run->state, part * load, &cause);
}

static void tick_away(struct sdw_steer *steer, struct sdw_steer_run *run)
{
    struct sdw_cause good = {.why = "the primary looks good: waiting to be sure"};
    struct sdw_cause sure = {.why = "the primary stayed good: going back step by step"};
    struct sdw_cause bad = {.why = "the primary does not look good any more"};
    double step = run->unit->match == SDW_MATCH_FLOW ? 1 : steer->options.step_share;
    check_confirmation(steer, run);
    if (run->share[0] >= 1)
        return;
    bool could = could_return(steer, run, step);
    if (run->state == SDW_UNIT_SHIFTED) {
        check_load(steer, run);
        for (size_t i = 1; i < run->unit->n_ways && run->unit->match == SDW_MATCH_PREFIX; i++)
            if (run->share[i] > 0)
                ease_shadow(steer, run, i);
        if (could && run->state == SDW_UNIT_SHIFTED) {
            run->good_us = steer->now_us;
            sdw_apply_state(steer, run, SDW_UNIT_HOLD, &good);
        }
    } else if (run->state == SDW_UNIT_HOLD && !could) {
        sdw_apply_state(steer, run, SDW_UNIT_SHIFTED, &bad);
    } else if (run->state == SDW_UNIT_HOLD) {
        if (steer->now_us - run->good_us >= sdw_guard_hold_us(&run->hold, steer->now_us))
            sdw_apply_state(steer, run, SDW_UNIT_RETURNING, &sure);
    } else if (run->state == SDW_UNIT_RETURNING) {
        step_back(steer, run);
    }
}

void sdw_decide_tick(struct sdw_steer *steer, struct sdw_steer_run *run)
{
    struct sdw_cause calm = {.why = "no reason to move any more"};
    struct sdw_signal dead = {
        .dead = true, .prediction = 5, .cause = {.why = "the link of the primary is down"}};
    if (run->frozen || run->failed)
        return;
    if (!run->armed && run->up[0] && steer->now_us - run->tried_us >= RETRY_US) {
        run->tried_us = steer->now_us;
        (void)sdw_apply_arm(steer, run);
    } else if (run->armed && !run->up[0] && run->share[0] > 0) {
        sdw_decide_press(steer, run, &dead);
    } else if (run->armed && run->share[0] < 1) {
        tick_away(steer, run);
    } else {
        if (run->state == SDW_UNIT_BLOCKED && steer->now_us - run->pressed_us > BLOCKED_US)
            sdw_apply_state(steer, run, SDW_UNIT_ARMED, &calm);
        if (run->armed)
            check_approach(steer, run);
    }
}

void sdw_decide_undo(struct sdw_steer *steer, struct sdw_steer_run *run, const char *why)
{
    double primary[SDW_WAYS_MAX] = {1};
    struct sdw_cause cause = {.why = why};
    if (!run->armed || run->share[0] >= 1)
        return;
    (void)sdw_apply_shift(steer, run, primary, SDW_UNIT_ARMED,
                          (1 - run->share[0]) * sdw_load_now(run), &cause);
}
