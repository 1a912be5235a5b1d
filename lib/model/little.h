/* Little's law as a forecast of a number of connections. */
#ifndef SDW_MODEL_LITTLE_H
#define SDW_MODEL_LITTLE_H

/*
 * Connections ahead_s seconds from now, when n are open, `rate` a second are made, and each lasts
 * duration_s on average: those that are open now end, those that will be made come on top,
 *
 *     n(t + h) = n exp(-h / T) + rate T (1 - exp(-h / T)),
 *
 * exact for Poisson arrivals and exponential durations (the mean of an M/M/inf queue; its limit
 * rate T is Little, 1961). NAN when an argument is not known or a duration is not positive.
 */
double sdw_little_forecast(double n, double rate, double duration_s, double ahead_s);

#endif
