#include "model/detect_expect.h"

#include <math.h>

enum { TERMS = SDW_EXPECT_TERMS, PARTS = SDW_EXPECT_PARTS, YOUNG = 20, SETTLED = 100 };

static const double forget = 0.9995; /* of the regression, a value */
static const double error_clip = 6, size_clip = 3, least_size = 0.002;
static const double spread = 10, most_variance = 1e4; /* of a weight of the regression */
static const double greatest_z = 690, greatest_ratio = 1e299;
static const double least_unit = 1e-150; /* less is no size yet */

void sdw_expect_init(struct sdw_expect *e, struct sdw_slot *slot, const struct sdw_season *season)
{
    *e = (struct sdw_expect){0};
    sdw_rls_init(e->regression, TERMS, NULL, spread);
    for (int i = 0; i < season->slots; i++)
        slot[i] = (struct sdw_slot){NAN, NAN};
}

/* The unit follows the usual size of the first values, and then stays: what was learned is on its
 * scale. */
static void learn_unit(struct sdw_expect *e, double value)
{
    e->size += fmax(1 / (double)e->n, 0.002) * (fabs(value) - e->size);
    if (e->n <= SETTLED)
        e->unit = e->size / 10;
    else if (!(e->unit > least_unit))
        e->unit = fabs(value) / 10;
}

static double to_scale(const struct sdw_expect *e, double value)
{
    double ratio = e->unit > 0 ? value / e->unit : value;
    return asinh(fmax(-greatest_ratio, fmin(greatest_ratio, ratio)));
}

/* z within the range of what was seen, and as much again, and a factor of e at least, to either
 * side; but never of a sign that the series has not shown. */
static double within(const struct sdw_expect *e, double z)
{
    double room = fmax(1, e->greatest - e->least);
    double lo = e->least >= 0 ? 0 : e->least - room, hi = e->greatest <= 0 ? 0 : e->greatest + room;
    return fmax(lo, fmin(hi, z));
}

double sdw_expect_value(const struct sdw_expect *e, double z)
{
    z = within(e, z);
    double value = sinh(fmax(-greatest_z, fmin(greatest_z, z))) * (e->unit > 0 ? e->unit : 1);
    return fmax(-1e300, fmin(1e300, value));
}

static void regressors(const struct sdw_expect *e, const struct sdw_slot *slot, int at,
                       double x[TERMS])
{
    double base = e->last[0], profile = e->slow, before = profile, lag = profile;
    if (at >= 0 && !isnan(slot[at].mean)) {
        profile = slot[at].mean;
        lag = slot[at].last;
    }
    if (e->previous >= 0 && !isnan(slot[e->previous].mean))
        before = slot[e->previous].mean;
    const double term[TERMS] = {1,
                                e->last[1] - base,
                                e->last[2] - base,
                                e->fast - base,
                                e->slow - base,
                                profile - before,
                                before - base,
                                lag - base};
    for (int i = 0; i < TERMS; i++)
        x[i] = term[i];
}

static double size_of(const struct sdw_expect *e, int part)
{
    double square = e->now2;
    if (e->part_n[part] > YOUNG && e->part2[part] > 0)
        square = (square + (double)e->part2[part]) / 2;
    return fmax(sqrt(fmax(square, e->ever2 / 10)), least_size);
}

static void learn_size(struct sdw_expect *e, int part, double error, double size)
{
    double square = error * error;
    if (e->n >= YOUNG)
        square = fmin(square, size_clip * size_clip * size * size);
    e->now2 += fmax(0.01, 1 / (double)e->n) * (square - e->now2);
    e->ever2 += fmax(0.001, 1 / (double)e->n) * (square - e->ever2);
    if (e->n == 1)
        return;
    e->part_n[part] += e->part_n[part] < 1000;
    double weight = fmax(0.1 / 12, 1 / (double)e->part_n[part]);
    e->part2[part] += (float)(weight * (square - (double)e->part2[part]));
}

static void remember(struct sdw_expect *e, struct sdw_slot *slot, int at, double z)
{
    e->last[2] = e->last[1];
    e->last[1] = e->last[0];
    e->last[0] = z;
    e->fast += 0.2 * (z - e->fast);
    e->slow += 0.01 * (z - e->slow);
    e->least = fmin(e->least, z);
    e->greatest = fmax(e->greatest, z);
    e->previous = at;
    if (at < 0)
        return;
    double mean = (double)slot[at].mean;
    slot[at].mean = (float)(isnan(mean) ? z : mean + 0.1 * (z - mean));
    slot[at].last = (float)z;
}

static void begin(struct sdw_expect *e, double z)
{
    for (int i = 0; i < 3; i++)
        e->last[i] = z;
    e->fast = e->slow = e->least = e->greatest = z;
    e->previous = -1;
}

/* Which of `parts` equal parts of the season ts is in. */
static int part_of(const struct sdw_season *season, int64_t ts, int parts)
{
    int64_t period = season->period_us;
    return period > 0 ? (int)((ts % period + period) % period * parts / period) : 0;
}

int sdw_season_slot(const struct sdw_season *season, int64_t ts)
{
    return part_of(season, ts, season->slots);
}

void sdw_expect_step(struct sdw_expect *e, struct sdw_slot *slot, const struct sdw_season *season,
                     int64_t ts, double value, struct sdw_surprise_at *out)
{
    double x[TERMS];
    int at = season->slots > 0 ? sdw_season_slot(season, ts) : -1;
    int part = part_of(season, ts, PARTS);
    e->n++;
    learn_unit(e, value);
    double z = to_scale(e, value);
    if (e->n == 1)
        begin(e, z);
    regressors(e, slot, at, x);
    double expected = within(e, e->last[0] + sdw_rls_predict(e->regression, TERMS, x));
    double error = z - expected, size = size_of(e, part);
    bool young = e->n <= YOUNG;
    double residual = young ? 0 : error / size;
    *out = (struct sdw_surprise_at){z,    expected, error,
                                    size, residual, at >= 0 ? z - (double)slot[at].mean : NAN};
    double clipped = fmax(-error_clip, fmin(error_clip, residual)) * size;
    sdw_rls_learn(e->regression, TERMS, x, young ? error : clipped, forget, most_variance);
    learn_size(e, part, error, size);
    remember(e, slot, at, z);
}

void sdw_expect_given(const struct sdw_expect *e, const struct sdw_foreseen *foreseen,
                      struct sdw_surprise_at *out)
{
    const double interval = 2 * 1.95996; /* usual errors */
    double lo = to_scale(e, foreseen->lo), hi = to_scale(e, foreseen->hi);
    out->expected_z = within(e, to_scale(e, foreseen->mid));
    out->error = out->z - out->expected_z;
    out->size = fmax((hi - lo) / interval, least_size);
    out->residual = e->n <= YOUNG ? 0 : out->error / out->size;
}
