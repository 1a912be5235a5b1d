#include "sys/sockdiag.h"
#include "core/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

/* States by their number in the kernel; linux/tcp.h and netinet/tcp.h cannot be had together. */
enum {
    ESTABLISHED = 1,
    SYN_SENT,
    SYN_RECV,
    FIN_WAIT1,
    FIN_WAIT2,
    CLOSE_WAIT = 8,
    LAST_ACK,
    LISTEN,
    CLOSING,
    WANTED = 1 << LISTEN | 1 << ESTABLISHED | 1 << SYN_SENT | 1 << SYN_RECV | 1 << FIN_WAIT1 |
             1 << FIN_WAIT2 | 1 << CLOSE_WAIT | 1 << LAST_ACK | 1 << CLOSING,
    ROOM = 256 * 1024,
    EVENT_ROOM = 8 * 1024 * 1024, /* of the kernel's queue, for bursts of closing sockets */
};

static int open_events(struct sdw_sockdiag *diag, struct sdw_err *err)
{
    static const int groups[] = {SKNLGRP_INET_TCP_DESTROY, SKNLGRP_INET6_TCP_DESTROY};
    diag->events = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (!diag->events || mnl_socket_bind(diag->events, 0, MNL_SOCKET_AUTOPID) < 0)
        return sdw_err_sys(err, "socket events");
    for (size_t i = 0; i < SDW_LEN(groups); i++) {
        int group = groups[i];
        if (mnl_socket_setsockopt(diag->events, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) < 0)
            return sdw_err_sys(err, "events of closing sockets");
    }
    int fd = mnl_socket_get_fd(diag->events), room = EVENT_ROOM;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) < 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    return 0;
}

int sdw_sockdiag_open(struct sdw_sockdiag *diag, bool events, struct sdw_err *err)
{
    *diag = (struct sdw_sockdiag){0};
    diag->ask = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC);
    int code = 0;
    if (!diag->ask || mnl_socket_bind(diag->ask, 0, MNL_SOCKET_AUTOPID) < 0)
        code = sdw_err_sys(err, "sock_diag");
    if (code == 0 && events)
        code = open_events(diag, err);
    diag->room = sdw_xalloc(ROOM);
    if (code < 0)
        sdw_sockdiag_close(diag);
    return code;
}

void sdw_sockdiag_close(struct sdw_sockdiag *diag)
{
    if (diag->ask)
        mnl_socket_close(diag->ask);
    if (diag->events)
        mnl_socket_close(diag->events);
    free(diag->room);
    *diag = (struct sdw_sockdiag){0};
}

int sdw_sockdiag_fd(const struct sdw_sockdiag *diag)
{
    return diag->events ? mnl_socket_get_fd(diag->events) : -1;
}

/* An IPv4 address inside an IPv6 one (RFC 4291, section 2.5.5.2). */
static bool is_mapped(const uint8_t *address)
{
    static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};
    return memcmp(address, prefix, sizeof prefix) == 0;
}

static void take_addresses(const struct inet_diag_msg *message, struct sdw_sockdiag_socket *out)
{
    memcpy(out->local, message->id.idiag_src, 16);
    memcpy(out->remote, message->id.idiag_dst, 16);
    out->version = message->idiag_family == AF_INET ? 4 : 6;
    if (out->version == 6 && is_mapped(out->local) && is_mapped(out->remote)) {
        out->version = 4;
        memmove(out->local, out->local + 12, 4);
        memmove(out->remote, out->remote + 12, 4);
    }
    if (out->version == 4) {
        memset(out->local + 4, 0, 12);
        memset(out->remote + 4, 0, 12);
    }
}

static int take_info(const struct nlattr *attr, void *arg)
{
    size_t n = mnl_attr_get_payload_len(attr);
    if (mnl_attr_get_type(attr) == INET_DIAG_INFO)
        memcpy(arg, mnl_attr_get_payload(attr),
               n < sizeof(struct tcp_info) ? n : sizeof(struct tcp_info));
    return MNL_CB_OK;
}

/* False when the message is none about a socket. */
static bool take(const struct nlmsghdr *answer, bool closed, struct sdw_sockdiag_socket *out)
{
    const struct inet_diag_msg *message = mnl_nlmsg_get_payload(answer);
    if ((answer->nlmsg_type != SOCK_DIAG_BY_FAMILY && answer->nlmsg_type != TCPDIAG_GETSOCK) ||
        mnl_nlmsg_get_payload_len(answer) < sizeof *message)
        return false;
    *out = (struct sdw_sockdiag_socket){
        .listens = message->idiag_state == LISTEN,
        .closed = closed,
        .local_port = ntohs(message->id.idiag_sport),
        .remote_port = ntohs(message->id.idiag_dport),
        .cookie = (uint64_t)message->id.idiag_cookie[1] << 32 | message->id.idiag_cookie[0],
    };
    take_addresses(message, out);
    (void)mnl_attr_parse(answer, sizeof *message, take_info, &out->info);
    return true;
}

/* Messages of one read. Returns 1 after the last of a dump, 0 when more will come. */
static int take_all(const char *p, size_t n, unsigned seq, bool closed, sdw_sockdiag_each *each,
                    void *arg, struct sdw_err *err)
{
    int left = (int)n;
    const struct nlmsghdr *answer = (const struct nlmsghdr *)p;
    for (; mnl_nlmsg_ok(answer, left); answer = mnl_nlmsg_next(answer, &left)) {
        struct sdw_sockdiag_socket socket;
        if (!closed && answer->nlmsg_seq != seq)
            continue;
        if (answer->nlmsg_type == NLMSG_DONE)
            return 1;
        if (answer->nlmsg_type == NLMSG_ERROR) {
            const struct nlmsgerr *e = mnl_nlmsg_get_payload(answer);
            errno = -e->error;
            return sdw_err_sys(err, "sock_diag");
        }
        int code = take(answer, closed, &socket) ? each(&socket, arg) : 0;
        if (code < 0)
            return code;
    }
    return 0;
}

int sdw_sockdiag_dump(struct sdw_sockdiag *diag, sdw_sockdiag_each *each, void *arg,
                      struct sdw_err *err)
{
    /* The older form of the request is the one that takes both families in one walk over the
     * kernel's tables; the listeners come first. */
    struct nlmsghdr *request = mnl_nlmsg_put_header(diag->room);
    request->nlmsg_type = TCPDIAG_GETSOCK;
    request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    request->nlmsg_seq = ++diag->seq;
    struct inet_diag_req *wanted = mnl_nlmsg_put_extra_header(request, sizeof *wanted);
    *wanted = (struct inet_diag_req){
        .idiag_family = AF_UNSPEC, .idiag_ext = 1 << (INET_DIAG_INFO - 1), .idiag_states = WANTED};
    if (mnl_socket_sendto(diag->ask, request, request->nlmsg_len) < 0)
        return sdw_err_sys(err, "sock_diag: send");
    for (int code = 0; code == 0;) {
        ssize_t got = mnl_socket_recvfrom(diag->ask, diag->room, ROOM);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return sdw_err_sys(err, "sock_diag: receive");
        code = take_all(diag->room, (size_t)got, diag->seq, false, each, arg, err);
        if (code < 0)
            return code;
    }
    return 0;
}

int sdw_sockdiag_closed(struct sdw_sockdiag *diag, sdw_sockdiag_each *each, void *arg,
                        struct sdw_err *err)
{
    while (diag->events) {
        ssize_t got = mnl_socket_recvfrom(diag->events, diag->room, ROOM);
        if (got < 0 && errno == ENOBUFS) {
            diag->lost++;
            continue;
        }
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return 0;
        if (got < 0)
            return sdw_err_sys(err, "socket events");
        int code = take_all(diag->room, (size_t)got, 0, true, each, arg, err);
        if (code < 0)
            return code;
    }
    return 0;
}
