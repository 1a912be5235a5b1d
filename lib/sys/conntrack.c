#include "sys/conntrack.h"
#include "core/rng.h"
#include "core/map.h"
#include "core/mem.h"
#include "sys/procstat.h"

#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <stdlib.h>
#include <sys/socket.h>

enum {
    ROOM = 8 << 20,       /* bytes of events that may wait in the kernel */
    REMEMBERED = 1 << 20, /* connections whose start is remembered */
};

struct sdw_conntrack {
    struct mnl_socket *socket;
    struct nf_conntrack *one; /* the event in hand */
    struct sdw_map started;   /* id -> monotonic ns of its first event */
    int64_t now_ns;
    struct sdw_conntrack_count count;
};

static int set_up(struct sdw_conntrack *conntrack, struct sdw_err *err)
{
    int room = ROOM;
    conntrack->socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (!conntrack->socket)
        return sdw_err_sys(err, "connection tracking socket");
    int fd = mnl_socket_get_fd(conntrack->socket);
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) < 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    if (mnl_socket_bind(conntrack->socket, NF_NETLINK_CONNTRACK_NEW | NF_NETLINK_CONNTRACK_DESTROY,
                        MNL_SOCKET_AUTOPID) < 0)
        return sdw_err_sys(err, "connection tracking events");
    conntrack->one = nfct_new();
    return conntrack->one ? 0 : sdw_err_sys(err, "connection tracking");
}

struct sdw_conntrack *sdw_conntrack_open(struct sdw_err *err)
{
    struct sdw_conntrack *conntrack = sdw_xalloc(sizeof *conntrack);
    sdw_map_init(&conntrack->started, sdw_rng_secret());
    if (set_up(conntrack, err) == 0)
        return conntrack;
    sdw_conntrack_close(conntrack);
    return NULL;
}

void sdw_conntrack_close(struct sdw_conntrack *conntrack)
{
    if (!conntrack)
        return;
    if (conntrack->one)
        nfct_destroy(conntrack->one);
    if (conntrack->socket)
        mnl_socket_close(conntrack->socket);
    sdw_map_release(&conntrack->started);
    free(conntrack);
}

int sdw_conntrack_fd(const struct sdw_conntrack *conntrack)
{
    return mnl_socket_get_fd(conntrack->socket);
}

static void began(struct sdw_conntrack *conntrack, struct sdw_str id)
{
    conntrack->count.made++;
    if (conntrack->started.n < REMEMBERED)
        *sdw_map_at(&conntrack->started, id) = (void *)(intptr_t)conntrack->now_ns;
}

/* The kernel's own stamps where it keeps them (nf_conntrack_timestamp), else ours. */
static void ended(struct sdw_conntrack *conntrack, struct sdw_str id)
{
    int64_t from = (int64_t)(intptr_t)sdw_map_remove(&conntrack->started, id);
    int64_t to = conntrack->now_ns;
    if (nfct_attr_is_set(conntrack->one, ATTR_TIMESTAMP_START) > 0 &&
        nfct_attr_is_set(conntrack->one, ATTR_TIMESTAMP_STOP) > 0) {
        from = (int64_t)nfct_get_attr_u64(conntrack->one, ATTR_TIMESTAMP_START);
        to = (int64_t)nfct_get_attr_u64(conntrack->one, ATTR_TIMESTAMP_STOP);
    }
    conntrack->count.ended++;
    if (from > 0 && to >= from) {
        conntrack->count.timed++;
        conntrack->count.kept_us += (double)(to - from) / 1e3;
    }
}

static int take_event(const struct nlmsghdr *message, void *arg)
{
    struct sdw_conntrack *conntrack = arg;
    unsigned type = message->nlmsg_type & 0xff;
    if (message->nlmsg_type >> 8 != NFNL_SUBSYS_CTNETLINK)
        return MNL_CB_OK;
    if (conntrack->one)
        nfct_destroy(conntrack->one); /* nothing clears one in place */
    conntrack->one = nfct_new();
    if (!conntrack->one || nfct_nlmsg_parse(message, conntrack->one) < 0)
        return MNL_CB_OK;
    uint32_t number = nfct_get_attr_u32(conntrack->one, ATTR_ID);
    struct sdw_str id = {(const char *)&number, sizeof number};
    if (type == IPCTNL_MSG_CT_NEW && (message->nlmsg_flags & NLM_F_CREATE))
        began(conntrack, id);
    else if (type == IPCTNL_MSG_CT_DELETE)
        ended(conntrack, id);
    return MNL_CB_OK;
}

int sdw_conntrack_read(struct sdw_conntrack *conntrack, int64_t now_ns, struct sdw_err *err)
{
    char room[65536];
    conntrack->now_ns = now_ns;
    for (;;) {
        ssize_t n = mnl_socket_recvfrom(conntrack->socket, room, sizeof room);
        if (n > 0) {
            (void)mnl_cb_run(room, (size_t)n, 0, 0, take_event, conntrack);
        } else if (n < 0 && errno == ENOBUFS) {
            conntrack->count.overruns++;
        } else if (n < 0 && errno != EINTR) {
            return errno == EAGAIN ? 0 : sdw_err_sys(err, "connection tracking events");
        }
    }
}

struct sdw_conntrack_count sdw_conntrack_take(struct sdw_conntrack *conntrack)
{
    struct sdw_conntrack_count count = conntrack->count;
    conntrack->count = (struct sdw_conntrack_count){0};
    return count;
}

static int read_number(const char *path, int64_t *out, struct sdw_err *err)
{
    char room[SDW_PROC_ROOM];
    struct sdw_str text;
    int code = sdw_proc_read(path, room, &text, err);
    if (code == 0 && !sdw_proc_number(text, out))
        code = sdw_err_set(err, SDW_ESYS, "%s does not hold a number", path);
    return code;
}

int sdw_conntrack_entries(int64_t *entries, int64_t *limit, struct sdw_err *err)
{
    int code = read_number("/proc/sys/net/netfilter/nf_conntrack_count", entries, err);
    if (code == 0)
        code = read_number("/proc/sys/net/netfilter/nf_conntrack_max", limit, err);
    return code;
}
