#include "steer/input.h"
#include "core/map.h"
#include "core/num.h"
#include "io/horizons.h"
#include "rec/capacity.h"
#include "rec/path.h"
#include "rec/series.h"
#include "steer/apply.h"
#include "steer/decide.h"
#include "steer/join.h"
#include "steer/load.h"

#include <math.h>
#include <stdio.h>

/* A record's time against the clock. False: rejected, and said. */
static bool in_time(struct sdw_steer *steer, int64_t ts, int64_t max_age_us)
{
    if (ts == SDW_NO_INT) {
        sdw_say_reject(steer, "ts", "without a time it cannot be acted on");
        return false;
    }
    if (steer->options.replay && ts > steer->now_us)
        steer->now_us = ts;
    const char *stale = sdw_guard_stale(ts, steer->now_us, steer->newest_us, max_age_us);
    if (stale) {
        sdw_say_reject(steer, "ts", stale);
        return false;
    }
    if (ts > steer->newest_us)
        steer->newest_us = ts;
    return true;
}

/* Our own load on a path, looked up at the first unit that has it as a way. */
static double own_load(const struct sdw_steer *steer, const struct sdw_sight *sight)
{
    const struct sdw_watch_list *list = sdw_join_watchers(steer, sdw_str_of(sight->name));
    for (size_t i = 0; list && i < list->n; i++) {
        const struct sdw_watcher *watcher = &list->watcher[i];
        if (watcher->way < SDW_WAYS_MAX && watcher->run->sight[watcher->way] == sight)
            return sdw_load_own(watcher->run, watcher->way, false);
    }
    return 0;
}

static void see_available(struct sdw_steer *steer, struct sdw_str path_id, int64_t ts, double mid,
                          double lo)
{
    struct sdw_sight *sight = sdw_join_sight(steer, path_id);
    double value = isnan(mid) ? lo : mid;
    if (sight && !isnan(value) && value >= 0)
        sdw_sight_available(sight, ts, value, lo, own_load(steer, sight));
}

/* The text behind path/ID/, "" when the series is not about a path. */
static struct sdw_str quantity_of(struct sdw_str series, struct sdw_str id)
{
    const char *at = id.p ? id.p + id.n + 1 : NULL;
    return at ? (struct sdw_str){at, (size_t)(series.p + series.n - at)} : (struct sdw_str){"", 0};
}

static int take_metric(struct sdw_steer *steer, struct sdw_str line, struct sdw_err *err)
{
    struct sdw_metric metric;
    int code = sdw_rec_decode(&sdw_metric_schema, line, &steer->arena, &metric, err);
    if (code < 0)
        return code;
    struct sdw_str id = sdw_join_path_of(metric.series);
    struct sdw_str quantity = quantity_of(metric.series, id);
    struct sdw_sight *sight = sdw_join_sight(steer, id);
    if (!sight || isnan(metric.value) || !in_time(steer, metric.ts, steer->options.fresh_us))
        return 0;
    if (sdw_str_is(quantity, "available_bps"))
        see_available(steer, id, metric.ts, metric.value, metric.interval.lo);
    else if (sdw_str_is(quantity, "loss_share"))
        sdw_sight_loss(sight, metric.ts, metric.value);
    else if (sdw_str_is(quantity, "capacity_bps") && metric.value > 0)
        sight->capacity_bps = metric.value;
    return 0;
}

static void press_all(struct sdw_steer *steer, const struct sdw_watch_list *list,
                      const struct sdw_signal *signal)
{
    for (size_t i = 0; list && i < list->n; i++)
        if (list->watcher[i].way == 0 || list->watcher[i].way == SDW_WAYS_MAX)
            sdw_decide_press(steer, list->watcher[i].run, signal);
        else if (signal->dead)
            sdw_decide_leave(steer, list->watcher[i].run, list->watcher[i].way, signal);
}

/* A verdict that finds the path nearly full is a reason to move by itself, forecast or not. */
static int take_verdict(struct sdw_steer *steer, struct sdw_str line, struct sdw_err *err)
{
    struct sdw_verdict verdict;
    int code = sdw_rec_decode(&sdw_verdict_schema, line, &steer->arena, &verdict, err);
    if (code < 0)
        return code;
    struct sdw_sight *sight = sdw_join_sight(steer, verdict.path_id);
    if (!sight || sdw_str_is(verdict.state, "void") ||
        !in_time(steer, verdict.ts, steer->options.fresh_us))
        return 0;
    if (!isnan(verdict.capacity_bps))
        sight->capacity_bps = verdict.capacity_bps;
    /* Its figure is the mean of a long window: newer single ones are better. */
    if (verdict.ts - sight->available_us > steer->options.window_us)
        see_available(steer, verdict.path_id, verdict.ts, verdict.available_bps.mid,
                      verdict.available_bps.lo);
    double free_bps = verdict.available_bps.mid, capacity = verdict.capacity_bps;
    if (!sdw_str_is(verdict.state, "bottleneck") || isnan(free_bps) || isnan(capacity) ||
        free_bps >= (1 - steer->options.enter_share) * capacity)
        return 0;
    struct sdw_signal signal = {.anomaly = 3,
                                .cause = {.why = "the path is nearly full",
                                          .type = sdw_str_of("verdict"),
                                          .ts = verdict.ts}};
    press_all(steer, sdw_join_watchers(steer, verdict.path_id), &signal);
    return 0;
}

/* A hop that injected load finds tight: its queue grows (1), or, by the larger part of its Capacity
 * Gradient, it drops (2). That is found in any load, so it is no reason to move: it bears one out.
 */
static int take_gradient(struct sdw_steer *steer, struct sdw_str line, struct sdw_err *err)
{
    struct sdw_gradient gradient;
    int code = sdw_rec_decode(&sdw_gradient_schema, line, &steer->arena, &gradient, err);
    if (code < 0)
        return code;
    struct sdw_sight *sight = sdw_join_sight(steer, gradient.path_id);
    bool tight = sdw_str_is(gradient.state, "tight");
    if (!sight || isnan(gradient.capacity_gradient) ||
        (!tight && !sdw_str_is(gradient.state, "clear")) ||
        !in_time(steer, gradient.ts, steer->options.fresh_us))
        return 0;
    bool drops = gradient.loss_weight * gradient.loss_gradient_per_mbps >
                 gradient.delay_weight * gradient.delay_gradient_us_per_mbps;
    double severity = !tight ? 0 : drops ? 2 : 1;
    sdw_sight_strain(sight, gradient.ts, gradient.hop, severity, gradient.capacity_gradient);
    return 0;
}

/* The largest p of the horizons within act_within (of the shortest, when none is): -1 for a bad
 * list. */
static double p_within(struct sdw_str horizons, int64_t within_us)
{
    struct sdw_scan scan;
    struct sdw_horizon one;
    double best = 0, shortest_p = 0;
    int64_t shortest = INT64_MAX;
    int more = sdw_scan_begin(&scan, horizons, NULL);
    while (more >= 0 && (more = sdw_horizons_next(&scan, &one)) > 0) {
        if (!(one.p >= 0 && one.p <= 1))
            return -1;
        if (one.horizon_us <= within_us)
            best = fmax(best, one.p);
        if (one.horizon_us < shortest) {
            shortest = one.horizon_us;
            shortest_p = one.p;
        }
    }
    if (more < 0)
        return -1;
    return shortest > within_us ? shortest_p : best;
}

/* Whether a path's figures rest on enough readings and leave room: then they, and not the forecast
 * of a series that our own moves bend, say whether it is a standby. */
static bool well_known(const struct sdw_steer *steer, const struct sdw_sight *sight)
{
    return sight->readings >= SDW_READINGS_LEAST &&
           sdw_sight_room(sight, NAN, own_load(steer, sight), steer->options.limit_share) > 0;
}

static int take_breach(struct sdw_steer *steer, struct sdw_str line, struct sdw_err *err)
{
    struct sdw_breach breach;
    char why[160];
    int code = sdw_rec_decode(&sdw_breach_schema, line, &steer->arena, &breach, err);
    if (code < 0)
        return code;
    struct sdw_str id = breach.path_id.p ? breach.path_id : sdw_join_path_of(breach.series);
    struct sdw_sight *sight = sdw_join_sight(steer, id);
    if (breach.cold == 1)
        return 0;
    if (sight) {
        if (!in_time(steer, breach.ts, steer->options.max_age_us))
            return 0;
        uint64_t of = sdw_hash(breach.series.p, breach.series.n,
                               sdw_str_is(breach.direction, "below") ? 1 : 0);
        sdw_sight_foresee(sight, breach.ts, of, breach.severity);
    }
    if (breach.severity == 0)
        return 0;
    double p = p_within(breach.horizons, steer->options.act_within_us);
    if (p < 0)
        return sdw_err_field(err, "horizons",
                             "must be an array of objects with horizon_us and p (0 to 1)");
    const struct sdw_watch_list *by_path = sdw_join_watchers(steer, id);
    const struct sdw_watch_list *by_series = sdw_join_watchers(steer, breach.series);
    if (!by_path && !by_series)
        return 0;
    bool soon =
        p >= steer->options.act_p || (breach.horizons.n <= 2 && !isnan(breach.eta_us.mid) &&
                                      breach.eta_us.mid <= (double)steer->options.act_within_us);
    if (!soon || (!sight && !in_time(steer, breach.ts, steer->options.max_age_us)))
        return 0;
    double fall = breach.value - breach.capacity;
    snprintf(why, sizeof why, "%.*s is expected to cross %.6g (p %.2f)", (int)breach.series.n,
             breach.series.p, breach.capacity, p);
    struct sdw_signal signal = {
        .prediction = (double)breach.severity,
        .cause = {
            .why = why, .type = sdw_str_of("breach"), .series = breach.series, .ts = breach.ts}};
    if (id.p && fall > 0 && breach.eta_us.mid > 0)
        signal.growth_bps = fall / fmax(breach.eta_us.mid / 1e6, 1);
    if (sight && !well_known(steer, sight))
        sdw_sight_warn(sight, breach.ts);
    press_all(steer, by_path, &signal);
    if (by_series != by_path)
        press_all(steer, by_series, &signal);
    return 0;
}

/* All units that an event names, by whatever key: calls each. Returns how many keys matched. */
static size_t concerned(struct sdw_steer *steer, const struct sdw_event *event,
                        const struct sdw_watch_list **lists)
{
    const struct sdw_str keys[] = {event->path_id, event->series, event->link, event->flow};
    size_t n = 0;
    for (size_t i = 0; i < SDW_LEN(keys); i++) {
        const struct sdw_watch_list *list = sdw_join_watchers(steer, keys[i]);
        if (list)
            lists[n++] = list;
    }
    return n;
}

static struct sdw_steer_run *run_of(struct sdw_steer *steer, struct sdw_str name)
{
    const struct sdw_steer_unit *unit = name.p ? sdw_steer_plan_find(&steer->plan, name) : NULL;
    return unit ? &steer->run[unit - steer->plan.unit] : NULL;
}

static void recover(struct sdw_steer *steer, const struct sdw_event *event,
                    struct sdw_steer_run *named, const struct sdw_watch_list *const *lists,
                    size_t n)
{
    struct sdw_sight *sight = sdw_join_sight(steer, event->path_id);
    if (sight)
        sdw_sight_recovered(sight, event->ts);
    if (named)
        sdw_decide_relieve(steer, named);
    for (size_t l = 0; l < n; l++)
        for (size_t i = 0; i < lists[l]->n; i++)
            if (lists[l]->watcher[i].way == 0 || lists[l]->watcher[i].way == SDW_WAYS_MAX)
                sdw_decide_relieve(steer, lists[l]->watcher[i].run);
}

static int take_event(struct sdw_steer *steer, struct sdw_str line, struct sdw_err *err)
{
    struct sdw_event event;
    const struct sdw_watch_list *lists[4];
    char why[200];
    int code = sdw_rec_decode(&sdw_event_schema, line, &steer->arena, &event, err);
    if (code < 0)
        return code;
    struct sdw_steer_run *named = run_of(steer, event.unit);
    size_t n = concerned(steer, &event, lists);
    if (event.unit.p && !named) {
        sdw_say_reject(steer, "unit", "no unit of that name is in the plan");
        return 0;
    }
    if ((!named && n == 0) || !in_time(steer, event.ts, steer->options.max_age_us))
        return 0;
    if (sdw_str_is(event.kind, "recovery")) {
        recover(steer, &event, named, lists, n);
        return 0;
    }
    struct sdw_str failure = event.failure.p ? event.failure : sdw_str_of("trouble");
    snprintf(why, sizeof why, "%.*s: %.*s%s%.*s", (int)event.kind.n, event.kind.p, (int)failure.n,
             failure.p, event.reason.p ? ": " : "", (int)event.reason.n,
             event.reason.p ? event.reason.p : "");
    bool predicted = sdw_str_is(event.kind, "prediction");
    struct sdw_signal signal = {
        .dead = sdw_str_is(event.kind, "degradation") && sdw_str_is(failure, "dead"),
        .prediction = predicted ? (double)event.severity : 0,
        .anomaly = predicted ? 0 : (double)event.severity,
        .cause = {.why = why, .type = sdw_str_of("event"), .series = event.series, .ts = event.ts}};
    struct sdw_sight *sight = sdw_join_sight(steer, event.path_id);
    if (sight)
        sdw_sight_trouble(sight, event.ts, "trouble was reported on it");
    if (event.severity == 0)
        return 0;
    if (named)
        sdw_decide_press(steer, named, &signal);
    for (size_t l = 0; l < n; l++)
        press_all(steer, lists[l], &signal);
    return 0;
}

static int take_path(struct sdw_steer *steer, struct sdw_str line, struct sdw_err *err)
{
    struct sdw_path path;
    int code = sdw_rec_decode(&sdw_path_schema, line, &steer->arena, &path, err);
    if (code == 0)
        sdw_join_path(steer, path.path_id, path.dst);
    return code;
}

int sdw_input_line(struct sdw_steer *steer, struct sdw_str line, struct sdw_err *err)
{
    static const struct {
        const char *type;
        int (*take)(struct sdw_steer *steer, struct sdw_str line, struct sdw_err *err);
    } takers[] = {{"breach", take_breach},   {"metric", take_metric},     {"event", take_event},
                  {"verdict", take_verdict}, {"gradient", take_gradient}, {"path", take_path}};
    struct sdw_str type = sdw_scan_type(line);
    int code = 0;
    if (!type.p)
        code = sdw_err_field(err, "type", "is missing: not a record");
    for (size_t i = 0; type.p && i < SDW_LEN(takers); i++)
        if (sdw_str_is(type, takers[i].type))
            code = takers[i].take(steer, line, err);
    sdw_arena_reset(&steer->arena);
    (void)sdw_apply_sync(steer);
    if (code == SDW_EINPUT)
        sdw_say_reject(steer, err->field, err->text);
    return code;
}
