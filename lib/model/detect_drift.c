#include "model/detect_drift.h"

#include <math.h>

static const double slack = 0.9, greatest_step = 20; /* usual distances */
static const double widening = 1 / 300.0, lately = 1 / 12.0, bound = 1e9;
enum { YOUNG = 100 };

double sdw_extent_excess(struct sdw_extent *extent, double x)
{
    if (extent->n++ == 0)
        extent->least = extent->greatest = x;
    double width = extent->greatest - extent->least + 1e-9 * fabs(x) + 1e-300;
    double beyond = fmax(x - extent->greatest, extent->least - x);
    extent->least = fmin(extent->least, x);
    extent->greatest = fmax(extent->greatest, x);
    return beyond > 0 ? fmin(beyond / width, 100) : 0;
}

static double cusum(const struct sdw_drift *drift)
{
    return drift->up > drift->down ? drift->up : -drift->down;
}

double sdw_drift_learn(struct sdw_drift *drift, double distance)
{
    double usual = sqrt(drift->square) + 1e-6, square = distance * distance;
    double step = fmax(-greatest_step, fmin(greatest_step, distance / usual));
    if (++drift->n >= YOUNG)
        square = fmin(square, 36 * usual * usual);
    drift->square += fmax(0.002, 1 / (double)drift->n) * (square - drift->square);
    drift->mean += fmax(lately, 1 / (double)drift->n) * (distance - drift->mean);
    drift->up = fmin(bound, fmax(0, drift->up + step - slack));
    drift->down = fmin(bound, fmax(0, drift->down - step - slack));
    double now = cusum(drift), gain = drift->n < YOUNG ? 1 : widening;
    drift->greatest += gain * fmax(0, now - drift->greatest);
    drift->least -= gain * fmax(0, drift->least - now);
    return sdw_extent_excess(&drift->seen, now);
}

bool sdw_drift_leaves(struct sdw_drift *drift, double excess, double change)
{
    double now = cusum(drift), width = drift->greatest - drift->least;
    double beyond = fmax(now - drift->greatest, drift->least - now);
    bool was_away = drift->away;
    if (beyond <= 0)
        drift->away = false;
    else if (beyond > excess * width && fabs(drift->mean) > change)
        drift->away = true;
    return drift->away && !was_away;
}
