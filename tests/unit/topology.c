#include "net/topology.h"
#include "unit/tap.h"

#include <stdlib.h>
#include <sys/socket.h>

static const struct sdw_preset usual = {
    .hops = 4, .width = 3, .rate_bps = 20e6, .narrow_bps = 10e6, .buffer_us = 80000};

static int take_all(struct sdw_topology *topology, const char *const *lines, struct sdw_err *err)
{
    int code = 0;
    for (; *lines && code >= 0; lines++)
        code = sdw_topology_take(topology, sdw_str_of(*lines), err);
    return code < 0 ? code : sdw_topology_finish(topology, err);
}

static const struct sdw_lab_route *find_route(const struct sdw_lab_route *routes, size_t n,
                                              const char *to, uint32_t priority)
{
    struct sdw_ip ip;
    sdw_ip_parse(sdw_str_of(to), &ip);
    for (size_t i = 0; i < n; i++)
        if (sdw_ip_same(routes[i].to, ip) && routes[i].priority == priority)
            return &routes[i];
    return NULL;
}

static void test_addresses(void)
{
    struct sdw_ip ip;
    char text[SDW_IP_TEXT];
    ok(sdw_ip_parse(sdw_str_of("10.9.0.2/24"), &ip), "an IPv4 prefix is read");
    ip = sdw_ip_network(ip);
    is_text(sdw_ip_show_prefix(&ip, text), "10.9.0.0/24", "the network of an IPv4 address");
    ok(sdw_ip_parse(sdw_str_of("fd09:101::1/64"), &ip), "an IPv6 prefix is read");
    ip = sdw_ip_network(ip);
    is_text(sdw_ip_show_prefix(&ip, text), "fd09:101::/64", "the network of an IPv6 address");
    static const char *const bad[] = {"",           "10.9.0",      "10.9.0.2/33",
                                      "10.9.0.2/",  "fd00::/129",  "10.9.0.2/-1",
                                      "10.9.0.256", "fd00::1/+64", "10.9.0.2/24/24"};
    for (size_t i = 0; i < SDW_LEN(bad); i++)
        ok(!sdw_ip_parse(sdw_str_of(bad[i]), &ip), "\"%s\" is no address", bad[i]);
}

static void test_chain(void)
{
    struct sdw_topology topology = {0};
    struct sdw_err err = {0};
    struct sdw_lab_route *routes;
    bool reversed;
    ok(sdw_topology_preset(&topology, "chain", &usual, &err) == 0, "a chain is made");
    ok(topology.n_nodes == 10 && topology.n_links == 9, "4 routers, 2 hosts, 4 stubs, 9 links");
    long tight = sdw_topology_find_link(&topology, "r2-r3", &reversed);
    ok(tight == 2 && !reversed, "link 3 leads into hop 3");
    is_near(topology.links[tight].end[0].rate_bps, 20e6, 0, "the tight link is shaped");
    ok(topology.links[tight].end[0].buffer_bytes == 200000, "its buffer is 80 ms of its rate");
    ok(sdw_topology_find_link(&topology, "r3-r2", &reversed) == tight && reversed,
       "a link is found from its other end too");
    size_t n = sdw_topology_routes(&topology, 1, &routes);
    const struct sdw_lab_route *route = find_route(routes, n, "10.9.0.0/24", 0);
    ok(route && route->n_links == 1 && route->links[0] == 1, "r1 sends 10.9.0.0/24 to r2");
    route = find_route(routes, n, "fd09::/64", 0);
    ok(route && route->n_links == 1 && route->links[0] == 1, "r1 sends fd09::/64 to r2");
    free(routes);
    n = sdw_topology_routes(&topology, 0, &routes);
    ok(n == 2 && find_route(routes, n, "0.0.0.0/0", 0) && find_route(routes, n, "::/0", 0),
       "a host with one link has default routes only");
    free(routes);
    sdw_topology_release(&topology);
}

static void test_diamond_and_ecmp(void)
{
    struct sdw_topology topology = {0};
    struct sdw_err err = {0};
    struct sdw_lab_route *routes;
    sdw_topology_preset(&topology, "diamond", &usual, &err);
    size_t r1 = (size_t)sdw_topology_find(&topology, "r1");
    size_t n = sdw_topology_routes(&topology, r1, &routes);
    const struct sdw_lab_route *live = find_route(routes, n, "fd09::/64", 0),
                               *backup = find_route(routes, n, "fd09::/64", 2000);
    ok(live && live->n_links == 1 && strcmp(topology.links[live->links[0]].name, "r1-p") == 0,
       "live traffic goes by the primary");
    ok(backup && strcmp(topology.links[backup->links[0]].name, "r1-b") == 0,
       "the standby is a route of lower preference");
    const struct sdw_lab_route *pinned = find_route(routes, n, "10.9.102.0/24", 0);
    ok(pinned && strcmp(topology.links[pinned->links[0]].name, "r1-b") == 0,
       "a pinned address is reached by the standby");
    free(routes);
    sdw_topology_release(&topology);
    sdw_topology_preset(&topology, "ecmp", &usual, &err);
    n = sdw_topology_routes(&topology, 1, &routes);
    const struct sdw_lab_route *spread = find_route(routes, n, "10.9.0.0/24", 0);
    ok(spread && spread->n_links == 3, "three branches of equal cost share the traffic");
    free(routes);
    sdw_topology_release(&topology);
}

static void test_hosts_do_not_forward(void)
{
    static const char *const lines[] = {
        "{\"type\":\"node\",\"v\":1,\"node\":\"a\"}",
        "{\"type\":\"node\",\"v\":1,\"node\":\"h\",\"role\":\"host\"}",
        "{\"type\":\"node\",\"v\":1,\"node\":\"b\"}",
        "{\"type\":\"node\",\"v\":1,\"node\":\"far\"}",
        "{\"type\":\"link\",\"v\":1,\"a\":\"a\",\"b\":\"h\"}",
        "{\"type\":\"link\",\"v\":1,\"a\":\"h\",\"b\":\"b\"}",
        "{\"type\":\"link\",\"v\":1,\"a\":\"a\",\"b\":\"far\",\"metric\":10}",
        "{\"type\":\"link\",\"v\":1,\"a\":\"far\",\"b\":\"b\",\"metric\":10}",
        "{\"type\":\"metric\",\"v\":1,\"ts\":1,\"series\":\"x\",\"value\":1}",
        NULL};
    struct sdw_topology topology = {0};
    struct sdw_err err = {0};
    int64_t distance[4];
    ok(take_all(&topology, lines, &err) == 0, "a description is read, other records are left");
    sdw_topology_distances(&topology, 2, distance);
    ok(distance[0] == 20 && distance[1] == 1, "the way leads around a host, not through it");
    sdw_topology_release(&topology);
}

static void test_same_again(void)
{
    struct sdw_topology first = {0}, second = {0};
    struct sdw_err err = {0};
    struct sdw_buf a = {0}, b = {0};
    bool taken = true;
    sdw_topology_preset(&first, "diamond", &usual, &err);
    for (size_t i = 0; i < first.n_nodes + first.n_links; i++) {
        size_t from = a.n;
        if (i < first.n_nodes)
            sdw_topology_node_line(&first, i, 7, &a);
        else
            sdw_topology_link_line(&first, i - first.n_nodes, 7, &a);
        struct sdw_str line = {a.p + from, a.n - from};
        taken = taken && sdw_topology_take(&second, line, &err) == 1;
    }
    ok(taken && sdw_topology_finish(&second, &err) == 0, "what is listed can be read again");
    for (size_t i = 0; i < second.n_nodes + second.n_links; i++)
        if (i < second.n_nodes)
            sdw_topology_node_line(&second, i, 7, &b);
        else
            sdw_topology_link_line(&second, i - second.n_nodes, 7, &b);
    is_text(b.p, a.p, "and gives the same laboratory, byte for byte");
    sdw_buf_release(&a);
    sdw_buf_release(&b);
    sdw_topology_release(&first);
    sdw_topology_release(&second);
}

static void refuses(const char *what, const char *field, const char *one, const char *two)
{
    const char *lines[] = {one, two, NULL};
    struct sdw_topology topology = {0};
    struct sdw_err err = {0};
    int code = take_all(&topology, lines, &err);
    ok(code == SDW_EINPUT && strcmp(err.field, field) == 0, "%s is refused: %s: %s", what,
       err.field, err.text);
    sdw_topology_release(&topology);
}

#define NODE_A "{\"type\":\"node\",\"v\":1,\"node\":\"a\"}"

static void test_bad_input(void)
{
    refuses("a doubled node", "node", NODE_A, NODE_A);
    refuses("a name with a hyphen", "node", "{\"type\":\"node\",\"v\":1,\"node\":\"a-b\"}", NULL);
    refuses("a name too long", "node", "{\"type\":\"node\",\"v\":1,\"node\":\"abcdefghijk\"}",
            NULL);
    refuses("an empty name", "node", "{\"type\":\"node\",\"v\":1,\"node\":\"\"}", NULL);
    refuses("an unknown role", "role", "{\"type\":\"node\",\"v\":1,\"node\":\"a\",\"role\":\"x\"}",
            NULL);
    refuses("a bad address", "addrs",
            "{\"type\":\"node\",\"v\":1,\"node\":\"a\",\"addrs\":[\"10.9.0.300\"]}", NULL);
    refuses("an address that is a number", "addrs",
            "{\"type\":\"node\",\"v\":1,\"node\":\"a\",\"addrs\":[10]}", NULL);
    refuses("a route without via", "routes",
            "{\"type\":\"node\",\"v\":1,\"node\":\"a\",\"routes\":[{\"to\":\"10.0.0.0/8\"}]}",
            NULL);
    refuses("a route by a stranger", "routes",
            "{\"type\":\"node\",\"v\":1,\"node\":\"a\",\"routes\":[{\"to\":\"10.0.0.0/8\",\"via\":"
            "\"z\"}]}",
            NULL);
    refuses("a link to nowhere", "b", NODE_A,
            "{\"type\":\"link\",\"v\":1,\"a\":\"a\",\"b\":\"z\"}");
    refuses("a link with itself", "b", NODE_A,
            "{\"type\":\"link\",\"v\":1,\"a\":\"a\",\"b\":\"a\"}");
    refuses("a negative rate", "rate_bps", NODE_A,
            "{\"type\":\"link\",\"v\":1,\"a\":\"a\",\"b\":\"z\",\"rate_bps\":-1}");
    refuses("a loss above 1", "loss_share", NODE_A,
            "{\"type\":\"link\",\"v\":1,\"a\":\"a\",\"b\":\"z\",\"loss_share\":5}");
    refuses("a rate in words", "rate_bps", NODE_A,
            "{\"type\":\"link\",\"v\":1,\"a\":\"a\",\"b\":\"z\",\"rate_bps\":\"10M\"}");
    struct sdw_topology topology = {0};
    struct sdw_err err = {0};
    ok(sdw_topology_take(&topology, sdw_str_of("{\"type\":\"node\",\"v\":1,\"no"), &err) ==
           SDW_EINPUT,
       "a truncated line is refused: %s", err.text);
    ok(sdw_topology_finish(&topology, &err) == SDW_EINPUT, "no node at all is refused: %s",
       err.text);
    struct sdw_preset odd = usual;
    odd.bottleneck = 7;
    ok(sdw_topology_preset(&topology, "chain", &odd, &err) == SDW_EUSAGE,
       "a bottleneck outside the chain is refused: %s", err.text);
    sdw_topology_release(&topology);
    ok(sdw_topology_preset(&topology, "ring", &usual, &err) == SDW_EUSAGE,
       "an unknown plan is refused: %s", err.text);
    sdw_topology_release(&topology);
}

int main(void)
{
    test_addresses();
    test_chain();
    test_diamond_and_ecmp();
    test_hosts_do_not_forward();
    test_same_again();
    test_bad_input();
    return tap_done();
}
