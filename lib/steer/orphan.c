#include "steer/orphan.h"
#include "core/mem.h"
#include "steer/back.h"
#include "steer/routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

/* What a dump found that is no armed unit's. */
struct found {
    uint8_t *armed; /* a bit for each slot */
    size_t skipped; /* of armed units */
    struct sdw_nexthop_id {
        uint32_t id;
        bool group;
    } * nexthop;
    size_t n_nexthops, nexthop_cap;
    struct sdw_fib_rule *rule;
    size_t n_rules, rule_cap;
    struct sdw_fib_route *route;
    size_t n_routes, route_cap;
};

static void start(struct found *found, const struct sdw_ledger *ledger)
{
    *found = (struct found){.armed = sdw_xalloc(SDW_SLOTS / 8)};
    for (size_t i = 0; i < ledger->n; i++) {
        int64_t slot = ledger->unit[i].slot;
        if (ledger->unit[i].armed && slot >= 0 && slot < SDW_SLOTS)
            found->armed[slot / 8] |= (uint8_t)(1u << slot % 8);
    }
}

static void release(struct found *found)
{
    free(found->armed);
    free(found->nexthop);
    free(found->rule);
    free(found->route);
}

/* Whether an id (a mark, a table) is one of shadow-steer's and no armed unit has its slot. */
static bool is_orphan(uint32_t id, void *arg)
{
    struct found *found = arg;
    uint32_t offset = id - (uint32_t)SDW_IDS_BASE;
    if (offset >= 2 * (uint32_t)SDW_IDS_TWIN)
        return false;
    uint32_t slot = offset % SDW_IDS_TWIN / SDW_IDS_EACH;
    bool armed = found->armed[slot / 8] >> slot % 8 & 1;
    found->skipped += armed;
    return !armed;
}

static int keep_nexthop(const struct sdw_nexthop *nexthop, void *arg)
{
    struct found *found = arg;
    if (!is_orphan(nexthop->id, found))
        return 0;
    SDW_GROW(found->nexthop, found->nexthop_cap, found->n_nexthops + 1);
    found->nexthop[found->n_nexthops++] = (struct sdw_nexthop_id){nexthop->id, nexthop->n > 0};
    return 0;
}

static int keep_rule(const struct sdw_fib_rule *rule, void *arg)
{
    struct found *found = arg;
    if (!is_orphan(rule->mark, found))
        return 0;
    SDW_GROW(found->rule, found->rule_cap, found->n_rules + 1);
    found->rule[found->n_rules++] = *rule;
    return 0;
}

static int keep_route(const struct sdw_fib_route *route, void *arg)
{
    struct found *found = arg;
    if (route->protocol != SDW_STEER_PROTOCOL || !is_orphan(route->table, found))
        return 0;
    SDW_GROW(found->route, found->route_cap, found->n_routes + 1);
    found->route[found->n_routes++] = *route;
    return 0;
}

static int find(struct found *found, struct sdw_netlink *netlink, struct sdw_err *err)
{
    static const int families[] = {AF_INET, AF_INET6};
    int code = sdw_nexthop_dump(netlink, SDW_STEER_PROTOCOL, keep_nexthop, found, err);
    for (size_t i = 0; i < SDW_LEN(families) && code == 0; i++)
        code = sdw_fib_rule_dump(netlink, families[i], SDW_STEER_PROTOCOL, keep_rule, found, err);
    return code;
}

int sdw_orphan_check(struct sdw_netlink *netlink, const struct sdw_ledger *ledger, const char *dir,
                     struct sdw_err *err)
{
    struct found found;
    start(&found, ledger);
    int code = find(&found, netlink, err);
    size_t n = found.n_nexthops + found.n_rules;
    if (code == 0 && n > 0)
        code = sdw_err_set(
            err, SDW_ESYS,
            "the kernel has %s %u%s of shadow-steer that the journal in %.128s does not have "
            "armed. It belongs to another --state directory; or, if its journal is lost, run "
            "shadow-steer undo --orphans first",
            found.n_nexthops ? "next hop" : "a rule for mark",
            found.n_nexthops ? found.nexthop[0].id : found.rule[0].mark, n > 1 ? " and more" : "",
            dir);
    release(&found);
    return code;
}

static void say(const struct sdw_orphan_sweep *sweep, const char *what, uint32_t id)
{
    char line[96];
    snprintf(line, sizeof line, "%s %s %u", sweep->dry_run ? "would delete" : "deleting", what, id);
    sweep->say(sweep->arg, line);
}

/* Groups first: their routes go with them. */
static int clear_nexthops(const struct sdw_orphan_sweep *sweep, const struct found *found,
                          struct sdw_err *err)
{
    int code = 0;
    for (int groups = 1; groups >= 0; groups--)
        for (size_t i = 0; i < found->n_nexthops && code == 0; i++) {
            if (found->nexthop[i].group != (groups == 1))
                continue;
            say(sweep, "next hop", found->nexthop[i].id);
            if (!sweep->dry_run)
                code = sdw_nexthop_delete(sweep->netlink, found->nexthop[i].id, err);
        }
    return code;
}

/* Rules before the tables that they point to. */
static int clear_tables(const struct sdw_orphan_sweep *sweep, const struct found *found,
                        struct sdw_err *err)
{
    int code = 0;
    for (size_t i = 0; i < found->n_rules && code == 0; i++) {
        say(sweep, "the rule for mark", found->rule[i].mark);
        if (!sweep->dry_run)
            code = sdw_fib_rule_delete(sweep->netlink, &found->rule[i], err);
    }
    for (size_t i = 0; i < found->n_routes && code == 0; i++) {
        say(sweep, "the route in table", found->route[i].table);
        if (!sweep->dry_run)
            code = sdw_fib_delete(sweep->netlink, &found->route[i], err);
    }
    return code;
}

static void say_element(void *arg, uint32_t mark)
{
    say(arg, "the flow with mark", mark);
}

int sdw_orphan_clear(const struct sdw_orphan_sweep *sweep, struct sdw_err *err)
{
    static const int families[] = {AF_INET, AF_INET6};
    struct sdw_orphan_sweep own = *sweep;
    struct found found;
    start(&found, sweep->ledger);
    struct sdw_flow_sweep flows = {is_orphan, &found, say_element, &own, sweep->dry_run};
    int code = find(&found, sweep->netlink, err);
    for (size_t i = 0; i < SDW_LEN(families) && code == 0; i++)
        code = sdw_fib_dump(sweep->netlink, families[i], keep_route, &found, err);
    if (code == 0)
        code = clear_nexthops(sweep, &found, err);
    if (code == 0)
        code = sdw_back_flow_sweep(&flows, err);
    if (code == 0)
        code = clear_tables(sweep, &found, err);
    if (code == 0 && !sweep->dry_run)
        code = sdw_back_flow_clean(sweep->netlink, err);
    if (code == 0 && found.skipped) {
        char line[160];
        snprintf(line, sizeof line,
                 "skipped %zu next hops, rules, routes and flows: the journal has their units "
                 "armed",
                 found.skipped);
        sweep->say(sweep->arg, line);
    }
    release(&found);
    return code;
}
