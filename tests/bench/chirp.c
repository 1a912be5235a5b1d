/*
 * shadow-gradient on simulated paths.
 *   chirp precision RUNS SEED [onoff]   error of the available capacity, one bench line each
 *   chirp slots SEED HOPS TIGHT PREFIX WINDOWS [sham]   slot records, as shadow-probe writes them
 */
#include <stdio.h>
#include <stdlib.h>

#include "model/stats.h"
#include "model/window.h"
#include "sim/path.h"

static struct sim_path path_of(double rate_bps, double share, enum sim_cross kind)
{
    return (struct sim_path){
        .link = {.rate_bps = rate_bps,
                 .overhead = 14,
                 .bucket_bytes = 3000,
                 .buffer_s = 0.1,
                 .kind = kind,
                 .peak = 1.8,
                 .on_mean_s = 0.04,
                 .cross_bps = rate_bps * share,
                 .noise_s = 5e-6},
        .hops = 1,
        .tight = 1,
        .pairs = 30,
        .answer_share = 1,
        .start_us = 1700000000000000,
        .path_id = "00000000000000aa",
        .addr_prefix = "10.9.0.",
        .sender = {.rtt_s = 0.5e-3, .train_bytes = 50e3, .train_s = 0.2, .max_bps = 100e6}};
}

static void print_slot(void *arg, const struct sdw_slot *slot)
{
    struct sdw_buf *line = arg;
    sdw_buf_clear(line);
    sdw_rec_encode(&sdw_slot_schema, slot, line);
    puts(line->p);
}

static int print_slots(char **argv, bool sham)
{
    struct sdw_buf line = {0};
    struct sim_path path = path_of(20e6, 0.5, SIM_POISSON);
    path.hops = atoi(argv[3]);
    path.tight = atoi(argv[4]);
    path.addr_prefix = argv[5];
    path.sham = sham;
    sim_start(&path.link, strtoull(argv[2], NULL, 10));
    for (int64_t window = 0; window < atoi(argv[6]); window++)
        sim_path_window(&path, window, print_slot, &line);
    sdw_buf_release(&line);
    return 0;
}

static void keep_train(void *arg, const struct sdw_slot *slot)
{
    struct sdw_arena arena = {0};
    struct sdw_packets packets;
    if (slot->chirp.p && sdw_packets_decode(slot->chirp, &arena, &packets, NULL) == 0) {
        struct sdw_train train = {packets.n, packets.sent_ns, packets.bytes, packets.delay_ns};
        sdw_trains_add(arg, (double)slot->ts * 1e-6, &train);
    }
    sdw_arena_release(&arena);
}

/* One window on a link drawn from the seed: the relative error, and whether the interval held. */
static double error_of(uint64_t seed, enum sim_cross kind, bool *held)
{
    struct sdw_rng rng;
    struct sdw_trains trains;
    struct sdw_capacity_answer answer;
    sdw_rng_seed(&rng, seed);
    double rate = 5e6 * pow(10, sdw_rng_unit(&rng)), share = 0.2 + 0.6 * sdw_rng_unit(&rng);
    struct sim_path path = path_of(rate, share, kind);
    sdw_trains_init(&trains, 0);
    sim_start(&path.link, seed);
    sim_path_window(&path, 0, keep_train, &trains);
    sdw_capacity_estimate(&trains, 0, &sdw_capacity_defaults, &answer);
    sdw_trains_release(&trains);
    double truth = sim_path_truth(&path);
    *held = answer.lo <= truth && truth <= answer.hi;
    return isnan(answer.mid) ? 1 : fabs(answer.mid / truth - 1);
}

static void bench(const char *name, double ours, double bar)
{
    printf("{\"type\":\"bench\",\"name\":\"%s\",\"ours\":%.4f,\"unit\":\"share\",\"peer\":\"bar\","
           "\"peer_value\":%g,\"ratio\":%.3g}\n",
           name, ours, bar, ours > 0 ? bar / ours : 1000);
}

static int print_precision(size_t runs, uint64_t seed, enum sim_cross kind)
{
    double *errors = sdw_xrealloc(NULL, runs + 1, sizeof *errors), held = 0;
    for (size_t i = 0; i < runs; i++) {
        bool in;
        errors[i] = error_of(seed * 1000003 + i, kind, &in);
        held += in;
    }
    sdw_sort_reals(errors, runs);
    bench("chirp.error_median", sdw_quantile_sorted(errors, runs, 0.5), 0.05);
    bench("chirp.error_p95", sdw_quantile_sorted(errors, runs, 0.95), 0.15);
    bench("chirp.missed_by_interval", 1 - held / (double)runs, 0.15);
    free(errors);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc >= 7 && strcmp(argv[1], "slots") == 0)
        return print_slots(argv, argc > 7);
    if (argc >= 4 && strcmp(argv[1], "precision") == 0)
        return print_precision((size_t)strtoul(argv[2], NULL, 10), strtoull(argv[3], NULL, 10),
                               argc > 4 ? SIM_ONOFF : SIM_POISSON);
    fputs(
        "usage: chirp precision RUNS SEED [onoff] | slots SEED HOPS TIGHT PREFIX WINDOWS [sham]\n",
        stderr);
    return 2;
}
