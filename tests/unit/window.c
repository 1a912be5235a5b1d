#include "unit/tap.h"

#include <stdlib.h>

#include "model/analysis.h"
#include "rec/series.h"
#include "sim/path.h"

/* What the analysis put out, as far as the tests look at it. */
struct seen {
    struct sdw_analysis *analysis;
    char state[16], id[32], reason[256];
    int64_t hop;
    int gradients, verdicts, metrics, events, tight;
    double capacity_gradient, truth, p_value, value, loss_share;
    int losses;
    struct sdw_range available;
};

static int put(void *arg, const struct sdw_schema *schema, const void *rec)
{
    struct seen *seen = arg;
    if (schema == &sdw_verdict_schema) {
        const struct sdw_verdict *v = rec;
        seen->verdicts++;
        snprintf(seen->state, sizeof seen->state, "%.*s", (int)v->state.n, v->state.p);
        snprintf(seen->id, sizeof seen->id, "%.*s", (int)v->path_id.n, v->path_id.p);
        snprintf(seen->reason, sizeof seen->reason, "%.*s", (int)v->reason.n, v->reason.p);
        seen->hop = v->bottleneck_hop;
        seen->available = v->available_bps;
        seen->p_value = v->p_value;
    } else if (schema == &sdw_gradient_schema) {
        const struct sdw_gradient *g = rec;
        seen->gradients++;
        if (sdw_str_is(g->state, "tight")) {
            seen->tight++;
            seen->capacity_gradient = g->capacity_gradient;
        }
    } else {
        const struct sdw_metric *m = rec;
        bool metric = schema == &sdw_metric_schema;
        seen->metrics += metric;
        if (metric && m->series.n > 10 &&
            memcmp(m->series.p + m->series.n - 10, "loss_share", 10) == 0) {
            seen->losses++;
            seen->loss_share = m->value;
        }
        seen->events += strcmp(schema->type, "event") == 0;
    }
    return 0;
}

static void take(void *arg, const struct sdw_slot *slot)
{
    struct seen *seen = arg;
    struct sdw_err err;
    sdw_analysis_slot(seen->analysis, slot, &err);
}

static int64_t lossy_until;

static void take_lossy(void *arg, const struct sdw_slot *slot)
{
    struct sdw_slot copy = *slot;
    if (copy.on == 1 && copy.hop == copy.hops && copy.slot < lossy_until)
        copy.load_lost = copy.load_packets * 9 / 10;
    take(arg, &copy);
}

static struct sim_path path_of(int hops, int tight)
{
    return (struct sim_path){
        .link = {.rate_bps = 20e6,
                 .overhead = 14,
                 .bucket_bytes = 3000,
                 .buffer_s = 0.1,
                 .peak = 1.8,
                 .on_mean_s = 0.04,
                 .cross_bps = 10e6,
                 .noise_s = 5e-6},
        .hops = hops,
        .tight = tight,
        .pairs = 30,
        .answer_share = 1,
        .start_us = 1700000000000000,
        .path_id = "00000000000000aa",
        .addr_prefix = "10.9.0.",
        .sender = {.rtt_s = 0.5e-3, .train_bytes = 50e3, .train_s = 0.15, .max_bps = 100e6}};
}

static const struct sdw_analysis_rules *rules(void)
{
    static struct sdw_analysis_rules r;
    r = (struct sdw_analysis_rules){.window = sdw_window_defaults, .threshold = NAN};
    return &r;
}

static struct seen run(struct sim_path *p, uint64_t seed, const struct sdw_analysis_rules *r)
{
    struct sdw_analysis analysis;
    struct seen seen = {.analysis = &analysis};
    sdw_analysis_init(&analysis, r, put, &seen);
    sim_start(&p->link, seed);
    sim_path_window(p, 0, take, &seen);
    sdw_analysis_finish(&analysis);
    sdw_analysis_release(&analysis);
    return seen;
}

static unsigned runs(unsigned usual)
{
    const char *text = getenv("RUNS");
    return text ? (unsigned)strtoul(text, NULL, 10) : usual;
}

/* Answers that queue on the way back: hop 2 and all behind it are late under load by round trip,
 * while the trains, measured one way, meet no queue. */
static void take_late_answers(void *arg, const struct sdw_slot *slot)
{
    struct sdw_slot copy = *slot;
    if (copy.on == 1 && copy.hop >= 2)
        copy.delay_mean_us += 3000;
    if (copy.on == 1 && copy.hop == 2) {
        copy.increment_mean_us = 3000;
        copy.increment_log = log1p(30);
    }
    take(arg, &copy);
}

static void way_back(void)
{
    struct sdw_analysis analysis;
    struct seen seen = {.analysis = &analysis};
    struct sim_path p = path_of(4, 2);
    p.link.rate_bps = 1e9;
    p.link.cross_bps = 0;
    sdw_analysis_init(&analysis, rules(), put, &seen);
    sim_start(&p.link, 3);
    sim_path_window(&p, 0, take_late_answers, &seen);
    sdw_analysis_finish(&analysis);
    sdw_analysis_release(&analysis);
    ok(strcmp(seen.state, "inconclusive") == 0 && strstr(seen.reason, "way back"),
       "answers that queue on the way back name no hop: %s", seen.reason);
}

/* Bursts that are more than the tight link carries: the queue is there with and without load. */
static void full_anyway(void)
{
    static const char line[] =
        "{\"type\":\"path\",\"v\":1,\"ts\":1,\"path_id\":\"00000000000000aa\",\"src\":\"10.9.0.1\","
        "\"dst\":\"10.9.0.5\",\"protocol\":\"udp\",\"far_end\":\"stamp\",\"reason\":\"new\"}";
    struct sdw_analysis analysis;
    struct seen seen = {.analysis = &analysis};
    struct sim_path p = path_of(5, 3);
    struct sdw_path path;
    struct sdw_arena arena = {0};
    struct sdw_err err;
    unsigned n = runs(10), wrong = 0, named = 0;
    for (unsigned i = 0; i < n; i++) {
        p.link.kind = SIM_ONOFF;
        p.link.cross_bps = 13.5e6; /* peaks at 24 on 20 Mbit/s */
        sdw_analysis_init(&analysis, rules(), put, &seen);
        if (sdw_rec_decode(&sdw_path_schema, sdw_str_of(line), &arena, &path, &err) == 0)
            sdw_analysis_path(&analysis, &path);
        sim_start(&p.link, 50 + i);
        sim_path_window(&p, 0, take, &seen);
        sdw_analysis_finish(&analysis);
        sdw_analysis_release(&analysis);
        named += strcmp(seen.state, "bottleneck") == 0 && seen.hop == 3;
        wrong += strcmp(seen.state, "clear") == 0 ||
                 (strcmp(seen.state, "bottleneck") == 0 && seen.hop != 3);
    }
    sdw_arena_release(&arena);
    printf("# named %u, wrong %u of %u\n", named, wrong, n);
    ok(wrong == 0, "a link that bursts overfill is never called clear, nor another named");
    ok(named * 10 >= n * 7, "and mostly it is named");
}

/* A path with room for all, where slots below `last_lossy` lost most of their load. */
static struct seen lose_until(int64_t last_lossy)
{
    struct sdw_analysis analysis;
    struct seen seen = {.analysis = &analysis};
    struct sim_path p = path_of(4, 2);
    p.link.rate_bps = 1e9;
    p.link.cross_bps = 0;
    lossy_until = last_lossy;
    sdw_analysis_init(&analysis, rules(), put, &seen);
    sim_start(&p.link, 3);
    sim_path_window(&p, 0, take_lossy, &seen);
    sdw_analysis_finish(&analysis);
    sdw_analysis_release(&analysis);
    return seen;
}

static void losses_without_a_queue(void)
{
    struct seen once = lose_until(2), always = lose_until(1000);
    is_text(once.state, "clear", "one slot that a receiver slept through is no policer");
    ok(strcmp(always.state, "inconclusive") == 0 && strstr(always.reason, "policer"),
       "losses in every slot without a queue may be a policer: %s", always.reason);
}

/* Hop, hops, rate and load are drawn from the seed. */
static void right_hop(enum sim_cross kind, const char *what, double answer_share)
{
    unsigned n = runs(40), right = 0, close = 0, covered = 0;
    for (unsigned i = 0; i < n; i++) {
        struct sdw_rng rng;
        sdw_rng_seed(&rng, 100 + i);
        int hops = 3 + (int)sdw_rng_below(&rng, 5),
            tight = 1 + (int)sdw_rng_below(&rng, (uint64_t)hops);
        struct sim_path p = path_of(hops, tight);
        p.link.kind = kind;
        p.link.rate_bps = 5e6 * pow(10, sdw_rng_unit(&rng));
        p.link.cross_bps =
            p.link.rate_bps * (0.2 + (kind == SIM_ONOFF ? 0.35 : 0.6) * sdw_rng_unit(&rng));
        p.spike_share = 0.05;
        p.spike_s = 5e-3;
        p.answer_share = answer_share;
        struct seen s = run(&p, 1000 + i, rules());
        double truth = sim_path_truth(&p);
        bool hit = strcmp(s.state, "bottleneck") == 0 && s.hop == tight;
        right += hit;
        close += fabs(s.available.mid / truth - 1) <= 0.15;
        covered += s.available.lo <= truth && truth <= s.available.hi;
        if (!hit)
            printf("# run %u: %s hop %lld, tight %d of %d, C %.1f X %.1f: %s\n", i, s.state,
                   (long long)s.hop, tight, hops, p.link.rate_bps / 1e6, p.link.cross_bps / 1e6,
                   s.reason);
    }
    int share = kind == SIM_POISSON && answer_share == 1 ? 95 : 90;
    unsigned forgiven = n < 20 ? 2 : 0;
    ok((right + forgiven) * 100 >= n * (unsigned)share, "%s: the right hop in %d of 100", what,
       share);
    printf("# right %u of %u; available within 15 %% %u; covered %u\n", right, n, close, covered);
    if (kind == SIM_POISSON)
        ok(close >= n * 90 / 100, "%s: available capacity within 15 %%", what);
}

static void no_false_verdict(double sham_peak, double reverse_s, const char *what)
{
    unsigned n = runs(100), wrong = 0;
    for (unsigned i = 0; i < n; i++) {
        struct sim_path p = path_of(5, 3);
        p.sham = true;
        p.link.kind = SIM_ONOFF;
        p.link.peak = sham_peak;
        p.spike_share = 0.1;
        p.spike_s = 10e-3;
        p.reverse_s = reverse_s;
        struct seen s = run(&p, 5000 + i, rules());
        wrong += strcmp(s.state, "bottleneck") == 0;
    }
    ok(wrong <= 1 + n / 100, "%s: no false verdict", what);
    printf("# wrong %u of %u\n", wrong, n);
}

static void states(void)
{
    struct sim_path p = path_of(4, 0);
    p.sender.max_bps = 40e6;
    struct seen s = run(&p, 3, rules());
    is_text(s.state, "clear", "a path that carried the load without effect is clear");
    is_near(s.available.lo, 40e6, 1, "clear states the rate that was reached");
    ok(isnan(s.available.mid) && isnan(s.available.hi), "clear knows a lower bound only");

    p = path_of(4, 2);
    p.pairs = 4;
    s = run(&p, 4, rules());
    is_text(s.state, "inconclusive", "four pairs are too few to judge");

    p = path_of(4, 2);
    p.addr_prefix = "fd09::";
    struct sdw_analysis_rules r = *rules();
    r.threshold = 1;
    s = run(&p, 5, &r);
    is_text(s.state, "bottleneck", "a path of IPv6 hops is judged alike");
    ok(s.hop == 2 && s.tight == 1 && s.gradients == 4, "each hop has a gradient, one is tight");
    ok(s.events >= 1 && s.capacity_gradient > 1, "a gradient above the threshold is an event");
    ok(s.metrics > 25, "available capacity is a series, value by value");

    p = path_of(1, 1);
    s = run(&p, 6, rules());
    ok(strcmp(s.state, "bottleneck") == 0 && s.hop == 1, "a path of one hop is judged");
}

/* Slots by hand: two hops, load adds 2 ms at the second. */
static struct sdw_slot plain(int64_t window, int64_t number, int64_t hop)
{
    struct sdw_slot slot;
    sdw_rec_init(&sdw_slot_schema, &slot);
    slot.on = number % 2 == 1;
    slot.ts = 1700000000000000 + window * 10000000 + number * 200000;
    slot.path_id = sdw_str_of("00000000000000bb");
    slot.window = window;
    slot.slot = number;
    slot.pair = number / 2;
    slot.hop = hop;
    slot.hops = 2;
    slot.schedule = sdw_str_of("lockin");
    slot.achieved_bps = slot.on ? 5e6 : 0;
    slot.load_bytes = slot.on ? 125000 : 200;
    slot.sent = slot.received = 8;
    slot.duration_us = 200000;
    slot.increment_mean_us = slot.on && hop == 2 ? 2000 : 3;
    slot.delay_mean_us = slot.on && hop == 2 ? 2003 : 3 * (double)hop;
    return slot;
}

static void feed(struct sdw_analysis *analysis, int64_t window, int64_t slots, int bad,
                 bool no_answer)
{
    for (int64_t i = 0; i < slots; i++) {
        for (int64_t hop = 1; hop <= 2; hop++) {
            struct sdw_slot slot = plain(window, i, hop);
            struct sdw_err err;
            slot.voided = bad > 0 && i % bad == 0;
            if (no_answer && hop == 1)
                slot.received = 0;
            if (no_answer && hop == 1 && slot.on)
                slot.increment_mean_us = slot.delay_mean_us = NAN;
            sdw_analysis_slot(analysis, &slot, &err);
        }
    }
}

/* Trains of 50 packets of which so many are lost; queued: they ended for a long queue. */
static struct seen lose(int64_t lost, const char *reason)
{
    struct sdw_analysis analysis;
    struct seen seen = {.analysis = &analysis, .loss_share = NAN};
    sdw_analysis_init(&analysis, rules(), put, &seen);
    for (int64_t i = 1; i < 20; i += 2) {
        struct sdw_slot slot = plain(0, i, 2);
        struct sdw_err err;
        slot.schedule = sdw_str_of("chirp");
        slot.chirp = sdw_str_of("{\"sent_ns\":[0,1000000],\"bytes\":[500,500],"
                                "\"delay_ns\":[100000,100000]}");
        slot.load_packets = 50;
        slot.load_lost = lost;
        slot.reason = sdw_str_of(reason);
        sdw_analysis_slot(&analysis, &slot, &err);
    }
    sdw_analysis_release(&analysis);
    return seen;
}

static void losses(void)
{
    struct seen seen = lose(5, "trigger");
    is_near(seen.loss_share, 0.1, 1e-9, "the share of load that is lost is a series");
    ok(seen.losses == 8, "as soon as enough was sent");
    seen = lose(0, "trigger");
    is_near(seen.loss_share, 0, 0, "none lost is said too");
    seen = lose(5, "abort");
    ok(seen.losses == 0, "what a full queue dropped is no gray loss");
}

static void windows(void)
{
    struct sdw_analysis analysis;
    struct seen seen = {.analysis = &analysis};
    sdw_analysis_init(&analysis, rules(), put, &seen);
    feed(&analysis, 0, 40, 0, false);
    ok(seen.verdicts == 0, "a window is not judged before it ends");
    feed(&analysis, 1, 40, 2, false);
    ok(seen.verdicts == 1 && seen.hop == 2, "it is judged when the next one begins");
    is_text(seen.state, "bottleneck", "constant-rate slots are judged by their increments");
    feed(&analysis, 0, 3, 0, false);
    ok(seen.verdicts == 1 && analysis.counts.late == 6, "slots of a judged window are late");
    feed(&analysis, 2, 40, 0, true);
    ok(seen.verdicts == 2, "a window that is void ends like any other");
    is_text(seen.state, "void", "too many void slots make the window void");
    ok(seen.hop == SDW_NO_INT && isnan(seen.available.mid), "a void window names no hop");

    struct sdw_path path;
    sdw_rec_init(&sdw_path_schema, &path);
    path.dst = sdw_str_of("fd09::2");
    path.path_id = sdw_str_of("00000000000000bb");
    sdw_analysis_path(&analysis, &path);
    path.path_id = sdw_str_of("00000000000000cc");
    sdw_analysis_path(&analysis, &path);
    ok(seen.verdicts == 3 && strcmp(seen.state, "void") == 0, "a path change voids the window");
    feed(&analysis, 3, 30, 0, true);
    sdw_analysis_finish(&analysis);
    ok(seen.verdicts == 4 && seen.hop == 2, "what is open at the end is judged");
    ok(strstr(seen.reason, "hop before") != NULL, "a silent hop before the tight one is told");
    sdw_analysis_release(&analysis);

    struct sdw_analysis_rules r = *rules();
    r.pairs_max = 15;
    struct seen cut = {.analysis = &analysis};
    sdw_analysis_init(&analysis, &r, put, &cut);
    feed(&analysis, 0, 60, 0, false);
    sdw_analysis_finish(&analysis);
    ok(cut.verdicts == 2, "a window may be cut after so many pairs");
    sdw_analysis_release(&analysis);

    struct seen back = {.analysis = &analysis};
    sdw_analysis_init(&analysis, rules(), put, &back);
    feed(&analysis, 7, 40, 0, false);
    for (int64_t i = 0; i < 80; i++) {
        struct sdw_slot slot = plain(0, i, 1);
        struct sdw_err err;
        slot.ts -= 3600000000;
        sdw_analysis_slot(&analysis, &slot, &err);
    }
    ok(back.verdicts == 1 && back.hop == 2,
       "a prober that was started again on a clock gone back is followed");
    sdw_analysis_finish(&analysis);
    sdw_analysis_release(&analysis);
}

/* TTL-scoped load: it dies at hop 1 to 4, and only the far end is measured. */
static void scoped(bool contradiction)
{
    struct sdw_analysis analysis;
    struct seen seen = {.analysis = &analysis};
    struct sdw_err err;
    sdw_analysis_init(&analysis, rules(), put, &seen);
    for (int64_t i = 0; i < 160; i++) {
        struct sdw_slot slot = plain(0, i, 4);
        slot.hops = 4;
        slot.load_hop = 1 + i / 2 % 4;
        bool through = slot.load_hop >= 3 && !(contradiction && slot.load_hop == 4);
        slot.increment_mean_us = 3;
        slot.delay_mean_us = slot.on && through ? 2500 : 8 + (double)(i * 7 % 5);
        sdw_analysis_slot(&analysis, &slot, &err);
    }
    sdw_analysis_finish(&analysis);
    if (contradiction)
        is_text(seen.state, "inconclusive", "scoped load that contradicts itself names no hop");
    else
        ok(strcmp(seen.state, "bottleneck") == 0 && seen.hop == 3,
           "scoped load names the first hop beyond which it is felt");
    sdw_analysis_release(&analysis);
}

int main(void)
{
    right_hop(SIM_POISSON, "Poisson cross traffic", 1);
    right_hop(SIM_ONOFF, "on/off cross traffic", 1);
    right_hop(SIM_POISSON, "routers that answer a quarter of all ladders", 0.25);
    no_false_verdict(4, 0, "sham under fourfold bursts");
    no_false_verdict(1.8, 5e-3, "sham with a queue on the way back");
    states();
    losses();
    windows();
    scoped(false);
    scoped(true);
    losses_without_a_queue();
    way_back();
    full_anyway();
    return tap_done();
}
