#include "core/clock.h"
#include "core/histogram.h"
#include "net/traffic_share.h"
#include "unit/tap.h"

#include <stdlib.h>

static void test_histogram(void)
{
    static uint32_t counts[SDW_HISTOGRAM_BUCKETS];
    bool near = true, rising = true;
    size_t last = 0;
    for (uint64_t v = 1; v < UINT64_C(1) << 35; v += v / 7 + 1) {
        size_t bucket = sdw_histogram_bucket(v);
        near = near && fabs(sdw_histogram_value(bucket) - (double)v) <= (double)v / 32;
        rising = rising && bucket >= last;
        last = bucket;
    }
    ok(near, "a bucket's value is within 1/32 of every value in it");
    ok(rising, "buckets rise with their values");
    ok(sdw_histogram_bucket(UINT64_MAX) == SDW_HISTOGRAM_BUCKETS - 1, "the greatest value fits");
    ok(isnan(sdw_histogram_quantile(counts, 0.5)), "nothing counted has no median");
    for (uint64_t v = 1; v <= 1000; v++)
        counts[sdw_histogram_bucket(v)]++;
    is_near(sdw_histogram_quantile(counts, 0.5), 500, 16, "the median of 1..1000");
    is_near(sdw_histogram_quantile(counts, 0.99), 990, 32, "the 99th percentile of 1..1000");
    is_near(sdw_histogram_quantile(counts, 1), 1000, 32, "the greatest of 1..1000");
}

/* The mean rate of one flow over the time, in bit/s. */
static double run_flow(const struct sdw_traffic_plan *plan, int64_t flow, int64_t until_ns)
{
    struct sdw_pace pace;
    double bits = 0;
    sdw_pace_init(&pace, plan, flow);
    for (; pace.due_ns < until_ns; sdw_pace_next(&pace))
        bits += (double)pace.size * 8;
    return bits / ((double)until_ns / 1e9);
}

static void test_pace(void)
{
    struct sdw_traffic_plan plan = {
        .rate_bps = 10e6, .size = 1000, .flows = 2, .duration_us = 1000000000, .peak = 1.8};
    const int64_t long_ns = INT64_C(1000000000000);
    static const int models[] = {SDW_TRAFFIC_CBR, SDW_TRAFFIC_POISSON, SDW_TRAFFIC_ONOFF};
    for (size_t i = 0; i < SDW_LEN(models); i++) {
        plan.model = models[i];
        double off = models[i] == SDW_TRAFFIC_ONOFF ? 0.15 : 0.01;
        plan.trimodal = false;
        is_near(run_flow(&plan, 0, long_ns) / 5e6, 1, off, "%s keeps its mean rate",
                sdw_traffic_models[models[i]]);
        plan.trimodal = true;
        is_near(run_flow(&plan, 1, long_ns) / 5e6, 1, off, "%s keeps it with three sizes",
                sdw_traffic_models[models[i]]);
    }
    plan.trimodal = false;
    plan.model = SDW_TRAFFIC_CBR;
    ok(run_flow(&plan, 0, 1000000000) > 4.9e6, "a flow starts within its first gap");
    plan.rate_end_bps = 30e6;
    is_near(sdw_pace_rate(&plan, 0), 10e6, 1, "a ramp starts at the rate");
    is_near(sdw_pace_rate(&plan, 500000000000), 20e6, 1, "is half way after half the time");
    is_near(run_flow(&plan, 0, long_ns) / 10e6, 1, 0.01, "and its mean is in the middle");
    plan.ramp_us = 1000;
    is_near(sdw_pace_rate(&plan, 2000000), 30e6, 1, "after the ramp the rate stays");
}

static void test_same_seed(void)
{
    struct sdw_traffic_plan plan = {.model = SDW_TRAFFIC_POISSON,
                                    .rate_bps = 1e6,
                                    .size = 500,
                                    .flows = 1,
                                    .duration_us = 1000000,
                                    .seed = 7};
    struct sdw_pace a, b, other;
    sdw_pace_init(&a, &plan, 0);
    sdw_pace_init(&b, &plan, 0);
    sdw_pace_init(&other, &plan, 1);
    bool same = true, differs = false;
    for (int i = 0; i < 1000; i++) {
        same = same && a.due_ns == b.due_ns && a.size == b.size;
        differs = differs || a.due_ns != other.due_ns;
        sdw_pace_next(&a);
        sdw_pace_next(&b);
        sdw_pace_next(&other);
    }
    ok(same, "the same seed gives the same packets");
    ok(differs, "another flow of it gives others");
}

/* A stall of the host: what was due in between must not be sent in a burst. */
static void test_stall(void)
{
    struct sdw_traffic_plan plan = {
        .rate_bps = 8e6, .size = 1000, .flows = 2, .duration_us = 10000000};
    struct sdw_traffic_share *share = calloc(1, sizeof *share);
    struct sdw_pace paces[2];
    size_t due;
    int64_t stall_ns = 50000000;
    sdw_pace_init(&paces[0], &plan, 0);
    sdw_pace_init(&paces[1], &plan, 1);
    share->start_ns = sdw_mono_ns() - stall_ns;
    ok(sdw_traffic_wait(paces, 2, &due, &plan, share), "after a stall the sender goes on");
    ok(share->flow[due].late == 1 && share->flow[!due].late == 0, "one packet is sent late");
    ok(share->flow[!due].skipped >= 20, "what was due in the stall is skipped: %d of it",
       (int)share->flow[!due].skipped);
    sdw_pace_next(&paces[due]);
    int64_t now = sdw_mono_ns() - share->start_ns;
    ok(paces[due].due_ns > stall_ns && paces[!due].due_ns > stall_ns && now >= stall_ns,
       "no packet of the past is left to be sent");
    share->stop = 1;
    ok(!sdw_traffic_wait(paces, 2, &due, &plan, share), "it ends when asked to stop");
    free(share);
}

int main(void)
{
    test_histogram();
    test_pace();
    test_same_seed();
    test_stall();
    return tap_done();
}
