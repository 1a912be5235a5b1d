#include "steer/routes.h"
#include "core/buf.h"
#include "core/map.h"
#include "core/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

static int keep_route(const struct sdw_fib_route *route, void *arg)
{
    struct sdw_routes *routes = arg;
    if (route->protocol == SDW_STEER_PROTOCOL)
        return 0;
    SDW_GROW(routes->route, routes->cap, routes->n + 1);
    routes->route[routes->n++] = *route;
    return 0;
}

/* The next hops of a route that only names their object (net.ipv4.nexthop_compat_mode 0). */
static int look_up(struct sdw_fib_route *route, struct sdw_netlink *netlink, struct sdw_err *err)
{
    struct sdw_nexthop object, member;
    int got = sdw_nexthop_get(netlink, route->nexthop_id, &object, err);
    if (got > 0 && object.n == 0)
        route->hop[route->n++] = (struct sdw_fib_hop){.gateway = object.gateway, .weight = 1};
    for (size_t m = 0; got > 0 && m < object.n; m++) {
        if (route->n == SDW_FIB_HOPS) {
            route->cut = true;
            return 0;
        }
        got = sdw_nexthop_get(netlink, object.member[m].id, &member, err);
        if (got > 0)
            route->hop[route->n++] =
                (struct sdw_fib_hop){.gateway = member.gateway, .weight = object.member[m].weight};
    }
    return got < 0 ? got : 0;
}

static int compare_prefixes(const struct sdw_fib_route *a, const struct sdw_fib_route *b)
{
    if (a->family != b->family)
        return a->family < b->family ? -1 : 1;
    if (a->dst_len != b->dst_len)
        return a->dst_len < b->dst_len ? -1 : 1;
    return memcmp(a->dst, b->dst, sizeof a->dst);
}

static int compare_places(const void *a, const void *b)
{
    const struct sdw_fib_route *x = *(const struct sdw_fib_route *const *)a;
    const struct sdw_fib_route *y = *(const struct sdw_fib_route *const *)b;
    int differs = compare_prefixes(x, y);
    return differs ? differs : (x > y) - (x < y);
}

static void index_prefixes(struct sdw_routes *routes)
{
    free(routes->by_prefix);
    routes->by_prefix = sdw_xalloc((routes->n + 1) * sizeof *routes->by_prefix);
    for (size_t i = 0; i < routes->n; i++)
        routes->by_prefix[i] = &routes->route[i];
    qsort(routes->by_prefix, routes->n, sizeof *routes->by_prefix, compare_places);
}

int sdw_routes_load(struct sdw_routes *routes, struct sdw_netlink *netlink, struct sdw_err *err)
{
    routes->n = 0;
    int code = sdw_fib_dump(netlink, AF_INET, keep_route, routes, err);
    if (code == 0)
        code = sdw_fib_dump(netlink, AF_INET6, keep_route, routes, err);
    for (size_t i = 0; i < routes->n && code == 0; i++)
        if (routes->route[i].nexthop_id && routes->route[i].n == 0)
            code = look_up(&routes->route[i], netlink, err);
    index_prefixes(routes);
    return code;
}

void sdw_routes_release(struct sdw_routes *routes)
{
    free(routes->route);
    free(routes->by_prefix);
    *routes = (struct sdw_routes){0};
}

bool sdw_route_same_prefix(const struct sdw_fib_route *a, const struct sdw_fib_route *b)
{
    return compare_prefixes(a, b) == 0;
}

const struct sdw_fib_route *const *sdw_routes_of(const struct sdw_routes *routes,
                                                 const struct sdw_fib_route *prefix, size_t *n)
{
    size_t low = 0, high = routes->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_prefixes(routes->by_prefix[middle], prefix) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (*n = 0; low + *n < routes->n; ++*n)
        if (compare_prefixes(routes->by_prefix[low + *n], prefix) != 0)
            break;
    return routes->by_prefix + low;
}

const struct sdw_fib_route *sdw_routes_best(const struct sdw_routes *routes,
                                            const struct sdw_fib_route *prefix)
{
    const struct sdw_fib_route *best = NULL;
    size_t n;
    const struct sdw_fib_route *const *same = sdw_routes_of(routes, prefix, &n);
    for (size_t i = 0; i < n; i++)
        if (same[i]->table == prefix->table && same[i]->tos == 0 &&
            (!best || same[i]->metric < best->metric))
            best = same[i];
    return best;
}

static uint64_t route_hash(const struct sdw_fib_route *route)
{
    struct sdw_buf text = {0};
    sdw_buf_printf(&text, "%u %u %u %u %u", route->table, route->metric, route->tos,
                   route->protocol, route->nexthop_id);
    for (size_t i = 0; i < route->n; i++) {
        const struct sdw_fib_hop *hop = &route->hop[i];
        sdw_buf_printf(&text, " %d %u ", hop->gateway.ifindex, hop->weight);
        sdw_buf_add(&text, hop->gateway.addr, sizeof hop->gateway.addr);
    }
    uint64_t hash = sdw_hash(text.p, text.n, 0);
    sdw_buf_release(&text);
    return hash;
}

const char *sdw_routes_digest(const struct sdw_routes *routes, const struct sdw_fib_route *prefix,
                              char out[24])
{
    /* The sum does not depend on the order in which the kernel lists them. */
    uint64_t sum = 0;
    size_t n;
    const struct sdw_fib_route *const *same = sdw_routes_of(routes, prefix, &n);
    for (size_t i = 0; i < n; i++)
        sum += route_hash(same[i]);
    snprintf(out, 24, "%016llx", (unsigned long long)sum);
    return out;
}
