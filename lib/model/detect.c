#include "model/detect.h"

#include <math.h>

const char *const sdw_anomaly_kinds[] = {"spike", "drop",    "shift", "novel",
                                         "flat",  "missing", NULL};

/* The range of all values before, and how far outside it one is. */
struct range {
    double least, greatest;
    int64_t n;
};

struct sdw_detector {
    struct sdw_expect expect;
    struct sdw_tail above, below; /* of positive and of negative residuals */
    struct range seen, drift;     /* of values; of the CUSUM */
    double season2, up, down;     /* squared distance from the profile; the two CUSUMs */
    int64_t season_n;
    double familiar;            /* surprise that was shown lately */
    double value;               /* the last one */
    int64_t same, longest_same; /* values in a row that were equal */
    struct sdw_slot slot[];
};

static const double least_residual = 4;                 /* usual errors */
static const double novel_excess = 0.3;                 /* ranges */
static const double cusum_slack = 0.9, cusum_clip = 20; /* usual distances from the profile */
static const double habituation = 1 / 40.0, refractory = 1.3;
static const double drift_weight = 0.2, tail_weight = 3e-4, half_score = 0.005;
enum { SILENT = 100, FLAT = 12 };

size_t sdw_detector_bytes(const struct sdw_detect_settings *settings)
{
    return sizeof(struct sdw_detector) + (size_t)settings->season.slots * sizeof(struct sdw_slot);
}

void sdw_detector_init(struct sdw_detector *d, const struct sdw_detect_settings *settings)
{
    *d = (struct sdw_detector){.value = NAN};
    sdw_expect_init(&d->expect, d->slot, &settings->season);
}

/* How far x is outside the range, in widths of the range; then it belongs to it. */
static double excess_of(struct range *range, double x)
{
    if (range->n++ == 0)
        range->least = range->greatest = x;
    double width = range->greatest - range->least + 1e-9 * fabs(x) + 1e-300;
    double beyond = fmax(x - range->greatest, range->least - x);
    range->least = fmin(range->least, x);
    range->greatest = fmax(range->greatest, x);
    return beyond > 0 ? fmin(beyond / width, 100) : 0;
}

/* The greatest of n values with an exponential tail is about ln n of its scales out, and has a
 * probability of 1/n; one that is `excess` ranges further has n^-(1+excess). */
static double record_decades(int64_t n, double excess)
{
    return excess > 0 ? (1 + fmin(excess, 4)) * log10((double)n + 1) : 0;
}

static double learn_drift(struct sdw_detector *d, double distance)
{
    if (isnan(distance))
        return 0;
    d->season_n++;
    double usual = sqrt(d->season2) + 1e-6, square = distance * distance;
    double steps = fmax(-cusum_clip, fmin(cusum_clip, distance / usual));
    if (d->season_n >= SILENT)
        square = fmin(square, 36 * usual * usual);
    d->season2 += fmax(0.002, 1 / (double)d->season_n) * (square - d->season2);
    d->up = fmin(1e9, fmax(0, d->up + steps - cusum_slack));
    d->down = fmin(1e9, fmax(0, d->down - steps - cusum_slack));
    return excess_of(&d->drift, d->up > d->down ? d->up : -d->down);
}

/* Surprise fades by a fortieth a value; what is not clearly more than what was shown scores 0. */
static double score_of(struct sdw_detector *d, double surprise)
{
    surprise = d->expect.n < SILENT ? 0 : fmin(surprise, 1);
    d->familiar *= 1 - habituation;
    double shown = fmax(0, surprise - refractory * d->familiar);
    d->familiar = fmax(d->familiar, surprise);
    return shown / (shown + half_score);
}

/* Whether the value was the same for twice as long as ever before, at the value that makes it so.
 * A series that stands still more than half of its time is not said to be flat. */
static bool flat_begins(struct sdw_detector *d, double value, int64_t min_history)
{
    if (!(value == d->value)) {
        d->longest_same = d->same > d->longest_same ? d->same : d->longest_same;
        d->same = 0;
    }
    d->value = value;
    int64_t limit = 2 * d->longest_same > FLAT ? 2 * d->longest_same : FLAT;
    return ++d->same == limit && d->expect.n >= min_history && 2 * d->same < d->expect.n;
}

static enum sdw_anomaly_kind kind_of(const struct sdw_detector *d,
                                     const struct sdw_detect_settings *settings,
                                     const struct sdw_surprise_at *at, double decades,
                                     double novelty, double drift, double extra)
{
    bool changed = fabs(at->error) > log1p(settings->change);
    if (d->expect.n < settings->min_history)
        return SDW_ANOMALY_NONE;
    if (changed && novelty > novel_excess * (1 + extra))
        return SDW_ANOMALY_NOVEL;
    if (changed && fabs(at->residual) > least_residual &&
        decades > extra - log10(settings->threshold))
        return at->error > 0 ? SDW_ANOMALY_SPIKE : SDW_ANOMALY_DROP;
    if (drift > novel_excess * (1 + extra) && d->drift.n > settings->min_history)
        return SDW_ANOMALY_SHIFT;
    return SDW_ANOMALY_NONE;
}

void sdw_detector_step(struct sdw_detector *d, const struct sdw_detect_settings *settings,
                       int64_t ts, double value, double extra, struct sdw_detection *out)
{
    value = fmax(-1e300, fmin(1e300, value));
    struct sdw_surprise_at at;
    sdw_expect_step(&d->expect, d->slot, &settings->season, ts, value, &at);
    struct sdw_tail *tail = at.residual > 0 ? &d->above : &d->below;
    double decades = sdw_tail_decades(tail, fabs(at.residual));
    sdw_tail_learn(tail, fabs(at.residual));
    double novelty = excess_of(&d->seen, value), drift = learn_drift(d, at.season);
    if (d->drift.n <= settings->min_history)
        drift = 0;
    double surprise = fmax(fmax(novelty, drift_weight * drift), tail_weight * (decades - 1));
    bool flat = flat_begins(d, value, settings->min_history);
    out->kind = kind_of(d, settings, &at, decades, novelty, drift, extra);
    if (out->kind == SDW_ANOMALY_NOVEL)
        decades = fmax(decades, record_decades(d->seen.n, novelty));
    else if (out->kind == SDW_ANOMALY_SHIFT)
        decades = fmax(decades, record_decades(d->drift.n, drift));
    else if (out->kind == SDW_ANOMALY_NONE && flat) {
        out->kind = SDW_ANOMALY_FLAT;
        decades = record_decades(d->expect.n, 1);
    }
    out->p = pow(10, -fmin(decades, 300));
    out->score = score_of(d, surprise);
    double usual = fmax(least_residual * at.size, log1p(settings->change));
    out->expected = sdw_expect_value(&d->expect, at.expected_z);
    out->lo = sdw_expect_value(&d->expect, at.expected_z - usual);
    out->hi = sdw_expect_value(&d->expect, at.expected_z + usual);
    out->change = at.error;
}
