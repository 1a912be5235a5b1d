/*
 * Available capacity of a path from many trains (model/chirp.h): RFC 5136's available IP-layer
 * capacity over an interval, with an interval of confidence, and the capacity of the tight link.
 *
 * Method. C: the dispersion of packets sent back to back into a busy queue has its mode where no
 * cross packet came between, at the time the link takes for one of them. A = C - X: each train
 * gives A(j) = (bits - C * growth of delay) / time, over the gaps in which the link never paused.
 * The trains are combined with weights 1 / (between + within(j)), the variance between trains by
 * DerSimonian and Laird (1986): with smooth cross traffic the long trains count more, with bursts
 * all count alike. The interval is Knapp and Hartung's (2003) with Student's t, widened by the
 * error of C.
 *
 * The set copies what it is given: init, add, release.
 */
#ifndef SDW_MODEL_CAPACITY_H
#define SDW_MODEL_CAPACITY_H

#include "core/base.h"
#include "model/chirp.h"

struct sdw_trains {
    struct sdw_kept_train *kept; /* in order of arrival */
    size_t n, cap, max;
};

void sdw_trains_init(struct sdw_trains *trains, size_t max); /* keeps the newest `max` */
void sdw_trains_release(struct sdw_trains *trains);
/* at_s: when the train began, on a clock that all trains share. */
void sdw_trains_add(struct sdw_trains *trains, double at_s, const struct sdw_train *train);

struct sdw_capacity_rules {
    double overhead_bytes; /* link-layer bytes a packet that the tight link counts (Ethernet: 14) */
    double packet_bytes;   /* IP size of the packets that capacity is stated for (1500) */
    double noise_s;        /* what time stamps may be off by */
    double rise_s;         /* a shorter queue is no effect */
    double level;          /* of the interval: 0.90 */
    double capacity_bps;   /* known beforehand, same units as the answer; NAN: from the trains */
};
extern const struct sdw_capacity_rules sdw_capacity_defaults;

/* All rates in IP-layer bit/s of packets of packet_bytes; NAN: not known. */
struct sdw_capacity_answer {
    double lo, mid, hi;   /* available; mid NAN and lo set when only a bound is known */
    double capacity_bps;  /* of the tight link */
    double capacity_se;   /* its standard error */
    double queued_share;  /* of the trains: those that left a queue behind */
    double sustained_bps; /* median of the rates that trains kept up without leaving a queue */
    double between_bps;   /* standard deviation of availability from train to train */
    double busy_s;        /* time in which the cross traffic was seen */
    double span_s;        /* of all the trains, each from its first packet to its last */
    size_t trains, used;  /* given; with busy time */
    size_t dispersions;   /* samples behind capacity_bps */
    bool bursty;          /* trains differ by more than smooth cross traffic would make them */
};

/* Over the trains [first, trains->n); base delays come from all trains. */
void sdw_capacity_estimate(const struct sdw_trains *trains, size_t first,
                           const struct sdw_capacity_rules *rules,
                           struct sdw_capacity_answer *answer);

/* Train i as it was added: borrowed until the set changes. */
const struct sdw_train *sdw_trains_at(const struct sdw_trains *trains, size_t i, double *at_s);

#endif
