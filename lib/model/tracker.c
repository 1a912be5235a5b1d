#include "model/tracker.h"

#include <math.h>

/* The levels tracked, and where the normal distribution has them. */
const double sdw_tracker_level[SDW_TRACKED] = {0.005, 0.025, 0.1,   0.25, 0.5,
                                               0.75,  0.9,   0.975, 0.995};
static const double normal[SDW_TRACKED] = {-2.575829, -1.959964, -1.281552, -0.674490, 0,
                                           0.674490,  1.281552,  1.959964,  2.575829};
static const double start = 1.2; /* spread of the first guess: rather too wide than too narrow */
static const double least_step = 0.014, step_scale = 2, step_delay = 30;
/* A quantile that is chased lags behind: aim a little further out. */
static const double outward = 0.12;
static const double seen_most = 1e4, furthest = 12;

void sdw_tracker_init(struct sdw_tracker *tracker)
{
    tracker->n = 0;
    for (int i = 0; i < SDW_TRACKED; i++)
        tracker->q[i] = (float)(start * normal[i]);
}

void sdw_tracker_learn(struct sdw_tracker *tracker, double value)
{
    if (!isfinite(value))
        return;
    double step = fmax(least_step, step_scale / ((double)tracker->n + step_delay));
    for (int i = 0; i < SDW_TRACKED; i++) {
        double p = sdw_tracker_level[i] + outward * (sdw_tracker_level[i] - 0.5) *
                                              sdw_tracker_level[i] * (1 - sdw_tracker_level[i]);
        tracker->q[i] += (float)(step * (p - (value < (double)tracker->q[i])));
        if (i > 0 && tracker->q[i] < tracker->q[i - 1])
            tracker->q[i] = tracker->q[i - 1];
    }
    if ((double)tracker->n < seen_most)
        tracker->n++;
}

/* Quantile of the normal distribution, to 5e-4 (Abramowitz and Stegun 26.2.23). */
static double normal_quantile(double p)
{
    double t = sqrt(-2 * log(p < 0.5 ? p : 1 - p));
    double z = t - (2.515517 + t * (0.802853 + t * 0.010328)) /
                       (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
    return p < 0.5 ? -z : z;
}

static double between(const struct sdw_tracker *a, const struct sdw_tracker *b, double share, int i)
{
    return (1 - share) * (double)a->q[i] + share * (double)b->q[i];
}

double sdw_tracker_quantile(const struct sdw_tracker *a, const struct sdw_tracker *b, double share,
                            double p)
{
    int i = 0;
    while (i < SDW_TRACKED && sdw_tracker_level[i] < p)
        i++;
    if (i < SDW_TRACKED && sdw_tracker_level[i] <= p)
        return between(a, b, share, i);
    double z = fmax(-furthest, fmin(furthest, normal_quantile(p)));
    int hi = i < 1 ? 1 : i < SDW_TRACKED ? i : SDW_TRACKED - 1;
    double low = between(a, b, share, hi - 1), high = between(a, b, share, hi);
    return low + (high - low) * (z - normal[hi - 1]) / (normal[hi] - normal[hi - 1]);
}

double sdw_tracker_below(const struct sdw_tracker *a, const struct sdw_tracker *b, double share,
                         double value)
{
    int hi = 1;
    while (hi < SDW_TRACKED - 1 && between(a, b, share, hi) < value)
        hi++;
    double low = between(a, b, share, hi - 1), high = between(a, b, share, hi);
    double slope = (normal[hi] - normal[hi - 1]) / fmax(high - low, 1e-6);
    double z = normal[hi - 1] + slope * (value - low);
    return 0.5 * erfc(-z / M_SQRT2);
}
