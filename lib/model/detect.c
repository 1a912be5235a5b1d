#include "model/detect.h"
#include "model/detect_drift.h"
#include "model/detect_spell.h"

#include <math.h>

const char *const sdw_anomaly_kinds[] = {"spike", "drop",    "shift", "novel",
                                         "flat",  "missing", NULL};

struct sdw_detector {
    struct sdw_expect expect;
    struct sdw_tail above, below; /* of positive and of negative residuals */
    struct sdw_extent seen;       /* all values */
    struct sdw_drift drift;
    struct sdw_spell rise, fall;
    double familiar;            /* surprise that was shown lately */
    double value;               /* the last one */
    int64_t same, longest_same; /* values in a row that were equal */
    struct sdw_slot slot[];
};

static const double least_residual = 4; /* usual errors */
static const double spell_share = 0.8;  /* of the least change, on average */
static const double novel_excess = 0.3; /* ranges */
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

/* The greatest of n values with an exponential tail is about ln n of its scales out, and has a
 * probability of 1/n; one that is `excess` ranges further has n^-(1+excess). */
static double record_decades(int64_t n, double excess)
{
    return excess > 0 ? (1 + fmin(excess, 4)) * log10((double)n + 1) : 0;
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

/* What is out of the ordinary about a value, before it is weighed. */
struct evidence {
    struct sdw_surprise_at at;
    double decades;        /* of the residual's tail probability */
    double novelty, drift; /* ranges outside of all before */
    double rise, fall;     /* decades of the spells to either side */
    bool leaves, flat;
};

static enum sdw_anomaly_kind kind_of(const struct sdw_detector *d,
                                     const struct sdw_detect_settings *settings,
                                     const struct evidence *e, double extra)
{
    bool changed = fabs(e->at.error) > log1p(settings->change);
    double asked = extra - log10(settings->threshold);
    if (d->expect.n < settings->min_history)
        return SDW_ANOMALY_NONE;
    if (changed && e->novelty > novel_excess * (1 + extra))
        return SDW_ANOMALY_NOVEL;
    if (changed && fabs(e->at.residual) > least_residual && e->decades > asked)
        return e->at.error > 0 ? SDW_ANOMALY_SPIKE : SDW_ANOMALY_DROP;
    if (fmax(e->rise, e->fall) > asked)
        return e->rise > e->fall ? SDW_ANOMALY_SPIKE : SDW_ANOMALY_DROP;
    if (e->leaves && d->drift.n > settings->min_history)
        return SDW_ANOMALY_SHIFT;
    return e->flat ? SDW_ANOMALY_FLAT : SDW_ANOMALY_NONE;
}

static void collect(struct sdw_detector *d, const struct sdw_detect_settings *settings,
                    double value, double extra, struct evidence *e)
{
    double size = fabs(e->at.residual);
    struct sdw_tail *tail = e->at.residual > 0 ? &d->above : &d->below;
    e->decades = sdw_tail_decades(tail, size);
    sdw_tail_learn(tail, size);
    e->novelty = sdw_extent_excess(&d->seen, value);
    if (!isnan(e->at.season)) {
        e->drift = sdw_drift_learn(&d->drift, e->at.season);
        e->leaves =
            sdw_drift_leaves(&d->drift, novel_excess * (1 + extra), log1p(settings->change));
    }
    if (d->drift.n <= settings->min_history)
        e->drift = 0;
    double change = spell_share * log1p(settings->change);
    e->rise = sdw_spell_learn(&d->rise, e->at.residual, e->at.error, change);
    e->fall = sdw_spell_learn(&d->fall, -e->at.residual, -e->at.error, change);
    e->flat = flat_begins(d, value, settings->min_history);
}

void sdw_detector_step(struct sdw_detector *d, const struct sdw_detect_settings *settings,
                       int64_t ts, double value, const struct sdw_foreseen *foreseen, double extra,
                       struct sdw_detection *out)
{
    struct evidence e = {0};
    value = fmax(-1e300, fmin(1e300, value));
    sdw_expect_step(&d->expect, d->slot, &settings->season, ts, value, &e.at);
    if (foreseen)
        sdw_expect_given(&d->expect, foreseen, &e.at);
    collect(d, settings, value, extra, &e);
    double surprise = fmax(fmax(e.novelty, drift_weight * e.drift), tail_weight * (e.decades - 1));
    out->kind = kind_of(d, settings, &e, extra);
    out->change = e.at.error;
    if (e.rise > e.decades)
        out->change = sdw_spell_change(&d->rise);
    else if (e.fall > e.decades)
        out->change = -sdw_spell_change(&d->fall);
    double decades = fmax(e.decades, fmax(e.rise, e.fall));
    if (out->kind == SDW_ANOMALY_NOVEL)
        decades = fmax(decades, record_decades(d->seen.n, e.novelty));
    else if (out->kind == SDW_ANOMALY_SHIFT || out->kind == SDW_ANOMALY_FLAT)
        decades = fmax(decades, record_decades(d->expect.n, 1));
    out->p = pow(10, -fmin(decades, 300));
    out->score = score_of(d, surprise);
    double usual = fmax(least_residual * e.at.size, log1p(settings->change));
    out->expected = sdw_expect_value(&d->expect, e.at.expected_z);
    out->lo = sdw_expect_value(&d->expect, e.at.expected_z - usual);
    out->hi = sdw_expect_value(&d->expect, e.at.expected_z + usual);
}

bool sdw_detector_is_sound(const struct sdw_detector *d, const struct sdw_detect_settings *settings)
{
    return d->expect.previous >= -1 && d->expect.previous < settings->season.slots;
}
