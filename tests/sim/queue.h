/*
 * A simulated tight link, for tuning and testing the estimators without a network: one FIFO of
 * rate C behind a token bucket, shared with cross traffic (Lindley's recursion, so it is exact),
 * and a sender that injects trains into it.
 *
 * Header only, on purpose: unit tests and benches include it, nothing is linked.
 */
#ifndef SDW_TESTS_SIM_QUEUE_H
#define SDW_TESTS_SIM_QUEUE_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "core/rng.h"

enum sim_cross { SIM_POISSON, SIM_ONOFF };

struct sim {
    /* set before sim_start */
    double rate_bps;     /* of the link, link-layer bits */
    double overhead;     /* link-layer bytes a packet that the link counts besides IP */
    double bucket_bytes; /* token bucket depth */
    double buffer_s;     /* longest queue, in seconds; 0: endless */
    enum sim_cross kind;
    double cross_bps;            /* mean rate of cross traffic, IP bits */
    double cross_drift;          /* relative change of it per second */
    double peak;                 /* SIM_ONOFF: rate while on, times the mean */
    double on_mean_s;            /* SIM_ONOFF: mean on time (Pareto, shape 1.5) */
    double noise_s;              /* standard deviation of a time stamp */
    double stall_per_s, stall_s; /* host stalls: how often, mean length (the receiver's stamps) */
    double clock_ppm;            /* the far clock's drift */
    /* state */
    struct sdw_rng rng;
    double now;  /* time of the last arrival */
    double work; /* bits in front of a new arrival, bucket included */
    double next; /* time of the next cross packet */
    double on_until, off_until;
    double stall_from, stall_until;
    double cross_bytes; /* IP bytes of cross traffic that arrived */
    long drops;
};

/* Sizes of the Internet's three modes; mean 552 bytes. */
static inline double sim_cross_size(struct sdw_rng *rng)
{
    double u = sdw_rng_unit(rng);
    return u < 0.5 ? 64 : u < 0.75 ? 576 : 1500;
}

static inline double sim_cross_rate(const struct sim *s, double at)
{
    double rate = s->cross_bps * (1 + s->cross_drift * at);
    return rate < 0 ? 0 : rate;
}

static inline double sim_cross_next(struct sim *s, double at)
{
    double mean_size = 0.5 * 64 + 0.25 * 576 + 0.25 * 1500, rate = sim_cross_rate(s, at);
    if (rate <= 0)
        return at + 1e9;
    if (s->kind == SIM_POISSON)
        return at + sdw_rng_exponential(&s->rng, mean_size * 8 / rate);
    double gap = mean_size * 8 / (rate * s->peak);
    at += sdw_rng_exponential(&s->rng, gap);
    while (at > s->on_until) {
        at += s->off_until - s->on_until;
        double on = sdw_rng_pareto(&s->rng, 1.5, s->on_mean_s);
        s->on_until = s->off_until + on;
        s->off_until = s->on_until + sdw_rng_exponential(&s->rng, s->on_mean_s * (s->peak - 1));
    }
    return at;
}

static inline void sim_start(struct sim *s, uint64_t seed)
{
    sdw_rng_seed(&s->rng, seed);
    s->now = s->work = s->cross_bytes = 0;
    s->drops = 0;
    s->on_until = sdw_rng_unit(&s->rng) * s->on_mean_s;
    s->off_until = s->on_until + s->on_mean_s * (s->peak > 1 ? s->peak - 1 : 0);
    s->stall_from = s->stall_per_s > 0 ? sdw_rng_exponential(&s->rng, 1 / s->stall_per_s) : 1e18;
    s->stall_until = s->stall_from + sdw_rng_exponential(&s->rng, s->stall_s);
    s->next = sim_cross_next(s, 0);
}

/* One packet arrives: its delay in seconds, or a negative number when it is dropped. */
static inline double sim_arrive(struct sim *s, double at, double bytes)
{
    s->work -= (at - s->now) * s->rate_bps;
    if (s->work < 0)
        s->work = 0;
    s->now = at;
    double bits = (bytes + s->overhead) * 8;
    double delay = (s->work + bits - s->bucket_bytes * 8) / s->rate_bps;
    if (s->buffer_s > 0 && delay > s->buffer_s) {
        s->drops++;
        return -1;
    }
    s->work += bits;
    return delay > 0 ? delay : 0;
}

/* Let the cross traffic run until `at`. */
static inline void sim_run(struct sim *s, double at)
{
    while (s->next <= at) {
        double size = sim_cross_size(&s->rng), when = s->next;
        s->cross_bytes += size;
        sim_arrive(s, when, size);
        s->next = sim_cross_next(s, when);
    }
}

/* What the far end's stamps say of a probe's delay, noise, drift and stalls included. */
static inline double sim_probe(struct sim *s, double at, double bytes)
{
    sim_run(s, at);
    double delay = sim_arrive(s, at, bytes);
    if (delay < 0)
        return delay;
    double out = at + delay;
    while (out > s->stall_until) {
        s->stall_from = s->stall_until + sdw_rng_exponential(&s->rng, 1 / s->stall_per_s);
        s->stall_until = s->stall_from + sdw_rng_exponential(&s->rng, s->stall_s);
    }
    if (out >= s->stall_from)
        out = s->stall_until;
    return out - at + 0.001 + fabs(s->noise_s * sdw_rng_normal(&s->rng)) + at * s->clock_ppm * 1e-6;
}

#endif
