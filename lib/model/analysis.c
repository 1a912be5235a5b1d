#include "model/analysis.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/mem.h"
#include "core/num.h"
#include "rec/series.h"
#include "rec/steering.h"
#include "rec/train.h"

enum {
    TRAINS_KEPT = 256,    /* a path, for its windows, its base delay and its capacity */
    CAPACITY_TRAINS = 40, /* the newest, that tell the capacity: it may change */
    LEARN_EVERY = 8,
    LEAST_DISPERSIONS = 6,
    LIVE_TRAINS = 6,     /* pooled at most into one live value */
    LATE_RUN = 64,       /* late slots in a row: the prober was started again */
    RESTART_US = 1000000 /* or one that began this much after the last */
};
/* Busy time behind a live value, and the oldest train in it. */
static const double LIVE_BUSY_S = 20e-3, LIVE_AGE_S = 3;
/* Packets that a loss share pools, fading, and the fewest it is stated for. */
static const double LOSS_MEMORY = 300, LOSS_LEAST = 100;

struct path_state {
    char id[64];
    struct sdw_window window;
    struct sdw_trains trains;
    bool open, one_way; /* one_way: its far end tells when packets came */
    int late_run, since_learned;
    double capacity_bps; /* learned from all trains; NAN: not yet */
    int64_t metrics;     /* in this window */
    double sent, lost;   /* load packets of the last trains */
};

void sdw_analysis_init(struct sdw_analysis *analysis, const struct sdw_analysis_rules *rules,
                       sdw_analysis_put *put, void *arg)
{
    *analysis = (struct sdw_analysis){.rules = *rules, .put = put, .arg = arg};
    sdw_map_init(&analysis->paths, 1);
    sdw_map_init(&analysis->ends, 2);
    analysis->judgement = sdw_xalloc(sizeof *analysis->judgement);
}

void sdw_analysis_release(struct sdw_analysis *analysis)
{
    size_t cursor = 0;
    struct sdw_str key;
    void *value;
    while (sdw_map_next(&analysis->paths, &cursor, &key, &value)) {
        struct path_state *path = value;
        sdw_window_release(&path->window);
        sdw_trains_release(&path->trains);
        free(path);
    }
    sdw_map_release(&analysis->paths);
    sdw_map_release(&analysis->ends);
    sdw_arena_release(&analysis->arena);
    free(analysis->judgement);
}

static struct path_state *path_of(struct sdw_analysis *analysis, struct sdw_str id,
                                  struct sdw_err *err)
{
    struct path_state *path = sdw_map_get(&analysis->paths, id);
    if (path)
        return path;
    if (id.n == 0 || id.n >= sizeof path->id) {
        sdw_err_field(err, "path_id", "expected 1 to %zu characters", sizeof path->id - 1);
        return NULL;
    }
    if (analysis->paths.n >= SDW_PATHS_MAX) {
        sdw_err_field(err, "path_id", "more than %d paths", SDW_PATHS_MAX);
        return NULL;
    }
    path = sdw_xalloc(sizeof *path);
    memcpy(path->id, id.p, id.n);
    path->capacity_bps = NAN;
    sdw_trains_init(&path->trains, TRAINS_KEPT);
    *sdw_map_at(&analysis->paths, id) = path;
    return path;
}

static int put_metric(struct sdw_analysis *analysis, const struct path_state *path, int64_t ts,
                      const char *what, double value, const struct sdw_range *interval)
{
    char series[96];
    struct sdw_metric metric;
    sdw_rec_init(&sdw_metric_schema, &metric);
    snprintf(series, sizeof series, "path/%s/%s", path->id, what);
    metric.ts = ts;
    metric.series = sdw_str_of(series);
    metric.value = value;
    if (interval)
        metric.interval = *interval;
    analysis->counts.metrics++;
    return analysis->put(analysis->arg, &sdw_metric_schema, &metric);
}

static int put_event(struct sdw_analysis *analysis, const struct sdw_gradient *g, bool live,
                     double threshold)
{
    struct sdw_event event;
    double excess = g->capacity_gradient / threshold;
    sdw_rec_init(&sdw_event_schema, &event);
    event.ts = g->ts;
    event.path_id = g->path_id;
    event.hop = g->hop;
    event.kind = sdw_str_of(live ? "degradation" : "prediction");
    event.failure = sdw_str_of("capacity-gradient");
    event.severity = excess >= 16 ? 5 : excess >= 8 ? 4 : excess >= 4 ? 3 : excess >= 2 ? 2 : 1;
    event.value = g->capacity_gradient;
    event.threshold = threshold;
    event.reason = sdw_str_of(live ? "delay grows with load, and is there without it too"
                                   : "delay grows with injected load");
    analysis->counts.events++;
    return analysis->put(analysis->arg, &sdw_event_schema, &event);
}

/* One verdict's records, in the order gradient, event, metric, verdict. */
static int put_judgement(struct sdw_analysis *analysis, struct path_state *path,
                         const struct sdw_judgement *j)
{
    double threshold = analysis->rules.threshold;
    const struct sdw_verdict *v = &j->verdict;
    int code = 0;
    for (size_t i = 0; i < j->n_gradients && code >= 0; i++) {
        const struct sdw_gradient *g = &j->gradients[i];
        code = analysis->put(analysis->arg, &sdw_gradient_schema, g);
        if (code >= 0 && g->capacity_gradient >= threshold && g->p_value <= 0.05)
            code = put_event(analysis, g, j->live_delay[i], threshold);
    }
    bool estimated = !isnan(v->available_bps.mid);
    if (code >= 0 && estimated && path->metrics == 0)
        code = put_metric(analysis, path, v->ts, "available_bps", round(v->available_bps.mid),
                          &v->available_bps);
    if (code >= 0 && estimated)
        code = put_metric(analysis, path, v->ts, "capacity_bps", round(v->capacity_bps), NULL);
    return code < 0 ? code : analysis->put(analysis->arg, &sdw_verdict_schema, v);
}

static int close_window(struct sdw_analysis *analysis, struct path_state *path)
{
    int code = 0;
    if (path->open && sdw_window_slots(&path->window) > 0) {
        struct sdw_window_rules rules = analysis->rules.window;
        if (isnan(rules.capacity.capacity_bps))
            rules.capacity.capacity_bps = path->capacity_bps;
        path->window.one_way = path->one_way;
        sdw_window_judge(&path->window, &rules, &path->trains, sdw_str_of(path->id),
                         analysis->judgement);
        analysis->counts.windows++;
        analysis->counts.bottlenecks +=
            sdw_str_is(analysis->judgement->verdict.state, "bottleneck");
        code = put_judgement(analysis, path, analysis->judgement);
    }
    sdw_window_release(&path->window);
    path->open = false;
    path->metrics = 0;
    return code;
}

static void open_window(struct path_state *path, int64_t number)
{
    sdw_window_init(&path->window, number);
    path->window.first_train = path->trains.n;
    path->open = true;
    path->late_run = 0;
}

/* The number of trains that a live value pools: enough busy time, none too old. */
static size_t live_from(const struct sdw_trains *trains, const struct sdw_capacity_rules *rules,
                        struct sdw_capacity_answer *answer)
{
    double newest, at;
    size_t first = trains->n - 1;
    sdw_trains_at(trains, first, &newest);
    for (;; first--) {
        sdw_capacity_estimate(trains, first, rules, answer);
        if (answer->busy_s >= LIVE_BUSY_S || first == 0 || trains->n - first >= LIVE_TRAINS)
            return first;
        sdw_trains_at(trains, first - 1, &at);
        if (newest - at > LIVE_AGE_S || newest < at)
            return first;
    }
}

/* Learn the capacity of the tight link from the newest trains: while it is new, of each; then now
 * and again. */
static int learn_capacity(struct sdw_analysis *analysis, struct path_state *path, int64_t ts)
{
    const struct sdw_capacity_rules *rules = &analysis->rules.window.capacity;
    struct sdw_capacity_answer answer;
    size_t n = path->trains.n;
    bool fresh = isnan(path->capacity_bps);
    if (!fresh && n >= CAPACITY_TRAINS && ++path->since_learned < LEARN_EVERY)
        return 0;
    path->since_learned = 0;
    sdw_capacity_estimate(&path->trains, n > CAPACITY_TRAINS ? n - CAPACITY_TRAINS : 0, rules,
                          &answer);
    if (isnan(answer.capacity_bps) || answer.dispersions < LEAST_DISPERSIONS)
        return 0;
    path->capacity_bps = answer.capacity_bps;
    return fresh ? put_metric(analysis, path, ts, "capacity_bps", round(answer.capacity_bps), NULL)
                 : 0;
}

/* Loss that no queue explains: packets of trains that ended before the queue was long. */
static int put_loss(struct sdw_analysis *analysis, struct path_state *path,
                    const struct sdw_slot *slot, int64_t ts)
{
    bool queued = slot->reason.p && sdw_str_is(slot->reason, "abort");
    if (slot->load_packets <= 0 || slot->load_lost < 0 || slot->load_lost > slot->load_packets ||
        queued)
        return 0;
    double keep = exp(-(double)slot->load_packets / LOSS_MEMORY);
    path->sent = keep * path->sent + (double)slot->load_packets;
    path->lost = keep * path->lost + (double)slot->load_lost;
    if (path->sent < LOSS_LEAST)
        return 0;
    return put_metric(analysis, path, ts, "loss_share", path->lost / path->sent, NULL);
}

static int put_live(struct sdw_analysis *analysis, struct path_state *path, int64_t ts)
{
    struct sdw_capacity_rules rules = analysis->rules.window.capacity;
    struct sdw_capacity_answer live;
    int code = 0;
    if (path->window.narrow)
        return 0;
    if (isnan(rules.capacity_bps)) {
        code = learn_capacity(analysis, path, ts);
        rules.capacity_bps = path->capacity_bps;
    }
    if (code < 0 || isnan(rules.capacity_bps) || path->window.spread)
        return code; /* load that is spread shows it by the window, if at all */
    live_from(&path->trains, &rules, &live);
    struct sdw_range interval = {live.lo, live.mid, live.hi};
    if (isnan(live.mid) && isnan(live.lo))
        return code;
    path->metrics++;
    return put_metric(analysis, path, ts, "available_bps", round(live.mid), &interval);
}

static int use_train(struct sdw_analysis *analysis, struct path_state *path,
                     const struct sdw_slot *slot, struct sdw_err *err)
{
    struct sdw_packets packets;
    sdw_arena_reset(&analysis->arena);
    if (sdw_packets_decode(slot->chirp, &analysis->arena, &packets, err) < 0) {
        analysis->counts.unread_trains++;
        return SDW_EINPUT;
    }
    struct sdw_train train = {packets.n, packets.sent_ns, packets.bytes, packets.delay_ns};
    size_t before = path->trains.n;
    sdw_trains_add(&path->trains, (double)slot->ts * 1e-6, &train);
    if (path->trains.n == before && path->window.first_train > 0)
        path->window.first_train--;
    int64_t end = slot->ts + (slot->duration_us > 0 ? slot->duration_us : 0);
    end = end < SDW_INT_MAX ? end : SDW_INT_MAX;
    int code = put_loss(analysis, path, slot, end);
    return code < 0 ? code : put_live(analysis, path, end);
}

/* Make path->window the one the slot belongs to. Returns 1 when it does, 0 for a late slot. */
static int enter_window(struct sdw_analysis *analysis, struct path_state *path,
                        const struct sdw_slot *slot)
{
    int code = 0;
    if (path->open && slot->window < path->window.number) {
        bool again = slot->ts > path->window.last_ts + RESTART_US || path->late_run >= LATE_RUN;
        path->late_run++;
        if (!again)
            return 0;
    }
    bool full = analysis->rules.pairs_max > 0 && path->open &&
                slot->slot != path->window.last_slot &&
                (int64_t)sdw_window_slots(&path->window) >= 2 * analysis->rules.pairs_max;
    if (path->open && (slot->window != path->window.number || full))
        code = close_window(analysis, path);
    if (!path->open)
        open_window(path, slot->window);
    path->late_run = 0;
    return code < 0 ? code : 1;
}

int sdw_analysis_slot(struct sdw_analysis *analysis, const struct sdw_slot *slot,
                      struct sdw_err *err)
{
    struct path_state *path = path_of(analysis, slot->path_id, err);
    if (!path)
        return SDW_EINPUT;
    analysis->counts.slots++;
    int code = enter_window(analysis, path, slot);
    if (code < 0)
        return code;
    if (code == 0) {
        analysis->counts.late++;
        return 0;
    }
    sdw_window_add(&path->window, slot);
    if (slot->chirp.p && slot->on == 1 && slot->voided != 1)
        return use_train(analysis, path, slot, err);
    return 0;
}

/* The 5-tuple as a key: whatever is measured between the same ends is one path at a time. */
static void tuple_key(const struct sdw_path *path, struct sdw_buf *key)
{
    const struct sdw_str parts[] = {path->src, path->dst, path->protocol};
    for (size_t i = 0; i < SDW_LEN(parts); i++) {
        sdw_buf_str(key, parts[i]);
        sdw_buf_char(key, '|');
    }
    sdw_buf_int(key, path->sport);
    sdw_buf_char(key, '|');
    sdw_buf_int(key, path->dport);
}

int sdw_analysis_path(struct sdw_analysis *analysis, const struct sdw_path *path)
{
    struct sdw_buf key = {0};
    struct sdw_err err;
    struct path_state *now = path_of(analysis, path->path_id, &err);
    if (!now)
        return 0;
    now->one_way = sdw_str_is(path->far_end, "stamp") || sdw_str_is(path->far_end, "twamp-light");
    tuple_key(path, &key);
    if (analysis->ends.n >= 4 * SDW_PATHS_MAX) {
        sdw_buf_release(&key);
        return 0;
    }
    void **end = sdw_map_at(&analysis->ends, sdw_buf_view(&key));
    struct path_state *before = *end;
    *end = now;
    sdw_buf_release(&key);
    if (!before || before == now || !before->open)
        return 0;
    before->window.changed = true;
    return close_window(analysis, before);
}

static int by_id(const void *a, const void *b)
{
    return strcmp((*(struct path_state *const *)a)->id, (*(struct path_state *const *)b)->id);
}

int sdw_analysis_finish(struct sdw_analysis *analysis)
{
    size_t cursor = 0, n = 0;
    struct sdw_str key;
    void *value;
    int code = 0;
    struct path_state **all =
        sdw_xrealloc(NULL, analysis->paths.n + 1, sizeof(struct path_state *));
    while (sdw_map_next(&analysis->paths, &cursor, &key, &value))
        all[n++] = value;
    qsort(all, n, sizeof(struct path_state *), by_id);
    for (size_t i = 0; i < n && code >= 0; i++)
        code = close_window(analysis, all[i]);
    free(all);
    return code;
}
