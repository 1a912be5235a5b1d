#include "net/slotrec.h"

#include <math.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/mem.h"
#include "io/jsonw.h"

/* The markers of one hop in one slot, in us. */
struct series {
    double *delay, *increment;
    size_t delays, increments, sent;
};

static const double increment_scale_us = 100;

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Quantile of sorted[n] by the nearest rank. */
static double quantile(const double *sorted, size_t n, double q)
{
    size_t rank = (size_t)ceil(q * (double)n);
    return sorted[rank > 0 ? rank - 1 : 0];
}

static double mean(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return sum / (double)n;
}

static double mean_log(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += log1p((x[i] > 0 ? x[i] : 0) / increment_scale_us);
    return sum / (double)n;
}

/* The base a marker is compared with: that of its hop, or for a train (whose first ladder went
 * ahead of the load) the marker of the same slot that went ahead. */
static int64_t base_of(const struct sdw_route *route, const struct sdw_plan *plan,
                       const struct sdw_run *run, bool train, size_t i)
{
    const struct sdw_shot *shot = &plan->shots[i];
    if (!train)
        return route->hop[shot->hop].base_ns;
    for (size_t j = 0; j < i; j++)
        if (!plan->shots[j].load && plan->shots[j].hop == shot->hop)
            return run->fates[j].kind >= 0 ? sdw_fate_round_ns(&run->fates[j]) : INT64_MAX;
    return INT64_MAX;
}

/* Delay of each marker above its base in us, NAN where there is none; delays[plan->n]. */
static void find_delays(const struct sdw_route *route, const struct sdw_plan *plan,
                        const struct sdw_run *run, bool train, double *delays)
{
    for (size_t i = 0; i < plan->n; i++) {
        const struct sdw_shot *shot = &plan->shots[i];
        delays[i] = NAN;
        if (shot->load || (train && shot->ladder < plan->ladders))
            continue;
        int64_t round_ns = sdw_fate_round_ns(&run->fates[i]);
        int64_t base_ns = base_of(route, plan, run, train, i);
        if (round_ns >= 0 && base_ns != INT64_MAX)
            delays[i] = (double)(round_ns - base_ns) / 1e3;
    }
}

/* The marker of the nearest hop in front of marker i that answered in the same ladder; plan->n
 * when there is none. */
static size_t before(const struct sdw_plan *plan, const double *delays, size_t i)
{
    size_t best = plan->n;
    for (size_t j = 0; j < plan->n; j++) {
        const struct sdw_shot *other = &plan->shots[j];
        if (other->load || other->ladder != plan->shots[i].ladder || isnan(delays[j]) ||
            other->hop >= plan->shots[i].hop)
            continue;
        if (best == plan->n || other->hop > plan->shots[best].hop)
            best = j;
    }
    return best;
}

/* Markers of the ladders first..last of the plan; of a train those behind it. */
static void collect(struct series *series, unsigned hop, unsigned first, unsigned last,
                    const struct sdw_plan *plan, const struct sdw_run *run, const double *delays)
{
    series->delays = series->increments = series->sent = 0;
    for (size_t i = 0; i < plan->n; i++) {
        const struct sdw_shot *shot = &plan->shots[i];
        if (shot->load || shot->hop != hop || shot->ladder < first || shot->ladder > last)
            continue;
        series->sent += run->fates[i].sent_ns != 0;
        if (isnan(delays[i]))
            continue;
        size_t j = before(plan, delays, i);
        series->delay[series->delays++] = delays[i];
        series->increment[series->increments++] = delays[i] - (j < plan->n ? delays[j] : 0);
    }
}

struct sdw_run_load sdw_run_load(const struct sdw_plan *plan, const struct sdw_run *run,
                                 int64_t base_ns)
{
    size_t room = plan->n + 1;
    struct sdw_run_load load = {.sent_ns = sdw_xalloc(room * sizeof(int64_t)),
                                .delay_ns = sdw_xalloc(room * sizeof(int64_t)),
                                .ip_bytes = sdw_xalloc(room * sizeof(uint16_t))};
    int64_t first = 0;
    for (size_t i = 0; i < run->n; i++) {
        const struct sdw_shot_fate *fate = &run->fates[i];
        if (!plan->shots[i].load || !fate->sent_ns)
            continue;
        if (load.n == 0)
            first = fate->sent_ns;
        int64_t delay = sdw_fate_one_way_ns(fate);
        if (delay == INT64_MIN && fate->received_ns)
            delay = sdw_fate_round_ns(fate);
        load.sent_ns[load.n] = fate->sent_ns - first;
        load.ip_bytes[load.n] = plan->shots[i].ip_bytes;
        load.delay_ns[load.n++] = delay == INT64_MIN ? delay : delay - base_ns;
    }
    return load;
}

void sdw_run_load_release(struct sdw_run_load *load)
{
    free(load->sent_ns);
    free(load->delay_ns);
    free(load->ip_bytes);
    *load = (struct sdw_run_load){0};
}

/* Write the load packet by packet. */
static void put_chirp(const struct sdw_run_load *load, struct sdw_buf *out)
{
    struct sdw_jsonw w = sdw_jsonw(out);
    sdw_jsonw_object(&w, NULL);
    sdw_jsonw_array(&w, "sent_ns");
    for (size_t i = 0; i < load->n; i++)
        sdw_jsonw_int(&w, NULL, load->sent_ns[i]);
    sdw_jsonw_end(&w);
    sdw_jsonw_array(&w, "bytes");
    for (size_t i = 0; i < load->n; i++)
        sdw_jsonw_int(&w, NULL, load->ip_bytes[i]);
    sdw_jsonw_end(&w);
    sdw_jsonw_array(&w, "delay_ns");
    for (size_t i = 0; i < load->n; i++)
        if (load->delay_ns[i] == INT64_MIN)
            sdw_jsonw_null(&w, NULL);
        else
            sdw_jsonw_int(&w, NULL, load->delay_ns[i]);
    sdw_jsonw_end(&w);
    sdw_jsonw_end(&w);
}

/* Mean rate of the load, NAN when there is too little of it. */
static double mean_rate(const struct sdw_run_load *load)
{
    double bits = 0;
    for (size_t i = 1; i < load->n; i++)
        bits += load->ip_bytes[i] * 8.0;
    return load->n > 1 && load->sent_ns[load->n - 1] > 0
               ? round(bits * 1e9 / (double)load->sent_ns[load->n - 1])
               : NAN;
}

/* What the far end's record says of the load. */
static void fill_load(struct sdw_slot *slot, const struct sdw_slot_about *about,
                      const struct sdw_plan *plan, const struct sdw_run *run,
                      struct sdw_buf *scratch)
{
    struct sdw_run_load load = sdw_run_load(plan, run, about->chirp_base_ns);
    slot->achieved_bps = mean_rate(&load);
    if (!about->load_hop && !about->mute) {
        sdw_buf_clear(scratch);
        put_chirp(&load, scratch);
        slot->chirp = sdw_buf_view(scratch);
        slot->load_lost = run->load_sent - run->load_answered;
    }
    sdw_run_load_release(&load);
}

static void fill_delays(struct sdw_slot *slot, struct series *series)
{
    slot->sent = (int64_t)series->sent;
    slot->received = (int64_t)series->delays;
    if (series->delays == 0)
        return;
    qsort(series->delay, series->delays, sizeof *series->delay, ascending);
    slot->delay_min_us = series->delay[0];
    slot->delay_p50_us = quantile(series->delay, series->delays, 0.5);
    slot->delay_p95_us = quantile(series->delay, series->delays, 0.95);
    slot->delay_mean_us = mean(series->delay, series->delays);
    slot->increment_mean_us = mean(series->increment, series->increments);
    slot->increment_log = mean_log(series->increment, series->increments);
}

/* What all records of the slot have in common. */
static struct sdw_slot common(const struct sdw_slot_about *about, const struct sdw_route *route,
                              const struct sdw_run *run)
{
    struct sdw_slot slot;
    sdw_rec_init(&sdw_slot_schema, &slot);
    slot.ts = run->started_us;
    slot.path_id = sdw_str_of(route->id);
    slot.window = about->window;
    slot.slot = about->slot;
    slot.pair = about->pair;
    slot.schedule = sdw_str_of(about->schedule);
    slot.on = about->on;
    slot.hops = route->hops;
    if (about->load_hop)
        slot.load_hop = about->load_hop;
    if (about->on)
        slot.target_bps = about->target_bps;
    slot.load_packets = run->load_sent;
    slot.load_bytes = run->bytes;
    slot.duration_us = run->duration_ns / 1000;
    slot.late = run->late;
    slot.voided = about->voided;
    if (about->reason)
        slot.reason = sdw_str_of(about->reason);
    if (about->flow_id)
        slot.flow_id = sdw_str_of(about->flow_id);
    if (about->shared)
        slot.shared = true;
    return slot;
}

/* Room for the markers of any hop of the plan. */
static struct series new_series(const struct sdw_plan *plan)
{
    return (struct series){.delay = sdw_xalloc((plan->n + 1) * sizeof(double)),
                           .increment = sdw_xalloc((plan->n + 1) * sizeof(double))};
}

static void free_series(struct series *series)
{
    free(series->delay);
    free(series->increment);
}

void sdw_slot_levels(const struct sdw_route *route, const struct sdw_plan *plan,
                     const struct sdw_run *run, double *level)
{
    double *delays = sdw_xalloc((plan->n + 1) * sizeof *delays);
    struct series series = new_series(plan);
    find_delays(route, plan, run, false, delays);
    for (unsigned hop = 1; hop <= route->hops; hop++) {
        collect(&series, hop, 1, plan->ladders, plan, run, delays);
        level[hop] = series.increments ? mean_log(series.increment, series.increments) : NAN;
    }
    free(delays);
    free_series(&series);
}

int sdw_slot_put(const struct sdw_slot_about *about, const struct sdw_route *route,
                 const struct sdw_plan *plan, const struct sdw_run *run,
                 const struct sdw_sink *sink, struct sdw_buf *scratch)
{
    bool train = strcmp(about->schedule, "train") == 0;
    double *delays = sdw_xalloc((plan->n + 1) * sizeof *delays);
    struct series series = new_series(plan);
    find_delays(route, plan, run, train, delays);
    int code = 0;
    for (unsigned hop = 1; hop <= route->hops && code == 0; hop++) {
        if (!about->rungs->wanted[hop])
            continue;
        char text[SDW_ADDRESS_TEXT];
        struct sdw_slot slot = common(about, route, run);
        slot.hop = hop;
        if (sdw_address_text(&route->hop[hop].addr, text)[0])
            slot.addr = sdw_str_of(text);
        collect(&series, hop, train ? plan->ladders : about->lead + 1, plan->ladders, plan, run,
                delays);
        fill_delays(&slot, &series);
        if (about->lead) {
            collect(&series, hop, 1, about->lead, plan, run, delays);
            slot.delay_before_us = series.delays ? mean(series.delay, series.delays) : NAN;
        }
        if (hop == route->hops && run->load_sent)
            fill_load(&slot, about, plan, run, scratch);
        code = sink->put(sink->arg, &sdw_slot_schema, &slot);
    }
    free(delays);
    free_series(&series);
    return code;
}

static int put_hop(const struct sdw_route *route, unsigned hop, const struct sdw_sink *sink)
{
    const struct sdw_route_hop *h = &route->hop[hop];
    char text[SDW_ADDRESS_TEXT];
    struct sdw_hop rec;
    sdw_rec_init(&sdw_hop_schema, &rec);
    rec.ts = sdw_wall_us();
    rec.path_id = sdw_str_of(route->id);
    rec.hop = hop;
    if (sdw_address_text(&h->addr, text)[0])
        rec.addr = sdw_str_of(text);
    rec.sent = h->asked;
    rec.received = h->answered;
    if (h->answered) {
        double sorted[SDW_ROUTE_ROUNDS] = {0};
        for (unsigned i = 0; i < h->answered; i++)
            sorted[i] = (double)h->round_ns[i] / 1e3;
        qsort(sorted, h->answered, sizeof *sorted, ascending);
        rec.rtt_min_us = (int64_t)sorted[0];
        rec.rtt_p50_us = (int64_t)quantile(sorted, h->answered, 0.5);
        rec.rtt_p95_us = (int64_t)quantile(sorted, h->answered, 0.95);
    }
    rec.icmp_limited = h->limited;
    return sink->put(sink->arg, &sdw_hop_schema, &rec);
}

int sdw_path_put(const struct sdw_route *route, const struct sdw_path_about *about,
                 const struct sdw_sink *sink, struct sdw_buf *scratch)
{
    static const char *const far_ends[] = {"stamp", "twamp-light", "echo", "icmp", "none"};
    char src[SDW_ADDRESS_TEXT], dst[SDW_ADDRESS_TEXT], text[SDW_ADDRESS_TEXT];
    struct sdw_path path;
    sdw_rec_init(&sdw_path_schema, &path);
    path.ts = sdw_wall_us();
    path.path_id = sdw_str_of(route->id);
    path.src = sdw_str_of(sdw_address_text(about->src, src));
    path.dst = sdw_str_of(sdw_address_text(about->dst, dst));
    path.protocol = sdw_str_of(about->protocol);
    path.sport = sdw_address_port(about->src);
    path.dport = sdw_address_port(about->dst);
    if (route->reached)
        path.hops = route->hops;
    path.reached = route->reached;
    path.far_end = sdw_str_of(far_ends[route->far_end]);
    path.reason = sdw_str_of(about->reason);
    if (about->flow)
        path.flow = sdw_str_of(about->flow);
    if (about->flow_id)
        path.flow_id = sdw_str_of(about->flow_id);
    if (about->tunnel)
        path.tunnel = sdw_str_of(about->tunnel);
    if (about->flow_label >= 0)
        path.flow_label = about->flow_label;
    sdw_buf_clear(scratch);
    struct sdw_jsonw w = sdw_jsonw(scratch);
    sdw_jsonw_array(&w, NULL);
    for (unsigned hop = 1; hop <= route->hops; hop++) {
        sdw_address_text(&route->hop[hop].addr, text);
        sdw_jsonw_text(&w, NULL, text[0] ? text : NULL);
    }
    sdw_jsonw_end(&w);
    path.addrs = sdw_buf_view(scratch);
    return sink->put(sink->arg, &sdw_path_schema, &path);
}

int sdw_hops_put(const struct sdw_route *route, const struct sdw_sink *sink)
{
    int code = 0;
    for (unsigned hop = 1; hop <= route->hops && code == 0; hop++)
        code = put_hop(route, hop, sink);
    return code;
}
