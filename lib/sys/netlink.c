#include "sys/netlink.h"
#include "core/mem.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <stdlib.h>
#include <sys/socket.h>

int sdw_netlink_open(struct sdw_netlink *netlink, unsigned groups, struct sdw_err *err)
{
    *netlink = (struct sdw_netlink){0};
    netlink->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
    if (!netlink->socket)
        return sdw_err_sys(err, "netlink socket");
    if (mnl_socket_bind(netlink->socket, groups, MNL_SOCKET_AUTOPID) < 0) {
        int code = sdw_err_sys(err, "netlink bind");
        sdw_netlink_close(netlink);
        return code;
    }
    int on = 1; /* the kernel's own words when it refuses; an older kernel goes without */
    (void)mnl_socket_setsockopt(netlink->socket, NETLINK_EXT_ACK, &on, sizeof on);
    (void)mnl_socket_setsockopt(netlink->socket, NETLINK_GET_STRICT_CHK, &on, sizeof on);
    netlink->port = mnl_socket_get_portid(netlink->socket);
    netlink->buffer = sdw_xalloc(SDW_NETLINK_ROOM);
    return 0;
}

void sdw_netlink_close(struct sdw_netlink *netlink)
{
    if (netlink->socket)
        mnl_socket_close(netlink->socket);
    free(netlink->buffer);
    *netlink = (struct sdw_netlink){0};
}

int sdw_netlink_fd(const struct sdw_netlink *netlink)
{
    return mnl_socket_get_fd(netlink->socket);
}

struct nlmsghdr *sdw_netlink_request(struct sdw_netlink *netlink, uint16_t type, uint16_t flags,
                                     size_t extra)
{
    struct nlmsghdr *request = mnl_nlmsg_put_header(netlink->buffer);
    request->nlmsg_type = type;
    request->nlmsg_flags = (uint16_t)(flags | NLM_F_REQUEST);
    request->nlmsg_seq = ++netlink->seq;
    if ((flags & NLM_F_DUMP) != NLM_F_DUMP)
        request->nlmsg_flags |= NLM_F_ACK;
    if (extra)
        mnl_nlmsg_put_extra_header(request, extra);
    return request;
}

void *sdw_netlink_payload(struct nlmsghdr *request)
{
    return mnl_nlmsg_get_payload(request);
}

static int find_words(const struct nlattr *attr, void *arg)
{
    const char **words = arg;
    if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG)
        *words = mnl_attr_get_str(attr);
    return MNL_CB_OK;
}

/* The text of an extended acknowledgement, "" when there is none. */
static const char *extended_ack(const struct nlmsghdr *answer)
{
    const struct nlmsgerr *e = mnl_nlmsg_get_payload(answer);
    const char *words = "";
    size_t skip = sizeof *e;
    if (!(answer->nlmsg_flags & NLM_F_ACK_TLVS))
        return words;
    if (!(answer->nlmsg_flags & NLM_F_CAPPED))
        skip += e->msg.nlmsg_len - sizeof e->msg;
    (void)mnl_attr_parse(answer, (unsigned)skip, find_words, &words);
    return words;
}

/* Take one message: 1 when the exchange is over, 0 to go on, negative on failure. */
static int take(const struct nlmsghdr *answer, int (*each)(const struct nlmsghdr *, void *),
                void *arg, const char *what, struct sdw_err *err)
{
    if (answer->nlmsg_type == NLMSG_DONE)
        return 1;
    if (answer->nlmsg_type != NLMSG_ERROR)
        return each ? each(answer, arg) : 0;
    const struct nlmsgerr *e = mnl_nlmsg_get_payload(answer);
    if (e->error == 0)
        return 1;
    const char *words = extended_ack(answer);
    errno = -e->error;
    return sdw_err_sys(err, "%s%s%s", what, words[0] ? ": " : "", words);
}

int sdw_netlink_talk(struct sdw_netlink *netlink, struct nlmsghdr *request,
                     int (*each)(const struct nlmsghdr *, void *), void *arg, const char *what,
                     struct sdw_err *err)
{
    char answer_room[65536];
    unsigned seq = request->nlmsg_seq;
    if (mnl_socket_sendto(netlink->socket, request, request->nlmsg_len) < 0)
        return sdw_err_sys(err, "%s: send", what);
    for (;;) {
        ssize_t got = mnl_socket_recvfrom(netlink->socket, answer_room, sizeof answer_room);
        if (got < 0) {
            if (errno == EINTR)
                continue;
            return sdw_err_sys(err, "%s: receive", what);
        }
        int left = (int)got;
        const struct nlmsghdr *answer = (const struct nlmsghdr *)answer_room;
        for (; mnl_nlmsg_ok(answer, left); answer = mnl_nlmsg_next(answer, &left)) {
            if (answer->nlmsg_seq != seq || answer->nlmsg_pid != netlink->port)
                continue; /* a notification, or left over from a request that failed */
            int code = take(answer, each, arg, what, err);
            if (code != 0)
                return code > 0 ? 0 : code;
        }
    }
}
