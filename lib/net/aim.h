/*
 * What a session believes of its path while it injects: how much is available, how much the tight
 * link carries, and the least delay for each packet size. Enough to aim the next train well; the
 * estimate that counts is shadow-gradient's.
 */
#ifndef SDW_NET_AIM_H
#define SDW_NET_AIM_H

#include "core/base.h"

enum { SDW_AIM_SIZES = 6, SDW_AIM_MEMORY = 32 };

struct sdw_aim {
    double max_bps;               /* never inject faster */
    double available_bps;         /* 0: not known yet */
    double capacity_bps;          /* 0: not known yet */
    double rates[SDW_AIM_MEMORY]; /* at which packets sent back to back arrived, lately */
    size_t n_rates;
    double highest_bps;             /* most that was ever available */
    double before_bps;              /* what was available before the last train */
    size_t size;                    /* index of the load size in use */
    double size_bps;                /* what was available when it was chosen; 0: not chosen yet */
    int64_t base_ns[SDW_AIM_SIZES]; /* least delay seen of each size; INT64_MAX: none */
};

struct sdw_aim sdw_aim(double max_bps);

/* IP bytes of the next train's packets: about half a millisecond at the available rate. Kept until
 * that changed by half, because the least delay is learned for each size. */
uint16_t sdw_aim_bytes(struct sdw_aim *aim);

/* Delay of one load packet as measured (one way or round trip, any constant offset) above the least
 * that was seen of its size; learns from it. */
int64_t sdw_aim_delay(struct sdw_aim *aim, uint16_t ip_bytes, int64_t delay_ns);

/* Learn from a train: times of sending, sizes, and delays as measured, INT64_MIN where lost. While
 * there is a queue all the way from one packet to the next, the link serves the cross traffic and
 * ours at its full capacity: what it had left is what it served of ours. */
void sdw_aim_feed(struct sdw_aim *aim, const int64_t *sent_ns, const uint16_t *ip_bytes,
                  const int64_t *delay_ns, size_t n);

/* Learn from the first train, which rose to sent_bps: arguments as above. */
void sdw_aim_first(struct sdw_aim *aim, double sent_bps, const int64_t *sent_ns,
                   const uint16_t *ip_bytes, const int64_t *delay_ns, size_t n);

/* Whether to look again soon: little is left of what was once seen, or it has just fallen. */
bool sdw_aim_urgent(const struct sdw_aim *aim);

#endif
