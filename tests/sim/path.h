/*
 * A simulated path of several hops with one tight link, probed as shadow-probe does: pairs of
 * slots, one with a train, each with a ladder. Fills slot records; needs model/rec to be linked.
 */
#ifndef SDW_TESTS_SIM_PATH_H
#define SDW_TESTS_SIM_PATH_H

#include <stdio.h>

#include "io/jsonw.h"
#include "rec/path.h"
#include "rec/train.h"
#include "sim/sender.h"

struct sim_path {
    /* set before sim_path_window */
    struct sim link; /* the tight link */
    int hops, tight; /* tight 0: there is none, the path carries max_bps without a queue */
    int pairs;
    bool sham;                   /* injection off: the on slots carry nothing, but say they do */
    double spike_share, spike_s; /* host noise: ladders answered late at a random hop */
    double reverse_s;            /* mean queue of the reverse path, seen from every hop on */
    double answer_share;         /* of ladders that the routers answer */
    int64_t start_us;
    const char *path_id, *addr_prefix; /* "10.9.0." or "fd09::" */
    /* state */
    struct sim_sender sender;
    double cross_before, at_s;
};

typedef void sim_slot_sink(void *arg, const struct sdw_slot *slot);

static inline double sim_path_ladder(struct sim_path *p, double at)
{
    double delay = p->tight ? sim_probe(&p->link, at, 60) - 0.001 : 0;
    return delay < 0 ? 0 : delay;
}

static inline void sim_integers_write(struct sdw_jsonw *w, const char *key, const int64_t *values,
                                      size_t n)
{
    sdw_jsonw_array(w, key);
    for (size_t i = 0; i < n; i++) {
        if (values[i] == INT64_MIN)
            sdw_jsonw_null(w, NULL);
        else
            sdw_jsonw_int(w, NULL, values[i]);
    }
    sdw_jsonw_end(w);
}

/* The member `chirp` of a slot. */
static inline void sim_train_write(const struct sdw_packets *train, struct sdw_buf *out)
{
    struct sdw_jsonw w = sdw_jsonw(out);
    sdw_jsonw_object(&w, NULL);
    sim_integers_write(&w, "sent_ns", train->sent_ns, train->n);
    sim_integers_write(&w, "bytes", train->bytes, train->n);
    sim_integers_write(&w, "delay_ns", train->delay_ns, train->n);
    sdw_jsonw_end(&w);
}

/* One slot's records, hop by hop. queue_s: what the ladder met at the tight link. */
static inline void sim_path_emit(struct sim_path *p, struct sdw_slot *slot, double queue_s,
                                 const struct sdw_packets *train, sim_slot_sink *sink, void *arg)
{
    struct sdw_rng *rng = &p->link.rng;
    struct sdw_buf json = {0};
    char addr[64];
    double spike = sdw_rng_unit(rng) < p->spike_share ? sdw_rng_exponential(rng, p->spike_s) : 0;
    double reverse = p->reverse_s > 0 ? sdw_rng_exponential(rng, p->reverse_s) : 0, before = 0;
    bool asked = sdw_rng_unit(rng) < p->answer_share;
    int spiked = 1 + (int)sdw_rng_below(rng, (uint64_t)p->hops);
    for (int hop = 1; hop <= p->hops; hop++) {
        double rtt = reverse + (hop >= p->tight && p->tight ? queue_s : 0);
        rtt += fabs(5e-6 * sdw_rng_normal(rng)) + (hop == spiked ? spike : 0);
        bool answered = hop == p->hops || asked;
        snprintf(addr, sizeof addr, "%s%d", p->addr_prefix, hop);
        slot->hop = hop;
        slot->addr = sdw_str_of(addr);
        slot->sent = 1;
        slot->received = answered;
        slot->delay_mean_us = answered ? rtt * 1e6 : NAN;
        slot->increment_mean_us = answered ? (rtt - before) * 1e6 : NAN;
        slot->increment_log = answered ? log1p(fmax(0, rtt - before) * 1e4) : NAN;
        if (answered)
            before = rtt;
        if (hop == p->hops && train) {
            sim_train_write(train, &json);
            slot->chirp = sdw_buf_view(&json);
        }
        sink(arg, slot);
    }
    sdw_buf_release(&json);
}

static inline void sim_path_on(struct sim_path *p, struct sdw_slot *slot, sim_slot_sink *sink,
                               void *arg)
{
    double before = p->sender.bytes, end = p->at_s;
    struct sdw_packets train = {0};
    bool carried = p->tight && !p->sham;
    if (carried) {
        end = sim_send_train(&p->link, &p->sender, p->at_s);
        train = (struct sdw_packets){p->sender.train.n, p->sender.sent, p->sender.size,
                                     p->sender.delay};
        slot->load_packets = (int64_t)train.n;
    }
    slot->load_bytes = carried ? (int64_t)(p->sender.bytes - before) : 50000;
    slot->duration_us = (int64_t)((end - p->at_s) * 1e6) + 1;
    slot->achieved_bps = carried && train.n > 1
                             ? (double)slot->load_bytes * 8e6 / (double)slot->duration_us
                             : p->sender.max_bps;
    sim_path_emit(p, slot, sim_path_ladder(p, end + 5e-6), carried ? &train : NULL, sink, arg);
}

/* One window of `pairs` pairs, 400 ms each; goes on where the last one ended. */
static inline void sim_path_window(struct sim_path *p, int64_t number, sim_slot_sink *sink,
                                   void *arg)
{
    double start = p->at_s;
    sim_run(&p->link, start);
    p->cross_before = p->link.cross_bytes;
    for (int i = 0; i < 2 * p->pairs; i++) {
        struct sdw_slot slot;
        bool first = i % 2 == 0;
        static bool on;
        sdw_rec_init(&sdw_slot_schema, &slot);
        on = first ? sdw_rng_unit(&p->link.rng) < 0.5 : !on;
        p->at_s = start + 0.2 * (i + 0.2 * sdw_rng_unit(&p->link.rng));
        slot.ts = p->start_us + (int64_t)(p->at_s * 1e6);
        slot.path_id = sdw_str_of(p->path_id);
        slot.window = number;
        slot.slot = i;
        slot.pair = i / 2;
        slot.schedule = sdw_str_of("chirp");
        slot.on = on;
        slot.hops = p->hops;
        if (on)
            sim_path_on(p, &slot, sink, arg);
        else
            sim_path_emit(p, &slot, sim_path_ladder(p, p->at_s), NULL, sink, arg);
    }
    p->at_s = start + 0.4 * p->pairs;
    sim_run(&p->link, p->at_s);
}

/* Truth of the window just simulated: available IP capacity for packets of 1500 bytes. */
static inline double sim_path_truth(const struct sim_path *p)
{
    double seconds = 0.4 * p->pairs, overhead = p->link.overhead;
    double cross = (p->link.cross_bytes - p->cross_before) * 8 / seconds * (551 + overhead) / 551;
    return (p->link.rate_bps - cross) * 1500 / (1500 + overhead);
}

#endif
