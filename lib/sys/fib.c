#include "sys/fib.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

static size_t address_size(int family)
{
    return family == AF_INET6 ? 16 : 4;
}

static void copy_address(uint8_t *out, const struct nlattr *attr)
{
    size_t size = mnl_attr_get_payload_len(attr);
    memcpy(out, mnl_attr_get_payload(attr), size <= 16 ? size : 16);
}

static bool is_dead(unsigned flags)
{
    return flags & (RTNH_F_DEAD | RTNH_F_LINKDOWN);
}

/* RTA_MULTIPATH: a list of struct rtnexthop, each with attributes of its own. */
static void take_multipath(const struct nlattr *attr, struct sdw_fib_route *out)
{
    const char *p = mnl_attr_get_payload(attr);
    size_t left = mnl_attr_get_payload_len(attr);
    while (left >= sizeof(struct rtnexthop)) {
        struct rtnexthop next;
        if (out->n == SDW_FIB_HOPS) {
            out->cut = true;
            return;
        }
        memcpy(&next, p, sizeof next);
        if (next.rtnh_len < sizeof next || next.rtnh_len > left)
            return;
        struct sdw_fib_hop *hop = &out->hop[out->n++];
        *hop = (struct sdw_fib_hop){.gateway.family = out->family,
                                    .gateway.ifindex = next.rtnh_ifindex,
                                    .weight = next.rtnh_hops + 1u,
                                    .dead = is_dead(next.rtnh_flags)};
        const struct nlattr *inner = (const struct nlattr *)(p + sizeof next);
        int room = next.rtnh_len - (int)sizeof next;
        for (; mnl_attr_ok(inner, room);
             room -= MNL_ALIGN(inner->nla_len), inner = mnl_attr_next(inner))
            if (mnl_attr_get_type(inner) == RTA_GATEWAY)
                copy_address(hop->gateway.addr, inner);
        size_t step = MNL_ALIGN(next.rtnh_len);
        if (step > left)
            return;
        p += step;
        left -= step;
    }
}

static int take_route_attribute(const struct nlattr *attr, void *arg)
{
    struct sdw_fib_route *out = arg;
    switch (mnl_attr_get_type(attr)) {
    case RTA_DST:
        copy_address(out->dst, attr);
        break;
    case RTA_TABLE:
        out->table = mnl_attr_get_u32(attr);
        break;
    case RTA_PRIORITY:
        out->metric = mnl_attr_get_u32(attr);
        break;
    case RTA_NH_ID:
        out->nexthop_id = mnl_attr_get_u32(attr);
        break;
    case RTA_PREFSRC:
        copy_address(out->source, attr);
        out->has_source = true;
        break;
    case RTA_OIF:
        out->hop[0].gateway.ifindex = (int)mnl_attr_get_u32(attr);
        out->n = out->n ? out->n : 1;
        break;
    case RTA_GATEWAY:
        copy_address(out->hop[0].gateway.addr, attr);
        break;
    case RTA_MULTIPATH:
        take_multipath(attr, out);
        break;
    default:
        break;
    }
    return MNL_CB_OK;
}

struct route_dump {
    int (*each)(const struct sdw_fib_route *route, void *arg);
    void *arg;
};

static int take_route(const struct nlmsghdr *answer, void *arg)
{
    const struct route_dump *dump = arg;
    const struct rtmsg *head = mnl_nlmsg_get_payload(answer);
    if (answer->nlmsg_type != RTM_NEWROUTE || head->rtm_type != RTN_UNICAST ||
        (head->rtm_flags & RTM_F_CLONED))
        return 0;
    struct sdw_fib_route route = {.family = head->rtm_family,
                                  .dst_len = head->rtm_dst_len,
                                  .protocol = head->rtm_protocol,
                                  .type = head->rtm_type,
                                  .scope = head->rtm_scope,
                                  .tos = head->rtm_tos,
                                  .table = head->rtm_table,
                                  .hop[0] = {.gateway.family = head->rtm_family,
                                             .weight = 1,
                                             .dead = is_dead(head->rtm_flags)}};
    (void)mnl_attr_parse(answer, sizeof *head, take_route_attribute, &route);
    if (route.table == RT_TABLE_LOCAL)
        return 0;
    return dump->each(&route, dump->arg);
}

int sdw_fib_dump(struct sdw_netlink *netlink, int family,
                 int (*each)(const struct sdw_fib_route *route, void *arg), void *arg,
                 struct sdw_err *err)
{
    struct route_dump dump = {each, arg};
    struct nlmsghdr *request =
        sdw_netlink_request(netlink, RTM_GETROUTE, NLM_F_DUMP, sizeof(struct rtmsg));
    struct rtmsg *head = sdw_netlink_payload(request);
    head->rtm_family = (unsigned char)family;
    return sdw_netlink_talk(netlink, request, take_route, &dump, "list routes", err);
}

static struct nlmsghdr *route_request(struct sdw_netlink *netlink, uint16_t type, uint16_t flags,
                                      const struct sdw_fib_route *route)
{
    struct nlmsghdr *request = sdw_netlink_request(netlink, type, flags, sizeof(struct rtmsg));
    struct rtmsg *head = sdw_netlink_payload(request);
    *head = (struct rtmsg){
        .rtm_family = (unsigned char)route->family,
        .rtm_dst_len = route->dst_len,
        .rtm_tos = route->tos,
        .rtm_table =
            route->table < 256 ? (unsigned char)route->table : (unsigned char)RT_TABLE_UNSPEC,
        .rtm_protocol = route->protocol,
        .rtm_scope = (unsigned char)(type == RTM_DELROUTE ? RT_SCOPE_NOWHERE : RT_SCOPE_UNIVERSE),
        .rtm_type = RTN_UNICAST};
    if (route->dst_len)
        mnl_attr_put(request, RTA_DST, address_size(route->family), route->dst);
    if (route->table >= 256)
        mnl_attr_put_u32(request, RTA_TABLE, route->table);
    if (route->metric)
        mnl_attr_put_u32(request, RTA_PRIORITY, route->metric);
    return request;
}

int sdw_fib_prepend(struct sdw_netlink *netlink, const struct sdw_fib_route *route,
                    struct sdw_err *err)
{
    struct nlmsghdr *request = route_request(netlink, RTM_NEWROUTE, NLM_F_CREATE, route);
    static const uint8_t none[16];
    if (route->nexthop_id) {
        mnl_attr_put_u32(request, RTA_NH_ID, route->nexthop_id);
    } else {
        const struct sdw_gateway *gateway = &route->hop[0].gateway;
        mnl_attr_put_u32(request, RTA_OIF, (uint32_t)gateway->ifindex);
        if (memcmp(gateway->addr, none, sizeof none) != 0)
            mnl_attr_put(request, RTA_GATEWAY, address_size(route->family), gateway->addr);
    }
    if (route->has_source)
        mnl_attr_put(request, RTA_PREFSRC, address_size(route->family), route->source);
    int code = sdw_netlink_talk(netlink, request, NULL, NULL, "put route", err);
    return code < 0 && errno == EEXIST ? 0 : code;
}

int sdw_fib_delete(struct sdw_netlink *netlink, const struct sdw_fib_route *route,
                   struct sdw_err *err)
{
    struct nlmsghdr *request = route_request(netlink, RTM_DELROUTE, 0, route);
    if (route->nexthop_id)
        mnl_attr_put_u32(request, RTA_NH_ID, route->nexthop_id);
    int code = sdw_netlink_talk(netlink, request, NULL, NULL, "delete route", err);
    return code < 0 && (errno == ESRCH || errno == ENOENT) ? 0 : code;
}

static struct nlmsghdr *rule_request(struct sdw_netlink *netlink, uint16_t type, uint16_t flags,
                                     const struct sdw_fib_rule *rule)
{
    struct nlmsghdr *request =
        sdw_netlink_request(netlink, type, flags, sizeof(struct fib_rule_hdr));
    struct fib_rule_hdr *head = sdw_netlink_payload(request);
    *head = (struct fib_rule_hdr){.family = (uint8_t)rule->family, .action = FR_ACT_TO_TBL};
    mnl_attr_put_u32(request, FRA_PRIORITY, rule->priority);
    mnl_attr_put_u32(request, FRA_FWMARK, rule->mark);
    mnl_attr_put_u32(request, FRA_FWMASK, UINT32_MAX);
    mnl_attr_put_u32(request, FRA_TABLE, rule->table);
    mnl_attr_put_u8(request, FRA_PROTOCOL, rule->protocol);
    return request;
}

int sdw_fib_rule_put(struct sdw_netlink *netlink, const struct sdw_fib_rule *rule,
                     struct sdw_err *err)
{
    struct nlmsghdr *request = rule_request(netlink, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, rule);
    int code = sdw_netlink_talk(netlink, request, NULL, NULL, "put rule", err);
    return code < 0 && errno == EEXIST ? 0 : code;
}

int sdw_fib_rule_delete(struct sdw_netlink *netlink, const struct sdw_fib_rule *rule,
                        struct sdw_err *err)
{
    struct nlmsghdr *request = rule_request(netlink, RTM_DELRULE, 0, rule);
    int code = sdw_netlink_talk(netlink, request, NULL, NULL, "delete rule", err);
    return code < 0 && (errno == ENOENT || errno == ESRCH) ? 0 : code;
}

static int take_rule_attribute(const struct nlattr *attr, void *arg)
{
    struct sdw_fib_rule *out = arg;
    switch (mnl_attr_get_type(attr)) {
    case FRA_PRIORITY:
        out->priority = mnl_attr_get_u32(attr);
        break;
    case FRA_FWMARK:
        out->mark = mnl_attr_get_u32(attr);
        break;
    case FRA_TABLE:
        out->table = mnl_attr_get_u32(attr);
        break;
    case FRA_PROTOCOL:
        out->protocol = mnl_attr_get_u8(attr);
        break;
    default:
        break;
    }
    return MNL_CB_OK;
}

struct rule_dump {
    uint8_t protocol;
    int (*each)(const struct sdw_fib_rule *rule, void *arg);
    void *arg;
};

static int take_rule(const struct nlmsghdr *answer, void *arg)
{
    const struct rule_dump *dump = arg;
    const struct fib_rule_hdr *head = mnl_nlmsg_get_payload(answer);
    struct sdw_fib_rule rule = {.family = head->family, .table = head->table};
    if (answer->nlmsg_type != RTM_NEWRULE)
        return 0;
    (void)mnl_attr_parse(answer, sizeof *head, take_rule_attribute, &rule);
    return rule.protocol == dump->protocol ? dump->each(&rule, dump->arg) : 0;
}

int sdw_fib_rule_dump(struct sdw_netlink *netlink, int family, uint8_t protocol,
                      int (*each)(const struct sdw_fib_rule *rule, void *arg), void *arg,
                      struct sdw_err *err)
{
    struct rule_dump dump = {protocol, each, arg};
    struct nlmsghdr *request =
        sdw_netlink_request(netlink, RTM_GETRULE, NLM_F_DUMP, sizeof(struct fib_rule_hdr));
    struct fib_rule_hdr *head = sdw_netlink_payload(request);
    head->family = (uint8_t)family;
    return sdw_netlink_talk(netlink, request, take_rule, &dump, "list rules", err);
}
