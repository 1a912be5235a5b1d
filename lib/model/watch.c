#include "model/watch.h"
#include "model/watch_book.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

enum { LATE_IN_ORDER = 3, KNOWN = 12, LOOKS = 2 };
static const double one_ahead = 1.5; /* usual intervals: further ahead less is known */

struct sdw_watch *sdw_watch_new(const struct sdw_watch_settings *settings)
{
    static const enum sdw_rule_method rule[] = {
        [SDW_WATCH_ZSCORE] = SDW_RULE_ZSCORE,
        [SDW_WATCH_MAD] = SDW_RULE_MAD,
        [SDW_WATCH_EWMA] = SDW_RULE_EWMA,
        [SDW_WATCH_HOLT_WINTERS] = SDW_RULE_HOLT_WINTERS,
    };
    struct sdw_watch *watch = sdw_xalloc(sizeof *watch);
    watch->settings = *settings;
    watch->settings.rule.method = rule[settings->method];
    watch->newest = watch->resumed = INT64_MIN;
    sdw_map_init(&watch->series, 0);
    return watch;
}

static void watched_free(struct sdw_watched *w)
{
    sdw_alarm_close(&w->alarm);
    free(w->detector);
    free(w->foreseens);
    free(w->name);
    free(w);
}

void sdw_watch_free(struct sdw_watch *watch)
{
    if (!watch)
        return;
    for (size_t i = 0; i < watch->series.n; i++)
        watched_free(watch->list[i]);
    free(watch->list);
    sdw_map_release(&watch->series);
    sdw_hushes_release(&watch->hushes);
    sdw_discovery_release(&watch->discovery);
    sdw_incident_drop(watch->incident);
    free(watch->said);
    sdw_arena_release(&watch->arena);
    sdw_buf_release(&watch->json);
    free(watch);
}

size_t sdw_watch_series(const struct sdw_watch *watch)
{
    return watch->series.n;
}

size_t sdw_watched_detector_bytes(const struct sdw_watch *watch)
{
    const struct sdw_watch_settings *s = &watch->settings;
    return s->method == SDW_WATCH_FORECAST ? sdw_detector_bytes(&s->detect)
                                           : sdw_rule_bytes(&s->rule);
}

struct sdw_watched *sdw_watched_new(struct sdw_watch *watch, struct sdw_str name)
{
    struct sdw_watched *w = sdw_xalloc(sizeof *w);
    w->name = sdw_xstrndup(name.p, name.n);
    w->detector = sdw_xalloc(sdw_watched_detector_bytes(watch));
    if (watch->settings.method == SDW_WATCH_FORECAST)
        sdw_detector_init(w->detector, &watch->settings.detect);
    else
        sdw_rule_init(w->detector, &watch->settings.rule);
    w->at = watch->series.n;
    SDW_GROW(watch->list, watch->cap, w->at + 1);
    watch->list[w->at] = w;
    *sdw_map_at(&watch->series, name) = w;
    return w;
}

static struct sdw_watched *watched_at(struct sdw_watch *watch, struct sdw_str name)
{
    struct sdw_watched *w = sdw_map_get(&watch->series, name);
    return w || watch->series.n >= watch->settings.max_series ? w : sdw_watched_new(watch, name);
}

static void open_alarm(struct sdw_watch *watch, struct sdw_watched *w, int64_t ts)
{
    struct sdw_str name = sdw_str_of(w->name);
    struct sdw_incident *newest = watch->incident;
    if (newest && ts - sdw_incident_ts(newest) <= watch->settings.together_us &&
        ts >= sdw_incident_ts(newest)) {
        sdw_incident_join(newest, name);
    } else {
        sdw_incident_drop(newest);
        watch->incident = newest = sdw_incident_new(name, ts);
        sdw_incident_hold(newest);
    }
    sdw_alarm_open(&w->alarm, &w->seen, newest, name);
    w->alarm.held = w->alarm.severity < SDW_WATCH_CERTAIN &&
                    !sdw_alarm_afford(&w->alarm, ts, watch->settings.budget);
    watch->held += w->alarm.held;
    sdw_watch_say_anomaly(watch, w, ts, "open");
}

static void close_alarm(struct sdw_watch *watch, struct sdw_watched *w, int64_t ts)
{
    sdw_watch_say_anomaly(watch, w, ts, "close");
    sdw_alarm_close(&w->alarm);
}

static void forget(struct sdw_watch *watch, struct sdw_watched *w, int64_t ts)
{
    if (w->alarm.kind)
        close_alarm(watch, w, ts);
    if (w->candidate)
        sdw_discovery_remove(&watch->discovery, w);
    sdw_map_remove(&watch->series, sdw_str_of(w->name));
    watch->list[w->at] = watch->list[watch->series.n];
    watch->list[w->at]->at = w->at;
    watched_free(w);
}

/* Look after some of the series, in turn: a few a value cost the same however many there are. */
static void look_for_missing(struct sdw_watch *watch, int64_t ts)
{
    for (int look = 0; look < LOOKS && watch->series.n > 0; look++) {
        watch->next = watch->next + 1 < watch->series.n ? watch->next + 1 : 0;
        struct sdw_watched *w = watch->list[watch->next];
        double silent = (double)ts - (double)w->ts;
        if (silent > (double)watch->settings.ttl_us) {
            forget(watch, w, ts);
            continue;
        }
        if (w->n < KNOWN || w->alarm.kind == SDW_ANOMALY_MISSING || silent <= 4 * w->interval ||
            silent <= 2 * (double)w->gap_us ||
            sdw_hushes_cover(&watch->hushes, sdw_str_of(w->name), ts, watch->settings.ttl_us))
            continue;
        if (w->alarm.kind)
            close_alarm(watch, w, ts);
        if (w->candidate)
            sdw_discovery_remove(&watch->discovery, w);
        w->candidate = false;
        double n = (double)w->n + 1;
        w->seen = (struct sdw_detection){.kind = SDW_ANOMALY_MISSING, .p = 1 / (n * n)};
        w->seen.expected = w->seen.lo = w->seen.hi = NAN;
        open_alarm(watch, w, ts);
    }
}

/* Whether the value is to be judged; keeps the time of the series. */
static enum sdw_watch_use keep_time(struct sdw_watched *w, int64_t ts)
{
    if (w->n == 0) {
        w->ts = ts;
        return SDW_WATCH_USED;
    }
    if (ts <= w->ts) {
        bool in_order = w->late == 0 || ts > w->late_ts;
        if (ts == w->ts)
            return SDW_WATCH_DUPLICATE;
        w->late = in_order ? w->late + 1 : 1;
        w->late_ts = ts;
        if (w->late < LATE_IN_ORDER)
            return SDW_WATCH_LATE;
    } else {
        int64_t gap = ts - w->ts;
        double usual = w->n == 1 ? (double)gap : fmin((double)gap, 4 * w->interval);
        w->interval += (w->n < KNOWN ? 1 / (double)w->n : 0.1) * (usual - w->interval);
        w->gap_us = gap > w->gap_us ? gap : w->gap_us;
    }
    w->late = 0;
    w->ts = ts;
    return SDW_WATCH_USED;
}

/* What was forecast of the newest value of a series; NULL: nothing. */
static const struct sdw_foreseen *foreseen_of(const struct sdw_watched *w)
{
    return w->foreseens ? sdw_foreseens_at(w->foreseens, w->ts, w->interval / 2) : NULL;
}

static void judge(struct sdw_watch *watch, struct sdw_watched *w, double value)
{
    const struct sdw_watch_settings *s = &watch->settings;
    w->n++;
    w->value = value;
    double extra = sdw_alarm_extra(&w->alarm, w->ts, s->budget);
    if (s->method == SDW_WATCH_FORECAST)
        sdw_detector_step(w->detector, &s->detect, w->ts, value, foreseen_of(w), extra, &w->seen);
    else
        sdw_rule_step(w->detector, &s->rule, w->ts, value, &w->seen);
}

/* The alarm that is open, with one more value. */
static void go_on(struct sdw_watch *watch, struct sdw_watched *w, double before)
{
    bool same = w->alarm.kind == SDW_ANOMALY_FLAT && w->value == before;
    if (w->seen.kind) {
        sdw_alarm_update(&w->alarm, &w->seen, sdw_str_of(w->name));
        sdw_watch_say_anomaly(watch, w, w->ts, "update");
        sdw_watch_say_surge(watch, w);
    } else if (!same &&
               (w->alarm.kind == SDW_ANOMALY_FLAT || ++w->alarm.quiet >= watch->settings.hold)) {
        close_alarm(watch, w, w->ts);
    }
}

/* Hold the candidates of this tick against each other, and open alarms for those that pass. */
static void discover(struct sdw_watch *watch, struct sdw_watched *w)
{
    double since = (double)w->ts - (double)watch->tick_ts;
    if (since < 0 || since > w->interval / 2) {
        for (size_t i = watch->discovery.n; i-- > 0;)
            ((struct sdw_watched *)sdw_discovery_waiting(&watch->discovery, i))->candidate = false;
        sdw_discovery_clear(&watch->discovery);
        watch->tick_ts = w->ts;
    }
    if (w->candidate)
        sdw_discovery_remove(&watch->discovery, w);
    w->candidate = w->seen.kind != SDW_ANOMALY_NONE;
    if (!w->candidate)
        return;
    /* A textbook rule is held against nothing. */
    bool control = watch->settings.method == SDW_WATCH_FORECAST;
    size_t m = control ? watch->series.n : 1;
    sdw_discovery_add(&watch->discovery, w->seen.p, w);
    struct sdw_watched *found;
    while ((found = sdw_discovery_take(&watch->discovery, watch->settings.false_share, m))) {
        found->candidate = false;
        open_alarm(watch, found, found->ts);
        sdw_watch_say_surge(watch, found);
    }
}

static void conclude(struct sdw_watch *watch, struct sdw_watched *w, double before)
{
    if (w->alarm.kind == SDW_ANOMALY_MISSING)
        close_alarm(watch, w, w->ts);
    if (w->alarm.kind)
        go_on(watch, w, before);
    else
        discover(watch, w);
}

static enum sdw_watch_use use_reading(struct sdw_watch *watch, struct sdw_watched *w,
                                      const struct sdw_reading *reading)
{
    if (isnan(reading->value) || (reading->estimate && w->measured))
        return SDW_WATCH_MISSING;
    enum sdw_watch_use use = keep_time(w, reading->ts);
    if (use != SDW_WATCH_USED)
        return use;
    if (sdw_hushes_cover(&watch->hushes, reading->series, reading->ts, watch->settings.ttl_us))
        return SDW_WATCH_HUSHED;
    w->measured |= !reading->estimate;
    judge(watch, w, fmax(-DBL_MAX, fmin(DBL_MAX, reading->value)));
    return SDW_WATCH_USED;
}

static void take(struct sdw_watch *watch, const struct sdw_reading *reading,
                 struct sdw_sighting *out)
{
    if (reading->ts > watch->resumed)
        watch->resumed = INT64_MIN;
    watch->newest = reading->ts > watch->newest ? reading->ts : watch->newest;
    out->use = SDW_WATCH_DROPPED;
    struct sdw_watched *w = watched_at(watch, reading->series);
    if (w) {
        double before = w->value;
        out->use = use_reading(watch, w, reading);
        if (watch->settings.scores)
            sdw_watch_say_score(watch, out->use == SDW_WATCH_USED ? w : NULL, reading);
        if (out->use == SDW_WATCH_USED)
            conclude(watch, w, before);
    }
    look_for_missing(watch, reading->ts);
}

/* Whether the watch had seen the reading when it was saved. That may have been between two series
 * of one time. */
static bool is_known(const struct sdw_watch *watch, const struct sdw_reading *reading)
{
    if (reading->ts != watch->resumed)
        return reading->ts < watch->resumed;
    const struct sdw_watched *w = sdw_map_get(&watch->series, reading->series);
    return w && w->ts >= reading->ts;
}

void sdw_watch_value(struct sdw_watch *watch, const struct sdw_reading *reading,
                     struct sdw_sighting *out)
{
    watch->n_said = watch->held = 0;
    sdw_arena_reset(&watch->arena);
    *out = (struct sdw_sighting){.use = SDW_WATCH_KNOWN};
    /* First, so that what is replayed stands between leaps as it did when it was new. */
    bool believed = sdw_leap_believed(&watch->leap, watch->newest, reading->ts);
    if (is_known(watch, reading))
        return;
    out->use = SDW_WATCH_LATE;
    if (believed)
        take(watch, reading, out);
    else if (watch->settings.scores)
        sdw_watch_say_score(watch, NULL, reading);
    out->said = watch->said;
    out->n = watch->n_said;
    out->held = watch->held;
}

void sdw_watch_forecast(struct sdw_watch *watch, struct sdw_str series, int64_t ts, double value,
                        const struct sdw_horizon *shortest)
{
    struct sdw_watched *w = sdw_map_get(&watch->series, series);
    int64_t target;
    if (!w || (ts == w->ts && !isnan(value) && value != w->value) || ts < watch->resumed ||
        (double)shortest->horizon_us > one_ahead * w->interval ||
        __builtin_add_overflow(ts, shortest->horizon_us, &target))
        return;
    if (!w->foreseens)
        w->foreseens = sdw_xalloc(sizeof *w->foreseens);
    sdw_foreseens_add(w->foreseens,
                      &(struct sdw_foreseen){target, shortest->lo, shortest->mid, shortest->hi});
}

int64_t sdw_watch_newest(const struct sdw_watch *watch)
{
    return watch->newest;
}

void sdw_watch_event(struct sdw_watch *watch, const struct sdw_event *event)
{
    sdw_hushes_event(&watch->hushes, event, watch->settings.ttl_us);
}
