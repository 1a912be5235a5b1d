/* rtnetlink over libmnl: one request, its answers, its acknowledgement. */
#ifndef SDW_SYS_NETLINK_H
#define SDW_SYS_NETLINK_H

#include <linux/netlink.h>

#include "core/base.h"
#include "core/err.h"

/* A socket of the namespace that the process is in when it opens it. */
struct sdw_netlink {
    struct mnl_socket *socket;
    unsigned seq, port;
    char *buffer; /* room for one request, SDW_NETLINK_ROOM bytes */
};

enum { SDW_NETLINK_ROOM = 32768 };

/* groups: bit mask of multicast groups to join (RTMGRP_...), 0 for none. */
int sdw_netlink_open(struct sdw_netlink *netlink, unsigned groups, struct sdw_err *err);
void sdw_netlink_close(struct sdw_netlink *netlink);
int sdw_netlink_fd(const struct sdw_netlink *netlink);

/* Start a request in the socket's buffer: header of `type` with flags (NLM_F_REQUEST is added)
 * and `extra` zeroed bytes of family header. Attributes are added with libmnl's
 * mnl_attr_put_*. */
struct nlmsghdr *sdw_netlink_request(struct sdw_netlink *netlink, uint16_t type, uint16_t flags,
                                     size_t extra);
void *sdw_netlink_payload(struct nlmsghdr *request);

/* Send it and take all answers; each message that is no acknowledgement goes to `each` (may be
 * NULL; a negative return ends). NLM_F_ACK is added unless it is a dump. what names the request
 * in messages: "add link r1". The kernel's own text (extended acknowledgement) is added. */
int sdw_netlink_talk(struct sdw_netlink *netlink, struct nlmsghdr *request,
                     int (*each)(const struct nlmsghdr *answer, void *arg), void *arg,
                     const char *what, struct sdw_err *err);

#endif
