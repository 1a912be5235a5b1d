/*
 * The kernel's own routes, as the plan was made from them and as they are now. Routes that carry
 * our protocol number are not among them.
 */
#ifndef SDW_STEER_ROUTES_H
#define SDW_STEER_ROUTES_H

#include "core/base.h"
#include "core/err.h"
#include "sys/fib.h"

/* The protocol number of all that shadow-steer puts into the kernel. */
enum { SDW_STEER_PROTOCOL = 93 };

struct sdw_routes {
    struct sdw_fib_route *route;            /* in the kernel's order */
    const struct sdw_fib_route **by_prefix; /* the same, those of one prefix beside each other */
    size_t n, cap;
};

/* Both families; replaces what it held. */
int sdw_routes_load(struct sdw_routes *routes, struct sdw_netlink *netlink, struct sdw_err *err);
void sdw_routes_release(struct sdw_routes *routes);

/* Whether two routes are for the same destination (whatever table and metric). */
bool sdw_route_same_prefix(const struct sdw_fib_route *a, const struct sdw_fib_route *b);

/* All routes of exactly this prefix, in all tables, in the kernel's order: the first of *n. */
const struct sdw_fib_route *const *sdw_routes_of(const struct sdw_routes *routes,
                                                 const struct sdw_fib_route *prefix, size_t *n);

/* The route of exactly this prefix in its table that the kernel would use: the least metric.
 * NULL when there is none. */
const struct sdw_fib_route *sdw_routes_best(const struct sdw_routes *routes,
                                            const struct sdw_fib_route *prefix);

/* 16 hex digits over all routes of exactly this prefix in all tables: next hops, metrics, weights,
 * protocols. It does not change when a link goes down or comes back. Returns out. */
const char *sdw_routes_digest(const struct sdw_routes *routes, const struct sdw_fib_route *prefix,
                              char out[24]);

#endif
