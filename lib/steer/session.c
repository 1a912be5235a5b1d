#include "steer/session.h"
#include "steer/apply.h"
#include "steer/decide.h"
#include "steer/join.h"
#include "steer/load.h"
#include "steer/now.h"
#include "steer/orphan.h"

#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

enum { VERIFY_US = 10 * 1000 * 1000, LOCK_TRIES = 250, LOCK_STEP_MS = 20 };

static void start_runs(struct sdw_steer *steer)
{
    steer->run = sdw_xalloc((steer->plan.n + 1) * sizeof *steer->run);
    for (size_t u = 0; u < steer->plan.n; u++) {
        struct sdw_steer_run *run = &steer->run[u];
        run->unit = &steer->plan.unit[u];
        run->back = sdw_back_of(run->unit);
        run->share[0] = 1;
        run->set = -1;
        run->slot = (int64_t)u;
        sdw_guard_hold_init(&run->hold, steer->options.hold_us);
    }
}

static int start_machine(struct sdw_steer *steer, struct sdw_err *err)
{
    int code = sdw_netlink_open(&steer->netlink, 0, err);
    if (code == 0)
        code = sdw_notice_open(&steer->notices, err);
    steer->has_netlink = code == 0;
    if (code < 0 && !steer->options.apply)
        code = 0; /* a rehearsal can do without */
    if (code == 0 && steer->has_netlink)
        code = sdw_routes_load(&steer->routes, &steer->netlink, err);
    return code == 0 ? sdw_load_start(steer, err) : code;
}

/* A guardian of one that died, or an undo, may have them for a moment. */
static int take_locks(struct sdw_steer *steer, struct sdw_err *err)
{
    int code = SDW_ENO;
    for (int try = 0; code == SDW_ENO && try < LOCK_TRIES; try++) {
        if (try > 0)
            poll(NULL, 0, LOCK_STEP_MS);
        if (steer->lock < 0)
            code = steer->lock = sdw_state_lock(steer->options.state_dir, err);
        if (steer->lock >= 0)
            code = steer->netns_lock = sdw_state_lock_netns(err);
    }
    if (code == SDW_ENO)
        return SDW_ESYS;
    return code < 0 ? code : 0;
}

static int start_journal(struct sdw_steer *steer, struct sdw_err *err)
{
    char path[256];
    int code = sdw_state_make(steer->options.state_dir, err);
    if (code == 0)
        code = take_locks(steer, err);
    if (code == 0)
        code = sdw_state_path(steer->options.state_dir, "journal", path, err);
    if (code == 0)
        code = sdw_journal_open(&steer->journal, path, true, sdw_ledger_take, &steer->ledger, err);
    if (code == 0)
        code = sdw_orphan_check(&steer->netlink, &steer->ledger, steer->options.state_dir, err);
    if (code < 0)
        return code;
    return sdw_guardian_start(&steer->guardian, &steer->plan, steer->options.state_dir,
                              steer->options.grace_us, err);
}

int sdw_session_start(struct sdw_steer *steer, const char *plan_path, struct sdw_err *err)
{
    steer->lock = steer->netns_lock = -1;
    steer->journal.fd = -1;
    steer->rate.most = (size_t)steer->options.max_changes;
    sdw_now(steer);
    int code = sdw_steer_plan_read(&steer->plan, plan_path, err);
    if (code < 0)
        return code;
    start_runs(steer);
    sdw_join_plan(steer);
    code = start_machine(steer, err);
    if (code == 0 && steer->options.apply)
        code = start_journal(steer, err);
    for (size_t u = 0; code == 0 && steer->options.apply && u < steer->plan.n; u++)
        if ((steer->run[u].slot = sdw_ledger_slot(
                 &steer->ledger, sdw_str_of(steer->run[u].unit->name))) == SDW_NO_INT)
            code = sdw_err_set(err, SDW_ESYS,
                               "the journal in %s has given out all %d ranges of ids: undo all, "
                               "then move it away",
                               steer->options.state_dir, SDW_SLOTS);
    return code;
}

/* Whether the unit was armed with the same ways in the same order. */
static bool same_ways(const struct sdw_steer_unit *a, const struct sdw_steer_unit *b)
{
    bool same = a->n_ways == b->n_ways && a->n_hops == b->n_hops && a->match == b->match &&
                sdw_route_same_prefix(&a->route, &b->route) && a->route.table == b->route.table;
    for (size_t i = 0; same && i < a->n_ways; i++)
        same = strcmp(a->way[i].name, b->way[i].name) == 0;
    for (size_t k = 0; same && k < a->n_hops; k++)
        same = a->hop[k].weight == b->hop[k].weight &&
               sdw_hop_same(&a->hop[k].gateway, a->hop[k].dev, &b->hop[k].gateway, b->hop[k].dev);
    return same;
}

static void note_in_journal(struct sdw_steer *steer, const struct sdw_ledger_unit *found,
                            const char *op, enum sdw_unit_state state, const double *share,
                            const char *why)
{
    struct sdw_journal_entry entry = {.ts = steer->now_us,
                                      .op = sdw_str_of(op),
                                      .unit = sdw_str_of(found->name),
                                      .state = sdw_str_of(sdw_unit_state_name(state)),
                                      .why = sdw_str_of(why),
                                      .slot = found->slot,
                                      .n = found->n};
    memcpy(entry.share, share, entry.n * sizeof *share);
    (void)sdw_journal_append(&steer->journal, &entry, NULL);
}

/* A unit that the journal has as armed: take over what the kernel has of it, or clear it away. */
static void reconcile(struct sdw_steer *steer, struct sdw_ledger_unit *found)
{
    struct sdw_steer_unit unit;
    struct sdw_err err = {0};
    double share[SDW_WAYS_MAX] = {1};
    bool up[SDW_WAYS_MAX] = {false}, hop_up[SDW_FIB_HOPS] = {false};
    struct sdw_steer_unit *planned = sdw_steer_plan_find(&steer->plan, sdw_str_of(found->name));
    struct sdw_steer_run *run = planned ? &steer->run[planned - steer->plan.unit] : NULL;
    if (!found->plan || sdw_steer_unit_read(&unit, sdw_str_of(found->plan), &err) < 0) {
        sdw_say_alert(steer, run, 4, "journal: %s: its plan cannot be read: %s", found->name,
                      err.text);
        return;
    }
    struct sdw_target target = {&unit, (uint32_t)found->slot, up, hop_up, share, NULL};
    const struct sdw_back *back = sdw_back_of(&unit);
    int got = sdw_load_resolve(&steer->netlink, &unit, up, hop_up, &err);
    if (got == 0)
        got = back->read(&steer->netlink, &target, share, &err);
    bool moved = got > 0 && share[0] < 1 - 1e-6;
    bool fits = planned && same_ways(planned, &unit);
    if (got > 0 && fits) {
        /* The route goes in last: a crash may have come before it. Putting it twice is harmless,
         * and so is taking a unit out that moves nothing. */
        sdw_load_shares(steer, run, share);
        run->armed = true;
        run->state = moved ? SDW_UNIT_SHIFTED : SDW_UNIT_PRIMARY;
        run->forward_us = run->changed_us = steer->now_us;
        note_in_journal(steer, found, "adopt", run->state, share, "found in the kernel at start");
        sdw_apply_adopted(steer, run);
        run->armed = run->armed && moved;
    } else if (moved) {
        sdw_say_alert(steer, run, 5,
                      "%s is still moved, but not in this plan: see shadow-steer undo",
                      found->name);
        if (run)
            run->failed = true;
    } else if (got >= 0 && back->disarm(&steer->netlink, &target, &err) == 0) {
        share[0] = 1;
        note_in_journal(steer, found, "disarm", SDW_UNIT_PRIMARY, share, "cleared away at start");
    }
    sdw_steer_unit_release(&unit);
}

/* To the primary; to the kernel's own routes where those do not go by it any more. */
static void bring_home(struct sdw_steer *steer, struct sdw_steer_run *run,
                       const struct sdw_cause *cause)
{
    bool dead = run->order == SDW_ORDER_FORCE && !run->up[0] && run->share[0] < 1;
    if (run->armed && (run->differs || dead))
        (void)sdw_apply_disarm(steer, run, cause);
    else
        sdw_decide_undo(steer, run, cause->why);
}

static void obey_orders(struct sdw_steer *steer)
{
    struct sdw_err err = {0};
    int changed = sdw_orders_read(&steer->orders, steer->options.state_dir, &err);
    if (changed < 0)
        sdw_say_alert(steer, NULL, 3, "%s", err.text);
    for (size_t u = 0; changed > 0 && u < steer->plan.n; u++) {
        struct sdw_steer_run *run = &steer->run[u];
        struct sdw_cause cause = {.why = "the operator said so"};
        enum sdw_order order = sdw_orders_for(&steer->orders, run->unit->name);
        bool again = order == run->order;
        run->order = order;
        if (!again && order >= SDW_ORDER_UNDO)
            bring_home(steer, run, &cause);
        bool frozen = order != SDW_ORDER_NONE;
        if (frozen == run->frozen || run->failed)
            continue;
        run->frozen = frozen;
        enum sdw_unit_state state = run->share[0] < 1 ? SDW_UNIT_SHIFTED
                                    : run->armed      ? SDW_UNIT_ARMED
                                                      : SDW_UNIT_PRIMARY;
        sdw_apply_state(steer, run, frozen ? SDW_UNIT_FROZEN : state, &cause);
    }
}

static void not_armed(struct sdw_steer *steer, struct sdw_steer_run *run)
{
    const char *dev = run->unit->way[0].dev;
    sdw_say_alert(steer, run, 3, "not armed: interface %s is missing or has no carrier", dev);
    sdw_say_held(steer, run, "interface", "interface %s is missing or has no carrier", dev);
}

/* Of the interfaces that the plan names, one that is not there: most likely a typing mistake. */
static void say_missing(struct sdw_steer *steer, struct sdw_steer_run *run)
{
    const struct sdw_steer_dev *missing = NULL;
    for (size_t k = 0; k < run->unit->n_hops; k++)
        missing = run->hop_dev[k]->ifindex ? missing : run->hop_dev[k];
    for (size_t i = 1; i < run->unit->n_ways; i++)
        missing = run->dev[i]->ifindex ? missing : run->dev[i];
    if (run->load_dev && !run->load_dev->ifindex)
        missing = run->load_dev;
    if (!missing)
        return;
    sdw_say_alert(steer, run, 3, "interface %s of the plan is missing", missing->name);
    sdw_say_held(steer, run, "interface", "interface %s of the plan is missing", missing->name);
}

void sdw_session_arm(struct sdw_steer *steer)
{
    bool apply = steer->options.apply;
    for (size_t i = 0; apply && i < steer->ledger.n; i++)
        if (steer->ledger.unit[i].armed)
            reconcile(steer, &steer->ledger.unit[i]);
    bool *meant = sdw_xalloc((steer->plan.n + 1) * sizeof *meant);
    for (size_t u = 0; u < steer->plan.n; u++) {
        struct sdw_steer_run *run = &steer->run[u];
        if (!run->armed && !run->failed && run->up[0])
            meant[u] = sdw_apply_intend(steer, run);
        else if (!run->armed && !run->failed)
            not_armed(steer, run);
        if (apply)
            say_missing(steer, run);
    }
    for (size_t u = 0; u < steer->plan.n; u++) {
        if (meant[u])
            (void)sdw_apply_install(steer, &steer->run[u]);
        steer->run[u].tried_us = steer->now_us;
        sdw_apply_tell(steer, &steer->run[u]);
    }
    free(meant);
    if (apply)
        obey_orders(steer);
    (void)sdw_apply_sync(steer);
}

static void tick_machine(struct sdw_steer *steer)
{
    struct sdw_err err = {0};
    bool verify = steer->now_us - steer->verified_us >= VERIFY_US;
    if (sdw_load_sample(steer, &err) < 0)
        sdw_say_alert(steer, NULL, 2, "counters: %s", err.text);
    if (!steer->options.apply)
        return;
    obey_orders(steer);
    if (steer->routes_changed && sdw_routes_load(&steer->routes, &steer->netlink, &err) == 0) {
        steer->routes_changed = false;
        for (size_t u = 0; u < steer->plan.n; u++)
            sdw_apply_routes(steer, &steer->run[u]);
    }
    for (size_t u = 0; verify && u < steer->plan.n; u++)
        sdw_apply_verify(steer, &steer->run[u]);
    if (verify)
        steer->verified_us = steer->now_us;
}

void sdw_session_tick(struct sdw_steer *steer)
{
    sdw_now(steer);
    if (steer->now_us - steer->ticked_us < steer->options.cycle_us &&
        steer->now_us >= steer->ticked_us)
        return;
    steer->ticked_us = steer->now_us;
    steer->line_ns = 0;
    tick_machine(steer);
    for (size_t u = 0; u < steer->plan.n; u++) {
        sdw_decide_tick(steer, &steer->run[u]);
        if (steer->options.apply && steer->run[u].share[0] < 1)
            sdw_apply_tell(steer, &steer->run[u]);
    }
    (void)sdw_apply_sync(steer);
}

void sdw_session_notice(const struct sdw_notice *notice, void *arg)
{
    struct sdw_steer *steer = arg;
    bool ours = notice->protocol == SDW_STEER_PROTOCOL;
    if (notice->kind == SDW_NOTICE_LOST) {
        steer->routes_changed = true;
        steer->verified_us = 0;
    }
    if (notice->kind == SDW_NOTICE_ROUTE && !ours)
        steer->routes_changed = true;
    if (notice->kind != SDW_NOTICE_LINK || !sdw_load_notice(steer, &notice->link, notice->gone))
        return;
    sdw_now(steer);
    for (size_t u = 0; u < steer->plan.n; u++) {
        struct sdw_steer_run *run = &steer->run[u];
        for (size_t k = 0; k < run->unit->n_hops; k++)
            if (strcmp(run->hop_dev[k]->name, notice->link.name) == 0) {
                steer->plan.unit[u].hop[k].gateway.ifindex = run->hop_dev[k]->ifindex;
                sdw_decide_hop(steer, run, k, run->hop_dev[k]->carrier);
            }
        for (size_t i = 1; i < run->unit->n_ways; i++)
            if (strcmp(run->dev[i]->name, notice->link.name) == 0) {
                steer->plan.unit[u].way[i].gateway.ifindex = run->dev[i]->ifindex;
                sdw_decide_way(steer, run, i, run->dev[i]->carrier);
            }
    }
    (void)sdw_apply_sync(steer);
}

void sdw_session_end(struct sdw_steer *steer, bool undo)
{
    struct sdw_cause end = {.why = "shadow-steer ends"};
    sdw_now(steer);
    steer->line_ns = 0;
    for (size_t u = 0; steer->options.apply && u < steer->plan.n; u++) {
        struct sdw_steer_run *run = &steer->run[u];
        if (!undo)
            sdw_decide_end(steer, run);
        if (run->armed && (run->share[0] >= 1 || (undo && run->up[0])))
            (void)sdw_apply_disarm(steer, run, &end);
        else if (run->armed)
            sdw_say_held(steer, run, "on-eof", "it stays moved: shadow-steer undo takes it home");
    }
    (void)sdw_apply_sync(steer);
    sdw_guardian_stop(&steer->guardian);
}

void sdw_session_release(struct sdw_steer *steer)
{
    sdw_guardian_stop(&steer->guardian);
    sdw_join_release(steer);
    sdw_load_release(steer);
    sdw_routes_release(&steer->routes);
    sdw_ledger_release(&steer->ledger);
    sdw_orders_release(&steer->orders);
    sdw_journal_close(&steer->journal);
    sdw_netlink_close(&steer->netlink);
    sdw_netlink_close(&steer->notices);
    sdw_steer_plan_release(&steer->plan);
    sdw_arena_release(&steer->arena);
    sdw_buf_release(&steer->out);
    free(steer->run);
    if (steer->netns_lock >= 0)
        close(steer->netns_lock);
    if (steer->lock >= 0)
        close(steer->lock);
}
