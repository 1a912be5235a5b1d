/*
 * A made series of a kind that operators forecast, lines of `seconds value`: four weeks of
 * five-minute values, or twenty weeks of hourly ones.
 *
 *   forecast_made KIND SEED [FACTOR]
 *
 * With FACTOR everything from three quarters of the series on is multiplied by it.
 */
#include "core/rng.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* How a kind varies: over the day (share of the mean, and of its second harmonic), at weekends,
 * by noise (size and memory of its logarithm), in bursts (odds a step, size, memory). */
static const struct kind {
    const char *name;
    int step_s, days;
    double mean, day, half_day, weekend, noise, memory, burst_odds, burst, burst_memory;
    bool count;
} kinds[] = {
    {"link", 300, 28, 4e9, 0.45, 0.12, 0.75, 0.03, 0.9, 0.0003, 0.3, 0.9, false},
    {"pop", 300, 28, 8e8, 0.35, 0.1, 0.8, 0.07, 0.7, 0.001, 0.4, 0.8, false},
    {"flow", 300, 28, 2e6, 0.4, 0.1, 0.7, 0.45, 0.6, 0.01, 1.2, 0.7, false},
    {"users", 300, 28, 25, 0.6, 0.15, 0.9, 0.15, 0.8, 0, 0, 0, true},
    {"bytes", 300, 28, 3e7, 0.6, 0.15, 0.9, 0.6, 0.5, 0.005, 1, 0.5, false},
    {"requests", 300, 28, 900, 0.55, 0.1, 0.9, 0.1, 0.8, 0.0005, 1.5, 0.97, true},
    {"hourly", 3600, 140, 5e4, 0.4, 0.15, 0.6, 0.15, 0.5, 0.003, 0.8, 0.6, true},
};

static double poisson(struct sdw_rng *rng, double mean)
{
    if (mean > 50)
        return fmax(0, floor(mean + sqrt(mean) * sdw_rng_normal(rng) + 0.5));
    double left = exp(-mean), n = -1;
    for (double product = 1; product > left; n++)
        product *= sdw_rng_unit(rng);
    return n;
}

static void make(const struct kind *kind, struct sdw_rng *rng, double factor)
{
    const double turn = 2 * 3.14159265358979323846;
    double noise = 0, burst = 0, phase = sdw_rng_unit(rng);
    int day = 86400 / kind->step_s, n = kind->days * day;
    for (int t = 0; t < n; t++) {
        double at = (double)(t % day) / day + phase;
        double shape = 1 + kind->day * sin(turn * at) + kind->half_day * sin(2 * turn * at + 1);
        noise = kind->memory * noise + sqrt(1 - kind->memory * kind->memory) * sdw_rng_normal(rng);
        burst *= kind->burst_memory;
        if (sdw_rng_unit(rng) < kind->burst_odds)
            burst += kind->burst * sdw_rng_exponential(rng, 1);
        double value = kind->mean * shape * exp(kind->noise * noise + fmin(burst, 4));
        value *= t / day % 7 >= 5 ? kind->weekend : 1;
        value *= t >= 3 * n / 4 ? factor : 1;
        printf("%d %.9g\n", t * kind->step_s, kind->count ? poisson(rng, value) : value);
    }
}

int main(int argc, char **argv)
{
    for (size_t i = 0; argc >= 3 && i < sizeof kinds / sizeof *kinds; i++) {
        struct sdw_rng rng;
        if (strcmp(kinds[i].name, argv[1]) != 0)
            continue;
        sdw_rng_seed(&rng, strtoull(argv[2], NULL, 10) * 16 + i);
        make(&kinds[i], &rng, argc > 3 ? strtod(argv[3], NULL) : 1);
        return 0;
    }
    fputs("usage: forecast_made link|pop|flow|users|bytes|requests|hourly SEED [FACTOR]\n", stderr);
    return 2;
}
