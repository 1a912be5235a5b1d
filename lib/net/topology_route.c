#include "net/topology.h"

#include <stdlib.h>
#include <sys/socket.h>

/* The nearest node whose distance is not final; n_nodes when none is left. */
static size_t nearest(const struct sdw_topology *topology, const int64_t *distance,
                      const bool *final)
{
    size_t best = topology->n_nodes;
    for (size_t i = 0; i < topology->n_nodes; i++)
        if (!final[i] && distance[i] < INT64_MAX &&
            (best == topology->n_nodes || distance[i] < distance[best]))
            best = i;
    return best;
}

void sdw_topology_distances(const struct sdw_topology *topology, size_t destination,
                            int64_t *distance)
{
    bool *final = sdw_xalloc(topology->n_nodes);
    for (size_t i = 0; i < topology->n_nodes; i++)
        distance[i] = INT64_MAX;
    distance[destination] = 0;
    size_t at;
    while ((at = nearest(topology, distance, final)) < topology->n_nodes) {
        final[at] = true;
        if (at != destination && !topology->nodes[at].router)
            continue; /* a host is reached, never crossed */
        for (size_t l = 0; l < topology->n_links; l++) {
            const struct sdw_lab_link *link = &topology->links[l];
            for (int side = 0; side < 2; side++) {
                size_t other = link->end[!side].node;
                if (link->end[side].node == at && distance[at] + link->metric < distance[other])
                    distance[other] = distance[at] + link->metric;
            }
        }
    }
    free(final);
}

/* Which end of the link the node is at; -1: neither. */
static int side_of(const struct sdw_lab_link *link, size_t node)
{
    return link->end[0].node == node ? 0 : link->end[1].node == node ? 1 : -1;
}

static void find_links(const struct sdw_topology *topology, size_t node, const int64_t *distance,
                       struct sdw_lab_route *route)
{
    for (size_t l = 0; l < topology->n_links; l++) {
        const struct sdw_lab_link *link = &topology->links[l];
        int side = side_of(link, node);
        if (side < 0 || route->n_links == SDW_LEN(route->links))
            continue;
        int64_t rest = distance[link->end[!side].node];
        if (rest < INT64_MAX && rest + link->metric == distance[node])
            route->links[route->n_links++] = l;
    }
}

struct route_list {
    struct sdw_lab_route *route;
    size_t n, cap;
};

static void append(struct route_list *list, struct sdw_lab_route route, struct sdw_ip to)
{
    route.to = sdw_ip_network(to);
    for (size_t i = 0; i < list->n; i++)
        if (sdw_ip_same(list->route[i].to, route.to) && list->route[i].priority == route.priority)
            return; /* the first wins: pinned, then by order of nodes */
    if (route.n_links == 0)
        return;
    SDW_GROW(list->route, list->cap, list->n + 1);
    list->route[list->n++] = route;
}

static void append_pinned(const struct sdw_topology *topology, size_t node, struct route_list *list)
{
    const struct sdw_lab_node *at = &topology->nodes[node];
    for (size_t i = 0; i < at->n_routes; i++) {
        struct sdw_lab_route route = {.priority = at->routes[i].priority};
        size_t via = (size_t)sdw_topology_find(topology, at->routes[i].via);
        for (size_t l = 0; l < topology->n_links && route.n_links == 0; l++) {
            int side = side_of(&topology->links[l], node);
            if (side >= 0 && topology->links[l].end[!side].node == via)
                route.links[route.n_links++] = l;
        }
        append(list, route, at->routes[i].to);
    }
}

/* A host with one link needs no more than a default route. */
static bool append_default(const struct sdw_topology *topology, size_t node,
                           struct route_list *list)
{
    struct sdw_lab_route route = {0};
    for (size_t l = 0; l < topology->n_links; l++)
        if (side_of(&topology->links[l], node) >= 0) {
            if (route.n_links)
                return false;
            route.links[route.n_links++] = l;
        }
    if (topology->nodes[node].router || topology->nodes[node].n_routes)
        return false;
    append(list, route, sdw_ip4(0, 0, 0, 0, 0));
    append(list, route, sdw_ip6(0, 0, 0, 0));
    return true;
}

size_t sdw_topology_routes(const struct sdw_topology *topology, size_t node,
                           struct sdw_lab_route **routes)
{
    struct route_list list = {0};
    if (!append_default(topology, node, &list)) {
        int64_t *distance = sdw_xalloc(topology->n_nodes * sizeof *distance);
        append_pinned(topology, node, &list);
        for (size_t to = 0; to < topology->n_nodes; to++) {
            if (to == node)
                continue;
            struct sdw_lab_route route = {0};
            sdw_topology_distances(topology, to, distance);
            find_links(topology, node, distance, &route);
            for (size_t i = 0; i < topology->nodes[to].n_addrs; i++)
                append(&list, route, topology->nodes[to].addrs[i]);
            for (size_t l = 0; l < topology->n_links; l++)
                if (side_of(&topology->links[l], to) >= 0 && side_of(&topology->links[l], node) < 0)
                    for (int family = 0; family < 2; family++)
                        append(&list, route, topology->links[l].end[0].ip[family]);
        }
        free(distance);
    }
    *routes = list.route;
    return list.n;
}
