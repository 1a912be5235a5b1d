#include "model/detect_tail.h"

#include <math.h>

static const double tail_share = 0.02, tail_shape = 0.2, least_gain = 0.01, least_memory = 0.02;

double sdw_tail_decades(const struct sdw_tail *tail, double x)
{
    if (!(x > tail->level))
        return 0;
    double scale = fmax(tail->excess, 1e-9) * (1 - tail_shape);
    return log1p(tail_shape * (x - tail->level) / scale) / tail_shape / log(10) - log10(tail_share);
}

void sdw_tail_learn(struct sdw_tail *tail, double x)
{
    if (tail->n++ == 0)
        tail->level = x;
    double gain = fmax(least_gain, 5 / (double)(tail->n + 1));
    double scale = fmax(tail->excess, tail->level / 20) + 1e-12;
    tail->level = fmax(0, tail->level + gain * scale * ((x > tail->level) - tail_share));
    if (!(x > tail->level))
        return;
    double excess = fmin(x - tail->level, 3 * fmax(tail->excess, 0.1));
    double weight = fmax(least_memory, 1 / (double)(++tail->beyond + 1));
    tail->excess += weight * (excess - tail->excess);
}
