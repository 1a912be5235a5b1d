#include "core/clock.h"
#include "steer/layout.h"
#include "steer/policy.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <sys/socket.h>

enum { UNDER_WAY_NS = 2 * 1000 * 1000 };

/* How many sets of next hops a unit has. When a group is replaced, IPv6 discards the packets that
 * are under way by the members of before, even by those that stay (net/ipv4/nexthop.c,
 * nh_rt_cache_flush): its group changes between two sets, and that of before is at rest when it
 * is let go. */
static size_t n_sets(const struct sdw_target *target)
{
    return target->unit->route.family == AF_INET6 ? 2 : 1;
}

/* An id that somebody else uses is theirs. */
static int refuse_foreign(const struct sdw_nexthop *is, struct sdw_err *err)
{
    if (is->protocol == SDW_STEER_PROTOCOL)
        return 0;
    return sdw_err_set(err, SDW_ESYS,
                       "next hop %u is not of shadow-steer (its protocol is %u): free that id",
                       is->id, is->protocol);
}

static int delete_own(struct sdw_netlink *netlink, uint32_t id, struct sdw_err *err)
{
    struct sdw_nexthop is;
    int got = sdw_nexthop_get(netlink, id, &is, err);
    if (got <= 0 || is.protocol != SDW_STEER_PROTOCOL)
        return got < 0 ? got : 0;
    return sdw_nexthop_delete(netlink, id, err);
}

/* Put a next hop unless it is there: replacing one discards what is under way by it. */
static int put_once(struct sdw_netlink *netlink, uint32_t id, const struct sdw_gateway *gateway,
                    struct sdw_err *err)
{
    struct sdw_nexthop is;
    int got = sdw_nexthop_get(netlink, id, &is, err);
    if (got < 0 ||
        (got && is.protocol == SDW_STEER_PROTOCOL && is.gateway.ifindex == gateway->ifindex &&
         memcmp(is.gateway.addr, gateway->addr, sizeof is.gateway.addr) == 0))
        return got < 0 ? got : 0;
    if (got && refuse_foreign(&is, err) < 0)
        return SDW_ESYS;
    return sdw_nexthop_put(netlink, id, SDW_STEER_PROTOCOL, gateway, err);
}

static int put_primary(struct sdw_netlink *netlink, const struct sdw_target *target, size_t set,
                       struct sdw_err *err)
{
    int code = 0;
    for (size_t k = 0; k < target->unit->n_hops; k++)
        for (size_t c = 0;
             target->hop_up[k] && c < sdw_layout_copies(target->unit->n_ways) && code == 0; c++)
            code = put_once(netlink, sdw_layout_primary(target->slot, set, k, c),
                            &target->unit->hop[k].gateway, err);
    return code;
}

static int put_way(struct sdw_netlink *netlink, const struct sdw_target *target, size_t way,
                   struct sdw_err *err)
{
    int code = 0;
    for (size_t set = 0; set < n_sets(target) && code == 0; set++) {
        if (way == 0)
            code = put_primary(netlink, target, set, err);
        for (size_t k = 0; way > 0 && k < target->unit->n_hops && code == 0; k++)
            code = put_once(netlink, sdw_layout_shadow(target->slot, set, k, way),
                            &target->unit->way[way].gateway, err);
    }
    return code;
}

/* The set that the group does not use now: 0 or 1, negative on failure. */
static int idle_set(struct sdw_netlink *netlink, const struct sdw_target *target,
                    struct sdw_err *err)
{
    struct sdw_nexthop group;
    if (n_sets(target) == 1)
        return 0;
    if (target->set && *target->set >= 0)
        return 1 - *target->set;
    int got = sdw_nexthop_get(netlink, sdw_layout_group(target->slot), &group, err);
    if (got <= 0)
        return got;
    return sdw_layout_set(target->slot, &group) == 0;
}

static int linux_set(struct sdw_netlink *netlink, const struct sdw_target *target,
                     struct sdw_err *err)
{
    struct sdw_nexthop_member member[SDW_NEXTHOP_MEMBERS];
    int set = idle_set(netlink, target, err);
    if (set < 0)
        return set;
    size_t n = sdw_layout_members(target, (size_t)set, member);
    int code = sdw_nexthop_put_group(netlink, sdw_layout_group(target->slot), SDW_STEER_PROTOCOL,
                                     member, n, err);
    if (target->set)
        *target->set = code < 0 ? -1 : set;
    return code;
}

static int linux_read(struct sdw_netlink *netlink, const struct sdw_target *target, double *share,
                      struct sdw_err *err)
{
    struct sdw_nexthop group;
    int got = sdw_nexthop_get(netlink, sdw_layout_group(target->slot), &group, err);
    if (got <= 0)
        return got;
    if (group.protocol != SDW_STEER_PROTOCOL ||
        !sdw_layout_shares(target->slot, target->unit->n_ways, &group, share))
        return sdw_err_set(err, SDW_ESYS, "next-hop group %u is not what shadow-steer put there",
                           sdw_layout_group(target->slot));
    return 1;
}

static int read_back(struct sdw_netlink *netlink, const struct sdw_target *target,
                     struct sdw_err *err)
{
    double share[SDW_WAYS_MAX] = {0};
    int got = linux_read(netlink, target, share, err);
    if (got < 0)
        return got;
    for (size_t i = 0; got && i < target->unit->n_ways; i++)
        if (fabs(share[i] - target->share[i]) > 1.01 / SDW_SHARE_STEPS)
            got = 0;
    return got ? 0
               : sdw_err_set(err, SDW_ESYS, "%s: the kernel does not have what was put",
                             target->unit->name);
}

/* Our route: the same destination and table, in front of the existing one. */
static struct sdw_fib_route own_route(const struct sdw_target *target)
{
    struct sdw_fib_route route = target->unit->route;
    route.protocol = SDW_STEER_PROTOCOL;
    route.nexthop_id = sdw_layout_group(target->slot);
    return route;
}

static int put_route(struct sdw_netlink *netlink, const struct sdw_target *target,
                     const struct sdw_fib_route *existing, struct sdw_err *err)
{
    struct sdw_fib_route route = own_route(target);
    route.tos = existing->tos;
    route.has_source = existing->has_source;
    memcpy(route.source, existing->source, sizeof route.source);
    route.metric = existing->metric;
    if (route.family == AF_INET6) {
        if (existing->metric <= 1)
            return sdw_err_set(err, SDW_ESYS,
                               "%s: its IPv6 route has metric 1, none can go in front of it: give "
                               "it a larger metric",
                               target->unit->name);
        route.metric--;
    }
    return sdw_fib_prepend(netlink, &route, err);
}

/* All next hops of one set; nothing may refer to them any more. */
static int delete_set(struct sdw_netlink *netlink, const struct sdw_target *target, size_t set,
                      struct sdw_err *err)
{
    size_t n_ways = target->unit->n_ways;
    int code = 0;
    for (size_t k = 0; k < target->unit->n_hops; k++) {
        for (size_t c = 0; c < sdw_layout_copies(n_ways) && code == 0; c++)
            code = delete_own(netlink, sdw_layout_primary(target->slot, set, k, c), err);
        for (size_t i = 1; i < n_ways && code == 0; i++)
            code = delete_own(netlink, sdw_layout_shadow(target->slot, set, k, i), err);
    }
    return code;
}

static int linux_disarm(struct sdw_netlink *netlink, const struct sdw_target *target,
                        struct sdw_err *err)
{
    struct sdw_fib_route route = own_route(target);
    struct sdw_nexthop group;
    if (target->set)
        *target->set = -1;
    /* Without its group there is no route, and the kernel refuses to look for one. */
    int code = sdw_nexthop_get(netlink, sdw_layout_group(target->slot), &group, err);
    if (code > 0 && group.protocol != SDW_STEER_PROTOCOL)
        code = 0;
    else if (code > 0)
        code = sdw_fib_delete(netlink, &route, err);
    /* IPv6 discards packets that are under way by a next hop when that is deleted. */
    if (target->unit->route.family == AF_INET6)
        (void)sdw_sleep_until(sdw_mono_ns() + UNDER_WAY_NS, 0);
    if (code == 0)
        code = delete_own(netlink, sdw_layout_group(target->slot), err);
    for (size_t set = 0; set < n_sets(target) && code == 0; set++)
        code = delete_set(netlink, target, set, err);
    return code;
}

static int linux_arm(struct sdw_netlink *netlink, const struct sdw_target *target,
                     const struct sdw_fib_route *existing, struct sdw_err *err)
{
    struct sdw_nexthop group;
    int got = sdw_nexthop_get(netlink, sdw_layout_group(target->slot), &group, err);
    int code = got > 0 ? refuse_foreign(&group, err) : got;
    for (size_t i = 0; i < target->unit->n_ways && code == 0; i++)
        if (target->up[i])
            code = put_way(netlink, target, i, err);
    if (code == 0)
        code = linux_set(netlink, target, err);
    if (code == 0)
        code = read_back(netlink, target, err);
    if (code == 0)
        code = put_route(netlink, target, existing, err);
    if (code < 0)
        (void)linux_disarm(netlink, target, NULL);
    return code;
}

const struct sdw_back *sdw_back_linux(void)
{
    static const struct sdw_back back = {"linux",      linux_arm,  linux_set,
                                         linux_disarm, linux_read, put_way};
    return &back;
}
