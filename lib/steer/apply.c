#include "steer/apply.h"
#include "core/clock.h"
#include "steer/load.h"

#include <math.h>

enum { REFUSALS_MAX = 3, SETTLE_US = 3 * 1000 * 1000, ALERT_US = 10 * 1000 * 1000 };

const struct sdw_back *sdw_back_of(const struct sdw_steer_unit *unit)
{
    return unit->match == SDW_MATCH_FLOW ? sdw_back_flow() : sdw_back_linux();
}

static struct sdw_target target_of(struct sdw_steer_run *run, const double *share)
{
    return (struct sdw_target){run->unit, (uint32_t)run->slot, run->up, run->hop_up, share,
                               &run->set};
}

/* Append to the journal. False (and said) when that is impossible: then nothing may be changed. */
static bool record(struct sdw_steer *steer, struct sdw_steer_run *run, const char *op,
                   enum sdw_unit_state state, const double *share, const char *why, uint64_t *seq)
{
    struct sdw_err err = {0};
    struct sdw_journal_entry entry = {.ts = steer->now_us,
                                      .op = sdw_str_of(op),
                                      .unit = sdw_str_of(run->unit->name),
                                      .state = sdw_str_of(sdw_unit_state_name(state)),
                                      .why = sdw_str_of(why),
                                      .slot = run->slot,
                                      .n = run->unit->n_ways};
    memcpy(entry.share, share, entry.n * sizeof *share);
    if (strcmp(op, "arm") == 0)
        entry.plan = sdw_str_of(run->unit->json);
    if (sdw_journal_append(&steer->journal, &entry, &err) < 0) {
        sdw_say_held(steer, run, "journal", "%s", err.text);
        return false;
    }
    *seq = entry.seq;
    return true;
}

bool sdw_apply_sync(struct sdw_steer *steer)
{
    struct sdw_err err = {0};
    if (!steer->options.apply || sdw_journal_sync(&steer->journal, &err) == 0)
        return true;
    if (!steer->unsynced_us || steer->now_us - steer->unsynced_us >= ALERT_US) {
        steer->unsynced_us = steer->now_us;
        sdw_say_alert(steer, NULL, 4, "%s", err.text);
    }
    return false;
}

static int64_t latency_of(const struct sdw_steer *steer, int64_t done_ns)
{
    return steer->line_ns ? (done_ns - steer->line_ns) / 1000 : -1;
}

/* The kernel (or the plan) is in the way: say it, and leave the unit alone from now on. */
static bool fail(struct sdw_steer *steer, struct sdw_steer_run *run, const char *guard,
                 const char *reason)
{
    run->failed = true;
    run->state = SDW_UNIT_FAILED;
    run->alerted_us = 0;
    sdw_say_held(steer, run, guard, "%s", reason);
    sdw_say_alert(steer, run, 4, "%s", reason);
    return false;
}

/* Whether a route goes by the primary's next hops, in their order and with their weights. */
static bool primary_is(const struct sdw_steer_unit *unit, const struct sdw_fib_route *route)
{
    bool same = route->n == unit->n_hops;
    for (size_t k = 0; same && k < unit->n_hops; k++) {
        const struct sdw_gateway *is = &route->hop[k].gateway, *hop = &unit->hop[k].gateway;
        same = is->ifindex == hop->ifindex && memcmp(is->addr, hop->addr, sizeof is->addr) == 0 &&
               (unit->n_hops == 1 || route->hop[k].weight == unit->hop[k].weight);
    }
    return same;
}

/* Whether the kernel's route is still the one that the plan means. NULL: it is. */
static const char *plan_differs(const struct sdw_steer *steer, const struct sdw_steer_run *run)
{
    const struct sdw_fib_route *existing = sdw_routes_best(&steer->routes, &run->unit->route);
    char digest[24];
    if (!existing || existing->n == 0)
        return "the kernel has no such route: one that did not exist is never made";
    if (existing->cut)
        return "its route has more next hops at once than can be steered";
    if (!primary_is(run->unit, existing))
        return "the kernel's route does not go by the plan's primary: make the plan again";
    if (run->unit->digest[0] &&
        strcmp(run->unit->digest, sdw_routes_digest(&steer->routes, &run->unit->route, digest)) !=
            0)
        return "the routes are not those that the plan was made for: make the plan again";
    return NULL;
}

static const char armed_why[] = "ready: the group is in place and gives all to the primary";

bool sdw_apply_intend(struct sdw_steer *steer, struct sdw_steer_run *run)
{
    bool prefix = run->unit->match == SDW_MATCH_PREFIX;
    const char *differs = prefix && steer->options.apply ? plan_differs(steer, run) : NULL;
    if (!steer->options.apply)
        return true;
    run->differs = differs != NULL;
    if (differs)
        return fail(steer, run, "plan-digest", differs);
    (void)sdw_routes_digest(&steer->routes, &run->unit->route, run->digest);
    return record(steer, run, "arm", SDW_UNIT_ARMED, run->share, armed_why, &run->intent);
}

/* The kernel calls. False (and said) when it refused. */
static bool install(struct sdw_steer *steer, struct sdw_steer_run *run, int64_t *call_us)
{
    struct sdw_err err = {0};
    struct sdw_target target = target_of(run, run->share);
    const struct sdw_fib_route *existing = run->unit->match == SDW_MATCH_PREFIX
                                               ? sdw_routes_best(&steer->routes, &run->unit->route)
                                               : NULL;
    if (!sdw_apply_sync(steer)) { /* the intent is on the disk before the kernel hears of it */
        sdw_say_held(steer, run, "journal", "that it is to be armed cannot be kept on the disk");
        return false;
    }
    int64_t before = sdw_mono_ns();
    int code = run->back->arm(&steer->netlink, &target, existing, &err);
    *call_us = (sdw_mono_ns() - before) / 1000;
    if (code == 0)
        return true;
    uint64_t seq;
    (void)record(steer, run, "disarm", SDW_UNIT_FAILED, run->share, err.text, &seq);
    return fail(steer, run, code == SDW_EPERM ? "rights" : "kernel", err.text);
}

bool sdw_apply_install(struct sdw_steer *steer, struct sdw_steer_run *run)
{
    struct sdw_cause cause = {.why = armed_why};
    double none[SDW_WAYS_MAX] = {0};
    int64_t call_us = -1;
    if (steer->options.apply && !install(steer, run, &call_us))
        return false;
    run->armed = true;
    run->state = SDW_UNIT_ARMED;
    sdw_apply_tell(steer, run);
    struct sdw_said_change said = {none, steer->options.apply, NAN, call_us, -1, run->intent};
    sdw_say_change(steer, run, &said, &cause);
    return true;
}

bool sdw_apply_arm(struct sdw_steer *steer, struct sdw_steer_run *run)
{
    return sdw_apply_intend(steer, run) && sdw_apply_install(steer, run);
}

/* Whether all that carried traffic died with its link: then the kernel has thrown away the group,
 * and our route with it. */
static bool group_died(const struct sdw_steer_run *run)
{
    for (size_t i = 0; i < run->unit->n_ways; i++)
        if (run->share[i] > 0 && run->up[i])
            return false;
    return true;
}

/* The kernel call; when next hops have vanished behind our back, once more with new ones. */
static int set_shares(struct sdw_steer *steer, struct sdw_steer_run *run, const double *share,
                      struct sdw_err *err)
{
    struct sdw_target target = target_of(run, share);
    const struct sdw_fib_route *existing = sdw_routes_best(&steer->routes, &run->unit->route);
    if (group_died(run) && (existing || run->unit->match == SDW_MATCH_FLOW))
        return run->back->arm(&steer->netlink, &target, existing, err);
    int code = run->back->set(&steer->netlink, &target, err);
    if (code == 0 || code == SDW_EPERM)
        return code;
    for (size_t i = 0; i < run->unit->n_ways; i++)
        if (run->up[i] && run->back->revive(&steer->netlink, &target, i, err) < 0)
            return SDW_ESYS;
    return run->back->set(&steer->netlink, &target, err);
}

static void refused(struct sdw_steer *steer, struct sdw_steer_run *run,
                    const struct sdw_said_change *said, const struct sdw_cause *cause,
                    const struct sdw_err *err)
{
    uint64_t seq;
    (void)record(steer, run, "fail", run->state, run->share, err->text, &seq);
    if (++run->refusals >= REFUSALS_MAX || err->code == SDW_EPERM)
        run->state = SDW_UNIT_FAILED;
    run->failed = run->state == SDW_UNIT_FAILED;
    sdw_say_change(steer, run, said, cause);
    sdw_say_alert(steer, run, 4, "the kernel refused a change: %s", err->text);
}

static bool all_on_live(const struct sdw_steer_run *run, const double *share)
{
    double sum = 0;
    for (size_t i = 0; i < run->unit->n_ways; i++) {
        if (share[i] > 0 && !run->up[i])
            return false;
        sum += share[i];
    }
    return fabs(sum - 1) < 1e-6;
}

bool sdw_apply_shift(struct sdw_steer *steer, struct sdw_steer_run *run, const double *share,
                     enum sdw_unit_state state, double moved_bps, const struct sdw_cause *cause)
{
    struct sdw_err err = {0};
    double from[SDW_WAYS_MAX];
    struct sdw_said_change said = {from, false, moved_bps, -1, -1, 0};
    bool forward = share[0] < run->share[0] - 1e-9;
    memcpy(from, run->share, sizeof from);
    if (!all_on_live(run, share)) {
        sdw_say_held(steer, run, "last-path", "a way that would be used is down");
        return false;
    }
    if (steer->options.apply) {
        if (!record(steer, run, "set", state, share, cause->why, &said.seq))
            return false;
        int64_t before = sdw_mono_ns();
        int code = set_shares(steer, run, share, &err);
        int64_t after = sdw_mono_ns();
        said.call_us = (after - before) / 1000;
        said.latency_us = latency_of(steer, after);
        if (code < 0) {
            refused(steer, run, &said, cause, &err);
            return false;
        }
        said.applied = true;
        run->refusals = 0;
    }
    for (size_t i = 0; i < run->unit->n_ways; i++)
        if (run->sight[i] && fabs(share[i] - from[i]) > 1e-9)
            run->sight[i]->settled_us = steer->now_us + SETTLE_US;
    sdw_load_shares(steer, run, share);
    run->state = state;
    run->changed_us = steer->now_us;
    if (forward) {
        run->forward_us = steer->now_us;
        run->confirmed = false;
        run->well_us = 0;
    }
    sdw_guard_rate_note(&steer->rate, steer->now_us);
    steer->counts.moves++;
    sdw_apply_tell(steer, run);
    sdw_say_change(steer, run, &said, cause);
    return true;
}

void sdw_apply_state(struct sdw_steer *steer, struct sdw_steer_run *run, enum sdw_unit_state state,
                     const struct sdw_cause *cause)
{
    uint64_t seq = 0;
    if (run->state == state)
        return;
    if (steer->options.apply && !record(steer, run, "set", state, run->share, cause->why, &seq))
        return;
    run->state = state;
    sdw_apply_tell(steer, run);
    struct sdw_said_change said = {run->share, steer->options.apply, NAN, -1, -1, seq};
    sdw_say_change(steer, run, &said, cause);
}

bool sdw_apply_disarm(struct sdw_steer *steer, struct sdw_steer_run *run,
                      const struct sdw_cause *cause)
{
    struct sdw_err err = {0};
    double from[SDW_WAYS_MAX], primary[SDW_WAYS_MAX] = {1};
    uint64_t seq = 0;
    memcpy(from, run->share, sizeof from);
    if (steer->options.apply) {
        struct sdw_target target = target_of(run, primary);
        if (run->back->disarm(&steer->netlink, &target, &err) < 0) {
            sdw_say_alert(steer, run, 4, "cannot be taken out of the kernel: %s", err.text);
            return false;
        }
        (void)record(steer, run, "disarm", SDW_UNIT_PRIMARY, primary, cause->why, &seq);
    }
    run->armed = false;
    sdw_load_shares(steer, run, primary);
    run->state = run->failed ? SDW_UNIT_FAILED : SDW_UNIT_PRIMARY;
    sdw_apply_tell(steer, run);
    double moved = (1 - from[0]) * sdw_load_now(run);
    struct sdw_said_change said = {from, steer->options.apply, moved, -1, -1, seq};
    sdw_say_change(steer, run, &said, cause);
    return true;
}

bool sdw_apply_revive(struct sdw_steer *steer, struct sdw_steer_run *run, size_t way)
{
    struct sdw_err err = {0};
    struct sdw_target target = target_of(run, run->share);
    if (!steer->options.apply || !run->armed)
        return true;
    if (run->back->revive(&steer->netlink, &target, way, &err) < 0) {
        sdw_say_alert(steer, run, 3, "%s cannot be put back: %s", run->unit->way[way].name,
                      err.text);
        return false;
    }
    return true;
}

void sdw_apply_hops(struct sdw_steer *steer, struct sdw_steer_run *run)
{
    struct sdw_err err = {0};
    struct sdw_target target = target_of(run, run->share);
    if (!steer->options.apply || !run->armed || run->failed || run->unit->match != SDW_MATCH_PREFIX)
        return;
    int code = run->back->revive(&steer->netlink, &target, 0, &err);
    if (code == 0)
        code = run->back->set(&steer->netlink, &target, &err);
    if (code < 0)
        sdw_say_alert(steer, run, 3, "its primary cannot be spread anew: %s", err.text);
}

static bool all_up(const struct sdw_steer_run *run)
{
    bool all = true;
    for (size_t i = 0; i < run->unit->n_ways; i++)
        all = all && run->up[i];
    for (size_t k = 0; k < run->unit->n_hops; k++)
        all = all && run->hop_up[k];
    return all;
}

/* The routes are not those of the plan: nothing is moved any more, and what carries nothing on its
 * shadows, or has no route, leaves the kernel. */
static void leave_alone(struct sdw_steer *steer, struct sdw_steer_run *run, const char *differs)
{
    struct sdw_cause cause = {.why = "the routes changed: what is there now is followed"};
    run->differs = true;
    (void)fail(steer, run, "plan-digest", differs);
    if (run->share[0] >= 1 || !sdw_routes_best(&steer->routes, &run->unit->route))
        (void)sdw_apply_disarm(steer, run, &cause);
}

void sdw_apply_routes(struct sdw_steer *steer, struct sdw_steer_run *run)
{
    char digest[24];
    if (run->unit->match != SDW_MATCH_PREFIX || !(run->armed || run->differs))
        return;
    if (!all_up(run))
        return; /* the kernel takes routes away with their link: they come back with it */
    (void)sdw_routes_digest(&steer->routes, &run->unit->route, digest);
    bool same = run->digest[0] ? strcmp(digest, run->digest) == 0 : !plan_differs(steer, run);
    if (same)
        memcpy(run->digest, digest, sizeof digest);
    if (run->differs && same) {
        run->failed = run->differs = false;
        run->state = run->share[0] < 1 ? SDW_UNIT_SHIFTED : SDW_UNIT_PRIMARY;
    } else if (run->armed && !same && !run->differs) {
        leave_alone(steer, run,
                    "the routes are not those that the plan was made for: make the plan again");
    }
}

void sdw_apply_adopted(struct sdw_steer *steer, struct sdw_steer_run *run)
{
    if (run->unit->match != SDW_MATCH_PREFIX)
        return;
    memcpy(run->digest, run->unit->digest, sizeof run->digest);
    if (!all_up(run))
        return; /* looked at when the routes come back with the link */
    const char *differs = plan_differs(steer, run);
    if (differs)
        leave_alone(steer, run, differs);
    else
        (void)sdw_routes_digest(&steer->routes, &run->unit->route, run->digest);
}

void sdw_apply_verify(struct sdw_steer *steer, struct sdw_steer_run *run)
{
    struct sdw_err err = {0};
    double share[SDW_WAYS_MAX];
    struct sdw_target target = target_of(run, run->share);
    if (!steer->options.apply || !run->armed || run->failed)
        return;
    int got = run->back->read(&steer->netlink, &target, share, &err);
    bool same = got > 0;
    for (size_t i = 0; same && i < run->unit->n_ways; i++)
        same = fabs(share[i] - run->share[i]) <= 1.01 / SDW_SHARE_STEPS;
    if (same)
        return;
    const char *what = got < 0 ? err.text : got ? "it has other shares" : "its group is gone";
    sdw_say_alert(steer, run, 3, "the kernel was changed behind our back: %s; put right", what);
    const struct sdw_fib_route *existing = sdw_routes_best(&steer->routes, &run->unit->route);
    if (run->back->disarm(&steer->netlink, &target, &err) < 0 ||
        (run->unit->match == SDW_MATCH_PREFIX && !existing) ||
        run->back->arm(&steer->netlink, &target, existing, &err) < 0)
        (void)fail(steer, run, "kernel", err.text[0] ? err.text : "its route is gone");
}

void sdw_apply_tell(struct sdw_steer *steer, struct sdw_steer_run *run)
{
    if (!steer->guardian.pid)
        return;
    const struct sdw_steer_options *options = &steer->options;
    struct sdw_guardian_note note = {
        .unit = (uint32_t)(run - steer->run), .slot = (uint32_t)run->slot, .armed = run->armed};
    memcpy(note.share, run->share, sizeof note.share);
    const struct sdw_sight *primary = run->sight[0];
    double away = (1 - run->share[0]) * sdw_load_upper(steer, run);
    int64_t now_ns = sdw_mono_ns();
    if (run->up[0] && primary &&
        !sdw_sight_doubt(primary, steer->now_us, options->fresh_us, options->max_loss) &&
        sdw_sight_room(primary, run->unit->way[0].capacity_bps, sdw_load_own(run, 0, true), 1.0) >=
            away)
        note.room_until_ns =
            now_ns + (primary->available_us + options->fresh_us - steer->now_us) * 1000;
    if (!run->confirmed && run->share[0] < 1)
        note.confirm_by_ns =
            now_ns +
            (run->forward_us - steer->now_us + options->windows * options->window_us) * 1000;
    sdw_guardian_tell(&steer->guardian, &note, now_ns);
}
