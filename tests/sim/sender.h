/*
 * A simulated sender of chirps, for tests: what shadow-probe does, with the feedback it would
 * have. Rates are IP bit/s.
 */
#ifndef SDW_TESTS_SIM_SENDER_H
#define SDW_TESTS_SIM_SENDER_H

#include "model/chirp.h"
#include "sim/queue.h"

enum { SIM_TRAIN_MAX = 4096 };

struct sim_sender {
    /* set before use */
    double rtt_s;       /* until the sender knows a delay */
    double train_bytes; /* at most, a train */
    double train_s;
    double max_bps;
    /* state */
    double available, capacity; /* its own rough estimates; 0: none yet */
    double base_s;
    double bytes;          /* sent in all */
    double peak_s, last_s; /* delay above base, of the last train: greatest, and of its end */
    int64_t sent[SIM_TRAIN_MAX], size[SIM_TRAIN_MAX], delay[SIM_TRAIN_MAX];
    struct sdw_train train;
};

static inline double sim_choose_size(double bps)
{
    static const double sizes[] = {250, 400, 600, 800, 1000, 1200};
    double want = bps * 0.5e-3 / 8;
    for (size_t i = 0; i + 1 < SDW_LEN(sizes); i++) {
        if (want < (sizes[i] + sizes[i + 1]) / 2)
            return sizes[i];
    }
    return 1200;
}

/* Bursts of 3 when a quarter, half and three quarters of the bytes are spent. */
static inline bool sim_in_burst(size_t *done, double spent)
{
    if ((spent > 0.25 && *done < 2) || (spent > 0.5 && *done < 4) || (spent > 0.75 && *done < 6)) {
        ++*done;
        return true;
    }
    return false;
}

static inline void sim_learn(struct sim_sender *p)
{
    static struct sdw_gap gaps[SIM_TRAIN_MAX];
    size_t n = sdw_chirp_gaps(&p->train, (int64_t)(p->base_s * 1e9), 20e-6, gaps, SIM_TRAIN_MAX);
    double time = 0, bits = 0, growth = 0, fastest = 0, samples = 0;
    for (size_t i = 0; i < n; i++) {
        double out = gaps[i].gap_s + gaps[i].growth_s;
        time += gaps[i].gap_s;
        bits += gaps[i].bits;
        growth += gaps[i].growth_s;
        if (gaps[i].gap_s < 50e-6 && out > 0) {
            fastest += out / gaps[i].bits;
            samples++;
        }
    }
    if (samples >= 3) {
        double c = samples / fastest;
        p->capacity = p->capacity > 0 ? 0.8 * p->capacity + 0.2 * c : c;
    }
    if (p->capacity > 0 && time > 0.5e-3) {
        double a = (bits - p->capacity * growth) / time;
        a = fmin(fmax(a, 0.05 * p->capacity), p->capacity);
        p->available += fmin(fmax(time / 0.03, 0.25), 0.7) * (a - p->available);
        p->available = fmin(p->available, p->capacity);
    } else if (p->available > 0) {
        p->available = fmin(p->available * 1.3, p->max_bps);
    }
}

/* Send one train from time `at`; it is in p->train until the next. Returns its last send. */
static inline double sim_send_train(struct sim *s, struct sim_sender *p, double at)
{
    bool first = p->available <= 0;
    double a = p->available, size = first ? 300 : sim_choose_size(a);
    double c = p->capacity > 0 ? p->capacity : 2 * a, mtu = c > 0 ? 1500 * 8 / c : 1e-3;
    double lo = fmax(1e-3, mtu), hi = fmax(3e-3, 2.5 * mtu), stop = fmax(15e-3, 8 * mtu);
    double rate = first ? 1e6 : a, sent = 0, known = 0, began = at;
    double bump = first ? 0 : fmin(ceil(1.5e-3 * c / 8 / size), p->train_bytes / size / 4);
    double climb = fmax(fmax(5e-3, 2 * p->rtt_s), 2 * mtu), most = p->train_bytes;
    size_t n = 0, seen = 0, burst = 0;
    p->peak_s = 0;
    while (n < SIM_TRAIN_MAX) {
        double delay = sim_probe(s, at, size);
        p->sent[n] = (int64_t)((at - began) * 1e9);
        p->size[n] = (int64_t)size;
        p->delay[n] = delay < 0 ? SDW_TRAIN_LOST : (int64_t)(delay * 1e9);
        n++;
        sent += size;
        if (delay >= 0) {
            if (p->base_s <= 0 || delay < p->base_s)
                p->base_s = delay;
            p->last_s = delay - p->base_s;
            p->peak_s = fmax(p->peak_s, p->last_s);
        }
        while (seen < n) {
            if (p->delay[seen] != SDW_TRAIN_LOST) {
                double d = (double)p->delay[seen] * 1e-9;
                if (began + (double)p->sent[seen] * 1e-9 + d + p->rtt_s > at)
                    break;
                known = d - p->base_s;
            }
            seen++;
        }
        most = p->train_bytes * (known < lo ? 2 : 1);
        if (known > stop || sent >= most || at - began >= p->train_s || (first && known > hi))
            break;
        if ((double)n <= bump) {
            at += 10e-6;
            continue;
        }
        if (!first && sim_in_burst(&burst, sent / p->train_bytes)) {
            at += 10e-6;
            continue;
        }
        if (first)
            rate *= 1.05;
        else if (known < lo)
            rate = fmax(rate, a) * exp(size * 8 / fmax(rate, a) / climb);
        else
            rate = known > hi ? 0.5 * a : 1.1 * a;
        rate = fmin(rate, p->max_bps);
        at += size * 8 / rate;
    }
    p->train = (struct sdw_train){n, p->sent, p->size, p->delay};
    p->bytes += sent;
    if (first) {
        for (int i = 0; i < 4 && n + 1 < SIM_TRAIN_MAX; i++, n++) {
            at += 10e-6;
            double delay = sim_probe(s, at, size);
            p->sent[n] = (int64_t)((at - began) * 1e9);
            p->size[n] = (int64_t)size;
            p->delay[n] = delay < 0 ? SDW_TRAIN_LOST : (int64_t)(delay * 1e9);
            p->bytes += size;
        }
        p->train.n = n;
        p->available = rate / 1.5;
    }
    sim_learn(p);
    return at;
}

#endif
