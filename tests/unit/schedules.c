/* Verdicts on load that is no chirp: spread over its slots, scoped, or a recursive train. */
#include "unit/tap.h"

#include "model/analysis.h"
#include "rec/series.h"
#include "sim/path.h"

enum { PACKETS = 400 };

struct seen {
    struct sdw_analysis analysis;
    char state[16], reason[256];
    int64_t hop;
    struct sdw_range available;
    int metrics; /* of available capacity */
};

static int put(void *arg, const struct sdw_schema *schema, const void *rec)
{
    struct seen *seen = arg;
    if (schema == &sdw_verdict_schema) {
        const struct sdw_verdict *v = rec;
        snprintf(seen->state, sizeof seen->state, "%.*s", (int)v->state.n, v->state.p);
        snprintf(seen->reason, sizeof seen->reason, "%.*s", (int)v->reason.n, v->reason.p);
        seen->hop = v->bottleneck_hop;
        seen->available = v->available_bps;
    } else if (schema == &sdw_metric_schema) {
        const struct sdw_metric *m = rec;
        seen->metrics += memmem(m->series.p, m->series.n, "available", 9) != NULL;
    }
    return 0;
}

static void begin(struct seen *seen)
{
    struct sdw_analysis_rules rules = {.window = sdw_window_defaults, .threshold = NAN};
    *seen = (struct seen){.hop = -1};
    sdw_analysis_init(&seen->analysis, &rules, put, seen);
}

static void take(void *arg, const struct sdw_slot *slot)
{
    struct seen *seen = arg;
    struct sdw_err err;
    sdw_analysis_slot(&seen->analysis, slot, &err);
}

static void finish(struct seen *seen)
{
    sdw_analysis_finish(&seen->analysis);
    sdw_analysis_release(&seen->analysis);
}

/* What every record of slot `number` says of hop `hop`. */
static struct sdw_slot slot_of(const char *schedule, int64_t number, int64_t hop, int64_t hops)
{
    struct sdw_slot slot;
    sdw_rec_init(&sdw_slot_schema, &slot);
    slot.ts = 1700000000000000 + number * 200000;
    slot.path_id = sdw_str_of("00000000000000dd");
    slot.schedule = sdw_str_of(schedule);
    slot.window = 1;
    slot.slot = number;
    slot.pair = number / 2;
    slot.on = (number + number / 4) % 2 == 1;
    slot.hop = hop;
    slot.hops = hops;
    slot.sent = slot.received = 4;
    slot.duration_us = 40000;
    if (slot.on)
        slot.achieved_bps = 5e6;
    return slot;
}

/* A train of two sizes, 1 ms apart; the small ones take 0.2 ms, the large 1 ms, and a wait. */
static void write_mixed(int64_t wait_ns, struct sdw_buf *out)
{
    int64_t sent[PACKETS], bytes[PACKETS], delay[PACKETS];
    struct sdw_packets train = {40, sent, bytes, delay};
    for (int64_t i = 0; i < 40; i++) {
        sent[i] = i * 1000000;
        bytes[i] = i % 3 ? 100 : 1400;
        delay[i] = (i % 3 ? 200000 : 1000000) + (i < 4 ? 0 : wait_ns);
    }
    sdw_buf_clear(out);
    sim_train_write(&train, out);
}

/* Answers of hop 2 come 2 ms late under load, which itself waited as long as given. */
static struct seen replay(int64_t wait_ns)
{
    struct seen seen;
    struct sdw_buf json = {0};
    write_mixed(wait_ns, &json);
    begin(&seen);
    for (int64_t i = 0; i < 24; i++)
        for (int64_t hop = 1; hop <= 3; hop++) {
            struct sdw_slot slot = slot_of("replay", i, hop, 3);
            double late = slot.on && hop >= 2 ? 2000 : 5;
            slot.delay_mean_us = late;
            slot.increment_mean_us = hop == 2 ? late : 3;
            if (slot.on && hop == 3)
                slot.chirp = sdw_buf_view(&json);
            take(&seen, &slot);
        }
    finish(&seen);
    sdw_buf_release(&json);
    return seen;
}

static void way_back(void)
{
    struct seen there = replay(2000000), back = replay(20000);
    ok(strcmp(there.state, "bottleneck") == 0 && there.hop == 2,
       "load of mixed sizes that waits itself names the hop: %s", there.reason);
    ok(strcmp(back.state, "inconclusive") == 0 && strstr(back.reason, "way back"),
       "load that does not wait says that the answers do: %s", back.reason);
}

/* Nothing that load adds; every so many slots without it met a queue. */
static struct seen scoped(int64_t queue_every)
{
    struct seen seen;
    begin(&seen);
    for (int64_t i = 0; i < 160; i++) {
        struct sdw_slot slot = slot_of("chirp", i, 4, 4);
        slot.load_hop = 1 + i / 2 % 4;
        slot.increment_mean_us = slot.delay_mean_us =
            i % queue_every == 0 ? 6000 : 20 + (double)(i * 7 % 5);
        take(&seen, &slot);
    }
    finish(&seen);
    return seen;
}

static void scoped_doubt(void)
{
    struct seen quiet = scoped(1000), bursts = scoped(3);
    is_text(quiet.state, "clear", "scoped load that meets no queue anywhere is clear");
    ok(strcmp(bursts.state, "inconclusive") == 0 && isnan(bursts.available.lo),
       "where queues are met without it too it is never clear: %s", bursts.reason);
}

/* Bursts of others make queues of up to 20 ms, which change by up to 1 ms within a slot; load that
 * goes to hop 3 or further adds so much. */
static struct seen in_bursts(bool told, double added_us, uint64_t seed)
{
    struct seen seen;
    struct sdw_rng rng;
    sdw_rng_seed(&rng, seed);
    begin(&seen);
    for (int64_t i = 0; i < 104; i++) {
        struct sdw_slot slot = slot_of("chirp", i, 4, 4);
        double found = 20000 * sdw_rng_unit(&rng);
        slot.load_hop = 1 + i / 2 % 4;
        if (told)
            slot.delay_before_us = found;
        slot.delay_mean_us = found + 1000 * sdw_rng_unit(&rng);
        slot.delay_mean_us += slot.on && slot.load_hop >= 3 ? added_us : 0;
        take(&seen, &slot);
    }
    finish(&seen);
    return seen;
}

/* Whole trains go to the far end, hop 4: they add eight times what the others do at hop 3. */
static void scoped_far_end(void)
{
    struct seen seen;
    begin(&seen);
    for (int64_t i = 0; i < 104; i++) {
        struct sdw_slot slot = slot_of("chirp", i, 4, 4);
        slot.load_hop = 1 + i / 2 % 4;
        slot.delay_before_us = 20;
        slot.delay_mean_us = 20 + (double)(i * 7 % 5);
        slot.delay_mean_us += !slot.on || slot.load_hop < 3 ? 0 : slot.load_hop == 3 ? 1500 : 12000;
        take(&seen, &slot);
    }
    finish(&seen);
    ok(seen.hop == 3, "the first scope that feels the load is named, not the one that feels most");
}

static void scoped_in_bursts(void)
{
    struct seen told = in_bursts(true, 2000, 7), untold = in_bursts(false, 2000, 7);
    unsigned named = 0, cleared = 0;
    for (unsigned i = 0; i < 100; i++) {
        struct seen nothing = in_bursts(true, 0, 100 + i);
        named += strcmp(nothing.state, "bottleneck") == 0;
        cleared += strcmp(nothing.state, "clear") == 0;
    }
    ok(strcmp(told.state, "bottleneck") == 0 && told.hop == 3,
       "what scoped load adds to the queue that it found names the hop: %s", told.reason);
    ok(named <= 1 && cleared == 0, "load that adds nothing to them names %u hops of 100", named);
    is_text(untold.state, "inconclusive", "where nobody looked before it, bursts hide it");
}

/* Load of so many bit/s in packets of 1000 bytes, three of every 24 back to back, over 40 ms. */
static double send_spread(struct sim *link, double at, double bps, struct sdw_packets *train)
{
    double gap = 8000 / bps, sent = at;
    for (train->n = 0; train->n < PACKETS && sent < at + 0.04; train->n++) {
        size_t i = train->n;
        train->sent_ns[i] = (int64_t)((sent - at) * 1e9);
        train->bytes[i] = 1000;
        train->delay_ns[i] = (int64_t)(sim_probe(link, sent, 1000) * 1e9);
        sent += i % 24 >= 21 && i % 24 < 23 ? 0 : gap;
    }
    return sent;
}

/* A window of a schedule over a link of 20 Mbit/s with such cross traffic, 10 of it free. */
static struct seen spread(const char *schedule, enum sim_cross kind, double bps, uint64_t seed)
{
    struct seen seen;
    int64_t sent[PACKETS] = {0}, bytes[PACKETS] = {0}, delay[PACKETS] = {0};
    struct sim_path p = {.link = {.rate_bps = 20e6,
                                  .overhead = 14,
                                  .bucket_bytes = 3000,
                                  .buffer_s = 0.1,
                                  .kind = kind,
                                  .peak = 1.8,
                                  .on_mean_s = 0.04,
                                  .cross_bps = 10e6,
                                  .noise_s = 5e-6},
                         .hops = 4,
                         .tight = 3,
                         .answer_share = 1,
                         .addr_prefix = "10.9.0."};
    begin(&seen);
    sim_start(&p.link, seed);
    for (int64_t i = 0; i < 40; i++) {
        double at = 0.5 + 0.2 * (double)i, end = at + 0.04;
        struct sdw_packets train = {0, sent, bytes, delay};
        struct sdw_slot slot = slot_of(schedule, i, 1, 4);
        if (slot.on)
            end = send_spread(&p.link, at, bps, &train);
        if (slot.on)
            slot.achieved_bps = bps;
        sim_path_emit(&p, &slot, sim_path_ladder(&p, end), slot.on ? &train : NULL, take, &seen);
    }
    finish(&seen);
    return seen;
}

static void available(void)
{
    unsigned told = 0, right = 0, low = 0, n = 20;
    for (unsigned i = 0; i < n; i++) {
        struct seen smooth = spread("lockin", SIM_POISSON, 13e6, 1 + i);
        struct seen bursts = spread("lockin", SIM_ONOFF, 13e6, 1 + i);
        told += isnan(smooth.available.mid) ? 0 : 1;
        right += fabs(smooth.available.mid / 10e6 - 1) <= 0.2;
        low += bursts.available.mid < 7e6;
    }
    printf("# Poisson: told %u, right %u; bursts: too low %u of %u\n", told, right, low, n);
    ok(told * 2 >= n && right * 10 >= told * 9, "lock-in reads what smooth cross traffic leaves");
    ok(low == 0, "what it reads in bursts is left out");

    struct seen train = spread("train", SIM_POISSON, 40e6, 5);
    ok(strcmp(train.state, "bottleneck") == 0 && train.hop == 3, "a train names the narrow link");
    ok(isnan(train.available.lo) && isnan(train.available.mid) && train.metrics == 0 &&
           strstr(train.reason, "not what is free"),
       "and says nothing of what is free: %s", train.reason);
}

int main(void)
{
    way_back();
    scoped_doubt();
    scoped_in_bursts();
    scoped_far_end();
    available();
    return tap_done();
}
