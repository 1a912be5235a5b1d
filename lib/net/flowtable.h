/*
 * The flows that go on: found by packet, aged by the time of the capture, never more than a cap.
 *
 * The hash is keyed, so that nobody can make flows collide, and when the cap is reached a flow
 * chosen at random makes room, so that a flood of new flows pushes out mostly its own.
 */
#ifndef SDW_NET_FLOWTABLE_H
#define SDW_NET_FLOWTABLE_H

#include "core/base.h"
#include "net/biflow.h"

struct sdw_flowtable;

struct sdw_flowtable_config {
    size_t max_flows;  /* 1 .. 2^30 */
    int64_t idle_ns;   /* a flow ends after this long without a packet; > 0 */
    int64_t active_ns; /* a flow that goes on is due again after this long; > 0 */
    uint64_t hash_key; /* secret */
    uint64_t id_key;   /* the same key gives the same ids again */
    /* A flow ends: the last time it is seen. */
    void (*ended)(void *arg, struct sdw_biflow *flow, enum sdw_biflow_reason reason,
                  int64_t now_ns);
    /* A flow goes on that nothing was told of for active_ns. */
    void (*due)(void *arg, struct sdw_biflow *flow, int64_t now_ns);
    /* A flow had packets before the round that was begun at now_ns. */
    void (*touched)(void *arg, struct sdw_biflow *flow, int64_t now_ns);
    void *arg;
};

struct sdw_flowtable *sdw_flowtable_new(const struct sdw_flowtable_config *config);
void sdw_flowtable_free(struct sdw_flowtable *table); /* ends nothing */

/* Where the flow of a packet is to be found. */
struct sdw_flowtable_place {
    struct sdw_biflow_key key;
    uint32_t hash;
    bool sender_is_high;
};

/* The place of a packet, which is fetched into the cache while other packets are looked at; then,
 * some packets later, the flow there; then what it keeps of TCP. Only the first is needed. */
struct sdw_flowtable_place sdw_flowtable_find(const struct sdw_flowtable *table,
                                              const struct sdw_packet *packet);
void sdw_flowtable_fetch(const struct sdw_flowtable *table,
                         const struct sdw_flowtable_place *place);
void sdw_flowtable_fetch_tcp(const struct sdw_flowtable *table,
                             const struct sdw_flowtable_place *place);

/* The flow of a packet, made when there is none (*fresh), with the packet counted in; NULL never.
 * Valid until the next call. Making one may end another: of the same key when this packet opens a
 * new connection, any when the table is full. */
struct sdw_biflow *sdw_flowtable_see(struct sdw_flowtable *table,
                                     const struct sdw_flowtable_place *place,
                                     const struct sdw_packet *packet, int64_t ts_ns,
                                     enum sdw_direction *direction, bool *fresh);

/* Time has come to now_ns: end what is idle and tell what is due, in the order of their times. A
 * step back of more than the idle time ends all flows: the clock was set. */
void sdw_flowtable_advance(struct sdw_flowtable *table, int64_t now_ns);

/* Begin a round: the flows that had packets since the last one are to be told of (touched), as they
 * are now: a flow whose next packet or end comes before its turn is told of first. What is left of
 * the last round is told of at once. */
void sdw_flowtable_round(struct sdw_flowtable *table, int64_t now_ns);
/* Tell of some `most` of them. Returns whether there are more. */
bool sdw_flowtable_tell(struct sdw_flowtable *table, size_t most);

/* End all flows. */
void sdw_flowtable_end(struct sdw_flowtable *table, enum sdw_biflow_reason reason, int64_t now_ns);

size_t sdw_flowtable_count(const struct sdw_flowtable *table);

#endif
