#include "net/traffic.h"

#include <math.h>

/* On-times as in the self-similar traffic of Willinger et al. (1997): heavy-tailed. */
static const double on_shape = 1.5, on_mean_ns = 40e6;

static const struct {
    int64_t size;
    double share; /* of packets, cumulative */
} trimodal[] = {{72, 0.4}, {576, 0.6}, {1500, 1.0}};

double sdw_pace_rate(const struct sdw_traffic_plan *plan, int64_t at_ns)
{
    int64_t ramp_us = plan->ramp_us > 0 ? plan->ramp_us : plan->duration_us;
    if (plan->rate_end_bps <= 0 || ramp_us <= 0)
        return plan->rate_bps;
    double done = (double)at_ns / 1000 / (double)ramp_us;
    return plan->rate_bps + (plan->rate_end_bps - plan->rate_bps) * fmin(done, 1);
}

static int64_t draw_size(struct sdw_pace *pace)
{
    if (!pace->plan->trimodal)
        return pace->plan->size;
    double u = sdw_rng_unit(&pace->rng);
    size_t i = 0;
    while (i < SDW_LEN(trimodal) - 1 && u >= trimodal[i].share)
        i++;
    return trimodal[i].size;
}

static double mean_size(const struct sdw_traffic_plan *plan)
{
    double mean = 0, below = 0;
    if (!plan->trimodal)
        return (double)plan->size;
    for (size_t i = 0; i < SDW_LEN(trimodal); i++) {
        mean += (double)trimodal[i].size * (trimodal[i].share - below);
        below = trimodal[i].share;
    }
    return mean;
}

/* Nanoseconds that so many bytes take at this flow's part of the rate, times `times`. */
static double gap_ns(const struct sdw_pace *pace, double bytes, double times)
{
    double bps = sdw_pace_rate(pace->plan, pace->due_ns) / (double)pace->plan->flows * times;
    return bps > 0 ? fmin(bytes * 8e9 / bps, 3.6e12) : 3.6e12;
}

/* The next packet of a source that is on: past the end of the on-time, after the off-time. */
static void step_onoff(struct sdw_pace *pace)
{
    double peak = pace->plan->peak;
    pace->due_ns += (int64_t)gap_ns(pace, (double)pace->size, peak);
    if (pace->due_ns < pace->on_until_ns)
        return;
    double off_ns = sdw_rng_exponential(&pace->rng, on_mean_ns * (peak - 1));
    double on_ns = sdw_rng_pareto(&pace->rng, on_shape, on_mean_ns);
    pace->due_ns = pace->on_until_ns + (int64_t)off_ns;
    pace->on_until_ns = pace->due_ns + (int64_t)on_ns;
}

void sdw_pace_next(struct sdw_pace *pace)
{
    if (pace->plan->model == SDW_TRAFFIC_ONOFF)
        step_onoff(pace);
    else if (pace->plan->model == SDW_TRAFFIC_POISSON)
        pace->due_ns +=
            (int64_t)sdw_rng_exponential(&pace->rng, gap_ns(pace, mean_size(pace->plan), 1));
    else
        pace->due_ns += (int64_t)gap_ns(pace, (double)pace->size, 1);
    pace->size = draw_size(pace);
}

void sdw_pace_init(struct sdw_pace *pace, const struct sdw_traffic_plan *plan, int64_t flow)
{
    *pace = (struct sdw_pace){.plan = plan};
    sdw_rng_seed(&pace->rng, (uint64_t)plan->seed * 1000003u + (uint64_t)flow);
    pace->size = draw_size(pace);
    double phase = sdw_rng_unit(&pace->rng);
    pace->due_ns = (int64_t)(phase * gap_ns(pace, (double)pace->size, 1));
    if (plan->model == SDW_TRAFFIC_ONOFF) {
        pace->due_ns += (int64_t)(phase * on_mean_ns * plan->peak);
        pace->on_until_ns =
            pace->due_ns + (int64_t)sdw_rng_pareto(&pace->rng, on_shape, on_mean_ns);
    }
}
