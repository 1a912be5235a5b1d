#include "io/scan.h"
#include "net/lab.h"
#include "sys/netns.h"
#include "sys/offload.h"
#include "sys/route.h"
#include "sys/sysctl.h"
#include "sys/veth.h"

#include <stdlib.h>
#include <unistd.h>

struct setting {
    const char *name, *value;
};

/* What makes a namespace a router or host that does nothing on its own. An older kernel goes
 * without those that it does not know. */
static const struct setting always[] = {
    {"net.ipv4.conf.all.rp_filter", "0"},
    {"net.ipv4.conf.default.rp_filter", "0"},
    {"net.ipv4.conf.all.send_redirects", "0"},
    {"net.ipv4.conf.default.send_redirects", "0"},
    {"net.ipv4.fib_multipath_hash_policy", "1"},
    {"net.ipv6.fib_multipath_hash_policy", "1"},
    {"net.ipv6.conf.all.disable_ipv6", "0"},
    {"net.ipv6.conf.default.disable_ipv6", "0"},
    {"net.ipv6.conf.all.accept_dad", "0"},
    {"net.ipv6.conf.default.accept_dad", "0"},
    {"net.ipv6.conf.default.dad_transmits", "0"},
    {"net.ipv6.conf.default.accept_ra", "0"},
    {"net.ipv6.conf.default.router_solicitations", "0"},
};

static const struct setting of_routers[] = {
    {"net.ipv4.ip_forward", "1"},
    {"net.ipv6.conf.all.forwarding", "1"},
    {"net.ipv6.conf.default.forwarding", "1"},
};

static const struct setting without_icmp_limits[] = {
    {"net.ipv4.icmp_ratelimit", "0"},
    {"net.ipv4.icmp_msgs_per_sec", "100000"},
    {"net.ipv4.icmp_msgs_burst", "10000"},
    {"net.ipv6.icmp.ratelimit", "0"},
};

static int set_all(const struct setting *settings, size_t n, struct sdw_err *err)
{
    for (size_t i = 0; i < n; i++) {
        int code = sdw_sysctl_set(settings[i].name, settings[i].value, err);
        if (code < 0 && code != SDW_ENO)
            return code;
    }
    return 0;
}

/* The settings that the node's record lists: {"net.ipv4.ip_default_ttl":60}. */
static int set_listed(const char *json, struct sdw_err *err)
{
    struct sdw_scan scan;
    struct sdw_member member;
    int code = sdw_scan_begin(&scan, sdw_str_of(json), err);
    while (code == 0 && (code = sdw_scan_next(&scan, &member, err)) > 0) {
        char *name = sdw_xstrndup(member.key.p, member.key.n);
        bool text = member.kind == SDW_SCAN_STRING;
        char *value = sdw_xstrndup(member.value.p + text, member.value.n - (text ? 2 : 0));
        code = sdw_sysctl_set(name, value, err);
        free(name);
        free(value);
    }
    return code;
}

/* The settings of the current namespace: forwarding, no redirects, no filters, no waiting. */
static int set_sysctls(const struct sdw_lab_node *node, bool icmp_off, struct sdw_err *err)
{
    int code = set_all(always, SDW_LEN(always), err);
    if (code == 0 && node->router)
        code = set_all(of_routers, SDW_LEN(of_routers), err);
    if (code == 0 && icmp_off)
        code = set_all(without_icmp_limits, SDW_LEN(without_icmp_limits), err);
    if (code == 0 && node->sysctls)
        code = set_listed(node->sysctls, err);
    return code;
}

struct build {
    const char *lab;
    const struct sdw_topology *topology;
    bool icmp_off;
    struct sdw_err *err;
};

/* One pass over the nodes, each time inside the node with a netlink socket of it. */
static int in_each_node(const struct build *build,
                        int (*work)(const struct build *build, size_t node,
                                    struct sdw_netlink *netlink))
{
    int code = 0;
    for (size_t i = 0; i < build->topology->n_nodes && code == 0; i++) {
        char name[SDW_LAB_NETNS];
        struct sdw_netlink netlink;
        sdw_lab_netns(build->lab, build->topology->nodes[i].name, name);
        code = sdw_netns_enter(name, build->err);
        if (code == 0)
            code = sdw_netlink_open(&netlink, 0, build->err);
        if (code < 0)
            return code;
        code = work(build, i, &netlink);
        sdw_netlink_close(&netlink);
    }
    return code;
}

static int make_node(const struct build *build, size_t index)
{
    char name[SDW_LAB_NETNS];
    const struct sdw_lab_node *node = &build->topology->nodes[index];
    int code = sdw_netns_create(sdw_lab_netns(build->lab, node->name, name), build->err);
    return code < 0 ? code : set_sysctls(node, build->icmp_off, build->err);
}

/* Its own addresses on lo, each for one host: the rest of their prefixes is nobody's. */
static int address_node(const struct build *build, size_t index, struct sdw_netlink *netlink)
{
    const struct sdw_lab_node *node = &build->topology->nodes[index];
    int code = sdw_interface_up(netlink, "lo", true, build->err);
    for (size_t i = 0; i < node->n_addrs && code == 0; i++)
        code = sdw_addr_add(netlink, 1, sdw_ip_host(node->addrs[i]), build->err);
    return code;
}

static int pair_links(const struct build *build, size_t index, struct sdw_netlink *netlink)
{
    int code = 0;
    for (size_t l = 0; l < build->topology->n_links && code == 0; l++) {
        const struct sdw_lab_end *end = build->topology->links[l].end;
        char name[SDW_LAB_NETNS];
        if (end[0].node != index)
            continue;
        int peer = sdw_netns_open(sdw_lab_netns(build->lab, end[1].node_name, name), build->err);
        if (peer < 0)
            return peer;
        struct sdw_veth_end here = {.name = end[0].dev}, there = {.name = end[1].dev};
        memcpy(here.mac, end[0].mac, sizeof here.mac);
        memcpy(there.mac, end[1].mac, sizeof there.mac);
        code = sdw_veth_create(netlink, &here, &there, peer, build->err);
        close(peer);
    }
    return code;
}

static int start_end(struct sdw_netlink *netlink, const struct sdw_lab_end *end,
                     const struct sdw_lab_end *other, struct sdw_err *err)
{
    int index = sdw_interface_index(end->dev, err);
    int code = index < 0 ? index : sdw_offload_off(end->dev, err);
    if (code == 0)
        code = sdw_interface_up(netlink, end->dev, true, err);
    for (int family = 0; family < 2 && code == 0; family++) {
        code = sdw_addr_add(netlink, index, end->ip[family], err);
        if (code == 0)
            code = sdw_neighbour_add(netlink, index, other->ip[family], other->mac, err);
    }
    return code;
}

static int start_links(const struct build *build, size_t index, struct sdw_netlink *netlink)
{
    int code = 0;
    for (size_t l = 0; l < build->topology->n_links && code == 0; l++) {
        const struct sdw_lab_end *end = build->topology->links[l].end;
        for (int side = 0; side < 2 && code == 0; side++)
            if (end[side].node == index)
                code = start_end(netlink, &end[side], &end[!side], build->err);
    }
    return code;
}

static int add_route(const struct build *build, size_t index, struct sdw_netlink *netlink,
                     const struct sdw_lab_route *route)
{
    struct sdw_next_hop hops[SDW_LEN(route->links)];
    for (size_t i = 0; i < route->n_links; i++) {
        const struct sdw_lab_end *end = build->topology->links[route->links[i]].end;
        int side = end[0].node == index ? 0 : 1;
        hops[i].via = end[!side].ip[sdw_ip_bits(route->to.family) == 32 ? 0 : 1];
        hops[i].interface = sdw_interface_index(end[side].dev, build->err);
        if (hops[i].interface < 0)
            return hops[i].interface;
    }
    struct sdw_kernel_route add = {route->to, hops, route->n_links, route->priority};
    return sdw_route_add(netlink, &add, build->err);
}

static int route_node(const struct build *build, size_t index, struct sdw_netlink *netlink)
{
    struct sdw_lab_route *routes;
    size_t n = sdw_topology_routes(build->topology, index, &routes);
    int code = 0;
    for (size_t i = 0; i < n && code == 0; i++)
        code = add_route(build, index, netlink, &routes[i]);
    free(routes);
    return code;
}

static int shape_end(const struct build *build, const struct sdw_lab_link *link, int side)
{
    int code = 0;
    if (link->end[side].rate_bps > 0)
        code = sdw_lab_apply_queue(build->lab, link, side, build->err);
    if (code == 0 && link->end[side].loss_share > 0)
        code = sdw_lab_apply_loss(build->lab, link, side, build->err);
    return code;
}

static int build_all(const struct build *build)
{
    int code = 0;
    for (size_t i = 0; i < build->topology->n_nodes && code == 0; i++)
        code = make_node(build, i);
    if (code == 0)
        code = in_each_node(build, address_node);
    if (code == 0)
        code = in_each_node(build, pair_links);
    if (code == 0)
        code = in_each_node(build, start_links);
    if (code == 0)
        code = in_each_node(build, route_node);
    for (size_t l = 0; l < build->topology->n_links && code == 0; l++)
        for (int side = 0; side < 2 && code == 0; side++)
            code = shape_end(build, &build->topology->links[l], side);
    return code;
}

static int count_one(const char *name, void *arg)
{
    size_t prefix = *(const size_t *)arg;
    return strchr(name + prefix, '-') ? 0 : SDW_ENO;
}

/* Whether nothing of that name stands. */
static int check_free(const char *lab, struct sdw_err *err)
{
    char prefix[SDW_LAB_NETNS];
    size_t length = strlen(sdw_lab_netns(lab, "", prefix));
    int code = sdw_netns_each(prefix, count_one, &length, err);
    return code == SDW_ENO ? sdw_err_set(err, SDW_EUSAGE,
                                         "the laboratory \"%s\" stands already"
                                         " (shadow-lab down --lab %s takes it down)",
                                         lab, lab)
                           : code;
}

int sdw_lab_up(const char *lab, const struct sdw_topology *topology, bool icmp_off,
               struct sdw_err *err)
{
    const struct build build = {lab, topology, icmp_off, err};
    int code = sdw_netns_prepare(err);
    int home = code < 0 ? code : sdw_netns_open(NULL, err);
    if (home < 0)
        return home;
    int lock = sdw_lab_lock(lab, err);
    code = lock < 0 ? lock : check_free(lab, err);
    if (code >= 0) {
        code = sdw_lab_save(lab, topology, err);
        if (code == 0)
            code = build_all(&build);
        int back = sdw_netns_return(home, code < 0 ? NULL : err);
        if (code == 0)
            code = back;
        if (code < 0) {
            struct sdw_lab_down count;
            (void)sdw_lab_clear(lab, &count, NULL);
        }
    }
    if (lock >= 0)
        close(lock);
    close(home);
    return code;
}
