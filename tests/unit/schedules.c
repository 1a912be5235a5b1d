/* Verdicts on load that is no chirp: spread over its slots, or scoped. */
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

int main(void)
{
    way_back();
    scoped_doubt();
    return tap_done();
}
