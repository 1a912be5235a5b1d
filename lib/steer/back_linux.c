#include "steer/back.h"
#include "core/clock.h"
#include "steer/policy.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <sys/socket.h>

enum { UNDER_WAY_NS = 2 * 1000 * 1000 };

/* Ids of a unit: +0 the group, +1..+4 the primary (as often as it takes part), +8..+15 shadows. */
static uint32_t group_id(uint32_t slot)
{
    return (uint32_t)SDW_IDS_BASE + slot * SDW_IDS_EACH;
}

static uint32_t primary_id(uint32_t slot, size_t copy)
{
    return group_id(slot) + 1 + (uint32_t)copy;
}

static uint32_t shadow_id(uint32_t slot, size_t way)
{
    return group_id(slot) + 7 + (uint32_t)way;
}

/* How many sets of next hops a unit has. When a group is replaced, IPv6 discards the packets that
 * are under way by the members of before, even by those that stay (net/ipv4/nexthop.c,
 * nh_rt_cache_flush): its group changes between two sets, and that of before is at rest when it
 * is let go. */
static size_t n_sets(const struct sdw_target *target)
{
    return target->unit->route.family == AF_INET6 ? 2 : 1;
}

static uint32_t set_offset(size_t set)
{
    return (uint32_t)set * SDW_IDS_TWIN;
}

/* The primary stands between each pair of shadows. */
static size_t primary_copies(size_t n_ways)
{
    return n_ways <= 1 ? 1 : n_ways / 2;
}

static size_t add(struct sdw_nexthop_member *member, size_t n, uint32_t id, unsigned weight)
{
    if (weight)
        member[n++] = (struct sdw_nexthop_member){id, weight};
    return n;
}

/* Split the primary's weight over its places so that each place and its two shadows keep the same
 * part of the hash space while shares change. */
static void split_primary(const unsigned *weight, size_t n_ways, unsigned *part)
{
    size_t copies = primary_copies(n_ways);
    unsigned cell = SDW_SHARE_STEPS / (unsigned)copies, left = weight[0];
    for (size_t c = 0; c < copies; c++) {
        unsigned beside = weight[1 + 2 * c] + (2 * c + 2 < n_ways ? weight[2 + 2 * c] : 0);
        unsigned want = beside < cell ? cell - beside : 0;
        part[c] = want < left ? want : left;
        left -= part[c];
    }
    part[0] += left;
}

size_t sdw_back_members(const struct sdw_target *target, size_t set,
                        struct sdw_nexthop_member *member)
{
    size_t n_ways = target->unit->n_ways, n = 0;
    unsigned weight[SDW_WAYS_MAX] = {0}, part[SDW_WAYS_MAX] = {0};
    sdw_share_weights(target->share, n_ways, weight);
    split_primary(weight, n_ways, part);
    for (size_t c = 0; c < primary_copies(n_ways); c++) {
        size_t left = 1 + 2 * c, right = 2 + 2 * c;
        n = add(member, n, shadow_id(target->slot, left), weight[left]);
        n = add(member, n, primary_id(target->slot, c), part[c]);
        if (right < n_ways)
            n = add(member, n, shadow_id(target->slot, right), weight[right]);
    }
    for (size_t m = 0; m < n; m++)
        member[m].id += set_offset(set);
    return n;
}

bool sdw_back_shares(uint32_t slot, size_t n_ways, const struct sdw_nexthop *group, double *share)
{
    double sum = 0;
    for (size_t i = 0; i < n_ways; i++)
        share[i] = 0;
    for (size_t m = 0; m < group->n; m++)
        sum += group->member[m].weight;
    for (size_t m = 0; m < group->n; m++) {
        uint32_t offset = (group->member[m].id - group_id(slot)) % SDW_IDS_TWIN;
        size_t way = offset >= 1 && offset <= 4 ? 0 : offset >= 8 ? offset - 7 : n_ways;
        if (way >= n_ways)
            return false;
        share[way] += group->member[m].weight / sum;
    }
    return group->n > 0;
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
    return sdw_nexthop_put(netlink, id, SDW_STEER_PROTOCOL, gateway, err);
}

static int put_way(struct sdw_netlink *netlink, const struct sdw_target *target, size_t way,
                   struct sdw_err *err)
{
    const struct sdw_gateway *gateway = &target->unit->way[way].gateway;
    size_t copies = way == 0 ? primary_copies(target->unit->n_ways) : 1;
    int code = 0;
    for (size_t set = 0; set < n_sets(target); set++)
        for (size_t c = 0; c < copies && code == 0; c++) {
            uint32_t id = way == 0 ? primary_id(target->slot, c) : shadow_id(target->slot, way);
            code = put_once(netlink, id + set_offset(set), gateway, err);
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
    int got = sdw_nexthop_get(netlink, group_id(target->slot), &group, err);
    if (got <= 0)
        return got;
    return group.n > 0 && group.member[0].id - group_id(target->slot) < SDW_IDS_TWIN;
}

static int linux_set(struct sdw_netlink *netlink, const struct sdw_target *target,
                     struct sdw_err *err)
{
    struct sdw_nexthop_member member[SDW_NEXTHOP_MEMBERS];
    int set = idle_set(netlink, target, err);
    if (set < 0)
        return set;
    size_t n = sdw_back_members(target, (size_t)set, member);
    return sdw_nexthop_put_group(netlink, group_id(target->slot), SDW_STEER_PROTOCOL, member, n,
                                 err);
}

static int linux_read(struct sdw_netlink *netlink, const struct sdw_target *target, double *share,
                      struct sdw_err *err)
{
    struct sdw_nexthop group;
    int got = sdw_nexthop_get(netlink, group_id(target->slot), &group, err);
    if (got <= 0)
        return got;
    if (group.protocol != SDW_STEER_PROTOCOL ||
        !sdw_back_shares(target->slot, target->unit->n_ways, &group, share))
        return sdw_err_set(err, SDW_ESYS, "next-hop group %u is not what shadow-steer put there",
                           group_id(target->slot));
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
    route.nexthop_id = group_id(target->slot);
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
    int code = 0;
    for (size_t c = 0; c < primary_copies(target->unit->n_ways) && code == 0; c++)
        code = sdw_nexthop_delete(netlink, primary_id(target->slot, c) + set_offset(set), err);
    for (size_t i = 1; i < target->unit->n_ways && code == 0; i++)
        code = sdw_nexthop_delete(netlink, shadow_id(target->slot, i) + set_offset(set), err);
    return code;
}

static int linux_disarm(struct sdw_netlink *netlink, const struct sdw_target *target,
                        struct sdw_err *err)
{
    struct sdw_fib_route route = own_route(target);
    struct sdw_nexthop group;
    /* Without its group there is no route, and the kernel refuses to look for one. */
    int code = sdw_nexthop_get(netlink, group_id(target->slot), &group, err);
    if (code > 0)
        code = sdw_fib_delete(netlink, &route, err);
    /* IPv6 discards packets that are under way by a next hop when that is deleted. */
    if (target->unit->route.family == AF_INET6)
        (void)sdw_sleep_until(sdw_mono_ns() + UNDER_WAY_NS, 0);
    if (code == 0)
        code = sdw_nexthop_delete(netlink, group_id(target->slot), err);
    for (size_t set = 0; set < n_sets(target) && code == 0; set++)
        code = delete_set(netlink, target, set, err);
    return code;
}

static int linux_arm(struct sdw_netlink *netlink, const struct sdw_target *target,
                     const struct sdw_fib_route *existing, struct sdw_err *err)
{
    int code = 0;
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
