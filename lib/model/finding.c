#include "model/finding.h"

#include <math.h>
#include <stdlib.h>

#include "core/mem.h"
#include "core/sign_flip.h"
#include "model/randomisation.h"
#include "model/slots.h"
#include "model/stats.h"

enum { LEAST_TRIMMED = 6 }; /* pairs that a trimmed mean needs */

/* How the levels of some samples are to be read: where they are capped, and what time they are the
 * logarithm of. */
struct reading {
    double quantile, scale_us;
};

static const double SCALE_US = 100;
/* Of load that goes to every scope in turn, only a part can be felt. */
static const double CAP_QUANTILE = 0.8, CAP_QUANTILE_SCOPED = 0.95;

/* The differences of one hop. */
struct pairs {
    size_t n, singles;
    double *level;    /* on - off; of a single, the distance from the middle, to its side */
    double *delay_us; /* of the complete pairs, complete of them */
    double *mbps;
    size_t complete;
    double on_level, off_level;
    double lost_on, lost_off; /* shares of measuring packets */
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

static int by_slot_and_hop(const void *a, const void *b)
{
    const struct sdw_sample *x = a, *y = b;
    if (x->slot != y->slot)
        return x->slot < y->slot ? -1 : 1;
    return x->hop - y->hop;
}

static int by_slot(const void *a, const void *b)
{
    const struct sdw_slot_sum *x = a, *y = b;
    return (x->slot > y->slot) - (x->slot < y->slot);
}

static bool counts(const struct sdw_sample *s)
{
    return !s->bad && !isnan(s->level);
}

/* Queues that bursts of cross traffic make are as long with load as without: levels above what
 * four fifths of all slots reach, on and off alike, say no more than that one. The cap does not
 * know which slots carried load, so the coin argument holds. */
static double cap_levels(struct sdw_sample *samples, size_t n, double quantile)
{
    double *levels = sdw_xrealloc(NULL, n + 1, sizeof *levels);
    size_t known = 0;
    for (size_t i = 0; i < n; i++) {
        if (counts(&samples[i]))
            levels[known++] = samples[i].level;
    }
    sdw_sort_reals(levels, known);
    double cap = sdw_quantile_sorted(levels, known, quantile), sum = 0;
    for (size_t i = 0; i < n; i++)
        samples[i].level = samples[i].level > cap ? cap : samples[i].level;
    for (size_t i = 0; i < known; i++)
        sum += fmin(levels[i], cap);
    free(levels);
    return known ? sum / (double)known : NAN;
}

struct side {
    double n, level, delay_us, mbps;
};

static void take(struct side *side, const struct sdw_sample *s)
{
    if (!counts(s))
        return;
    side->n++;
    side->level += s->level;
    side->delay_us += s->delay_us;
    side->mbps += isnan(s->rate_bps) ? 0 : s->rate_bps * 1e-6;
}

/* A slot whose partner gave no answer was on or off by a fair coin all the same: under "load does
 * nothing" its distance from the middle of all slots may as well be on the other side. */
static void add_pair(struct pairs *pairs, const struct side *off, const struct side *on,
                     double middle)
{
    if (on->n > 0 && off->n > 0) {
        pairs->level[pairs->n++] = on->level / on->n - off->level / off->n;
        pairs->delay_us[pairs->complete] = on->delay_us / on->n - off->delay_us / off->n;
        pairs->mbps[pairs->complete++] = on->mbps / on->n;
    } else if (on->n > 0 || off->n > 0) {
        pairs->level[pairs->n++] =
            on->n > 0 ? on->level / on->n - middle : middle - off->level / off->n;
        pairs->singles++;
    }
}

/* samples[n] are of one hop, in order of pairs. */
static void pair_up(const struct sdw_sample *samples, size_t n, double middle, struct pairs *pairs)
{
    struct side sum[2] = {{0, 0, 0, 0}, {0, 0, 0, 0}};
    double sent[2] = {0}, got[2] = {0};
    pairs->n = pairs->singles = pairs->complete = 0;
    for (size_t i = 0; i < n;) {
        struct side side[2] = {{0, 0, 0, 0}, {0, 0, 0, 0}};
        size_t first = i;
        for (; i < n && samples[i].pair == samples[first].pair; i++) {
            const struct sdw_sample *s = &samples[i];
            take(&side[s->on], s);
            take(&sum[s->on], s);
            sent[s->on] += s->bad ? 0 : s->sent;
            got[s->on] += s->bad ? 0 : fmin(s->received, s->sent);
        }
        add_pair(pairs, &side[0], &side[1], middle);
    }
    pairs->on_level = sum[1].n > 0 ? sum[1].level / sum[1].n : NAN;
    pairs->off_level = sum[0].n > 0 ? sum[0].level / sum[0].n : NAN;
    pairs->lost_off = sent[0] > 0 ? 1 - got[0] / sent[0] : 0;
    pairs->lost_on = sent[1] > 0 ? 1 - got[1] / sent[1] : 0;
}

static void find_gradients(const struct pairs *pairs, const struct sdw_window_rules *rules,
                           uint64_t seed, struct sdw_finding *f)
{
    double mbps = 0, delay = 0;
    for (size_t i = 0; i < pairs->complete; i++) {
        mbps += pairs->mbps[i];
        delay += pairs->delay_us[i];
    }
    if (!(mbps > 0))
        return;
    f->gradient = delay / mbps;
    f->loss_gradient = (pairs->lost_on - pairs->lost_off) / (mbps / (double)pairs->complete);
    sdw_bootstrap_ratio(pairs->delay_us, pairs->mbps, pairs->complete, 0.95, seed,
                        rules->rounds / 10, &f->lo, &f->hi);
}

/* Mean of what load adds, the greatest and least tenth of the pairs left out (at least one each): a
 * load that fills the queue in bursts of the cross traffic only adds little in the mean logarithm
 * and much in the mean, and no single stall counts. NAN for too few pairs. */
static double trimmed_us(const struct pairs *pairs)
{
    size_t n = pairs->complete, cut = n / 10 > 0 ? n / 10 : 1;
    if (n < LEAST_TRIMMED)
        return NAN;
    double *sorted = sdw_xrealloc(NULL, n, sizeof *sorted), sum = 0;
    memcpy(sorted, pairs->delay_us, n * sizeof *sorted);
    sdw_sort_reals(sorted, n);
    for (size_t i = cut; i < n - cut; i++)
        sum += sorted[i];
    free(sorted);
    return sum / (double)(n - 2 * cut);
}

/* samples[n] of one hop; capped in place. */
static struct sdw_finding find(struct sdw_sample *samples, size_t n, struct reading how,
                               struct pairs *pairs, const struct sdw_window_rules *rules)
{
    struct sdw_finding f = {.hop = samples[0].hop,
                            .p = NAN,
                            .least = 1,
                            .effect_us = NAN,
                            .mean_us = NAN,
                            .level = NAN,
                            .gradient = NAN,
                            .lo = NAN,
                            .hi = NAN,
                            .loss_gradient = NAN,
                            .off_us = NAN};
    uint64_t seed = rules->seed + (uint64_t)f.hop * UINT64_C(0x9e3779b97f4a7c15);
    double middle = cap_levels(samples, n, how.quantile);
    pair_up(samples, n, middle, pairs);
    f.pairs = pairs->complete + pairs->singles / 2;
    f.off_us = sdw_unlog1p(pairs->off_level, how.scale_us);
    f.effect_us = sdw_unlog1p(pairs->on_level, how.scale_us) - f.off_us;
    f.mean_us = trimmed_us(pairs);
    f.level = pairs->on_level - pairs->off_level;
    f.least = sdw_sign_flip_least(pairs->n, rules->rounds);
    if (f.least <= 0.05 && !isnan(f.effect_us))
        f.p = sdw_sign_flip(pairs->level, pairs->n, seed, rules->rounds);
    find_gradients(pairs, rules, seed, &f);
    return f;
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

/* Of each hop the nearest hop before it that answers often enough to be compared with; 0: none,
 * the delay itself is the increment. */
static void choose_before(const struct sdw_sample *samples, size_t n, int *before)
{
    size_t answers[SDW_WINDOW_HOPS + 1] = {0}, most = 0;
    for (size_t i = 0; i < n; i++) {
        if (!samples[i].bad && samples[i].received > 0)
            answers[samples[i].hop]++;
    }
    for (int hop = 1; hop <= SDW_WINDOW_HOPS; hop++)
        most = answers[hop] > most ? answers[hop] : most;
    for (int hop = 1, last = 0; hop <= SDW_WINDOW_HOPS; hop++) {
        before[hop] = last;
        if (answers[hop] > 0 && answers[hop] * 6 >= most)
            last = hop;
    }
}

/* The statistic is the delay that a hop adds to the one before it in the same ladder. A router
 * asked in some ladders only leaves the others without an increment, not with a longer one. */
static void take_increments(struct sdw_sample *samples, size_t n)
{
    int before[SDW_WINDOW_HOPS + 1];
    double rtt_us[SDW_WINDOW_HOPS + 1];
    choose_before(samples, n, before);
    qsort(samples, n, sizeof *samples, by_slot_and_hop);
    for (size_t i = 0; i < n; i++) {
        struct sdw_sample *s = &samples[i];
        if (i == 0 || s->slot != samples[i - 1].slot) {
            for (int hop = 0; hop <= SDW_WINDOW_HOPS; hop++)
                rtt_us[hop] = NAN;
            rtt_us[0] = 0;
        }
        double base = rtt_us[before[s->hop]], added = s->rtt_us - base;
        if (s->received <= 0 || isnan(base))
            s->level = s->delay_us = NAN;
        else if (s->received <= 1 && !isnan(added)) {
            s->delay_us = added;
            s->level = log1p(fmax(0, added) / SCALE_US);
        }
        if (s->received > 0)
            rtt_us[s->hop] = isnan(s->rtt_us) ? 0 : s->rtt_us;
    }
}

static size_t find_each(const struct sdw_window *window, struct sdw_sample *samples, size_t n,
                        struct reading how, const struct sdw_window_rules *rules,
                        struct sdw_finding *findings)
{
    double *room = sdw_xrealloc(NULL, 3 * (n + 1), sizeof *room);
    struct pairs pairs = {.level = room, .delay_us = room + n + 1, .mbps = room + 2 * (n + 1)};
    size_t found = 0;
    share_rates(window, samples, n);
    qsort(samples, n, sizeof *samples, by_hop_and_pair);
    for (size_t i = 0; i < n;) {
        size_t first = i;
        while (i < n && samples[i].hop == samples[first].hop)
            i++;
        findings[found++] = find(samples + first, i - first, how, &pairs, rules);
    }
    free(room);
    return found;
}

static struct sdw_sample *copy_of(const struct sdw_sample *samples, size_t n)
{
    struct sdw_sample *copy = sdw_xrealloc(NULL, n + 1, sizeof *copy);
    if (n > 0)
        memcpy(copy, samples, n * sizeof *copy);
    return copy;
}

size_t sdw_find_hops(const struct sdw_window *window, const struct sdw_window_rules *rules,
                     struct sdw_finding *findings)
{
    struct sdw_sample *samples = copy_of(window->samples, window->n);
    take_increments(samples, window->n);
    size_t found = find_each(window, samples, window->n, (struct reading){CAP_QUANTILE, SCALE_US},
                             rules, findings);
    free(samples);
    return found;
}

size_t sdw_find_scopes(const struct sdw_window *window, const struct sdw_window_rules *rules,
                       struct sdw_finding *findings)
{
    struct sdw_sample *samples = copy_of(window->far, window->n_far);
    struct reading how = {CAP_QUANTILE, window->far_scale_us};
    size_t found = find_each(window, samples, window->n_far, how, rules, findings);
    free(samples);
    return found;
}

bool sdw_find_whole(const struct sdw_window *window, const struct sdw_window_rules *rules,
                    struct sdw_finding *finding)
{
    struct sdw_finding findings[1];
    struct sdw_sample *samples = copy_of(window->far, window->n_far);
    for (size_t i = 0; i < window->n_far; i++)
        samples[i].hop = window->hops;
    struct reading how = {window->scoped ? CAP_QUANTILE_SCOPED : CAP_QUANTILE,
                          window->far_scale_us};
    bool any = find_each(window, samples, window->n_far, how, rules, findings) > 0;
    if (any)
        *finding = findings[0];
    free(samples);
    return any;
}
