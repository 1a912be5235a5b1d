#include "unit/tap.h"

#include "model/capacity.h"
#include "model/stats.h"
#include "sim/sender.h"

/* A packet every 1 ms, 1000 bytes, through a link that takes 2 ms for each and is not shared. */
static void closed_form(void)
{
    int64_t sent[12], bytes[12], delay[12];
    for (int64_t i = 0; i < 12; i++) {
        sent[i] = i * 1000000;
        bytes[i] = 1000;
        delay[i] = 5000000 + i * 1000000;
    }
    struct sdw_train train = {12, sent, bytes, delay};
    struct sdw_gap gaps[12];
    int64_t base;
    ok(sdw_train_floor(&train, &base) && base == 5000000, "the floor is the least delay");
    size_t n = sdw_chirp_gaps(&train, base, 0, gaps, 12);
    ok(n == 10, "a gap is read only when the queue before it outlasts it");
    is_near(gaps[0].bits / (gaps[0].gap_s + gaps[0].growth_s), 4e6, 1e-3,
            "the dispersion of a busy gap is the capacity");

    struct sdw_chirp chirp;
    sdw_chirp_read(&train, base, 300e-6, &chirp);
    is_near(chirp.mean_bps, 8e6, 1e-3, "the mean rate leaves out the packet that opens the span");
    is_near(chirp.last_delay_s, 11e-3, 1e-9, "the last delay is the queue the train leaves");
    delay[5] = SDW_TRAIN_LOST;
    ok(sdw_chirp_gaps(&train, base, 0, gaps, 12) == 8, "a lost packet voids both gaps beside it");
    sdw_chirp_read(&train, base, 300e-6, &chirp);
    ok(chirp.lost == 1, "a lost packet is counted");
    for (int i = 0; i < 12; i++)
        delay[i] = SDW_TRAIN_LOST;
    ok(!sdw_train_floor(&train, &base) && sdw_chirp_gaps(&train, 0, 0, gaps, 12) == 0,
       "a train of which nothing arrived says nothing");
    struct sdw_train nothing = {0};
    sdw_chirp_read(&nothing, 0, 300e-6, &chirp);
    ok(chirp.sent == 0 && isnan(chirp.mean_bps), "an empty train says nothing");
}

struct score {
    double p50, p95, covered, bias, capacity_p95, bytes;
    int unknown;
};

enum { RUNS = 60, PAIRS = 30 };

static struct score score(struct sim model, double rtt_s, uint64_t seed)
{
    static struct sim_sender p;
    struct score out = {0};
    double errors[RUNS], capacity[RUNS];
    size_t n = 0;
    for (uint64_t run = 0; run < RUNS; run++) {
        struct sim s = model;
        struct sdw_trains trains;
        struct sdw_capacity_answer a;
        sim_start(&s, seed * 1000 + run);
        sdw_trains_init(&trains, 0);
        p = (struct sim_sender){
            .rtt_s = rtt_s, .train_bytes = 50e3, .train_s = 0.2, .max_bps = 200e6};
        sim_run(&s, 0.5);
        double cross = s.cross_bytes;
        for (int k = 0; k < PAIRS; k++) {
            double at = 0.5 + 0.4 * (k + 0.5 * sdw_rng_unit(&s.rng));
            sim_send_train(&s, &p, at);
            sdw_trains_add(&trains, at, &p.train);
        }
        sim_run(&s, 12.5);
        double to_ip = 1500 / (1500 + s.overhead);
        double seen = (s.cross_bytes - cross) * 8 / 12 * (551 + s.overhead) / 551;
        double truth = (s.rate_bps - seen) * to_ip;
        sdw_capacity_estimate(&trains, 0, &sdw_capacity_defaults, &a);
        sdw_trains_release(&trains);
        out.bytes += p.bytes / RUNS;
        if (isnan(a.mid)) {
            out.unknown++;
            continue;
        }
        out.bias += (a.mid / truth - 1) / RUNS;
        out.covered += (a.lo <= truth && truth <= a.hi) / (double)RUNS;
        capacity[n] = fabs(a.capacity_bps / (s.rate_bps * to_ip) - 1);
        errors[n++] = fabs(a.mid / truth - 1);
    }
    sdw_sort_reals(errors, n);
    sdw_sort_reals(capacity, n);
    out.p50 = sdw_quantile_sorted(errors, n, 0.5);
    out.p95 = sdw_quantile_sorted(errors, n, 0.95);
    out.capacity_p95 = sdw_quantile_sorted(capacity, n, 0.95);
    return out;
}

static void holds(struct sim s, double rtt_s, uint64_t seed, const char *what)
{
    struct score r = score(s, rtt_s, seed);
    ok(r.unknown == 0 && r.p50 <= 0.05 && r.p95 <= 0.15,
       "%s: available capacity within 5 %% (median) and 15 %% (p95)", what);
    ok(r.covered >= 0.8, "%s: the 90 %% interval holds the truth", what);
    ok(fabs(r.bias) <= 0.02, "%s: no bias", what);
    ok(r.capacity_p95 <= 0.03, "%s: capacity within 3 %%", what);
    ok(r.bytes <= 3e6, "%s: at most 3 MB a window", what);
    printf("# p50 %.3f p95 %.3f covered %.2f bias %+.3f capacity %.3f bytes %.0f unknown %d\n",
           r.p50, r.p95, r.covered, r.bias, r.capacity_p95, r.bytes, r.unknown);
}

static void on_simulated_links(void)
{
    struct sim s = {.rate_bps = 20e6,
                    .overhead = 14,
                    .bucket_bytes = 3000,
                    .buffer_s = 0.1,
                    .cross_bps = 10e6,
                    .noise_s = 5e-6};
    holds(s, 0.5e-3, 1, "20 Mbit/s, half full");
    holds(s, 20e-3, 2, "20 Mbit/s, half full, 20 ms of feedback");
    s.bucket_bytes = 0;
    holds(s, 0.5e-3, 3, "20 Mbit/s without a token bucket");
    s.bucket_bytes = 3000;
    s.rate_bps = 5e6;
    s.cross_bps = 3e6;
    holds(s, 0.5e-3, 4, "5 Mbit/s, 60 % full");
    s.rate_bps = 50e6;
    s.cross_bps = 30e6;
    holds(s, 0.5e-3, 5, "50 Mbit/s, 60 % full");
    s.cross_bps = 0;
    holds(s, 0.5e-3, 6, "50 Mbit/s, idle");
    s.cross_bps = 25e6;
    s.cross_drift = 0.02;
    holds(s, 0.5e-3, 7, "50 Mbit/s, load that drifts by a quarter");
}

static void bounds(void)
{
    struct sim s = {.rate_bps = 1e9, .overhead = 14, .noise_s = 5e-6};
    static struct sim_sender p;
    struct sdw_trains trains;
    struct sdw_capacity_answer a;
    sim_start(&s, 9);
    sdw_trains_init(&trains, 4);
    p = (struct sim_sender){.rtt_s = 1e-3, .train_bytes = 50e3, .train_s = 0.2, .max_bps = 20e6};
    sdw_capacity_estimate(&trains, 0, &sdw_capacity_defaults, &a);
    ok(isnan(a.mid) && isnan(a.lo), "no train, no answer");
    for (int k = 0; k < 10; k++) {
        sim_send_train(&s, &p, k * 0.4);
        sdw_trains_add(&trains, k * 0.4, &p.train);
    }
    ok(trains.n == 4, "only the newest trains are kept");
    sdw_capacity_estimate(&trains, 0, &sdw_capacity_defaults, &a);
    ok(isnan(a.mid) && a.lo > 10e6 && a.lo < 25e6,
       "a path that was never filled has a lower bound, the rate it carried, and no estimate");
    sdw_trains_release(&trains);
}

int main(void)
{
    closed_form();
    on_simulated_links();
    bounds();
    return tap_done();
}
