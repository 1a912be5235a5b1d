#include "model/smoothing.h"

#include <math.h>

double sdw_smoothing_step(struct sdw_smoothing *s, const struct sdw_smoothing_gain *gain,
                          double change)
{
    double trend = gain->damping * s->trend;
    double error = change - s->off - trend;
    s->off = (gain->level - 1) * error;
    s->trend = trend + gain->trend * error;
    return error;
}

double sdw_smoothing_ahead(const struct sdw_smoothing *s, const struct sdw_smoothing_gain *gain,
                           int steps)
{
    double phi = gain->damping;
    double reach = phi < 1 ? phi * (1 - pow(phi, steps)) / (1 - phi) : steps;
    return s->off + reach * s->trend;
}
