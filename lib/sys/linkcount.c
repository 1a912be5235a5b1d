#include "sys/linkcount.h"

#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>

struct dump {
    int (*each)(const struct sdw_link_count *count, void *arg);
    void *arg;
};

static int take_attribute(const struct nlattr *attr, void *arg)
{
    struct sdw_link_count *out = arg;
    struct rtnl_link_stats64 stats = {0};
    size_t size = mnl_attr_get_payload_len(attr);
    switch (mnl_attr_get_type(attr)) {
    case IFLA_IFNAME:
        snprintf(out->name, sizeof out->name, "%s", mnl_attr_get_str(attr));
        break;
    case IFLA_STATS64:
        memcpy(&stats, mnl_attr_get_payload(attr), size < sizeof stats ? size : sizeof stats);
        out->tx_bytes = stats.tx_bytes;
        out->rx_bytes = stats.rx_bytes;
        out->tx_packets = stats.tx_packets;
        out->rx_packets = stats.rx_packets;
        out->tx_dropped = stats.tx_dropped;
        out->rx_dropped = stats.rx_dropped;
        out->tx_errors = stats.tx_errors;
        out->rx_errors = stats.rx_errors;
        break;
    default:
        break;
    }
    return MNL_CB_OK;
}

static int take_link(const struct nlmsghdr *answer, void *arg)
{
    const struct dump *dump = arg;
    if (answer->nlmsg_type != RTM_NEWLINK)
        return 0;
    const struct ifinfomsg *head = mnl_nlmsg_get_payload(answer);
    struct sdw_link_count count = {
        .ifindex = head->ifi_index,
        .up = head->ifi_flags & IFF_UP,
        .carrier = (head->ifi_flags & IFF_UP) && (head->ifi_flags & IFF_RUNNING),
        .loopback = head->ifi_flags & IFF_LOOPBACK,
    };
    (void)mnl_attr_parse(answer, sizeof *head, take_attribute, &count);
    return dump->each(&count, dump->arg);
}

int sdw_link_count_dump(struct sdw_netlink *netlink,
                        int (*each)(const struct sdw_link_count *count, void *arg), void *arg,
                        struct sdw_err *err)
{
    struct dump dump = {each, arg};
    struct nlmsghdr *request =
        sdw_netlink_request(netlink, RTM_GETLINK, NLM_F_DUMP, sizeof(struct ifinfomsg));
    return sdw_netlink_talk(netlink, request, take_link, &dump, "read interfaces", err);
}
