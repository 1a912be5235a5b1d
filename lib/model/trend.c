#include "model/trend.h"

#include <math.h>

/* What each model allows to wander, as a share of the noise's variance and per typical interval:
 * its level, and its slope (per interval squared); and how many intervals a slope is carried
 * forward (0: the model has none). The weights are those before any value, and those with which
 * the series changes to another model, which happens at the rate `change` per value. */
static const struct {
    double level, slope, reach, weight;
} models[SDW_TREND_MODELS] = {
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

/* Student's t distribution, to about 1e-3 (Abramowitz and Stegun 26.7.8). */
static double student(double t, double dof)
{
    double z = t * (1 - 1 / (4 * dof)) / sqrt(1 + t * t / (2 * dof));
    return 0.5 * erfc(-z / M_SQRT2);
}

static double degrees(const struct sdw_trend *trend)
{
    return fmax(2, trend->noise_n);
}

static void first_value(struct sdw_trend *trend, int64_t ts, double value)
{
    double guess = noise_guess * fabs(value) + 1e-9;
    trend->noise = guess * guess;
    trend->noise_n = noise_prior;
    trend->interval_s = 0;
    for (size_t i = 0; i < SDW_TREND_MODELS; i++)
        trend->model[i] = (struct sdw_trend_belief){
            .level = value, .var_level = trend->noise, .var_slope = 0, .weight = models[i].weight};
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
            if (models[i].reach > 0)
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
            m->slope += share[i] / sum * (models[i].reach > 0 ? from->slope : own->slope);
        }
        for (size_t i = 0; i < SDW_TREND_MODELS; i++) {
            const struct sdw_trend_belief *from = &trend->model[i];
            const struct sdw_trend_belief *slope = models[i].reach > 0 ? from : own;
            double dl = from->level - m->level, ds = slope->slope - m->slope;
            m->var_level += share[i] / sum * (from->var_level + dl * dl);
            m->cov += share[i] / sum * (slope->cov + dl * ds);
            m->var_slope += share[i] / sum * (slope->var_slope + ds * ds);
        }
        if (models[j].reach <= 0)
            m->slope = m->cov = m->var_slope = 0;
    }
    memcpy(trend->model, mixed, sizeof mixed);
}

static double level_walk(const struct sdw_trend *trend, size_t i)
{
    return trend->interval_s > 0 ? models[i].level * trend->noise / trend->interval_s : 0;
}

static double slope_walk(const struct sdw_trend *trend, size_t i)
{
    double t = trend->interval_s;
    return t > 0 ? models[i].slope * trend->noise / (t * t * t) : 0;
}

/* One model dt seconds later (Kalman's prediction step). */
static void advance(const struct sdw_trend *trend, size_t i, double dt, struct sdw_trend_belief *m)
{
    double walk = slope_walk(trend, i);
    m->level += dt * m->slope;
    m->var_level += 2 * dt * m->cov + dt * dt * m->var_slope + level_walk(trend, i) * dt +
                    walk * dt * dt * dt / 3;
    m->cov += dt * m->var_slope + walk * dt * dt / 2;
    m->var_slope += walk * dt;
}

/* One model's forecast. A slope learned over a few intervals is not carried forward for many: it
 * fades with the model's reach (damped trend: Gardner and McKenzie, 1985). */
static struct sdw_trend_belief foresee(const struct sdw_trend *trend, size_t i, double ahead)
{
    struct sdw_trend_belief then = trend->model[i];
    double reach = models[i].reach * trend->interval_s;
    advance(trend, i, reach > 0 ? reach * -expm1(-ahead / reach) : ahead, &then);
    return then;
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
        advance(trend, i, dt, &trend->model[i]);
    if (surprises(trend, value))
        jump(trend, value);
    else
        correct_all(trend, value);
    keep_value(trend, ts, value);
    return SDW_TREND_USED;
}

/* No forecast leaves what was seen by more than the range that was seen, or the noise. */
static double clamp(const struct sdw_trend *trend, double value)
{
    double range = fmax(trend->greatest - trend->least, 6 * sqrt(trend->noise));
    double lo = trend->least - range, hi = trend->greatest + range;
    if (trend->least >= 0)
        lo = fmax(lo, 0);
    return fmin(hi, fmax(lo, value));
}

double sdw_trend_mean(const struct sdw_trend *trend, int64_t horizon_us)
{
    if (trend->n == 0)
        return NAN;
    double sum = 0;
    for (size_t i = 0; i < SDW_TREND_MODELS; i++)
        sum += trend->model[i].weight * foresee(trend, i, (double)horizon_us / 1e6).level;
    return clamp(trend, sum);
}

/* What all models say of a value, mixed: the probability that it is at or below x, and the density
 * there. The spreads are in var_level. */
static double mixture(const struct sdw_trend_belief *at, double dof, double x, double *density)
{
    double below = 0;
    *density = 0;
    for (size_t i = 0; i < SDW_TREND_MODELS; i++) {
        if (at[i].weight <= 1e-4)
            continue;
        double t = (x - at[i].level) / at[i].var_level, bent = 1 + t * t / (2 * dof);
        double shrink = 1 - 1 / (4 * dof), z = t * shrink / sqrt(bent);
        below += at[i].weight * student(t, dof);
        *density += at[i].weight * exp(-z * z / 2) * M_SQRT1_2 * M_2_SQRTPI / 2 * shrink /
                    (bent * sqrt(bent) * at[i].var_level);
    }
    return below;
}

/* Newton's method on the log odds, which are nearly a straight line; halving the bracket where a
 * step would leave it, as between two far modes. */
static double solve(const struct sdw_trend_belief *at, double dof, double p, double x, double lo,
                    double hi)
{
    double fine = 1e-11 * (fabs(lo) + fabs(hi)), wanted = log(p / (1 - p));
    for (int step = 0; step < 100 && hi - lo > fine; step++) {
        double density, below = mixture(at, dof, x, &density);
        if (below < p)
            lo = x;
        else
            hi = x;
        double next = x - (log(below / (1 - below)) - wanted) * below * (1 - below) / density;
        if (fabs(next - x) <= fine)
            return next;
        x = next > lo && next < hi ? next : lo + (hi - lo) / 2;
    }
    return lo + (hi - lo) / 2;
}

double sdw_trend_quantile(const struct sdw_trend *trend, int64_t horizon_us, double p)
{
    if (trend->n == 0)
        return NAN;
    struct sdw_trend_belief at[SDW_TREND_MODELS];
    double lo = INFINITY, hi = -INFINITY, mean = 0, dof = degrees(trend), density;
    for (size_t i = 0; i < SDW_TREND_MODELS; i++) {
        at[i] = foresee(trend, i, (double)horizon_us / 1e6);
        at[i].var_level = sqrt(at[i].var_level + trend->noise);
        lo = fmin(lo, at[i].level - 40 * at[i].var_level);
        hi = fmax(hi, at[i].level + 40 * at[i].var_level);
        mean += at[i].weight * at[i].level;
    }
    double least = clamp(trend, lo), most = clamp(trend, hi);
    if (least > lo && mixture(at, dof, least, &density) >= p)
        return least;
    if (most < hi && mixture(at, dof, most, &density) <= p)
        return most;
    return solve(at, dof, p, clamp(trend, mean), least, most);
}

/* A Brownian motion from an uncertain start: nine-point Gauss-Hermite over the start. distance is
 * how far the limit is, spread and walk are standard deviations. */
static double brownian_passage(double distance, double spread, double walk, double dof)
{
    static const double node[9] = {
        -4.512745863399783, -3.205429002856470, -2.076847978677830, -1.023255663789133, 0,
        1.023255663789133,  2.076847978677830,  3.205429002856470,  4.512745863399783};
    static const double weight[9] = {2.2345844007746e-5, 2.7891413212318e-3, 4.9916406765218e-2,
                                     0.24409750289494,   0.40634920634921,   0.24409750289494,
                                     4.9916406765218e-2, 2.7891413212318e-3, 2.2345844007746e-5};
    double sum = 0;
    for (size_t i = 0; i < SDW_LEN(node); i++) {
        double left = distance + spread * node[i];
        if (left <= 0)
            sum += weight[i];
        else if (walk > 0)
            sum += weight[i] * 2 * student(-left / walk, dof);
    }
    return fmin(1, sum);
}

static double model_passage(const struct sdw_trend *trend, size_t i, double limit, bool below,
                            double ahead)
{
    const struct sdw_trend_belief *now = &trend->model[i];
    double sign = below ? 1 : -1, dof = degrees(trend);
    double distance = sign * (now->level - limit);
    if (models[i].reach <= 0)
        return brownian_passage(distance, sqrt(now->var_level), sqrt(level_walk(trend, i) * ahead),
                                dof);
    struct sdw_trend_belief then = foresee(trend, i, ahead);
    double p_now = student(-distance / sqrt(now->var_level), dof);
    double p_then = student(-sign * (then.level - limit) / sqrt(then.var_level), dof);
    return fmax(p_now, p_then);
}

double sdw_trend_passage(const struct sdw_trend *trend, double limit, bool below,
                         int64_t horizon_us)
{
    if (trend->n == 0)
        return 0;
    double p = 0;
    for (size_t i = 0; i < SDW_TREND_MODELS; i++)
        if (trend->model[i].weight > 1e-4)
            p += trend->model[i].weight *
                 model_passage(trend, i, limit, below, (double)horizon_us / 1e6);
    return fmin(1, fmax(0, p));
}

double sdw_trend_passage_time(const struct sdw_trend *trend, double limit, bool below,
                              int64_t most_us, double p)
{
    if (sdw_trend_passage(trend, limit, below, 0) >= p)
        return 0;
    if (sdw_trend_passage(trend, limit, below, most_us) < p)
        return NAN;
    int64_t lo = 0, hi = most_us;
    while (hi - lo > 1000 && hi - lo > hi / 1000) {
        int64_t middle = lo + (hi - lo) / 2;
        if (sdw_trend_passage(trend, limit, below, middle) < p)
            lo = middle;
        else
            hi = middle;
    }
    return (double)hi;
}
