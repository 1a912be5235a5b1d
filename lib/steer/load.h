/* The head-end's own interfaces: whether they carry, and how much of the live load is on them. */
#ifndef SDW_STEER_LOAD_H
#define SDW_STEER_LOAD_H

#include "steer/engine.h"

/* No load is expected to grow by more than this part of it, whoever forecasts it. */
#define SDW_GROWTH_MOST 0.25

/* Look up the interfaces of a unit's ways and of its primary's hops: fills in their ifindex,
 * up[n_ways] and hop_up[n_hops]. A missing interface is not up. */
int sdw_load_resolve(struct sdw_netlink *netlink, struct sdw_steer_unit *unit, bool *up,
                     bool *hop_up, struct sdw_err *err);
/* Whether any of the n is: the primary is up while one of its hops is. */
bool sdw_load_any(const bool *hop_up, size_t n);

/* Know all interfaces that the plan names. */
int sdw_load_start(struct sdw_steer *steer, struct sdw_err *err);
void sdw_load_release(struct sdw_steer *steer);
/* Read all counters and add a sample to each unit's load. */
int sdw_load_sample(struct sdw_steer *steer, struct sdw_err *err);
/* The kernel told of an interface: true when it came or went (carrier). */
bool sdw_load_notice(struct sdw_steer *steer, const struct sdw_link_state *link, bool gone);

/* The unit's load, bit/s: the mean of the last samples (NAN: no counter and no figure in the plan
 * tells), and an upper estimate of it (the largest of the last, times the headroom). */
double sdw_load_now(const struct sdw_steer_run *run);
/* The unit's load ahead_us from now, when it goes on to grow as it did over the last cycles; a load
 * that falls is taken to stay. */
double sdw_load_ahead(const struct sdw_steer_run *run, int64_t ahead_us, int64_t cycle_us);
double sdw_load_upper(const struct sdw_steer *steer, const struct sdw_steer_run *run);
/* Our load on the path of that way, over all units; upper: by upper estimates. 0 when unknown. */
double sdw_load_own(const struct sdw_steer_run *run, size_t way, bool upper);
/* Give the unit these shares[n_ways]: what its paths carry, and how many units are away, follows.
 */
void sdw_load_shares(struct sdw_steer *steer, struct sdw_steer_run *run, const double *share);

#endif
