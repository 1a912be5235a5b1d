#include "model/capacity.h"

#include <math.h>
#include <stdlib.h>

#include "core/mem.h"
#include "model/stats.h"

/* Time of a train that must have been read for it to count at all. */
static const double LEAST_BUSY_S = 200e-6;
/* Routes and clocks drift: older delays are no base. */
static const double BASE_AGE_S = 30;
/* Back-to-back packets leave within this of each other. */
static const double BACK_TO_BACK_S = 50e-6;

struct sdw_kept_train {
    struct sdw_train train;
    double at_s;
    int64_t bytes; /* of its packets; 0 when they differ */
    int64_t floor_ns;
    bool arrived;
};

const struct sdw_capacity_rules sdw_capacity_defaults = {
    .overhead_bytes = 14,
    .packet_bytes = 1500,
    .noise_s = 20e-6,
    .rise_s = 300e-6,
    .level = 0.90,
    .capacity_bps = NAN,
};

void sdw_trains_init(struct sdw_trains *trains, size_t max)
{
    *trains = (struct sdw_trains){.max = max};
}

static void drop(struct sdw_kept_train *kept)
{
    free(kept->train.sent_ns);
}

void sdw_trains_release(struct sdw_trains *trains)
{
    for (size_t i = 0; i < trains->n; i++)
        drop(&trains->kept[i]);
    free(trains->kept);
    *trains = (struct sdw_trains){0};
}

/* One block: sent, bytes, delay. */
static struct sdw_train copy_of(const struct sdw_train *train)
{
    size_t n = train->n, size = n * sizeof(int64_t);
    int64_t *block = sdw_xrealloc(NULL, n ? 3 * n : 1, sizeof *block);
    if (n > 0) {
        memcpy(block, train->sent_ns, size);
        memcpy(block + n, train->bytes, size);
        memcpy(block + 2 * n, train->delay_ns, size);
    }
    return (struct sdw_train){n, block, block + n, block + 2 * n};
}

static int64_t common_size(const struct sdw_train *train)
{
    for (size_t i = 1; i < train->n; i++) {
        if (train->bytes[i] != train->bytes[0])
            return 0;
    }
    return train->n ? train->bytes[0] : 0;
}

void sdw_trains_add(struct sdw_trains *trains, double at_s, const struct sdw_train *train)
{
    if (trains->max > 0 && trains->n == trains->max) {
        drop(&trains->kept[0]);
        trains->n--;
        memmove(trains->kept, trains->kept + 1, trains->n * sizeof *trains->kept);
    }
    SDW_GROW(trains->kept, trains->cap, trains->n + 1);
    struct sdw_kept_train *kept = &trains->kept[trains->n++];
    *kept = (struct sdw_kept_train){copy_of(train), at_s, common_size(train), 0, false};
    kept->arrived = sdw_train_floor(&kept->train, &kept->floor_ns);
}

const struct sdw_train *sdw_trains_at(const struct sdw_trains *trains, size_t i, double *at_s)
{
    if (at_s)
        *at_s = trains->kept[i].at_s;
    return &trains->kept[i].train;
}

/* The least delay that packets of this size met, over the trains within BASE_AGE_S of at_s: those
 * of that size, and of larger ones (they cannot be faster). */
static int64_t base_delay(const struct sdw_trains *trains, double at_s, int64_t bytes)
{
    int64_t base = INT64_MAX;
    for (size_t i = 0; i < trains->n; i++) {
        const struct sdw_kept_train *kept = &trains->kept[i];
        if (kept->arrived && kept->bytes >= bytes && kept->floor_ns < base &&
            fabs(kept->at_s - at_s) <= BASE_AGE_S)
            base = kept->floor_ns;
    }
    return base == INT64_MAX ? 0 : base;
}

/* All the gaps that can be read, train after train. */
struct readings {
    struct sdw_gap *gaps;
    size_t n;
    size_t *first;  /* first[j]..first[j + 1]: the gaps of train j */
    double *busy_s; /* their time */
    size_t trains;
};

static void readings_release(struct readings *all)
{
    free(all->gaps);
    free(all->first);
    free(all->busy_s);
}

static void read_gaps(const struct sdw_trains *trains, size_t first, double margin_s,
                      const struct sdw_capacity_rules *rules, struct readings *all)
{
    size_t room = 1;
    *all = (struct readings){.trains = trains->n - first};
    for (size_t i = first; i < trains->n; i++)
        room += trains->kept[i].train.n;
    all->gaps = sdw_xrealloc(NULL, room, sizeof *all->gaps);
    all->first = sdw_xrealloc(NULL, all->trains + 1, sizeof *all->first);
    all->busy_s = sdw_xrealloc(NULL, all->trains + 1, sizeof *all->busy_s);
    for (size_t j = 0; j < all->trains; j++) {
        const struct sdw_kept_train *kept = &trains->kept[first + j];
        all->first[j] = all->n;
        all->busy_s[j] = 0;
        if (!kept->arrived || kept->bytes == 0)
            continue;
        int64_t base = base_delay(trains, kept->at_s, kept->bytes);
        size_t n = sdw_chirp_gaps(&kept->train, base, margin_s, all->gaps + all->n, kept->train.n);
        for (size_t i = all->n; i < all->n + n; i++) {
            all->gaps[i].bits += rules->overhead_bytes * 8;
            all->busy_s[j] += all->gaps[i].gap_s;
        }
        all->n += n;
    }
    all->first[all->trains] = all->n;
}

/* Link-layer capacity from the dispersion of what was sent back to back, and the standard error
 * of its logarithm. */
static double dispersion_capacity(const struct readings *all, size_t *samples, double *log_se)
{
    double *slowness = sdw_xrealloc(NULL, all->n + 1, sizeof *slowness), mode = NAN;
    size_t n = 0, near = 0;
    for (size_t i = 0; i < all->n; i++) {
        double out = all->gaps[i].gap_s + all->gaps[i].growth_s;
        if (all->gaps[i].gap_s <= BACK_TO_BACK_S && out > 0)
            slowness[n++] = log(out / all->gaps[i].bits);
    }
    *samples = n;
    *log_se = NAN;
    if (n >= 3) {
        sdw_sort_reals(slowness, n);
        mode = sdw_half_sample_mode(slowness, n);
        double spread = 0;
        for (size_t i = 0; i < n; i++) {
            if (fabs(slowness[i] - mode) < 0.2) {
                spread += (slowness[i] - mode) * (slowness[i] - mode);
                near++;
            }
        }
        /* The mode of m values is known about as well as the mean of the cube root of m squared. */
        *log_se = sqrt(spread / fmax(1, (double)near)) / pow(fmax(1, (double)near), 1.0 / 3);
    }
    free(slowness);
    return exp(-mode);
}

struct weighted {
    double mean, se, between;
    size_t used;
    bool bursty; /* trains differ by more than smooth cross traffic would make them */
};

static double train_rate(const struct readings *all, size_t j, double capacity)
{
    double bits = 0, growth = 0;
    for (size_t i = all->first[j]; i < all->first[j + 1]; i++) {
        bits += all->gaps[i].bits;
        growth += all->gaps[i].growth_s;
    }
    return (bits - capacity * growth) / all->busy_s[j];
}

/* Variance of the cross traffic's bits in one second, from gap to gap. */
static double gap_variance(const struct readings *all, double capacity, double rate, double busy_s)
{
    double sum = 0;
    for (size_t j = 0; j < all->trains; j++) {
        if (all->busy_s[j] < LEAST_BUSY_S)
            continue;
        for (size_t i = all->first[j]; i < all->first[j + 1]; i++) {
            const struct sdw_gap *gap = &all->gaps[i];
            double error = gap->bits - capacity * gap->growth_s - rate * gap->gap_s;
            sum += error * error;
        }
    }
    return sum / busy_s;
}

static struct weighted combine(const struct readings *all, double capacity)
{
    struct weighted w = {.mean = NAN, .se = NAN, .between = 0};
    double busy = 0, pooled = 0;
    for (size_t j = 0; j < all->trains; j++) {
        if (all->busy_s[j] < LEAST_BUSY_S)
            continue;
        w.used++;
        busy += all->busy_s[j];
        pooled += train_rate(all, j, capacity) * all->busy_s[j];
    }
    if (w.used == 0)
        return w;
    pooled /= busy;
    double within = fmax(gap_variance(all, capacity, pooled, busy), 1e-9);
    double sum = 0, squares = 0, q = 0;
    for (size_t j = 0; j < all->trains; j++) {
        if (all->busy_s[j] < LEAST_BUSY_S)
            continue;
        double weight = all->busy_s[j] / within, off = train_rate(all, j, capacity) - pooled;
        sum += weight;
        squares += weight * weight;
        q += weight * off * off;
    }
    double df = (double)w.used - 1;
    w.bursty = q > df + 3 * sqrt(2 * df);
    if (w.used > 1)
        w.between = fmax(0, (q - (double)(w.used - 1)) / (sum - squares / sum));
    double total = 0, spread = 0;
    w.mean = 0;
    for (size_t j = 0; j < all->trains; j++) {
        if (all->busy_s[j] < LEAST_BUSY_S)
            continue;
        double weight = 1 / (w.between + within / all->busy_s[j]);
        total += weight;
        w.mean += weight * train_rate(all, j, capacity);
    }
    w.mean /= total;
    for (size_t j = 0; j < all->trains; j++) {
        if (all->busy_s[j] < LEAST_BUSY_S)
            continue;
        double weight = 1 / (w.between + within / all->busy_s[j]);
        double off = train_rate(all, j, capacity) - w.mean;
        spread += weight * off * off;
    }
    w.se = w.used > 1 ? sqrt(spread / ((double)(w.used - 1) * total)) : sqrt(1 / total);
    w.between = sqrt(w.between);
    return w;
}

/* The rate that trains kept up without leaving a queue: a lower bound; and how many left one. */
static double sustained(const struct sdw_trains *trains, size_t first,
                        const struct sdw_capacity_rules *rules, double *queued_share)
{
    size_t n = 0, queued = 0, all = 0;
    double *rates = sdw_xrealloc(NULL, trains->n - first + 1, sizeof *rates);
    for (size_t i = first; i < trains->n; i++) {
        const struct sdw_kept_train *kept = &trains->kept[i];
        struct sdw_chirp chirp;
        if (!kept->arrived || kept->bytes == 0)
            continue;
        sdw_chirp_read(&kept->train, base_delay(trains, kept->at_s, kept->bytes), rules->rise_s,
                       &chirp);
        all++;
        queued += chirp.last_delay_s >= rules->rise_s;
        double wire = ((double)kept->bytes + rules->overhead_bytes) / (double)kept->bytes;
        if (!isnan(chirp.sustain_bps))
            rates[n++] = chirp.sustain_bps * wire;
    }
    double bound = sdw_median(rates, n);
    *queued_share = all ? (double)queued / (double)all : 0;
    free(rates);
    return bound;
}

/* Upper end of the interval with every gap read as if the link had not paused in it. In bursts the
 * link pauses just when there is most room: those moments must not be left out unsaid. */
static double pausing_reach(const struct sdw_trains *trains, size_t first,
                            const struct sdw_capacity_rules *rules, double capacity)
{
    struct readings all;
    read_gaps(trains, first, -INFINITY, rules, &all);
    struct weighted w = combine(&all, capacity);
    readings_release(&all);
    if (w.used < 2)
        return w.mean;
    return w.mean + sdw_student_quantile((1 + rules->level) / 2, (double)(w.used - 1)) * w.se;
}

static void state_interval(const struct sdw_trains *trains, size_t first,
                           const struct sdw_capacity_rules *rules, const struct readings *all,
                           const struct weighted *w, double capacity, double log_se,
                           struct sdw_capacity_answer *answer)
{
    double to_ip = rules->packet_bytes / (rules->packet_bytes + rules->overhead_bytes);
    /* A = C (1 - growth / time) + ...: an error of C moves A by the mean growth. */
    double by_capacity = fabs(combine(all, capacity * 1.01).mean - w->mean) * 100 * log_se;
    double df = w->used > 1 ? (double)(w->used - 1) : 1;
    double reach = sdw_student_quantile((1 + rules->level) / 2, df) * hypot(w->se, by_capacity);
    double hi = w->mean + reach;
    if (w->bursty)
        hi = fmax(hi, pausing_reach(trains, first, rules, capacity));
    answer->mid = fmin(fmax(w->mean, 0), capacity) * to_ip;
    answer->lo = fmin(fmax(w->mean - reach, 0) * to_ip, answer->mid);
    answer->hi = fmin(fmax(hi, 0), capacity * (1 + 3 * log_se)) * to_ip;
    answer->between_bps = w->between * to_ip;
}

void sdw_capacity_estimate(const struct sdw_trains *trains, size_t first,
                           const struct sdw_capacity_rules *rules,
                           struct sdw_capacity_answer *answer)
{
    *answer = (struct sdw_capacity_answer){.lo = NAN, .mid = NAN, .hi = NAN, .between_bps = NAN};
    if (first > trains->n)
        first = trains->n;
    struct readings all;
    read_gaps(trains, first, rules->noise_s, rules, &all);
    double to_ip = rules->packet_bytes / (rules->packet_bytes + rules->overhead_bytes);
    double log_se, capacity = dispersion_capacity(&all, &answer->dispersions, &log_se);
    if (!isnan(rules->capacity_bps)) {
        capacity = rules->capacity_bps / to_ip;
        log_se = isnan(log_se) ? 0 : fmin(log_se, 0.01);
    }
    answer->sustained_bps = sustained(trains, first, rules, &answer->queued_share) * to_ip;
    answer->trains = all.trains;
    answer->capacity_bps = capacity * to_ip;
    answer->capacity_se = answer->capacity_bps * log_se;
    for (size_t j = 0; j < all.trains; j++) {
        const struct sdw_train *train = &trains->kept[first + j].train;
        answer->busy_s += all.busy_s[j];
        if (train->n > 0)
            answer->span_s += (double)(train->sent_ns[train->n - 1] - train->sent_ns[0]) * 1e-9;
    }
    struct weighted w = combine(&all, isnan(capacity) ? 0 : capacity);
    answer->used = w.used;
    answer->bursty = w.bursty;
    if (w.used >= 1 && !isnan(capacity))
        state_interval(trains, first, rules, &all, &w, capacity, log_se, answer);
    else
        answer->lo = answer->sustained_bps;
    readings_release(&all);
}
