#include "steer/status.h"
#include "core/clock.h"
#include "rec/end.h"
#include "steer/apply.h"
#include "steer/ledger.h"
#include "steer/load.h"
#include "steer/orphan.h"

#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* The journal replayed, and the kernel at hand. */
struct desk {
    struct sdw_ctx *ctx;
    const char *dir;
    const struct sdw_names *names;
    struct sdw_journal journal;
    struct sdw_ledger ledger;
    struct sdw_netlink netlink;
    struct sdw_arena arena;
    int64_t count;
};

static bool is_named(const struct sdw_names *names, struct sdw_str unit)
{
    bool found = names->n == 0;
    for (size_t i = 0; i < names->n && !found; i++)
        found = sdw_str_is(unit, names->name[i]);
    return found;
}

static int open_journal(struct desk *desk, bool repair,
                        int (*each)(const struct sdw_journal_entry *entry, void *arg), void *arg)
{
    char path[256];
    int code = sdw_state_path(desk->dir, "journal", path, &desk->ctx->err);
    return code < 0 ? code
                    : sdw_journal_open(&desk->journal, path, repair, each, arg, &desk->ctx->err);
}

static int check_name(struct desk *desk, const char *name)
{
    if (strchr(name, '\n'))
        return sdw_err_set(&desk->ctx->err, SDW_EUSAGE, "a unit's name has no line feed");
    return sdw_ledger_find(&desk->ledger, sdw_str_of(name))
               ? 0
               : sdw_err_set(&desk->ctx->err, SDW_EUSAGE,
                             "%s: the journal in %s knows no unit of that name", name, desk->dir);
}

/* All named units must be known. */
static int check_names(struct desk *desk)
{
    int code = 0;
    for (size_t i = 0; code == 0 && i < desk->names->n; i++)
        code = check_name(desk, desk->names->name[i]);
    return code;
}

static void close_desk(struct desk *desk)
{
    sdw_journal_close(&desk->journal);
    sdw_ledger_release(&desk->ledger);
    sdw_netlink_close(&desk->netlink);
    sdw_arena_release(&desk->arena);
}

static int put_change(struct sdw_ctx *ctx, const struct sdw_steer_unit *unit,
                      const struct sdw_change *head, const double *from, const double *to)
{
    struct sdw_buf before = {0}, after = {0};
    struct sdw_change rec = *head;
    sdw_say_shares(unit, to, &after);
    rec.to = sdw_buf_view(&after);
    if (from) {
        sdw_say_shares(unit, from, &before);
        rec.from = sdw_buf_view(&before);
    }
    rec.back_end = sdw_str_of(sdw_back_of(unit)->name);
    int code = sdw_rec_put(ctx, &sdw_change_schema, &rec);
    sdw_buf_release(&before);
    sdw_buf_release(&after);
    return code;
}

static int put_alert(struct sdw_ctx *ctx, const char *unit, const char *reason)
{
    struct sdw_alert alert;
    sdw_rec_init(&sdw_alert_schema, &alert);
    alert.ts = sdw_wall_us();
    alert.unit = sdw_str_of(unit);
    alert.severity = 3;
    alert.reason = sdw_str_of(reason);
    return sdw_rec_put(ctx, &sdw_alert_schema, &alert);
}

/* How a unit stands in the kernel. */
struct standing {
    struct sdw_steer_unit unit;
    struct sdw_target target;
    bool up[SDW_WAYS_MAX], hop_up[SDW_FIB_HOPS], present;
    double share[SDW_WAYS_MAX];
};

static int look(struct desk *desk, const struct sdw_ledger_unit *known, struct standing *standing)
{
    struct sdw_err *err = &desk->ctx->err;
    *standing = (struct standing){.share = {1}};
    int code =
        sdw_steer_unit_read(&standing->unit, sdw_str_of(known->plan ? known->plan : ""), err);
    if (code < 0)
        return code;
    code = sdw_load_resolve(&desk->netlink, &standing->unit, standing->up, standing->hop_up, err);
    standing->target = (struct sdw_target){&standing->unit,  (uint32_t)known->slot, standing->up,
                                           standing->hop_up, standing->share,       NULL};
    if (code == 0)
        code = sdw_back_of(&standing->unit)
                   ->read(&desk->netlink, &standing->target, standing->share, err);
    standing->present = code > 0;
    if (code < 0)
        sdw_steer_unit_release(&standing->unit);
    return code < 0 ? code : 0;
}

static bool agree(const struct sdw_ledger_unit *known, const struct standing *standing)
{
    /* The tables of single flows are there as long as any of them is armed. */
    bool shared = standing->unit.match == SDW_MATCH_FLOW && !known->armed;
    bool same = shared || known->armed == standing->present;
    for (size_t i = 0; same && standing->present && i < standing->unit.n_ways; i++)
        same = fabs(known->share[i] - standing->share[i]) <= 1.01 / SDW_SHARE_STEPS;
    return same;
}

static int show_one(struct desk *desk, const struct sdw_ledger_unit *known)
{
    struct standing standing;
    int code = look(desk, known, &standing);
    if (code < 0)
        return code;
    struct sdw_change head;
    sdw_rec_init(&sdw_change_schema, &head);
    head.ts = known->ts;
    head.unit = sdw_str_of(known->name);
    head.state = sdw_str_of(sdw_unit_state_name(known->state));
    head.why = sdw_str_of(known->why);
    head.applied = 1;
    head.seq = (int64_t)known->seq;
    bool same = agree(known, &standing);
    code = put_change(desk->ctx, &standing.unit, &head, NULL, standing.share);
    if (code == 0 && !same)
        code = put_alert(desk->ctx, known->name,
                         standing.present ? "the kernel has other shares than the journal"
                         : known->armed   ? "it is in the journal, but not in the kernel"
                                          : "it is in the kernel, but not in the journal");
    sdw_steer_unit_release(&standing.unit);
    return code < 0 ? code : !same;
}

int sdw_status_show(struct sdw_ctx *ctx, const char *dir, const struct sdw_names *names)
{
    struct desk desk = {.ctx = ctx, .dir = dir, .names = names, .journal.fd = -1};
    int different = 0;
    int code = open_journal(&desk, false, sdw_ledger_take, &desk.ledger);
    if (code == 0)
        code = check_names(&desk);
    if (code == 0)
        code = sdw_netlink_open(&desk.netlink, 0, &ctx->err);
    for (size_t i = 0; code >= 0 && i < desk.ledger.n; i++)
        if (desk.ledger.unit[i].plan && is_named(names, sdw_str_of(desk.ledger.unit[i].name))) {
            code = show_one(&desk, &desk.ledger.unit[i]);
            different += code > 0;
        }
    close_desk(&desk);
    if (code >= 0)
        code = sdw_rec_end(ctx, sdw_wall_us(), "done", NULL);
    if (code == 0 && different)
        return sdw_err_set(&ctx->err, SDW_ENO, "kernel and journal differ for %d unit%s", different,
                           different == 1 ? "" : "s");
    return code;
}

static int log_entry(const struct sdw_journal_entry *entry, void *arg)
{
    struct desk *desk = arg;
    double before[SDW_WAYS_MAX];
    if (!entry->unit.p || !is_named(desk->names, entry->unit))
        return sdw_ledger_take(entry, &desk->ledger);
    struct sdw_ledger_unit *known = sdw_ledger_find(&desk->ledger, entry->unit);
    bool had = known && known->n;
    if (had)
        memcpy(before, known->share, sizeof before);
    (void)sdw_ledger_take(entry, &desk->ledger);
    known = sdw_ledger_find(&desk->ledger, entry->unit);
    struct sdw_steer_unit unit;
    struct sdw_err err = {0};
    if (!known || !known->plan || sdw_steer_unit_read(&unit, sdw_str_of(known->plan), &err) < 0)
        return 0;
    struct sdw_change head;
    sdw_rec_init(&sdw_change_schema, &head);
    head.ts = entry->ts;
    head.unit = entry->unit;
    head.state = sdw_str_of(
        sdw_unit_state_name(known->state < SDW_UNIT_STATES ? known->state : SDW_UNIT_FAILED));
    head.why = entry->why;
    head.applied = !sdw_str_is(entry->op, "fail");
    head.seq = (int64_t)entry->seq;
    desk->count++;
    int code = put_change(desk->ctx, &unit, &head, had ? before : NULL, known->share);
    sdw_steer_unit_release(&unit);
    return code;
}

int sdw_status_log(struct sdw_ctx *ctx, const char *dir, const struct sdw_names *names)
{
    struct desk desk = {.ctx = ctx, .dir = dir, .names = names, .journal.fd = -1};
    int code = open_journal(&desk, false, log_entry, &desk);
    if (code == 0)
        code = check_names(&desk);
    close_desk(&desk);
    return code < 0 ? code : sdw_rec_end(ctx, sdw_wall_us(), "done", NULL);
}

static int note_undone(struct desk *desk, const struct sdw_ledger_unit *known)
{
    struct sdw_journal_entry entry = {.ts = sdw_wall_us(),
                                      .op = sdw_str_of("disarm"),
                                      .unit = sdw_str_of(known->name),
                                      .state = sdw_str_of("PRIMARY"),
                                      .why = sdw_str_of("undone by the operator"),
                                      .slot = known->slot,
                                      .n = known->n,
                                      .share = {1}};
    return sdw_journal_append(&desk->journal, &entry, &desk->ctx->err);
}

static int undo_one(struct desk *desk, struct sdw_ledger_unit *known, bool dry_run, bool force)
{
    struct standing standing;
    double home[SDW_WAYS_MAX] = {1};
    int code = look(desk, known, &standing);
    if (code < 0)
        return code;
    struct sdw_change head;
    sdw_rec_init(&sdw_change_schema, &head);
    head.ts = sdw_wall_us();
    head.unit = sdw_str_of(known->name);
    head.state = sdw_str_of("PRIMARY");
    head.why = sdw_str_of("undone by the operator");
    head.applied = !dry_run;
    if (!standing.up[0] && standing.share[0] < 1 && !force) {
        code = put_alert(desk->ctx, known->name,
                         "its primary is down: it stays where it is (--force undoes it all the "
                         "same)");
        code = code < 0 ? code : 1;
    } else {
        if (!dry_run)
            code = sdw_back_of(&standing.unit)
                       ->disarm(&desk->netlink, &standing.target, &desk->ctx->err);
        if (code == 0 && !dry_run)
            code = note_undone(desk, known);
        known->armed = known->armed && (code < 0 || dry_run);
        if (code == 0)
            code = put_change(desk->ctx, &standing.unit, &head, standing.share, home);
    }
    sdw_steer_unit_release(&standing.unit);
    return code;
}

static void say_orphan(void *arg, const char *line)
{
    sdw_note(arg, "%s", line);
}

/* How many of the named units are away from their primary, as the journal has it now. */
static int count_away(const struct desk *desk)
{
    struct desk again = {
        .ctx = desk->ctx, .dir = desk->dir, .names = desk->names, .journal.fd = -1};
    int away = 0;
    int code = open_journal(&again, false, sdw_ledger_take, &again.ledger);
    for (size_t i = 0; code == 0 && i < again.ledger.n; i++) {
        const struct sdw_ledger_unit *unit = &again.ledger.unit[i];
        away += is_named(desk->names, sdw_str_of(unit->name)) && unit->armed &&
                unit->share[0] < 1 - 1e-6;
    }
    close_desk(&again);
    return code < 0 ? code : away;
}

/* A shadow-steer runs: it has the kernel in hand, so it is asked, and waited for. */
static int undo_live(const struct desk *desk, bool force)
{
    enum { TRIES = 100, STEP_MS = 100 };
    struct sdw_ctx *ctx = desk->ctx;
    int code =
        sdw_status_order(ctx, desk->dir, desk->names, force ? SDW_ORDER_FORCE : SDW_ORDER_UNDO);
    int away = code < 0 ? code : 1;
    for (int try = 0; away > 0 && try < TRIES; try++) {
        poll(NULL, 0, STEP_MS);
        away = count_away(desk);
    }
    if (code == 0)
        sdw_note(ctx,
                 "a shadow-steer runs: %s frozen, now and in later runs, until shadow-steer "
                 "thaw",
                 desk->names->n ? "the named units are" : "all units are");
    return away <= 0 ? away
                     : sdw_err_set(&ctx->err, SDW_ENO,
                                   "the running shadow-steer has not taken %d unit%s home within "
                                   "10 s (--force does it even when the primary is down)",
                                   away, away == 1 ? "" : "s");
}

/* Both, so that nobody else changes the kernel now. SDW_ENO: a shadow-steer runs on dir. */
static int take_locks(const char *dir, int locks[2], struct sdw_err *err)
{
    int code = sdw_state_make(dir, err);
    if (code == 0)
        code = locks[0] = sdw_state_lock(dir, err);
    if (code >= 0)
        code = locks[1] = sdw_state_lock_netns(err);
    if (code >= 0)
        return 0;
    return code == SDW_ENO && locks[0] >= 0 ? SDW_ESYS : code;
}

static void let_go(const int locks[2])
{
    for (int i = 0; i < 2; i++)
        if (locks[i] >= 0)
            close(locks[i]);
}

int sdw_status_undo(struct sdw_ctx *ctx, const char *dir, const struct sdw_names *names,
                    bool dry_run, bool force, bool orphans)
{
    struct desk desk = {.ctx = ctx, .dir = dir, .names = names, .journal.fd = -1};
    int locks[2] = {-1, -1}, stayed = 0;
    int code = dry_run ? 0 : take_locks(dir, locks, &ctx->err);
    if (code == SDW_ENO && orphans)
        return sdw_err_set(&ctx->err, SDW_ESYS,
                           "--orphans: a shadow-steer runs on %s: end it first", dir);
    if (code == SDW_ENO) {
        code = undo_live(&desk, force);
        return code < 0 ? code : sdw_rec_end(ctx, sdw_wall_us(), "done", NULL);
    }
    if (code == 0)
        code = open_journal(&desk, !dry_run, sdw_ledger_take, &desk.ledger);
    if (code == 0)
        code = check_names(&desk);
    if (code == 0)
        code = sdw_netlink_open(&desk.netlink, 0, &ctx->err);
    for (size_t i = 0; code >= 0 && i < desk.ledger.n; i++) {
        struct sdw_ledger_unit *known = &desk.ledger.unit[i];
        if (known->armed && is_named(names, sdw_str_of(known->name))) {
            code = undo_one(&desk, known, dry_run, force);
            stayed += code > 0;
        }
    }
    if (sdw_journal_sync(&desk.journal, code < 0 ? NULL : &ctx->err) < 0 && code >= 0)
        code = SDW_ESYS;
    if (code >= 0 && orphans) {
        struct sdw_orphan_sweep sweep = {&desk.netlink, &desk.ledger, dry_run, say_orphan, ctx};
        int swept = sdw_orphan_clear(&sweep, &ctx->err);
        code = swept < 0 ? swept : code;
    }
    close_desk(&desk);
    let_go(locks);
    if (code >= 0)
        code = sdw_rec_end(ctx, sdw_wall_us(), "done", NULL);
    if (code == 0 && stayed)
        return sdw_err_set(&ctx->err, SDW_ENO, "%d unit%s not undone", stayed,
                           stayed == 1 ? " was" : "s were");
    return code;
}

/* Orders are for units that the journal knows; what is under orders can always be thawed, but not
 * one unit while all are frozen together. */
static int check_order(struct desk *desk, enum sdw_order order)
{
    struct sdw_orders orders = {0};
    struct sdw_err *err = &desk->ctx->err;
    int code = sdw_orders_read(&orders, desk->dir, err);
    if (code >= 0 && desk->names->n > 0)
        code = open_journal(desk, false, sdw_ledger_take, &desk->ledger);
    for (size_t i = 0; code >= 0 && i < desk->names->n; i++) {
        const char *name = desk->names->name[i];
        bool ordered = sdw_orders_name(&orders, name);
        if (order == SDW_ORDER_NONE && sdw_orders_name(&orders, "*"))
            code =
                sdw_err_set(err, SDW_EUSAGE,
                            "%s: all units are under orders together: thaw without a name", name);
        else if (!ordered || order != SDW_ORDER_NONE)
            code = check_name(desk, name);
    }
    sdw_orders_release(&orders);
    return code < 0 ? code : 0;
}

int sdw_status_order(struct sdw_ctx *ctx, const char *dir, const struct sdw_names *names,
                     enum sdw_order order)
{
    static const char *const words[] = {"thaw", "freeze", "undo", "undo --force"};
    struct desk desk = {.ctx = ctx, .dir = dir, .names = names, .journal.fd = -1};
    int code = sdw_state_make(dir, &ctx->err);
    if (code == 0)
        code = check_order(&desk, order);
    close_desk(&desk);
    if (code == 0 && names->n == 0)
        code = sdw_orders_give(dir, "*", order, &ctx->err);
    for (size_t i = 0; i < names->n && code == 0; i++)
        code = sdw_orders_give(dir, names->name[i], order, &ctx->err);
    if (code == 0)
        sdw_detail(ctx, "%s: %zu unit%s (0: all)", words[order], names->n,
                   names->n == 1 ? "" : "s");
    return code;
}
