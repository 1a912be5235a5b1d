/*
 * The way to a destination, hop by hop: found with a ladder of rising TTLs that carries the flow's
 * own identifier (RFC 9198, section 3), with base delays and with the routers that limit ICMP.
 */
#ifndef SDW_NET_ROUTE_H
#define SDW_NET_ROUTE_H

#include "core/base.h"
#include "core/err.h"
#include "net/carrier.h"
#include "net/plan.h"
#include "net/run.h"

enum {
    SDW_ROUTE_ROUNDS = 8
}; /* one more answers than the 6 a Linux router gives in a burst, and
      one to be sure */

struct sdw_route_hop {
    struct sdw_address addr; /* none: it never answered */
    int64_t base_ns;         /* least round-trip time; INT64_MAX: unknown */
    unsigned asked, answered;
    bool limited;                       /* it stopped answering while it was asked */
    int64_t round_ns[SDW_ROUTE_ROUNDS]; /* round-trip times of the ladder */
    bool heard[SDW_ROUTE_ROUNDS];       /* by round */
};

struct sdw_route {
    unsigned hops; /* to the destination; when not reached: the last that answered, 0 none */
    bool reached;
    enum sdw_far_end far_end;
    struct sdw_route_hop hop[SDW_HOPS_MAX + 1]; /* hop[1..hops] */
    uint8_t far_ttl;                            /* TTL left at the far end of a far marker */
    int64_t base_one_way_ns;                    /* least T2 - T1; INT64_MAX: unknown */
    char id[17];                                /* path_id */
    int64_t bytes;                              /* what finding it cost */
};

struct sdw_route_options {
    unsigned max_hops;   /* 1..SDW_HOPS_MAX */
    double ttl_rate;     /* packets a second that may expire at one router */
    int64_t patience_ns; /* how long the first answers may take */
    uint8_t dscp;
};

/* Walk the path: one ladder, which tells the hops and how the far end answers. Not reaching the
 * destination is no error: the route says how far it got. */
int sdw_route_walk(struct sdw_route *route, const struct sdw_route_options *options,
                   struct sdw_carrier *carrier, uint32_t *next_id, struct sdw_err *err);
/* The further ladders over a path that was walked by this carrier: base delays, hops that limit
 * ICMP, and the path's id. */
int sdw_route_survey(struct sdw_route *route, const struct sdw_route_options *options,
                     struct sdw_carrier *carrier, uint32_t *next_id, struct sdw_err *err);

/* Take what a slot's markers show: base delays only ever fall. Returns false when a packet was
 * answered by other hops than the route's, or arrived with another TTL: the path has changed. */
bool sdw_route_learn(struct sdw_route *route, const struct sdw_plan *plan,
                     const struct sdw_run *run);

/* Whether the two are one way: hops that were silent in one of them match anything. */
bool sdw_route_same(const struct sdw_route *a, const struct sdw_route *b);

/* Whether `walked` is `known` with a far end that was silent to the packets that first reached it,
 * so that it seems farther away or not there: one that does not reflect may limit its answers. The
 * routers are the same, and none stands where the far end was. */
bool sdw_route_shy(const struct sdw_route *known, const struct sdw_route *walked);

/* Longest base round-trip time of the hops, 0 when none is known. */
int64_t sdw_route_longest_ns(const struct sdw_route *route);
bool sdw_route_limited(const struct sdw_route *route); /* some hop limits ICMP */
/* The far end does not reflect and limits the answers that it gives instead: echo replies if it is
 * seen to, ICMP errors in any case (RFC 1812, section 4.3.2.8; RFC 4443, section 2.4 f). */
bool sdw_route_far_limited(const struct sdw_route *route);

#endif
