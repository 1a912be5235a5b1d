#include "net/egress.h"
#include "sys/netlink.h"

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

static int look(const struct nlattr *attr, void *arg)
{
    unsigned *index = arg;
    if (mnl_attr_get_type(attr) == RTA_OIF)
        *index = mnl_attr_get_u32(attr);
    return MNL_CB_OK;
}

static int take_interface(const struct nlmsghdr *answer, void *arg)
{
    return mnl_attr_parse(answer, sizeof(struct rtmsg), look, arg);
}

static void put_address(struct nlmsghdr *request, uint16_t type, const struct sdw_address *address)
{
    size_t n;
    const uint8_t *bytes = sdw_address_bytes(address, &n);
    mnl_attr_put(request, type, n, bytes);
}

/* Ask the kernel; incoming 0: a flow of this host. */
static int ask(struct sdw_netlink *netlink, const struct sdw_address *src,
               const struct sdw_address *dst, uint8_t protocol, uint32_t mark, unsigned incoming,
               unsigned *index, struct sdw_err *err)
{
    struct nlmsghdr *request = sdw_netlink_request(netlink, RTM_GETROUTE, 0, sizeof(struct rtmsg));
    struct rtmsg *route = sdw_netlink_payload(request);
    size_t n;
    (void)sdw_address_bytes(dst, &n);
    route->rtm_family = (uint8_t)sdw_address_family(dst);
    route->rtm_dst_len = (uint8_t)(n * 8);
    put_address(request, RTA_DST, dst);
    if (src) {
        route->rtm_src_len = (uint8_t)(n * 8);
        put_address(request, RTA_SRC, src);
    }
    if (protocol) {
        mnl_attr_put_u8(request, RTA_IP_PROTO, protocol);
        mnl_attr_put_u16(request, RTA_SPORT, htons(sdw_address_port(src)));
        mnl_attr_put_u16(request, RTA_DPORT, htons(sdw_address_port(dst)));
    }
    if (mark)
        mnl_attr_put_u32(request, RTA_MARK, mark);
    if (incoming)
        mnl_attr_put_u32(request, RTA_IIF, incoming);
    *index = 0;
    return sdw_netlink_talk(netlink, request, take_interface, index, "look up a route", err);
}

int sdw_egress_ask(struct sdw_netlink *netlink, const struct sdw_address *src,
                   const struct sdw_address *dst, uint8_t protocol, uint32_t mark, unsigned *index,
                   struct sdw_err *err)
{
    unsigned incoming;
    char text[SDW_ADDRESS_TEXT];
    int code = ask(netlink, src, dst, protocol, mark, 0, index, err);
    if (code < 0 && ask(netlink, NULL, src, 0, mark, 0, &incoming, err) == 0)
        code = ask(netlink, src, dst, protocol, mark, incoming, index, err);
    if (code < 0 || *index == 0)
        return sdw_err_set(err, SDW_ENO, "no route to %s from here", sdw_address_text(dst, text));
    return 0;
}

int sdw_egress_find(const struct sdw_address *src, const struct sdw_address *dst, uint8_t protocol,
                    uint32_t mark, unsigned *index, struct sdw_err *err)
{
    struct sdw_netlink netlink;
    int code = sdw_netlink_open(&netlink, 0, err);
    if (code < 0)
        return code;
    code = sdw_egress_ask(&netlink, src, dst, protocol, mark, index, err);
    sdw_netlink_close(&netlink);
    return code;
}
