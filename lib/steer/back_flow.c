/*
 * Single flows: an nftables map from the flow to a mark, a rule from the mark to a table of its
 * own, and in that table one host route by the shadow. A flow moves whole.
 */
#include "steer/back.h"
#include "core/buf.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <nftables/libnftables.h>
#include <stdlib.h>
#include <sys/socket.h>

#define TABLE "inet shadow_steer"

enum { RULE_PRIORITY = 9300 };

static uint32_t mark_of(uint32_t slot, size_t way)
{
    return (uint32_t)SDW_IDS_BASE + slot * SDW_IDS_EACH + (uint32_t)way;
}

/* Run commands in one transaction; what they print goes to out (may be NULL). */
static int run(const struct sdw_buf *commands, struct sdw_buf *out, struct sdw_err *err)
{
    struct nft_ctx *nft = nft_ctx_new(NFT_CTX_DEFAULT);
    if (!nft)
        return sdw_err_set(err, SDW_ESYS, "nftables: cannot start");
    nft_ctx_buffer_output(nft);
    nft_ctx_buffer_error(nft);
    nft_ctx_output_set_flags(nft, NFT_CTX_OUTPUT_NUMERIC_ALL);
    int failed = nft_run_cmd_from_buffer(nft, commands->p);
    if (failed) {
        const char *words = nft_ctx_get_error_buffer(nft);
        int code = words && strstr(words, "not permitted") ? SDW_EPERM : SDW_ESYS;
        failed = sdw_err_set(err, code, "nftables: %.200s", words ? words : "refused");
        char *newline = err ? strchr(err->text, '\n') : NULL;
        if (newline)
            *newline = '\0';
    } else if (out) {
        sdw_buf_text(out, nft_ctx_get_output_buffer(nft));
    }
    nft_ctx_free(nft);
    return failed;
}

static void add_rules(struct sdw_buf *buf, const char *chain)
{
    sdw_buf_printf(buf,
                   "add rule " TABLE " %s meta mark set ip saddr . th sport . ip daddr . "
                   "th dport . meta l4proto map @flows4\n"
                   "add rule " TABLE " %s meta mark set ip6 saddr . th sport . ip6 daddr . "
                   "th dport . meta l4proto map @flows6\n",
                   chain, chain);
}

static void build_table(struct sdw_buf *buf)
{
    sdw_buf_text(buf, "add table " TABLE "\n"
                      "add map " TABLE " flows4 { type ipv4_addr . inet_service . ipv4_addr . "
                      "inet_service . inet_proto : mark; }\n"
                      "add map " TABLE " flows6 { type ipv6_addr . inet_service . ipv6_addr . "
                      "inet_service . inet_proto : mark; }\n"
                      "add chain " TABLE " pre { type filter hook prerouting priority mangle; }\n"
                      "add chain " TABLE " out { type route hook output priority mangle; }\n"
                      "flush chain " TABLE " pre\n"
                      "flush chain " TABLE " out\n");
    add_rules(buf, "pre");
    add_rules(buf, "out");
}

static const char *map_of(const struct sdw_steer_unit *unit)
{
    return unit->route.family == AF_INET6 ? "flows6" : "flows4";
}

/* "192.0.2.1 . 4000 . 198.51.100.7 . 53 . 17" */
static void add_key(struct sdw_buf *buf, const struct sdw_steer_unit *unit)
{
    char from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];
    inet_ntop(unit->route.family, unit->source, from, sizeof from);
    inet_ntop(unit->route.family, unit->route.dst, to, sizeof to);
    sdw_buf_printf(buf, "%s . %u . %s . %u . %u", from, unit->source_port, to,
                   unit->destination_port, unit->protocol);
}

static struct sdw_fib_rule rule_of(const struct sdw_target *target, size_t way)
{
    uint32_t mark = mark_of(target->slot, way);
    return (struct sdw_fib_rule){.family = target->unit->route.family,
                                 .protocol = SDW_STEER_PROTOCOL,
                                 .mark = mark,
                                 .table = mark,
                                 .priority = RULE_PRIORITY};
}

static struct sdw_fib_route route_of(const struct sdw_target *target, size_t way)
{
    struct sdw_fib_route route = target->unit->route;
    route.protocol = SDW_STEER_PROTOCOL;
    route.table = mark_of(target->slot, way);
    route.n = 1;
    route.hop[0] = (struct sdw_fib_hop){.gateway = target->unit->way[way].gateway, .weight = 1};
    return route;
}

static int flow_revive(struct sdw_netlink *netlink, const struct sdw_target *target, size_t way,
                       struct sdw_err *err)
{
    if (way == 0)
        return 0;
    struct sdw_fib_rule rule = rule_of(target, way);
    struct sdw_fib_route route = route_of(target, way);
    int code = sdw_fib_prepend(netlink, &route, err);
    return code < 0 ? code : sdw_fib_rule_put(netlink, &rule, err);
}

/* The way that carries the flow: the one with the largest share. */
static size_t carrier_of(const struct sdw_target *target)
{
    size_t best = 0;
    for (size_t i = 1; i < target->unit->n_ways; i++)
        if (target->share[i] > target->share[best])
            best = i;
    return best;
}

static int flow_read(struct sdw_netlink *netlink, const struct sdw_target *target, double *share,
                     struct sdw_err *err)
{
    struct sdw_buf command = {0}, out = {0};
    (void)netlink;
    for (size_t i = 0; i < target->unit->n_ways; i++)
        share[i] = i == 0;
    sdw_buf_text(&command, "list map " TABLE " ");
    sdw_buf_text(&command, map_of(target->unit));
    int code = run(&command, &out, err);
    bool no_table = code == SDW_ESYS; /* never made, or taken away: nothing is moved */
    if (code == 0 && out.p) {
        struct sdw_buf key = {0};
        add_key(&key, target->unit);
        const char *at = strstr(out.p, key.p);
        const char *colon = at ? strchr(at, ':') : NULL;
        if (target->unit->route.family == AF_INET6 && at)
            colon = strstr(at, " : ") ? strstr(at, " : ") + 1 : NULL;
        size_t way = colon ? strtoul(colon + 1, NULL, 0) - mark_of(target->slot, 0) : 0;
        if (way < target->unit->n_ways) {
            share[0] = 0;
            share[way] = 1;
        }
        sdw_buf_release(&key);
    }
    sdw_buf_release(&command);
    sdw_buf_release(&out);
    if (no_table)
        return 0;
    return code < 0 ? code : 1;
}

static int flow_set(struct sdw_netlink *netlink, const struct sdw_target *target,
                    struct sdw_err *err)
{
    struct sdw_buf commands = {0};
    double now[SDW_WAYS_MAX] = {0};
    size_t way = carrier_of(target);
    int got = flow_read(netlink, target, now, err);
    if (got < 0)
        return got;
    if (got && now[0] < 1) {
        sdw_buf_printf(&commands, "delete element " TABLE " %s { ", map_of(target->unit));
        add_key(&commands, target->unit);
        sdw_buf_text(&commands, " }\n");
    }
    if (way > 0) {
        sdw_buf_printf(&commands, "add element " TABLE " %s { ", map_of(target->unit));
        add_key(&commands, target->unit);
        sdw_buf_printf(&commands, " : 0x%08x }\n", mark_of(target->slot, way));
    }
    int code = commands.n ? run(&commands, NULL, err) : 0;
    sdw_buf_release(&commands);
    return code;
}

static int count_rule(const struct sdw_fib_rule *rule, void *arg)
{
    (void)rule;
    ++*(size_t *)arg;
    return 0;
}

int sdw_back_flow_clean(struct sdw_netlink *netlink, struct sdw_err *err)
{
    struct sdw_buf commands = {0};
    size_t left = 0;
    int code = sdw_fib_rule_dump(netlink, AF_INET, SDW_STEER_PROTOCOL, count_rule, &left, err);
    if (code == 0)
        code = sdw_fib_rule_dump(netlink, AF_INET6, SDW_STEER_PROTOCOL, count_rule, &left, err);
    if (code < 0 || left > 0)
        return code;
    sdw_buf_text(&commands, "add table " TABLE "\ndelete table " TABLE "\n");
    code = run(&commands, NULL, err);
    sdw_buf_release(&commands);
    return code;
}

/* Append the deletion of those elements of a listed map that are to go: "{ KEY : MARK, ... }". */
static void sweep_map(const struct sdw_flow_sweep *sweep, const char *map, const char *listed,
                      struct sdw_buf *commands)
{
    const char *at = strstr(listed, "elements = {");
    at = at ? strchr(at, '{') + 1 : NULL;
    while (at) {
        const char *colon = strstr(at, " : ");
        if (!colon)
            return;
        at += strspn(at, " \t\n");
        uint32_t mark = (uint32_t)strtoul(colon + 3, NULL, 0);
        if (sweep->goes(mark, sweep->goes_arg)) {
            sweep->say(sweep->say_arg, mark);
            sdw_buf_printf(commands, "delete element " TABLE " %s { %.*s }\n", map,
                           (int)(colon - at), at);
        }
        at = strpbrk(colon, ",}");
        at = at && *at == ',' ? at + 1 : NULL;
    }
}

int sdw_back_flow_sweep(const struct sdw_flow_sweep *sweep, struct sdw_err *err)
{
    static const char *const maps[] = {"flows4", "flows6"};
    struct sdw_buf commands = {0};
    int code = 0;
    for (size_t i = 0; i < SDW_LEN(maps) && code == 0; i++) {
        struct sdw_buf list = {0}, listed = {0};
        sdw_buf_printf(&list, "list map " TABLE " %s\n", maps[i]);
        code = run(&list, &listed, err);
        if (code == 0 && listed.p)
            sweep_map(sweep, maps[i], listed.p, &commands);
        if (code == SDW_ESYS)
            code = 0; /* there is no such map */
        sdw_buf_release(&list);
        sdw_buf_release(&listed);
    }
    if (code == 0 && commands.n && !sweep->dry_run)
        code = run(&commands, NULL, err);
    sdw_buf_release(&commands);
    return code;
}

static int flow_disarm(struct sdw_netlink *netlink, const struct sdw_target *target,
                       struct sdw_err *err)
{
    double none[SDW_WAYS_MAX] = {1};
    struct sdw_target back = *target;
    back.share = none;
    int code = flow_set(netlink, &back, err);
    for (size_t i = 1; i < target->unit->n_ways && code == 0; i++) {
        struct sdw_fib_rule rule = rule_of(target, i);
        struct sdw_fib_route route = route_of(target, i);
        code = sdw_fib_rule_delete(netlink, &rule, err);
        if (code == 0)
            code = sdw_fib_delete(netlink, &route, err);
    }
    return code < 0 ? code : sdw_back_flow_clean(netlink, err);
}

static int flow_arm(struct sdw_netlink *netlink, const struct sdw_target *target,
                    const struct sdw_fib_route *existing, struct sdw_err *err)
{
    struct sdw_buf commands = {0};
    (void)existing;
    build_table(&commands);
    int code = run(&commands, NULL, err);
    sdw_buf_release(&commands);
    for (size_t i = 1; i < target->unit->n_ways && code == 0; i++)
        if (target->up[i])
            code = flow_revive(netlink, target, i, err);
    if (code == 0)
        code = flow_set(netlink, target, err);
    if (code < 0)
        (void)flow_disarm(netlink, target, NULL);
    return code;
}

const struct sdw_back *sdw_back_flow(void)
{
    static const struct sdw_back back = {"nftables",  flow_arm,  flow_set,
                                         flow_disarm, flow_read, flow_revive};
    return &back;
}
