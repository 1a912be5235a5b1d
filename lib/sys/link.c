#include "sys/link.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/socket.h>

static int take_attribute(const struct nlattr *attr, void *arg)
{
    struct sdw_link_state *out = arg;
    if (mnl_attr_get_type(attr) == IFLA_IFNAME)
        snprintf(out->name, sizeof out->name, "%s", mnl_attr_get_str(attr));
    if (mnl_attr_get_type(attr) == IFLA_STATS64) {
        struct rtnl_link_stats64 stats = {0};
        size_t size = mnl_attr_get_payload_len(attr);
        memcpy(&stats, mnl_attr_get_payload(attr), size < sizeof stats ? size : sizeof stats);
        out->tx_bytes = stats.tx_bytes;
        out->rx_bytes = stats.rx_bytes;
    }
    return MNL_CB_OK;
}

static void decode(const struct nlmsghdr *message, struct sdw_link_state *out)
{
    const struct ifinfomsg *head = mnl_nlmsg_get_payload(message);
    *out = (struct sdw_link_state){
        .ifindex = head->ifi_index,
        .up = head->ifi_flags & IFF_UP,
        .carrier = (head->ifi_flags & IFF_UP) && (head->ifi_flags & IFF_RUNNING),
    };
    (void)mnl_attr_parse(message, sizeof *head, take_attribute, out);
}

static int keep_link(const struct nlmsghdr *answer, void *arg)
{
    if (answer->nlmsg_type == RTM_NEWLINK)
        decode(answer, arg);
    return 0;
}

int sdw_link_get(struct sdw_netlink *netlink, int ifindex, const char *name,
                 struct sdw_link_state *out, struct sdw_err *err)
{
    *out = (struct sdw_link_state){0};
    struct nlmsghdr *request =
        sdw_netlink_request(netlink, RTM_GETLINK, 0, sizeof(struct ifinfomsg));
    struct ifinfomsg *head = sdw_netlink_payload(request);
    head->ifi_index = ifindex;
    if (!ifindex)
        mnl_attr_put_strz(request, IFLA_IFNAME, name);
    int code = sdw_netlink_talk(netlink, request, keep_link, out, "read interface", err);
    if (code < 0 && errno == ENODEV)
        return 0;
    return code < 0 ? code : out->ifindex > 0;
}

int sdw_notice_open(struct sdw_netlink *netlink, struct sdw_err *err)
{
    unsigned groups =
        RTMGRP_LINK | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE | (1u << (RTNLGRP_NEXTHOP - 1));
    return sdw_netlink_open(netlink, groups, err);
}

/* False for what is no news to an actor. */
static bool to_notice(const struct nlmsghdr *message, struct sdw_notice *out)
{
    *out = (struct sdw_notice){0};
    switch (message->nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
        out->kind = SDW_NOTICE_LINK;
        out->gone = message->nlmsg_type == RTM_DELLINK;
        decode(message, &out->link);
        return true;
    case RTM_NEWNEXTHOP:
    case RTM_DELNEXTHOP:
        out->kind = SDW_NOTICE_NEXTHOP;
        out->gone = message->nlmsg_type == RTM_DELNEXTHOP;
        sdw_nexthop_decode(message, &out->nexthop);
        return true;
    case RTM_NEWROUTE:
    case RTM_DELROUTE: {
        const struct rtmsg *route = mnl_nlmsg_get_payload(message);
        out->kind = SDW_NOTICE_ROUTE;
        out->gone = message->nlmsg_type == RTM_DELROUTE;
        out->family = route->rtm_family;
        out->protocol = route->rtm_protocol;
        return route->rtm_type == RTN_UNICAST && !(route->rtm_flags & RTM_F_CLONED);
    }
    default:
        return false;
    }
}

int sdw_notice_read(struct sdw_netlink *netlink,
                    void (*each)(const struct sdw_notice *notice, void *arg), void *arg,
                    struct sdw_err *err)
{
    struct sdw_notice notice;
    for (;;) {
        ssize_t got =
            recv(sdw_netlink_fd(netlink), netlink->buffer, SDW_NETLINK_ROOM, MSG_DONTWAIT);
        if (got < 0 && errno == EAGAIN)
            return 0;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == ENOBUFS) {
            notice = (struct sdw_notice){.kind = SDW_NOTICE_LOST};
            each(&notice, arg);
            continue;
        }
        if (got < 0)
            return sdw_err_sys(err, "netlink notices");
        int left = (int)got;
        const struct nlmsghdr *message = (const struct nlmsghdr *)netlink->buffer;
        for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left))
            if (to_notice(message, &notice))
                each(&notice, arg);
    }
}
