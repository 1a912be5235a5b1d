#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/mem.h"
#include "core/num.h"
#include "model/randomisation.h"
#include "model/slots.h"
#include "model/stats.h"
#include "model/window.h"

static const double SCALE_US = 100, MTU_BITS = 1500 * 8, CAP_QUANTILE = 0.8;
/* Trains that must have met a queue before an estimate is believed. */
enum { LEAST_TRAINS = 3 };

/* The pairs of one hop, side by side. */
struct pairs {
    size_t n;
    double *level;    /* on - off */
    double *delay_us; /* on - off */
    double *mbps;     /* injected */
    double on_level, off_level, off_delay_us;
    double lost_on, lost_off; /* shares of measuring packets */
};

/* What the window says of one hop. */
struct finding {
    int hop;
    size_t pairs;
    double p, effect_us, gradient, lo, hi, loss_gradient;
    bool live;
};

static int by_hop_and_pair(const void *a, const void *b)
{
    const struct sdw_sample *x = a, *y = b;
    if (x->hop != y->hop)
        return x->hop < y->hop ? -1 : 1;
    if (x->pair != y->pair)
        return x->pair < y->pair ? -1 : 1;
    return (x->slot > y->slot) - (x->slot < y->slot);
}

struct side {
    double n, level, delay_us, mbps;
};

static void take(struct side *side, const struct sdw_sample *s)
{
    if (s->bad || isnan(s->level))
        return;
    side->n++;
    side->level += s->level;
    side->delay_us += s->delay_us;
    side->mbps += isnan(s->rate_bps) ? 0 : s->rate_bps * 1e-6;
}

/* samples[n] are of one hop, in order of pairs. */
static void pair_up(const struct sdw_sample *samples, size_t n, struct pairs *pairs)
{
    double sent[2] = {0}, got[2] = {0};
    pairs->n = 0;
    pairs->on_level = pairs->off_level = pairs->off_delay_us = 0;
    for (size_t i = 0; i < n;) {
        struct side side[2] = {{0, 0, 0, 0}, {0, 0, 0, 0}};
        size_t first = i;
        for (; i < n && samples[i].pair == samples[first].pair; i++) {
            take(&side[samples[i].on], &samples[i]);
            if (!samples[i].bad) {
                sent[samples[i].on] += samples[i].sent;
                got[samples[i].on] += fmin(samples[i].received, samples[i].sent);
            }
        }
        if (side[0].n == 0 || side[1].n == 0)
            continue;
        size_t k = pairs->n++;
        double on = side[1].level / side[1].n, off = side[0].level / side[0].n;
        pairs->level[k] = on - off;
        pairs->delay_us[k] = side[1].delay_us / side[1].n - side[0].delay_us / side[0].n;
        pairs->mbps[k] = side[1].mbps / side[1].n;
        pairs->on_level += on;
        pairs->off_level += off;
        pairs->off_delay_us += side[0].delay_us / side[0].n;
    }
    double n_pairs = fmax(1, (double)pairs->n);
    pairs->on_level /= n_pairs;
    pairs->off_level /= n_pairs;
    pairs->off_delay_us /= n_pairs;
    pairs->lost_off = sent[0] > 0 ? 1 - got[0] / sent[0] : 0;
    pairs->lost_on = sent[1] > 0 ? 1 - got[1] / sent[1] : 0;
}

/* Queues that bursts of cross traffic make are as long with load as without: levels above what
 * four fifths of all slots reach, on and off alike, say no more than that one. The cap does not
 * know which slots carried load, so the coin argument holds. */
static void cap_levels(struct sdw_sample *samples, size_t n)
{
    double *levels = sdw_xrealloc(NULL, n + 1, sizeof *levels);
    size_t known = 0;
    for (size_t i = 0; i < n; i++) {
        if (!samples[i].bad && !isnan(samples[i].level))
            levels[known++] = samples[i].level;
    }
    sdw_sort_reals(levels, known);
    double cap = sdw_quantile_sorted(levels, known, CAP_QUANTILE);
    for (size_t i = 0; i < n; i++)
        samples[i].level = samples[i].level > cap ? cap : samples[i].level;
    free(levels);
}

static struct finding find(struct sdw_sample *samples, size_t n, struct pairs *pairs,
                           const struct sdw_window_rules *rules)
{
    struct finding f = {.hop = samples[0].hop, .p = NAN, .effect_us = NAN, .gradient = NAN};
    uint64_t seed = rules->seed + (uint64_t)f.hop * UINT64_C(0x9e3779b97f4a7c15);
    double sum_mbps = 0, sum_delay = 0;
    cap_levels(samples, n);
    pair_up(samples, n, pairs);
    f.pairs = pairs->n;
    f.lo = f.hi = f.loss_gradient = NAN;
    if (pairs->n == 0)
        return f;
    for (size_t i = 0; i < pairs->n; i++) {
        sum_mbps += pairs->mbps[i];
        sum_delay += pairs->delay_us[i];
    }
    f.effect_us = sdw_unlog1p(pairs->on_level, SCALE_US) - sdw_unlog1p(pairs->off_level, SCALE_US);
    f.live = sdw_unlog1p(pairs->off_level, SCALE_US) >= rules->floor_us;
    if (sum_mbps > 0) {
        f.gradient = sum_delay / sum_mbps;
        f.loss_gradient = (pairs->lost_on - pairs->lost_off) / (sum_mbps / (double)pairs->n);
        sdw_bootstrap_ratio(pairs->delay_us, pairs->mbps, pairs->n, 0.95, seed, rules->rounds / 10,
                            &f.lo, &f.hi);
    }
    if (sdw_sign_flip_least(pairs->n, rules->rounds) <= rules->alpha)
        f.p = sdw_sign_flip(pairs->level, pairs->n, seed, rules->rounds);
    return f;
}

static int by_slot(const void *a, const void *b)
{
    const struct sdw_slot_sum *x = a, *y = b;
    return (x->slot > y->slot) - (x->slot < y->slot);
}

/* Only the far end's record of a slot may know the rate: give it to those of all hops. */
static void share_rates(const struct sdw_window *window, struct sdw_sample *samples, size_t n)
{
    size_t n_slots = window->n_slots;
    struct sdw_slot_sum *slots = sdw_xrealloc(NULL, n_slots + 1, sizeof *slots);
    if (n_slots > 0)
        memcpy(slots, window->slots, n_slots * sizeof *slots);
    qsort(slots, n_slots, sizeof *slots, by_slot);
    for (size_t i = 0; i < n; i++) {
        struct sdw_slot_sum key = {.slot = samples[i].slot};
        const struct sdw_slot_sum *slot = bsearch(&key, slots, n_slots, sizeof *slots, by_slot);
        if (slot && isnan(samples[i].rate_bps))
            samples[i].rate_bps = slot->rate_bps;
    }
    free(slots);
}

/* findings[SDW_WINDOW_HOPS + 1]: one per hop that samples[n] speak of. Sorts a copy. */
static size_t find_all(const struct sdw_window *window, const struct sdw_sample *samples, size_t n,
                       const struct sdw_window_rules *rules, struct finding *findings)
{
    struct sdw_sample *sorted = sdw_xrealloc(NULL, n + 1, sizeof *sorted);
    double *room = sdw_xrealloc(NULL, 3 * (n + 1), sizeof *room);
    struct pairs pairs = {.level = room, .delay_us = room + n + 1, .mbps = room + 2 * (n + 1)};
    size_t found = 0;
    if (n > 0)
        memcpy(sorted, samples, n * sizeof *sorted);
    share_rates(window, sorted, n);
    qsort(sorted, n, sizeof *sorted, by_hop_and_pair);
    for (size_t i = 0; i < n;) {
        size_t first = i;
        while (i < n && sorted[i].hop == sorted[first].hop)
            i++;
        findings[found++] = find(sorted + first, i - first, &pairs, rules);
    }
    free(room);
    free(sorted);
    return found;
}

static void adjust(struct finding *findings, size_t n)
{
    double p[SDW_WINDOW_HOPS + 1];
    for (size_t i = 0; i < n; i++)
        p[i] = findings[i].p;
    sdw_holm(p, n);
    for (size_t i = 0; i < n; i++)
        findings[i].p = p[i];
}

static double least_effect(const struct finding *findings, size_t n, double capacity_bps,
                           const struct sdw_window_rules *rules)
{
    double floor = rules->floor_us, largest = 0;
    if (capacity_bps > 0)
        floor = fmax(floor, MTU_BITS / capacity_bps * 1e6 / 2);
    for (size_t i = 0; i < n; i++) {
        if (findings[i].p <= rules->alpha)
            largest = fmax(largest, findings[i].effect_us);
    }
    return fmax(floor, rules->floor_share * largest);
}

/* Index of the tight hop, or n. */
static size_t tight_hop(const struct finding *findings, size_t n, double floor, double alpha)
{
    size_t i = 0;
    while (i < n && !(findings[i].p <= alpha && findings[i].effect_us >= floor))
        i++;
    return i;
}

/* Scoped load that crosses the tight link has its effect wherever it dies further on. */
static bool contradicted(const struct finding *findings, size_t n, size_t tight, double floor)
{
    for (size_t i = tight + 1; i < n; i++) {
        if (findings[i].p > 0.05 && findings[i].effect_us < floor / 4)
            return true;
    }
    return false;
}

struct totals {
    double slots, bad, on, bytes, load, lost, reached_bps, trained;
};

static struct totals add_up(const struct sdw_window *window)
{
    struct totals t = {.reached_bps = NAN};
    double *rates = sdw_xrealloc(NULL, window->n_slots + 1, sizeof *rates);
    size_t n = 0;
    for (size_t i = 0; i < window->n_slots; i++) {
        const struct sdw_slot_sum *slot = &window->slots[i];
        t.slots++;
        t.bad += slot->bad;
        t.bytes += slot->bytes;
        if (!slot->on || slot->bad)
            continue;
        t.on++;
        t.trained += slot->trained;
        t.load += slot->load;
        t.lost += slot->lost;
        if (!isnan(slot->rate_bps))
            rates[n++] = slot->rate_bps;
    }
    t.reached_bps = sdw_median(rates, n);
    free(rates);
    return t;
}

static struct sdw_str text(const char *words)
{
    return sdw_str_of(words);
}

static void write_gradients(const struct sdw_window *window, const struct sdw_window_rules *rules,
                            const struct finding *findings, size_t n, size_t tight, bool is_void,
                            struct sdw_judgement *out)
{
    for (size_t i = 0; i < n && i < SDW_WINDOW_HOPS; i++) {
        const struct finding *f = &findings[i];
        struct sdw_gradient *g = &out->gradients[out->n_gradients];
        sdw_rec_init(&sdw_gradient_schema, g);
        g->ts = window->last_ts;
        g->path_id = out->verdict.path_id;
        g->window = window->number;
        g->hop = f->hop;
        if (window->addr[f->hop][0])
            g->addr = text(window->addr[f->hop]);
        g->delay_gradient_us_per_mbps = f->gradient;
        g->loss_gradient_per_mbps = f->loss_gradient;
        g->delay_weight = rules->delay_weight;
        g->loss_weight = rules->loss_weight;
        if (!isnan(f->gradient))
            g->capacity_gradient =
                rules->delay_weight * f->gradient + rules->loss_weight * f->loss_gradient;
        g->ci95 = (struct sdw_range){f->lo, f->gradient, f->hi};
        g->p_value = f->p;
        g->effect_us = f->effect_us;
        g->pairs = (int64_t)f->pairs;
        bool beyond = i > tight && f->p <= rules->alpha && f->effect_us >= rules->floor_us;
        g->state = text(is_void                 ? "void"
                        : i == tight            ? "tight"
                        : isnan(f->p) || beyond ? "inconclusive"
                                                : "clear");
        out->live_delay[out->n_gradients++] = f->live;
    }
}

static void say_bottleneck(const struct sdw_window *window, const struct finding *findings,
                           size_t tight, const struct sdw_capacity_answer *answer,
                           struct sdw_judgement *out)
{
    const struct finding *f = &findings[tight];
    char effect[16], rate[16];
    struct sdw_verdict *v = &out->verdict;
    v->state = text("bottleneck");
    v->bottleneck_hop = f->hop;
    v->p_value = f->p;
    if (window->addr[f->hop][0])
        v->addr = text(window->addr[f->hop]);
    int n = snprintf(out->reason, sizeof out->reason, "load adds %s at hop %d",
                     sdw_show_duration((int64_t)f->effect_us, effect), f->hop);
    if (!isnan(answer->mid) && n > 0)
        n += snprintf(out->reason + n, sizeof out->reason - (size_t)n, "; %s available",
                      sdw_show_rate(answer->mid, rate));
    bool blind = tight > 0 ? isnan(findings[tight - 1].p) : f->hop > 1;
    if (blind && !window->scoped && n > 0)
        snprintf(out->reason + n, sizeof out->reason - (size_t)n,
                 "; the hop before answers too seldom to tell them apart");
}

static void say_no_bottleneck(const struct totals *totals, const struct finding *far, bool enough,
                              double bound, const struct sdw_window_rules *rules,
                              struct sdw_judgement *out)
{
    char rate[16];
    struct sdw_verdict *v = &out->verdict;
    bool felt = far && far->p <= rules->alpha && far->effect_us >= rules->floor_us;
    v->state = text("inconclusive");
    if (!enough) {
        snprintf(out->reason, sizeof out->reason, "too few pairs of slots to judge");
    } else if (felt) {
        snprintf(out->reason, sizeof out->reason,
                 "the path fills up, but no hop stands out: do its routers answer?");
    } else if (totals->lost > 0.02 * totals->load) {
        snprintf(out->reason, sizeof out->reason,
                 "%.0f of %.0f load packets were lost without "
                 "a queue: a policer?",
                 totals->lost, totals->load);
    } else if (!(bound > 0)) {
        snprintf(out->reason, sizeof out->reason, "no load reached the path");
    } else {
        v->state = text("clear");
        v->available_bps = (struct sdw_range){bound, NAN, NAN};
        snprintf(out->reason, sizeof out->reason, "no hop felt %s more",
                 sdw_show_rate(bound, rate));
    }
}

static void say_mixed(struct sdw_judgement *out)
{
    out->verdict.state = text("inconclusive");
    snprintf(out->reason, sizeof out->reason,
             "load is felt up to one hop, but not when it goes further");
}

static void start_verdict(const struct sdw_window *window, const struct totals *totals,
                          struct sdw_str path_id, struct sdw_verdict *v)
{
    sdw_rec_init(&sdw_verdict_schema, v);
    v->ts = window->last_ts;
    v->path_id = path_id;
    v->window = window->number;
    v->window_us = window->last_ts - window->first_ts;
    v->injected_bytes = (int64_t)totals->bytes;
    v->slots = (int64_t)totals->slots;
    v->void_slots = (int64_t)totals->bad;
}

static bool say_void(const struct sdw_window *window, const struct totals *totals,
                     const struct sdw_window_rules *rules, struct sdw_judgement *out)
{
    if (window->changed) {
        snprintf(out->reason, sizeof out->reason, "the path changed during the window");
    } else if (totals->slots > 0 && totals->bad > rules->void_share * totals->slots) {
        snprintf(out->reason, sizeof out->reason,
                 "%.0f of %.0f slots are void: the measuring host was not fit", totals->bad,
                 totals->slots);
    } else {
        return false;
    }
    out->verdict.state = text("void");
    return true;
}

void sdw_window_judge(const struct sdw_window *window, const struct sdw_window_rules *rules,
                      const struct sdw_trains *trains, struct sdw_str path_id,
                      struct sdw_judgement *out)
{
    static const struct sdw_judgement empty;
    struct finding *hops = sdw_xrealloc(NULL, 2 * (SDW_WINDOW_HOPS + 1), sizeof *hops);
    struct finding *far = hops + SDW_WINDOW_HOPS + 1;
    struct totals totals = add_up(window);
    struct sdw_capacity_answer answer;
    *out = empty;
    start_verdict(window, &totals, path_id, &out->verdict);
    sdw_capacity_estimate(trains, window->first_train, &rules->capacity, &answer);

    size_t n_far = find_all(window, window->far, window->n_far, rules, far);
    size_t n = window->scoped ? n_far : find_all(window, window->samples, window->n, rules, hops);
    if (window->scoped)
        memcpy(hops, far, n_far * sizeof *hops);
    adjust(hops, n);
    double floor = least_effect(hops, n, answer.capacity_bps, rules);
    size_t tight = tight_hop(hops, n, floor, rules->alpha), judged = 0;
    bool mixed = window->scoped && contradicted(hops, n, tight, floor);
    if (mixed)
        tight = n;
    for (size_t i = 0; i < n; i++)
        judged += isnan(hops[i].p) ? 0 : 1;

    bool is_void = say_void(window, &totals, rules, out);
    if (is_void)
        tight = n;
    struct finding *last = n_far ? &far[n_far - 1] : NULL;
    bool felt = last && last->p <= rules->alpha && last->effect_us >= rules->floor_us;
    if ((tight < n || felt) && !is_void && answer.used >= LEAST_TRAINS && !isnan(answer.mid)) {
        out->verdict.available_bps = (struct sdw_range){answer.lo, answer.mid, answer.hi};
        out->verdict.capacity_bps = answer.capacity_bps;
    }
    double bound = totals.trained > 0 ? answer.sustained_bps : totals.reached_bps;
    if (tight < n)
        say_bottleneck(window, hops, tight, &answer, out);
    else if (mixed && !is_void)
        say_mixed(out);
    else if (!is_void)
        say_no_bottleneck(&totals, last, judged > 0, bound, rules, out);
    write_gradients(window, rules, hops, n, tight, is_void, out);
    out->verdict.reason = text(out->reason);
    free(hops);
}
