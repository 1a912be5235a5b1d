#include "net/topology.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

void sdw_topology_release(struct sdw_topology *topology)
{
    for (size_t i = 0; i < topology->n_nodes; i++) {
        free(topology->nodes[i].addrs);
        free(topology->nodes[i].routes);
        free(topology->nodes[i].sysctls);
    }
    free(topology->nodes);
    free(topology->links);
    *topology = (struct sdw_topology){0};
}

/* Names become parts of interface and namespace names: a letter, then letters and digits. */
static int check_name(const char *name, const char *field, struct sdw_err *err)
{
    size_t n = strlen(name);
    bool good = n > 0 && n < SDW_NODE_NAME;
    for (size_t i = 0; i < n && good; i++) {
        bool letter = (name[i] >= 'a' && name[i] <= 'z') || (name[i] >= 'A' && name[i] <= 'Z');
        good = letter || (i > 0 && name[i] >= '0' && name[i] <= '9');
    }
    return good ? 0
                : sdw_err_field(err, field,
                                "\"%.20s\" is not a node name: a letter, then letters and digits,"
                                " at most %d",
                                name, SDW_NODE_NAME - 1);
}

long sdw_topology_find(const struct sdw_topology *topology, const char *name)
{
    for (size_t i = 0; i < topology->n_nodes; i++)
        if (strcmp(topology->nodes[i].name, name) == 0)
            return (long)i;
    return -1;
}

long sdw_topology_find_link(const struct sdw_topology *topology, const char *name, bool *reversed)
{
    for (size_t i = 0; i < topology->n_links; i++) {
        const struct sdw_lab_link *link = &topology->links[i];
        char back[SDW_LINK_NAME];
        snprintf(back, sizeof back, "%s-%s", link->end[1].node_name, link->end[0].node_name);
        *reversed = strcmp(link->name, name) != 0;
        if (!*reversed || strcmp(back, name) == 0)
            return (long)i;
    }
    return -1;
}

static void add_addr(struct sdw_lab_node *node, struct sdw_ip ip)
{
    for (size_t i = 0; i < node->n_addrs; i++)
        if (sdw_ip_same(node->addrs[i], ip))
            return;
    SDW_GROW(node->addrs, node->cap_addrs, node->n_addrs + 1);
    node->addrs[node->n_addrs++] = ip;
}

int sdw_topology_node(struct sdw_topology *topology, const char *name, bool router,
                      struct sdw_lab_node **out, struct sdw_err *err)
{
    int code = check_name(name, "node", err);
    if (code < 0)
        return code;
    if (sdw_topology_find(topology, name) >= 0)
        return sdw_err_field(err, "node", "there is a node \"%s\" already", name);
    size_t i = topology->n_nodes;
    if (i == SDW_NODES_MAX)
        return sdw_err_field(err, "node", "more than %d nodes", SDW_NODES_MAX);
    SDW_GROW(topology->nodes, topology->cap_nodes, i + 1);
    struct sdw_lab_node *node = &topology->nodes[topology->n_nodes++];
    *node = (struct sdw_lab_node){.router = router};
    snprintf(node->name, sizeof node->name, "%s", name);
    add_addr(node, sdw_ip4(10, 255, (uint8_t)i, 1, 32));
    add_addr(node, sdw_ip6(0xfd00, 0x255, (uint16_t)(i + 1), 128));
    if (out)
        *out = node;
    return 0;
}

int sdw_topology_link(struct sdw_topology *topology, const char *a, const char *b,
                      struct sdw_lab_link **out, struct sdw_err *err)
{
    int code = check_name(a, "a", err);
    if (code == 0)
        code = check_name(b, "b", err);
    if (code < 0)
        return code;
    if (strcmp(a, b) == 0)
        return sdw_err_field(err, "b", "a link of \"%s\" with itself", a);
    bool reversed;
    char name[SDW_LINK_NAME];
    snprintf(name, sizeof name, "%s-%s", a, b);
    if (sdw_topology_find_link(topology, name, &reversed) >= 0)
        return sdw_err_field(err, "link", "there is a link %s already", name);
    if (topology->n_links >= 4096)
        return sdw_err_field(err, "link", "more than 4096 links");
    SDW_GROW(topology->links, topology->cap_links, topology->n_links + 1);
    struct sdw_lab_link *link = &topology->links[topology->n_links++];
    *link = (struct sdw_lab_link){.metric = 1};
    memcpy(link->name, name, sizeof name);
    snprintf(link->end[0].node_name, SDW_NODE_NAME, "%s", a);
    snprintf(link->end[1].node_name, SDW_NODE_NAME, "%s", b);
    *out = link;
    return 0;
}

int sdw_topology_addr(struct sdw_lab_node *node, struct sdw_str text, struct sdw_err *err)
{
    struct sdw_ip ip;
    if (!sdw_ip_parse(text, &ip))
        return sdw_err_field(err, "addrs", "\"%.*s\" is not an address",
                             (int)(text.n < 50 ? text.n : 50), text.p ? text.p : "");
    add_addr(node, ip);
    return 0;
}

int sdw_topology_pin(struct sdw_lab_node *node, const char *to, const char *via, uint32_t priority,
                     struct sdw_err *err)
{
    struct sdw_pinned_route route = {.priority = priority};
    if (!sdw_ip_parse(sdw_str_of(to), &route.to))
        return sdw_err_field(err, "routes", "\"%.50s\" is not a prefix", to);
    int code = check_name(via, "routes", err);
    if (code < 0)
        return code;
    route.to = sdw_ip_network(route.to);
    snprintf(route.via, sizeof route.via, "%s", via);
    SDW_GROW(node->routes, node->cap_routes, node->n_routes + 1);
    node->routes[node->n_routes++] = route;
    return 0;
}

static void give_addresses(struct sdw_lab_link *link, size_t index)
{
    for (int side = 0; side < 2; side++) {
        struct sdw_lab_end *end = &link->end[side];
        uint8_t high = (uint8_t)(index / 256), low = (uint8_t)index;
        const uint8_t mac[6] = {0x02, 0x5d, 0x77, high, low, (uint8_t)(side + 1)};
        end->ip[0] = sdw_ip4(10, (uint8_t)(64 + high), low, (uint8_t)(side + 1), 30);
        end->ip[1] = sdw_ip6(0xfd00, (uint16_t)(0x6400 + index), (uint16_t)(side + 1), 126);
        memcpy(end->mac, mac, sizeof mac);
        memcpy(end->dev, "to-", 3);
        memcpy(end->dev + 3, link->end[!side].node_name, SDW_NODE_NAME);
    }
}

static int check_pins(const struct sdw_topology *topology, const struct sdw_lab_node *node,
                      struct sdw_err *err)
{
    bool reversed;
    for (size_t i = 0; i < node->n_routes; i++) {
        char name[SDW_LINK_NAME];
        snprintf(name, sizeof name, "%s-%s", node->name, node->routes[i].via);
        if (sdw_topology_find_link(topology, name, &reversed) < 0)
            return sdw_err_field(err, "routes", "node %s has no link to \"%s\"", node->name,
                                 node->routes[i].via);
    }
    return 0;
}

int sdw_topology_finish(struct sdw_topology *topology, struct sdw_err *err)
{
    if (topology->n_nodes == 0)
        return sdw_err_set(err, SDW_EINPUT, "the description has no node");
    for (size_t i = 0; i < topology->n_links; i++) {
        struct sdw_lab_link *link = &topology->links[i];
        give_addresses(link, i);
        for (int side = 0; side < 2; side++) {
            long node = sdw_topology_find(topology, link->end[side].node_name);
            if (node < 0)
                return sdw_err_field(err, side ? "b" : "a", "link %s: there is no node \"%s\"",
                                     link->name, link->end[side].node_name);
            link->end[side].node = (size_t)node;
        }
    }
    int code = 0;
    for (size_t i = 0; i < topology->n_nodes && code == 0; i++)
        code = check_pins(topology, &topology->nodes[i], err);
    return code;
}
