#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/mem.h"
#include "core/num.h"
#include "model/finding.h"
#include "model/oneway.h"
#include "model/randomisation.h"
#include "model/slots.h"
#include "model/stats.h"
#include "model/window.h"

static const double MTU_BITS = 1500 * 8;
/* Effects below this share of the largest are side effects of it. */
static const double FLOOR_SHARE = 0.5;
/* A rate that more trains than this could not keep up is not clear. */
static const double QUEUED_SHARE = 0.25;
/* What a verdict can hold, whatever clocks and counters say. */
static const double LONGEST_US = 1e12, MOST_BYTES = 1e15;
/* Trains that must have met a queue before an estimate is believed. */
enum { LEAST_TRAINS = 3 };
/* Scoped load of which more slots than this met a queue without it says nothing of room. */
static const double BLURRED_SHARE = 0.1;
static const double FULL_TIMES = 10; /* no other hop comes near a tenth of it */

/* The decision: findings[n] in order of hops, and which of them is tight. */
struct decision {
    struct sdw_finding *findings;
    double *p; /* Holm-adjusted; NAN: too few pairs for a verdict of its own */
    size_t n, tight;
    bool whole_known, felt; /* whether the far end was measured, and felt the load */
    bool mixed;             /* scoped load contradicts itself */
    bool anyway;            /* full with and without load */
    bool backward;          /* answers queue on the way back */
    const char *unsaid;     /* why no available capacity is stated; NULL: it may be */
    struct sdw_finding whole;
    double floor_us;
};

static void adjust(struct decision *d, double alpha)
{
    double largest = 0;
    for (size_t i = 0; i < d->n; i++)
        d->p[i] = d->findings[i].least <= alpha ? d->findings[i].p : NAN;
    sdw_holm(d->p, d->n);
    for (size_t i = 0; i < d->n; i++) {
        if (d->p[i] <= alpha)
            largest = fmax(largest, d->findings[i].effect_us);
    }
    d->floor_us = fmax(d->floor_us, FLOOR_SHARE * largest);
}

static size_t first_tight(const struct decision *d, double alpha)
{
    size_t i = 0;
    while (i < d->n && !(d->p[i] <= alpha && d->findings[i].effect_us >= d->floor_us))
        i++;
    return i;
}

/* In bursts of the cross traffic load adds much in the mean and little in the mean logarithm. */
static double time_added(const struct sdw_finding *f)
{
    return isnan(f->mean_us) ? f->effect_us : fmax(f->effect_us, f->mean_us);
}

/* The far end feels the load beyond doubt, so some hop must: with few answers of the routers it is
 * enough that one alone explains half of it, and no other comes near. */
static size_t only_tight(const struct decision *d)
{
    double least = fmax(d->floor_us, time_added(&d->whole) / 2);
    size_t best = d->n;
    for (size_t i = 0; i < d->n; i++) {
        const struct sdw_finding *f = &d->findings[i];
        if (f->p <= 0.05 && time_added(f) >= least &&
            (best == d->n || time_added(f) > time_added(&d->findings[best])))
            best = i;
    }
    for (size_t i = 0; i < d->n; i++) {
        if (best < d->n && i != best &&
            time_added(&d->findings[i]) > time_added(&d->findings[best]) / 2)
            return d->n;
    }
    return best;
}

/* Delay at this hop while load was on. */
static double standing(const struct sdw_finding *f)
{
    return f->off_us + f->effect_us;
}

/* A link that bursts fill with and without our load: no coin tells that load adds to it, yet the
 * trains met its queue one way, and it is the only hop that stands out, in both kinds of slots. */
static size_t full_anyway(const struct decision *d)
{
    size_t best = d->n;
    for (size_t i = 0; i < d->n; i++) {
        const struct sdw_finding *f = &d->findings[i];
        if (f->off_us >= d->floor_us && f->effect_us > 0 &&
            (best == d->n || standing(f) > standing(&d->findings[best])))
            best = i;
    }
    for (size_t i = 0; i < d->n; i++)
        if (best < d->n && i != best &&
            standing(&d->findings[i]) > standing(&d->findings[best]) / FULL_TIMES)
            return d->n;
    return best;
}

/* How badly "nothing before scope `from`, the same everywhere beyond" fits. */
static double misfit(const struct decision *d, size_t from)
{
    double weight = 0, mean = 0, sum = 0;
    for (size_t i = from; i < d->n; i++) {
        if (isnan(d->findings[i].level))
            continue;
        weight += (double)d->findings[i].pairs;
        mean += (double)d->findings[i].pairs * d->findings[i].level;
    }
    mean = weight > 0 ? mean / weight : 0;
    for (size_t i = 0; i < d->n; i++) {
        double off = d->findings[i].level - (i < from ? 0 : mean);
        if (!isnan(off))
            sum += (double)d->findings[i].pairs * off * off;
    }
    return sum;
}

static bool felt_at(const struct decision *d, size_t i)
{
    return d->findings[i].p <= 0.05 && d->findings[i].effect_us >= d->floor_us;
}

/* Scoped load is felt wherever it dies beyond the tight link: the scope where that step fits best,
 * unless one before it felt the load too. Whole trains go to the far end, and outdo the others. */
static size_t first_scope(const struct decision *d)
{
    size_t best = 0, first = 0;
    for (size_t i = 1; i < d->n; i++) {
        if (misfit(d, i) < misfit(d, best))
            best = i;
    }
    while (first < best && !felt_at(d, first))
        first++;
    return d->n > 0 && felt_at(d, first) ? first : d->n;
}

/* And then it must be felt further on too. */
static bool contradicted(const struct decision *d, size_t tight)
{
    double weight = 0, beyond = 0;
    for (size_t i = tight + 1; i < d->n; i++) {
        if (isnan(d->findings[i].level))
            continue;
        weight += (double)d->findings[i].pairs;
        beyond += (double)d->findings[i].pairs * d->findings[i].level;
    }
    return weight > 0 && beyond / weight < d->findings[tight].level / 4;
}

static void decide(const struct sdw_window *window, const struct sdw_window_rules *rules,
                   double capacity_bps, struct decision *d)
{
    d->floor_us = rules->floor_us;
    if (capacity_bps > 0)
        d->floor_us = fmax(d->floor_us, MTU_BITS / capacity_bps * 1e6 / 2);
    d->n = window->scoped ? sdw_find_scopes(window, rules, d->findings)
                          : sdw_find_hops(window, rules, d->findings);
    d->whole_known = sdw_find_whole(window, rules, &d->whole);
    d->felt = d->whole_known && d->whole.p <= rules->alpha &&
              (window->scoped || d->whole.effect_us >= d->floor_us);
    double floor_us = d->floor_us;
    adjust(d, rules->alpha);
    if (window->scoped) /* each scope feels the whole queue: there are no side effects */
        d->floor_us = floor_us;
    d->tight = window->scoped ? d->n : first_tight(d, rules->alpha);
    if (d->felt && d->tight == d->n)
        d->tight = window->scoped ? first_scope(d) : only_tight(d);
    if (window->scoped && d->tight < d->n && contradicted(d, d->tight)) {
        d->mixed = true;
        d->tight = d->n;
    }
}

struct totals {
    double slots, bad, on, bytes, load, lost, lossy, reached_bps, trained;
};

/* Round trips say that a hop is slow; the trains, measured one way, must have met a queue too: in
 * at least this share of them. Otherwise it is their answers that queue. */
static const double queueing_trains = 0.2;
/* Of spread load: it waited for less than this share of what the answers were late by. */
static const double WAITED_SHARE = 0.25;
/* A link under r times the load that it has left is seen busy for at least r less this much of the
 * time, but not for more than the other: queues take some of a slot to grow. */
static const double BUSY_SLACK = 0.5, BUSY_MOST = 0.65;

/* A policer loses in one slot as in the next. Once is not a way of the path: it is a receiver that
 * did not run for a while. */
static const double lossy_slots = 0.1, lossy_packets = 0.02;

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
        t.lossy += slot->lost > lossy_packets * slot->load;
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

static const char *state_of(const struct decision *d, size_t i, bool is_void,
                            const struct sdw_window_rules *rules)
{
    const struct sdw_finding *f = &d->findings[i];
    if (is_void)
        return "void";
    if (i == d->tight)
        return "tight";
    bool beyond = d->p[i] <= rules->alpha && f->effect_us >= d->floor_us;
    return isnan(d->p[i]) || beyond ? "inconclusive" : "clear";
}

static void write_gradients(const struct sdw_window *window, const struct sdw_window_rules *rules,
                            const struct decision *d, bool is_void, struct sdw_judgement *out)
{
    for (size_t i = 0; i < d->n && i < SDW_WINDOW_HOPS; i++) {
        const struct sdw_finding *f = &d->findings[i];
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
        g->p_value = d->p[i];
        g->effect_us = f->effect_us;
        g->pairs = (int64_t)f->pairs;
        g->state = text(state_of(d, i, is_void, rules));
        out->live_delay[out->n_gradients++] = f->off_us >= rules->floor_us;
    }
}

static void say_bottleneck(const struct sdw_window *window, const struct decision *d,
                           const struct sdw_capacity_answer *answer, struct sdw_judgement *out)
{
    const struct sdw_finding *f = &d->findings[d->tight];
    char effect[16], rate[16];
    struct sdw_verdict *v = &out->verdict;
    v->state = text("bottleneck");
    v->bottleneck_hop = f->hop;
    v->p_value = isnan(d->p[d->tight]) ? f->p : d->p[d->tight];
    if (window->addr[f->hop][0])
        v->addr = text(window->addr[f->hop]);
    int n = snprintf(out->reason, sizeof out->reason, "%s %s at hop %d",
                     d->anyway ? "bursts queue without load too; load adds" : "load adds",
                     sdw_show_duration((int64_t)f->effect_us, effect), f->hop);
    if (!isnan(answer->mid) && !d->unsaid && n > 0)
        n += snprintf(out->reason + n, sizeof out->reason - (size_t)n, "; %s available",
                      sdw_show_rate(answer->mid, rate));
    if (d->unsaid && n > 0)
        n += snprintf(out->reason + n, sizeof out->reason - (size_t)n, "; %s", d->unsaid);
    bool blind = d->tight > 0 ? isnan(d->findings[d->tight - 1].p) : f->hop > 1;
    if (blind && !window->scoped && n > 0)
        snprintf(out->reason + n, sizeof out->reason - (size_t)n,
                 "; the hop before answers too seldom to tell them apart");
}

/* Share of the slots without load in which the far end's delay was above the floor all the same. */
static double queued_without(const struct sdw_window *window, double floor_us)
{
    double slots = 0, queued = 0;
    for (size_t i = 0; i < window->n_far; i++) {
        const struct sdw_sample *s = &window->far[i];
        if (s->on || s->bad || isnan(s->rtt_us))
            continue;
        slots++;
        queued += s->rtt_us >= floor_us;
    }
    return slots > 0 ? queued / slots : 0;
}

/* A few scoped packets add little to a queue that bursts of others fill, and nothing to one that is
 * full: no effect is then no sign of room. */
static bool doubtful(const struct sdw_window *window, const struct decision *d,
                     struct sdw_judgement *out)
{
    char added[16];
    double share = queued_without(window, d->floor_us);
    if (share > BLURRED_SHARE)
        snprintf(out->reason, sizeof out->reason,
                 "%.0f %% of the slots met a queue without load: what load adds does not show",
                 share * 100);
    else if (d->whole_known && d->whole.p <= 0.05 && time_added(&d->whole) >= d->floor_us)
        snprintf(out->reason, sizeof out->reason, "load may add %s, but not beyond doubt",
                 sdw_show_duration((int64_t)time_added(&d->whole), added));
    else
        return false;
    return true;
}

static void say_no_bottleneck(const struct sdw_window *window, const struct totals *totals,
                              const struct decision *d, double bound, double queued_share,
                              struct sdw_judgement *out)
{
    char rate[16];
    struct sdw_verdict *v = &out->verdict;
    size_t judged = 0;
    for (size_t i = 0; i < d->n; i++)
        judged += isnan(d->p[i]) ? 0 : 1;
    v->state = text("inconclusive");
    if (d->backward) {
        snprintf(out->reason, sizeof out->reason,
                 "answers come late under load, the load itself does not: the way back is full");
    } else if (d->mixed) {
        snprintf(out->reason, sizeof out->reason,
                 "load is felt up to one hop, but not when it goes further");
    } else if (d->felt) {
        snprintf(out->reason, sizeof out->reason,
                 window->scoped
                     ? "load is felt, but not clearly from one hop on"
                     : "the path fills up, but no hop stands out: do its routers answer?");
    } else if (judged == 0) {
        snprintf(out->reason, sizeof out->reason, "too few pairs of slots to judge");
    } else if (totals->lost > lossy_packets * totals->load &&
               totals->lossy > lossy_slots * totals->on) {
        snprintf(out->reason, sizeof out->reason,
                 "%.0f of %.0f load packets were lost without a queue: a policer?", totals->lost,
                 totals->load);
    } else if (!(bound > 0)) {
        snprintf(out->reason, sizeof out->reason, "no load reached the path");
    } else if (queued_share > QUEUED_SHARE) {
        snprintf(out->reason, sizeof out->reason,
                 "%.0f %% of the trains left a queue, but bursts do so too without load",
                 queued_share * 100);
    } else if (window->scoped && doubtful(window, d, out)) {
        return;
    } else if (window->narrow) {
        v->state = text("clear");
        snprintf(out->reason, sizeof out->reason, "no hop felt trains of %s",
                 sdw_show_rate(bound, rate));
    } else {
        v->state = text("clear");
        v->available_bps = (struct sdw_range){bound, NAN, NAN};
        snprintf(out->reason, sizeof out->reason, "no hop felt %s more",
                 sdw_show_rate(bound, rate));
    }
}

static void start_verdict(const struct sdw_window *window, const struct totals *totals,
                          struct sdw_str path_id, struct sdw_verdict *v)
{
    sdw_rec_init(&sdw_verdict_schema, v);
    v->ts = window->last_ts;
    v->path_id = path_id;
    v->window = window->number;
    v->window_us = (int64_t)fmin((double)(window->last_ts - window->first_ts), LONGEST_US);
    v->injected_bytes = (int64_t)fmin(totals->bytes, MOST_BYTES);
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

/* Why what is available is not told, though gaps were read; NULL: it is. A recursive train fills
 * the narrow link by itself. Of load that is spread over the slot only what met a queue can be
 * read: where that is when others burst, it reads as little as they leave in bursts. Then either
 * the slots differ, or the link has less left than the load takes and still pauses. */
static const char *why_unsaid(const struct sdw_window *window, const struct totals *totals,
                              const struct sdw_capacity_answer *answer)
{
    if (window->narrow)
        return "trains tell where the path is narrow, not what is free there";
    if (!window->spread || isnan(answer->mid))
        return NULL;
    double share = fmin(BUSY_MOST, totals->reached_bps / answer->mid - BUSY_SLACK);
    bool pauses = answer->busy_s < share * answer->span_s;
    return answer->bursty || pauses ? "bursts may hide what is available" : NULL;
}

/* Answers come late at the tight hop, the load itself does not. Trains leave queues that can be
 * read gap by gap. Load that is spread over the slot need not: there the waits of both are
 * compared. */
static bool backward(const struct sdw_window *window, const struct sdw_trains *trains,
                     const struct sdw_capacity_answer *answer, const struct decision *d)
{
    size_t arrived;
    if (d->tight == d->n)
        return false;
    if (!window->spread)
        return answer->trains >= LEAST_TRAINS &&
               (double)answer->used < queueing_trains * (double)answer->trains;
    double waited_us = sdw_oneway_us(trains, window->first_train, &arrived);
    return arrived >= LEAST_TRAINS && waited_us < WAITED_SHARE * d->findings[d->tight].effect_us;
}

void sdw_window_judge(const struct sdw_window *window, const struct sdw_window_rules *rules,
                      const struct sdw_trains *trains, struct sdw_str path_id,
                      struct sdw_judgement *out)
{
    static const struct sdw_judgement empty;
    struct totals totals = add_up(window);
    struct sdw_capacity_answer answer;
    struct decision d = {.findings = sdw_xrealloc(NULL, SDW_WINDOW_HOPS + 1, sizeof *d.findings),
                         .p = sdw_xrealloc(NULL, SDW_WINDOW_HOPS + 1, sizeof *d.p)};
    *out = empty;
    start_verdict(window, &totals, path_id, &out->verdict);
    sdw_capacity_estimate(trains, window->first_train, &rules->capacity, &answer);
    decide(window, rules, answer.capacity_bps, &d);
    bool is_void = say_void(window, &totals, rules, out);
    d.backward = backward(window, trains, &answer, &d);
    if (is_void || d.backward)
        d.tight = d.n;
    if (!is_void && !d.backward && d.tight == d.n && !window->scoped && window->one_way &&
        answer.queued_share > QUEUED_SHARE && answer.used >= LEAST_TRAINS && !isnan(answer.mid)) {
        d.tight = full_anyway(&d);
        d.anyway = d.tight < d.n;
    }
    bool full = d.tight < d.n || d.felt;
    d.unsaid = why_unsaid(window, &totals, &answer);
    if (full && !is_void && answer.used >= LEAST_TRAINS && !isnan(answer.mid)) {
        if (!d.unsaid)
            out->verdict.available_bps = (struct sdw_range){answer.lo, answer.mid, answer.hi};
        if (!window->narrow)
            out->verdict.capacity_bps = answer.capacity_bps;
    }
    if (d.tight < d.n)
        say_bottleneck(window, &d, &answer, out);
    else if (!is_void)
        say_no_bottleneck(window, &totals, &d,
                          totals.trained > 0 ? fmin(answer.sustained_bps, totals.reached_bps)
                                             : totals.reached_bps,
                          answer.queued_share, out);
    write_gradients(window, rules, &d, is_void, out);
    out->verdict.reason = text(out->reason);
    free(d.findings);
    free(d.p);
}
