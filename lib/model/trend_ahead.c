/* What a trend says of the future. */
#include "model/trend_models.h"

#include <math.h>

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

/* One model's forecast. A slope learned over a few intervals is not carried forward for many: it
 * fades with the model's reach (damped trend: Gardner and McKenzie, 1985). */
static struct sdw_trend_belief foresee(const struct sdw_trend *trend, size_t i, double ahead)
{
    struct sdw_trend_belief then = trend->model[i];
    double reach = sdw_trend_models[i].reach * trend->interval_s;
    sdw_trend_advance(trend, i, reach > 0 ? reach * -expm1(-ahead / reach) : ahead, &then);
    return then;
}

/* No forecast leaves what was seen by more than the range that was seen, or the noise, and as much
 * again for each time as far ahead as was looked back. What was always zero stays zero. */
static double clamp(const struct sdw_trend *trend, double ahead_s, double value)
{
    double range = fmax(trend->greatest - trend->least, 6 * sqrt(trend->noise));
    double seen_s = (double)(trend->n - 1) * trend->interval_s;
    if (trend->greatest == 0 && trend->least == 0)
        return 0;
    if (seen_s > 0)
        range *= 1 + ahead_s / seen_s;
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
    return clamp(trend, (double)horizon_us / 1e6, sum);
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
    double ahead = (double)horizon_us / 1e6;
    for (size_t i = 0; i < SDW_TREND_MODELS; i++) {
        at[i] = foresee(trend, i, ahead);
        at[i].var_level = sqrt(at[i].var_level + trend->noise);
        lo = fmin(lo, at[i].level - 40 * at[i].var_level);
        hi = fmax(hi, at[i].level + 40 * at[i].var_level);
        mean += at[i].weight * at[i].level;
    }
    double least = clamp(trend, ahead, lo), most = clamp(trend, ahead, hi);
    if (least > lo && mixture(at, dof, least, &density) >= p)
        return least;
    if (most < hi && mixture(at, dof, most, &density) <= p)
        return most;
    return solve(at, dof, p, clamp(trend, ahead, mean), least, most);
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
    if (sdw_trend_models[i].reach <= 0)
        return brownian_passage(distance, sqrt(now->var_level),
                                sqrt(sdw_trend_level_walk(trend, i) * ahead), dof);
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
