#include "sys/veth.h"

#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <stdio.h>

int sdw_veth_create(struct sdw_netlink *netlink, const struct sdw_veth_end *here,
                    const struct sdw_veth_end *peer, int peer_ns, struct sdw_err *err)
{
    char what[64];
    struct nlmsghdr *request = sdw_netlink_request(netlink, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL,
                                                   sizeof(struct ifinfomsg));
    mnl_attr_put_strz(request, IFLA_IFNAME, here->name);
    mnl_attr_put(request, IFLA_ADDRESS, sizeof here->mac, here->mac);
    struct nlattr *info = mnl_attr_nest_start(request, IFLA_LINKINFO);
    mnl_attr_put_strz(request, IFLA_INFO_KIND, "veth");
    struct nlattr *data = mnl_attr_nest_start(request, IFLA_INFO_DATA);
    struct nlattr *other = mnl_attr_nest_start(request, VETH_INFO_PEER);
    memset(mnl_nlmsg_get_payload_tail(request), 0, sizeof(struct ifinfomsg));
    request->nlmsg_len += (uint32_t)sizeof(struct ifinfomsg);
    mnl_attr_put_strz(request, IFLA_IFNAME, peer->name);
    mnl_attr_put(request, IFLA_ADDRESS, sizeof peer->mac, peer->mac);
    mnl_attr_put_u32(request, IFLA_NET_NS_FD, (uint32_t)peer_ns);
    mnl_attr_nest_end(request, other);
    mnl_attr_nest_end(request, data);
    mnl_attr_nest_end(request, info);
    snprintf(what, sizeof what, "veth %s", here->name);
    return sdw_netlink_talk(netlink, request, NULL, NULL, what, err);
}

int sdw_interface_index(const char *name, struct sdw_err *err)
{
    unsigned index = if_nametoindex(name);
    return index ? (int)index : sdw_err_sys(err, "interface %s", name);
}

int sdw_interface_up(struct sdw_netlink *netlink, const char *name, bool up, struct sdw_err *err)
{
    char what[64];
    int index = sdw_interface_index(name, err);
    if (index < 0)
        return index;
    struct nlmsghdr *request =
        sdw_netlink_request(netlink, RTM_NEWLINK, 0, sizeof(struct ifinfomsg));
    struct ifinfomsg *link = sdw_netlink_payload(request);
    link->ifi_index = index;
    link->ifi_change = IFF_UP;
    link->ifi_flags = up ? IFF_UP : 0;
    snprintf(what, sizeof what, "interface %s %s", name, up ? "up" : "down");
    return sdw_netlink_talk(netlink, request, NULL, NULL, what, err);
}
