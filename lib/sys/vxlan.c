#include "sys/vxlan.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>

static void put_ends(struct nlmsghdr *request, const struct sdw_vxlan *vxlan)
{
    bool v6 = vxlan->remote.family == AF_INET6;
    size_t n = sdw_ip_size(vxlan->remote.family);
    mnl_attr_put(request, v6 ? IFLA_VXLAN_GROUP6 : IFLA_VXLAN_GROUP, n, vxlan->remote.bytes);
    mnl_attr_put(request, v6 ? IFLA_VXLAN_LOCAL6 : IFLA_VXLAN_LOCAL, n, vxlan->local.bytes);
}

int sdw_vxlan_create(struct sdw_netlink *netlink, const struct sdw_vxlan *vxlan, int ns,
                     struct sdw_err *err)
{
    enum { TOS_INHERIT = 1, TTL = 64 };
    char what[64];
    struct nlmsghdr *request = sdw_netlink_request(netlink, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL,
                                                   sizeof(struct ifinfomsg));
    /* The range is half open: one port. */
    struct ifla_vxlan_port_range range = {.low = htons(vxlan->source_port),
                                          .high = htons((uint16_t)(vxlan->source_port + 1))};
    mnl_attr_put_strz(request, IFLA_IFNAME, vxlan->name);
    mnl_attr_put_u32(request, IFLA_NET_NS_FD, (uint32_t)ns);
    struct nlattr *info = mnl_attr_nest_start(request, IFLA_LINKINFO);
    mnl_attr_put_strz(request, IFLA_INFO_KIND, "vxlan");
    struct nlattr *data = mnl_attr_nest_start(request, IFLA_INFO_DATA);
    mnl_attr_put_u32(request, IFLA_VXLAN_ID, vxlan->vni);
    put_ends(request, vxlan);
    if (vxlan->link)
        mnl_attr_put_u32(request, IFLA_VXLAN_LINK, (uint32_t)vxlan->link);
    mnl_attr_put_u16(request, IFLA_VXLAN_PORT, htons(vxlan->port));
    mnl_attr_put(request, IFLA_VXLAN_PORT_RANGE, sizeof range, &range);
    mnl_attr_put_u8(request, IFLA_VXLAN_TTL, TTL);
    mnl_attr_put_u8(request, IFLA_VXLAN_TOS, TOS_INHERIT);
    mnl_attr_put_u8(request, IFLA_VXLAN_LEARNING, 0);
    mnl_attr_nest_end(request, data);
    mnl_attr_nest_end(request, info);
    snprintf(what, sizeof what, "vxlan device of VNI %u", vxlan->vni);
    return sdw_netlink_talk(netlink, request, NULL, NULL, what, err);
}
