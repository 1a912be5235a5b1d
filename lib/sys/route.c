#include "sys/route.h"

#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdio.h>

static void put_ip(struct nlmsghdr *request, uint16_t attribute, const struct sdw_ip *ip)
{
    mnl_attr_put(request, attribute, sdw_ip_size(ip->family), ip->bytes);
}

int sdw_addr_add(struct sdw_netlink *netlink, int interface, struct sdw_ip ip, struct sdw_err *err)
{
    char text[SDW_IP_TEXT], what[96];
    struct nlmsghdr *request = sdw_netlink_request(netlink, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL,
                                                   sizeof(struct ifaddrmsg));
    struct ifaddrmsg *address = sdw_netlink_payload(request);
    address->ifa_family = ip.family;
    address->ifa_prefixlen = ip.length;
    address->ifa_flags = IFA_F_NODAD; /* usable at once; there is nobody to collide with */
    address->ifa_index = (uint32_t)interface;
    put_ip(request, IFA_LOCAL, &ip);
    put_ip(request, IFA_ADDRESS, &ip);
    snprintf(what, sizeof what, "address %s", sdw_ip_show_prefix(&ip, text));
    return sdw_netlink_talk(netlink, request, NULL, NULL, what, err);
}

int sdw_neighbour_add(struct sdw_netlink *netlink, int interface, struct sdw_ip ip,
                      const uint8_t mac[6], struct sdw_err *err)
{
    char text[SDW_IP_TEXT], what[96];
    struct nlmsghdr *request = sdw_netlink_request(
        netlink, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, sizeof(struct ndmsg));
    struct ndmsg *neighbour = sdw_netlink_payload(request);
    neighbour->ndm_family = ip.family;
    neighbour->ndm_ifindex = interface;
    neighbour->ndm_state = NUD_PERMANENT;
    put_ip(request, NDA_DST, &ip);
    mnl_attr_put(request, NDA_LLADDR, 6, mac);
    snprintf(what, sizeof what, "neighbour %s", sdw_ip_show(&ip, text));
    return sdw_netlink_talk(netlink, request, NULL, NULL, what, err);
}

/* The equal-cost next hops of a route: rtnexthop headers, each followed by its gateway. */
static void put_multipath(struct nlmsghdr *request, const struct sdw_kernel_route *route)
{
    struct nlattr *nest = mnl_attr_nest_start(request, RTA_MULTIPATH);
    for (size_t i = 0; i < route->n_hops; i++) {
        struct rtnexthop *hop = mnl_nlmsg_get_payload_tail(request);
        *hop = (struct rtnexthop){.rtnh_ifindex = route->hops[i].interface};
        request->nlmsg_len += (uint32_t)sizeof *hop;
        put_ip(request, RTA_GATEWAY, &route->hops[i].via);
        hop->rtnh_len = (uint16_t)((char *)mnl_nlmsg_get_payload_tail(request) - (char *)hop);
    }
    mnl_attr_nest_end(request, nest);
}

int sdw_route_add(struct sdw_netlink *netlink, const struct sdw_kernel_route *route,
                  struct sdw_err *err)
{
    char text[SDW_IP_TEXT], what[96];
    struct nlmsghdr *request =
        sdw_netlink_request(netlink, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, sizeof(struct rtmsg));
    struct rtmsg *message = sdw_netlink_payload(request);
    message->rtm_family = route->to.family;
    message->rtm_dst_len = route->to.length;
    message->rtm_table = RT_TABLE_MAIN;
    message->rtm_protocol = RTPROT_STATIC;
    message->rtm_scope = RT_SCOPE_UNIVERSE;
    message->rtm_type = RTN_UNICAST;
    put_ip(request, RTA_DST, &route->to);
    if (route->priority)
        mnl_attr_put_u32(request, RTA_PRIORITY, route->priority);
    if (route->n_hops > 1) {
        put_multipath(request, route);
    } else {
        put_ip(request, RTA_GATEWAY, &route->hops[0].via);
        mnl_attr_put_u32(request, RTA_OIF, (uint32_t)route->hops[0].interface);
    }
    snprintf(what, sizeof what, "route to %s", sdw_ip_show_prefix(&route->to, text));
    return sdw_netlink_talk(netlink, request, NULL, NULL, what, err);
}
