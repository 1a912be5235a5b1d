/*
 * Routers by their addresses, and what may be asked of each: no more packets may expire at one
 * within any second than it is allowed, and one that limits its answers is asked once a second.
 *
 * A gate counts over a little more than a second: packets are counted when the ladder or the train
 * begins that they belong to, and may leave as much later as that takes.
 */
#ifndef SDW_NET_ROUTER_H
#define SDW_NET_ROUTER_H

#include "core/map.h"
#include "net/address.h"

/* The last n times that something happened: at most n in any second. */
struct sdw_gate {
    int64_t *at_ns; /* at_ns[n], a ring */
    size_t n, next;
};

void sdw_gate_init(struct sdw_gate *gate, size_t n);
void sdw_gate_release(struct sdw_gate *gate);
/* Whether `more` may happen now; 1..n. */
bool sdw_gate_allows(const struct sdw_gate *gate, size_t more, int64_t now_ns);
/* How many did in the last second. */
size_t sdw_gate_used(const struct sdw_gate *gate, int64_t now_ns);
void sdw_gate_take(struct sdw_gate *gate, size_t more, int64_t now_ns);

struct sdw_router {
    struct sdw_gate gate;
    double answers;   /* share of late questions that it answered, the last ones weighing most */
    bool limited;     /* it answers fewer than half of them */
    int64_t asked_ns; /* monotonic */
};

struct sdw_routers {
    struct sdw_map by_addr;
    size_t per_s; /* packets that may expire at each of them in a second */
};

void sdw_routers_init(struct sdw_routers *routers, size_t per_s, uint64_t hash_key);
void sdw_routers_release(struct sdw_routers *routers);
/* The router of that address, made when it is new; NULL for no address, or when 65536 are known.
 * Lives as long as the book. */
struct sdw_router *sdw_routers_find(struct sdw_routers *routers, const struct sdw_address *addr);

/* Whether a ladder may ask it now, beside `others` packets that it may get; NULL, a silent hop, may
 * be asked. */
bool sdw_router_open(const struct sdw_router *router, size_t others, int64_t now_ns);
/* A question was answered or not. */
void sdw_router_learn(struct sdw_router *router, bool answered);

#endif
