#include "steer/plan.h"
#include "core/num.h"
#include "io/jsonw.h"
#include "sys/link.h"

#include <arpa/inet.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

/* The unit while it is put together. */
struct draft {
    struct sdw_netlink *netlink;
    const struct sdw_steer_plan_wishes *wishes;
    size_t n_ways;
    struct sdw_way way[SDW_WAYS_MAX];
    size_t n_hops; /* of the primary */
    struct sdw_primary_hop hop[SDW_FIB_HOPS];
};

static bool same_gateway(const struct sdw_gateway *a, const struct sdw_gateway *b)
{
    return a->ifindex == b->ifindex && memcmp(a->addr, b->addr, sizeof a->addr) == 0;
}

static int add_way(struct draft *draft, const struct sdw_gateway *gateway, struct sdw_err *err)
{
    struct sdw_way way = {.gateway = *gateway, .capacity_bps = NAN};
    struct sdw_link_state link;
    bool known = false;
    for (size_t i = 0; i < draft->n_ways; i++)
        known = known || same_gateway(&draft->way[i].gateway, gateway);
    for (size_t k = 0; k < draft->n_hops; k++)
        known = known || same_gateway(&draft->hop[k].gateway, gateway);
    if (known || draft->n_ways == SDW_WAYS_MAX)
        return 0;
    int got = sdw_link_get(draft->netlink, gateway->ifindex, NULL, &link, err);
    if (got <= 0)
        return got;
    memcpy(way.dev, link.name, sizeof way.dev);
    sdw_way_rename(&way, 0);
    draft->way[draft->n_ways++] = way;
    return 0;
}

/* The next hops of the route in use, and the first of them as way 0. */
static int add_primary(struct draft *draft, const struct sdw_fib_route *route, struct sdw_err *err)
{
    int code = add_way(draft, &route->hop[0].gateway, err);
    for (size_t k = 0; k < route->n && code == 0; k++) {
        struct sdw_link_state link;
        int got = sdw_link_get(draft->netlink, route->hop[k].gateway.ifindex, NULL, &link, err);
        if (got < 0)
            return got;
        struct sdw_primary_hop *hop = &draft->hop[draft->n_hops++];
        *hop = (struct sdw_primary_hop){.gateway = route->hop[k].gateway,
                                        .weight = route->hop[k].weight};
        memcpy(hop->dev, link.name, sizeof hop->dev);
    }
    return code;
}

static int add_wished(struct draft *draft, const char *wish, int family, struct sdw_err *err)
{
    struct sdw_gateway gateway = {.family = family};
    struct sdw_link_state link;
    char address[64];
    const char *percent = strchr(wish, '%');
    size_t n = percent ? (size_t)(percent - wish) : 0;
    if (!percent || n == 0 || n >= sizeof address)
        return sdw_err_set(err, SDW_EUSAGE, "--shadow %s: must read ADDRESS%%INTERFACE", wish);
    memcpy(address, wish, n);
    address[n] = '\0';
    uint8_t other[16];
    if (inet_pton(family, address, gateway.addr) != 1)
        return inet_pton(family == AF_INET ? AF_INET6 : AF_INET, address, other) == 1
                   ? 0 /* it is meant for the units of the other family */
                   : sdw_err_set(err, SDW_EUSAGE, "--shadow %s: %s is no address", wish, address);
    int got = sdw_link_get(draft->netlink, 0, percent + 1, &link, err);
    if (got < 0)
        return got;
    if (got == 0)
        return sdw_err_set(err, SDW_EUSAGE, "--shadow %s: there is no interface %s", wish,
                           percent + 1);
    gateway.ifindex = link.ifindex;
    return add_way(draft, &gateway, err);
}

/* VALUE of the item ADDRESS=VALUE whose ADDRESS is the way's; NULL when none is. */
static const char *wish_for(const struct sdw_way *way, const char *const *items, size_t n)
{
    uint8_t address[16];
    char text[64];
    for (size_t i = 0; i < n; i++) {
        const char *equals = strchr(items[i], '=');
        size_t length = equals ? (size_t)(equals - items[i]) : 0;
        if (!equals || length >= sizeof text)
            continue;
        memcpy(text, items[i], length);
        text[length] = '\0';
        memset(address, 0, sizeof address);
        if (inet_pton(way->gateway.family, text, address) == 1 &&
            memcmp(address, way->gateway.addr, sizeof address) == 0)
            return equals + 1;
    }
    return NULL;
}

static int apply_wishes(struct draft *draft, struct sdw_err *err)
{
    const struct sdw_steer_plan_wishes *wishes = draft->wishes;
    for (size_t i = 0; i < draft->n_ways; i++) {
        struct sdw_way *way = &draft->way[i];
        const char *probe = wish_for(way, wishes->probe, wishes->n_probe);
        const char *capacity = wish_for(way, wishes->capacity, wishes->n_capacity);
        if (probe)
            snprintf(way->probe, sizeof way->probe, "%s", probe);
        if (capacity && (!sdw_parse_rate(capacity, &way->capacity_bps) || way->capacity_bps <= 0))
            return sdw_err_set(err, SDW_EUSAGE, "--capacity %s: is not a rate above 0", capacity);
    }
    return 0;
}

static int compare_routes(const void *a, const void *b)
{
    const struct sdw_fib_route *x = *(const struct sdw_fib_route *const *)a;
    const struct sdw_fib_route *y = *(const struct sdw_fib_route *const *)b;
    bool x_other = x->table != 254, y_other = y->table != 254;
    if (x_other != y_other)
        return x_other ? 1 : -1;
    if (x->table != y->table)
        return x->table < y->table ? -1 : 1;
    return (x->metric > y->metric) - (x->metric < y->metric);
}

static int add_from_routes(struct draft *draft, const struct sdw_routes *routes,
                           const struct sdw_fib_route *prefix, struct sdw_err *err)
{
    size_t n;
    int code = 0;
    const struct sdw_fib_route *const *same = sdw_routes_of(routes, prefix, &n);
    const struct sdw_fib_route **found = sdw_xalloc((n + 1) * sizeof *found);
    memcpy(found, same, n * sizeof *found);
    qsort(found, n, sizeof *found, compare_routes);
    for (size_t i = 0; i < n && code == 0; i++)
        for (size_t k = 0; k < found[i]->n && code == 0; k++)
            code = add_way(draft, &found[i]->hop[k].gateway, err);
    free(found);
    return code;
}

static void write_hop(struct sdw_jsonw *w, const struct sdw_gateway *gateway, const char *dev)
{
    static const uint8_t none[16];
    char address[INET6_ADDRSTRLEN];
    if (memcmp(gateway->addr, none, sizeof none) != 0)
        sdw_jsonw_text(w, "via",
                       inet_ntop(gateway->family, gateway->addr, address, sizeof address));
    sdw_jsonw_text(w, "dev", dev);
}

static void write_hops(struct sdw_jsonw *w, const struct sdw_primary_hop *hop, size_t n)
{
    sdw_jsonw_array(w, "hops");
    for (size_t k = 0; k < n; k++) {
        sdw_jsonw_object(w, NULL);
        write_hop(w, &hop[k].gateway, hop[k].dev);
        sdw_jsonw_int(w, "weight", hop[k].weight);
        sdw_jsonw_end(w);
    }
    sdw_jsonw_end(w);
}

/* hop[n_hops]: of the primary. */
static void write_way(struct sdw_jsonw *w, const struct sdw_way *way,
                      const struct sdw_primary_hop *hop, size_t n_hops)
{
    sdw_jsonw_object(w, NULL);
    if (n_hops > 1)
        write_hops(w, hop, n_hops);
    else
        write_hop(w, &way->gateway, way->dev);
    sdw_jsonw_text(w, "path_id", NULL);
    if (way->probe[0])
        sdw_jsonw_text(w, "probe", way->probe);
    if (isnan(way->capacity_bps))
        sdw_jsonw_null(w, "capacity_bps");
    else
        sdw_jsonw_real(w, "capacity_bps", way->capacity_bps);
    sdw_jsonw_end(w);
}

static void write_unit(const struct draft *draft, const struct sdw_fib_route *prefix,
                       const char *digest, int64_t now, struct sdw_buf *out)
{
    struct sdw_buf match = {0}, primary = {0}, shadows = {0};
    struct sdw_jsonw w = sdw_jsonw(&match);
    struct sdw_unit unit;
    char text[64], name[96];
    sdw_prefix_text(prefix, text);
    snprintf(name, sizeof name, prefix->table == 254 ? "%s" : "%s#%u", text, prefix->table);
    sdw_jsonw_object(&w, NULL);
    sdw_jsonw_text(&w, "prefix", text);
    if (prefix->table != 254)
        sdw_jsonw_int(&w, "table", prefix->table);
    sdw_jsonw_end(&w);
    w = sdw_jsonw(&primary);
    write_way(&w, &draft->way[0], draft->hop, draft->n_hops);
    w = sdw_jsonw(&shadows);
    sdw_jsonw_array(&w, NULL);
    for (size_t i = 1; i < draft->n_ways; i++)
        write_way(&w, &draft->way[i], NULL, 0);
    sdw_jsonw_end(&w);

    sdw_rec_init(&sdw_unit_schema, &unit);
    unit.ts = now;
    unit.unit = sdw_str_of(name);
    unit.match = sdw_buf_view(&match);
    unit.primary = sdw_buf_view(&primary);
    unit.shadows = sdw_buf_view(&shadows);
    unit.watch = sdw_str_of("[]");
    unit.load_dev = sdw_str_of(draft->way[0].dev);
    unit.digest = sdw_str_of(digest);
    sdw_rec_encode(&sdw_unit_schema, &unit, out);
    sdw_buf_release(&match);
    sdw_buf_release(&primary);
    sdw_buf_release(&shadows);
}

int sdw_steer_plan_write(const struct sdw_routes *routes, struct sdw_netlink *netlink,
                         const struct sdw_fib_route *prefix,
                         const struct sdw_steer_plan_wishes *wishes, int64_t now,
                         struct sdw_buf *out, struct sdw_err *err)
{
    struct draft draft = {.netlink = netlink, .wishes = wishes};
    const struct sdw_fib_route *best = sdw_routes_best(routes, prefix);
    char text[64], digest[24];
    sdw_prefix_text(prefix, text);
    if (!best || best->n == 0)
        return sdw_err_set(err, SDW_EUSAGE, "%s: there is no such route in table %u", text,
                           prefix->table);
    if (best->cut) {
        sdw_err_set(err, SDW_ENO, "%s: its route has more than %d next hops at once", text,
                    SDW_FIB_HOPS);
        return 0;
    }
    int code = add_primary(&draft, best, err);
    for (size_t i = 0; i < wishes->n_shadow && code == 0; i++)
        code = add_wished(&draft, wishes->shadow[i], prefix->family, err);
    if (code == 0)
        code = add_from_routes(&draft, routes, prefix, err);
    if (code == 0)
        code = apply_wishes(&draft, err);
    if (code < 0)
        return code;
    if (draft.n_ways < 2) {
        sdw_err_set(err, SDW_ENO, "%s: no routing table holds another way (name one with --shadow)",
                    text);
        return 0;
    }
    write_unit(&draft, prefix, sdw_routes_digest(routes, prefix, digest), now, out);
    return 1;
}
