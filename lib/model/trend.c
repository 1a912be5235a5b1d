#include "model/trend.h"
#include "model/trend_models.h"

#include <math.h>

const struct sdw_trend_model sdw_trend_models[SDW_TREND_MODELS] = {
    {0.0005, 0, 0, 0.4}, {0.03, 0, 0, 0.2},  {0.7, 0, 0, 0.1},
    {0, 1e-6, 160, 0.1}, {0, 3e-3, 60, 0.1}, {0, 3e-1, 30, 0.1},
};

static const double change = 0.03;
/* A value this many spreads from what every model expects is a jump or an outlier. The next value
 * tells which; until then it may well be a jump, and the fast level model stands for that. */
static const double surprise = 6;
static const double jump_weight = 0.45;
enum { JUMP_MODEL = 2 };

static const double likelihood_dof = 4; /* heavy tails: one outlier does not decide */
static const double noise_memory = 40;  /* values */
static const double noise_prior = 2;    /* values that the first guess of the noise is worth */
static const double noise_guess = 0.05; /* of the value */
static const double gap_most = 50;      /* intervals: what a longer gap counts as */
static const double least_noise = 1e-4; /* of the value: a constant series is not perfect */

void sdw_trend_init(struct sdw_trend *trend)
{
    *trend = (struct sdw_trend){.value = NAN, .least = INFINITY, .greatest = -INFINITY};
}

bool sdw_trend_cold(const struct sdw_trend *trend)
{
    return trend->n < SDW_TREND_WARM;
}

static double seconds(int64_t from_us, int64_t to_us)
{
    return (double)(to_us - from_us) / 1e6;
}

static void first_value(struct sdw_trend *trend, int64_t ts, double value)
{
    double guess = noise_guess * fabs(value) + 1e-9;
    trend->noise = guess * guess;
    trend->noise_n = noise_prior;
    trend->interval_s = 0;
    for (size_t i = 0; i < SDW_TREND_MODELS; i++)
        trend->model[i] = (struct sdw_trend_belief){.level = value,
                                                    .var_level = trend->noise,
                                                    .var_slope = 0,
                                                    .weight = sdw_trend_models[i].weight};
    trend->ts = ts;
}

/* The typical interval is a slow mean of the logarithm, so that a gap does not spoil it. The
 * slope's first uncertainty needs it: one spread of the noise per interval. */
static void learn_interval(struct sdw_trend *trend, double dt)
{
    if (dt <= 0)
        return;
    if (trend->interval_s <= 0) {
        trend->interval_s = dt;
        for (size_t i = 0; i < SDW_TREND_MODELS; i++)
            if (sdw_trend_models[i].reach > 0)
                trend->model[i].var_slope = trend->noise / (dt * dt);
        return;
    }
    double gain = trend->n < 20 ? 1.0 / (double)trend->n : 0.05;
    double step = log(dt / trend->interval_s);
    trend->interval_s *= exp(gain * fmin(2, fmax(-2, step)));
}

/* The noise, free of any model: how far the middle of three values is from the line through its
 * neighbours. A single far one counts as three spreads. */
static void learn_noise(struct sdw_trend *trend, int64_t ts, double value)
{
    if (trend->n < 2)
        return;
    double before = seconds(trend->past_ts[0], trend->past_ts[1]);
    double after = seconds(trend->past_ts[1], ts);
    if (before < 0 || after < 0 || before + after <= 0)
        return;
    double share = before / (before + after);
    double line = trend->past[0] + share * (value - trend->past[0]);
    double square = (trend->past[1] - line) * (trend->past[1] - line) /
                    (1 + share * share + (1 - share) * (1 - share));
    square = fmin(square, 9 * trend->noise);
    double floor = least_noise * fabs(value);
    double keep = 1 - 1 / noise_memory;
    trend->noise = (keep * trend->noise_n * trend->noise + square) / (keep * trend->noise_n + 1);
    trend->noise = fmax(trend->noise, floor * floor + 1e-18);
    trend->noise_n = keep * trend->noise_n + 1;
}

/* Before the new value each model starts from a mixture of what all believed, by how likely the
 * series has changed model. Models without a slope have no say on slopes. */
static void mix(struct sdw_trend *trend)
{
    struct sdw_trend_belief mixed[SDW_TREND_MODELS];
    for (size_t j = 0; j < SDW_TREND_MODELS; j++) {
        const struct sdw_trend_belief *own = &trend->model[j];
        struct sdw_trend_belief *m = &mixed[j];
        double share[SDW_TREND_MODELS], sum = 0;
        for (size_t i = 0; i < SDW_TREND_MODELS; i++) {
            share[i] =
                (i == j ? 1 - change : change / (SDW_TREND_MODELS - 1)) * trend->model[i].weight;
            sum += share[i];
        }
        *m = (struct sdw_trend_belief){.weight = sum};
        for (size_t i = 0; i < SDW_TREND_MODELS; i++) {
            const struct sdw_trend_belief *from = &trend->model[i];
            m->level += share[i] / sum * from->level;
            m->slope += share[i] / sum * (sdw_trend_models[i].reach > 0 ? from->slope : own->slope);
        }
        for (size_t i = 0; i < SDW_TREND_MODELS; i++) {
            const struct sdw_trend_belief *from = &trend->model[i];
            const struct sdw_trend_belief *slope = sdw_trend_models[i].reach > 0 ? from : own;
            double dl = from->level - m->level, ds = slope->slope - m->slope;
            m->var_level += share[i] / sum * (from->var_level + dl * dl);
            m->cov += share[i] / sum * (slope->cov + dl * ds);
            m->var_slope += share[i] / sum * (slope->var_slope + ds * ds);
        }
        if (sdw_trend_models[j].reach <= 0)
            m->slope = m->cov = m->var_slope = 0;
    }
    memcpy(trend->model, mixed, sizeof mixed);
}

double sdw_trend_level_walk(const struct sdw_trend *trend, size_t i)
{
    return trend->interval_s > 0 ? sdw_trend_models[i].level * trend->noise / trend->interval_s : 0;
}

static double slope_walk(const struct sdw_trend *trend, size_t i)
{
    double t = trend->interval_s;
    return t > 0 ? sdw_trend_models[i].slope * trend->noise / (t * t * t) : 0;
}

void sdw_trend_advance(const struct sdw_trend *trend, size_t i, double dt,
                       struct sdw_trend_belief *m)
{
    double walk = slope_walk(trend, i);
    m->level += dt * m->slope;
    m->var_level += 2 * dt * m->cov + dt * dt * m->var_slope + sdw_trend_level_walk(trend, i) * dt +
                    walk * dt * dt * dt / 3;
    m->cov += dt * m->var_slope + walk * dt * dt / 2;
    m->var_slope += walk * dt;
}

static bool surprises(const struct sdw_trend *trend, double value)
{
    if (sdw_trend_cold(trend))
        return false;
    for (size_t i = 0; i < SDW_TREND_MODELS; i++) {
        const struct sdw_trend_belief *m = &trend->model[i];
        double error = value - m->level;
        if (error * error < surprise * surprise * (m->var_level + trend->noise))
            return false;
    }
    return true;
}

/* Believe the jump in one model, and let the others wait for the next value. */
static void jump(struct sdw_trend *trend, double value)
{
    double others = 1 - trend->model[JUMP_MODEL].weight;
    for (size_t i = 0; i < SDW_TREND_MODELS; i++)
        trend->model[i].weight *= (1 - jump_weight) / others;
    trend->model[JUMP_MODEL] =
        (struct sdw_trend_belief){.level = value, .var_level = trend->noise, .weight = jump_weight};
}

/* Correct one model by the value. Returns its likelihood, up to a factor common to all. */
static double correct(const struct sdw_trend *trend, double value, struct sdw_trend_belief *m)
{
    double total = m->var_level + trend->noise;
    double error = value - m->level;
    double z2 = error * error / total;
    double gain_level = m->var_level / total, gain_slope = m->cov / total;
    m->level += gain_level * error;
    m->slope += gain_slope * error;
    m->var_slope -= gain_slope * m->cov;
    m->cov *= 1 - gain_level;
    m->var_level *= 1 - gain_level;
    return pow(1 + z2 / likelihood_dof, -(likelihood_dof + 1) / 2) / sqrt(total);
}

static void correct_all(struct sdw_trend *trend, double value)
{
    double sum = 0;
    for (size_t i = 0; i < SDW_TREND_MODELS; i++)
        sum += trend->model[i].weight *= correct(trend, value, &trend->model[i]);
    for (size_t i = 0; i < SDW_TREND_MODELS; i++)
        trend->model[i].weight = sum > 0 ? trend->model[i].weight / sum : 1.0 / SDW_TREND_MODELS;
}

static void keep_value(struct sdw_trend *trend, int64_t ts, double value)
{
    trend->past_ts[0] = trend->past_ts[1];
    trend->past[0] = trend->past[1];
    trend->past_ts[1] = ts;
    trend->past[1] = value;
    trend->least = fmin(trend->least, value);
    trend->greatest = fmax(trend->greatest, value);
    trend->ts = ts;
    trend->value = value;
    trend->late = 0;
    trend->n++;
}

/* True when the late values themselves show that the clock was set back. */
static bool stepped_back(struct sdw_trend *trend, int64_t ts)
{
    trend->late = trend->late > 0 && ts > trend->late_ts ? trend->late + 1 : 1;
    trend->late_ts = ts;
    if (trend->late < SDW_TREND_LATE_IN_A_ROW)
        return false;
    int64_t step = ts - (int64_t)(trend->interval_s * 1e6) - trend->ts;
    trend->ts += step;
    trend->past_ts[0] += step;
    trend->past_ts[1] += step;
    return true;
}

enum sdw_trend_use sdw_trend_learn(struct sdw_trend *trend, int64_t ts, double value)
{
    /* Beyond 1e150 the squares would overflow. */
    if (!isfinite(value) || fabs(value) > 1e150)
        return SDW_TREND_BAD;
    if (trend->n == 0) {
        first_value(trend, ts, value);
        keep_value(trend, ts, value);
        return SDW_TREND_USED;
    }
    if (ts == trend->ts && value == trend->value)
        return SDW_TREND_DUPLICATE;
    if (ts < trend->ts && !stepped_back(trend, ts))
        return SDW_TREND_LATE;
    double dt = seconds(trend->ts, ts);
    learn_interval(trend, dt);
    learn_noise(trend, ts, value);
    if (trend->interval_s > 0)
        dt = fmin(dt, gap_most * trend->interval_s);
    mix(trend);
    for (size_t i = 0; i < SDW_TREND_MODELS; i++)
        sdw_trend_advance(trend, i, dt, &trend->model[i]);
    if (surprises(trend, value))
        jump(trend, value);
    else
        correct_all(trend, value);
    keep_value(trend, ts, value);
    return SDW_TREND_USED;
}
