#include "model/little.h"

#include <math.h>

double sdw_little_forecast(double n, double rate, double duration_s, double ahead_s)
{
    if (!(duration_s > 0) || !isfinite(duration_s) || !(rate >= 0))
        return NAN;
    double left = exp(-ahead_s / duration_s);
    return n * left + rate * duration_s * (1 - left);
}
