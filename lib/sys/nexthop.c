#include "sys/nexthop.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <sys/socket.h>

static size_t address_size(int family)
{
    return family == AF_INET6 ? 16 : 4;
}

static bool has_address(const struct sdw_gateway *gateway)
{
    static const uint8_t none[16];
    return memcmp(gateway->addr, none, address_size(gateway->family)) != 0;
}

static struct nlmsghdr *start_put(struct sdw_netlink *netlink, uint32_t id, uint8_t protocol,
                                  int family)
{
    struct nlmsghdr *request = sdw_netlink_request(
        netlink, RTM_NEWNEXTHOP, NLM_F_CREATE | NLM_F_REPLACE, sizeof(struct nhmsg));
    struct nhmsg *head = sdw_netlink_payload(request);
    head->nh_family = (unsigned char)family;
    head->nh_protocol = protocol;
    mnl_attr_put_u32(request, NHA_ID, id);
    return request;
}

int sdw_nexthop_put(struct sdw_netlink *netlink, uint32_t id, uint8_t protocol,
                    const struct sdw_gateway *gateway, struct sdw_err *err)
{
    struct nlmsghdr *request = start_put(netlink, id, protocol, gateway->family);
    mnl_attr_put_u32(request, NHA_OIF, (uint32_t)gateway->ifindex);
    if (has_address(gateway))
        mnl_attr_put(request, NHA_GATEWAY, address_size(gateway->family), gateway->addr);
    char what[64];
    snprintf(what, sizeof what, "put next hop %u", id);
    return sdw_netlink_talk(netlink, request, NULL, NULL, what, err);
}

int sdw_nexthop_put_group(struct sdw_netlink *netlink, uint32_t id, uint8_t protocol,
                          const struct sdw_nexthop_member *member, size_t n, struct sdw_err *err)
{
    struct nexthop_grp group[SDW_NEXTHOP_MEMBERS] = {0};
    if (n == 0 || n > SDW_NEXTHOP_MEMBERS)
        return sdw_err_set(err, SDW_EUSAGE, "next-hop group %u: %zu members, must be 1 to %d", id,
                           n, SDW_NEXTHOP_MEMBERS);
    for (size_t i = 0; i < n; i++) {
        if (member[i].weight < 1 || member[i].weight > SDW_NEXTHOP_WEIGHT_MAX)
            return sdw_err_set(err, SDW_EUSAGE, "next-hop group %u: weight %u, must be 1 to %d", id,
                               member[i].weight, SDW_NEXTHOP_WEIGHT_MAX);
        group[i] =
            (struct nexthop_grp){.id = member[i].id, .weight = (uint8_t)(member[i].weight - 1)};
    }
    struct nlmsghdr *request = start_put(netlink, id, protocol, AF_UNSPEC);
    mnl_attr_put(request, NHA_GROUP, n * sizeof group[0], group);
    char what[64];
    snprintf(what, sizeof what, "put next-hop group %u", id);
    return sdw_netlink_talk(netlink, request, NULL, NULL, what, err);
}

int sdw_nexthop_delete(struct sdw_netlink *netlink, uint32_t id, struct sdw_err *err)
{
    struct nlmsghdr *request =
        sdw_netlink_request(netlink, RTM_DELNEXTHOP, 0, sizeof(struct nhmsg));
    mnl_attr_put_u32(request, NHA_ID, id);
    char what[64];
    snprintf(what, sizeof what, "delete next hop %u", id);
    int code = sdw_netlink_talk(netlink, request, NULL, NULL, what, err);
    return code < 0 && errno == ENOENT ? 0 : code;
}

static int take_attribute(const struct nlattr *attr, void *arg)
{
    struct sdw_nexthop *out = arg;
    size_t size = mnl_attr_get_payload_len(attr);
    const void *value = mnl_attr_get_payload(attr);
    switch (mnl_attr_get_type(attr)) {
    case NHA_ID:
        out->id = mnl_attr_get_u32(attr);
        break;
    case NHA_OIF:
        out->gateway.ifindex = (int)mnl_attr_get_u32(attr);
        break;
    case NHA_GATEWAY:
        memcpy(out->gateway.addr, value, size <= 16 ? size : 16);
        break;
    case NHA_GROUP: {
        const struct nexthop_grp *group = value;
        for (size_t i = 0; i < size / sizeof *group && i < SDW_NEXTHOP_MEMBERS; i++)
            out->member[out->n++] = (struct sdw_nexthop_member){group[i].id, group[i].weight + 1u};
        break;
    }
    default:
        break;
    }
    return MNL_CB_OK;
}

void sdw_nexthop_decode(const struct nlmsghdr *message, struct sdw_nexthop *out)
{
    const struct nhmsg *head = mnl_nlmsg_get_payload(message);
    *out = (struct sdw_nexthop){.protocol = head->nh_protocol, .gateway.family = head->nh_family};
    (void)mnl_attr_parse(message, sizeof *head, take_attribute, out);
}

struct dump {
    uint8_t protocol;
    int (*each)(const struct sdw_nexthop *nexthop, void *arg);
    void *arg;
};

static int take_nexthop(const struct nlmsghdr *answer, void *arg)
{
    const struct dump *dump = arg;
    struct sdw_nexthop nexthop;
    if (answer->nlmsg_type != RTM_NEWNEXTHOP)
        return 0;
    sdw_nexthop_decode(answer, &nexthop);
    if (dump->protocol && nexthop.protocol != dump->protocol)
        return 0;
    return dump->each(&nexthop, dump->arg);
}

int sdw_nexthop_dump(struct sdw_netlink *netlink, uint8_t protocol,
                     int (*each)(const struct sdw_nexthop *nexthop, void *arg), void *arg,
                     struct sdw_err *err)
{
    struct dump dump = {protocol, each, arg};
    struct nlmsghdr *request =
        sdw_netlink_request(netlink, RTM_GETNEXTHOP, NLM_F_DUMP, sizeof(struct nhmsg));
    return sdw_netlink_talk(netlink, request, take_nexthop, &dump, "list next hops", err);
}

static int keep_one(const struct sdw_nexthop *nexthop, void *arg)
{
    *(struct sdw_nexthop *)arg = *nexthop;
    return 0;
}

int sdw_nexthop_get(struct sdw_netlink *netlink, uint32_t id, struct sdw_nexthop *out,
                    struct sdw_err *err)
{
    *out = (struct sdw_nexthop){0};
    struct dump one = {0, keep_one, out};
    struct nlmsghdr *request =
        sdw_netlink_request(netlink, RTM_GETNEXTHOP, 0, sizeof(struct nhmsg));
    mnl_attr_put_u32(request, NHA_ID, id);
    char what[64];
    snprintf(what, sizeof what, "read next hop %u", id);
    int code = sdw_netlink_talk(netlink, request, take_nexthop, &one, what, err);
    if (code < 0 && errno == ENOENT)
        return 0;
    return code < 0 ? code : out->id == id;
}
