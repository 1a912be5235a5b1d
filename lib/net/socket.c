#include "net/socket.h"
#include "core/clock.h"
#include "core/mem.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    CONTROL_BYTES = 512, /* of one datagram: every control message that the options below cause */
    SOCKET_ICMP_FILTER = 1, /* ICMP_FILTER of <linux/icmp.h>, which netinet's headers exclude */
    SOFT_ERRORS = 8,        /* pending ICMP errors that one send looks past */
};

struct sdw_inbox {
    size_t max, room, limit;
    struct mmsghdr *messages;
    struct iovec *parts;
    struct sdw_incoming *datagrams;
    uint8_t *bytes;
    char *control;
};

/* A socket option that is switched on; for 0 the family has none. */
struct wanted {
    int level, name;
};

static const struct wanted wanted_v4[] = {
    {IPPROTO_IP, IP_RECVTTL},
    {IPPROTO_IP, IP_RECVTOS},
    {IPPROTO_IP, IP_PKTINFO},
};
static const struct wanted wanted_v6[] = {
    {IPPROTO_IPV6, IPV6_RECVHOPLIMIT},
    {IPPROTO_IPV6, IPV6_RECVTCLASS},
    {IPPROTO_IPV6, IPV6_RECVPKTINFO},
};

static int set(int fd, int level, int name, int value, struct sdw_err *err)
{
    if (setsockopt(fd, level, name, &value, sizeof value) == 0)
        return 0;
    return sdw_err_sys(err, "socket option %d of level %d", name, level);
}

static int set_options(struct sdw_socket *socket, const struct sdw_socket_options *options,
                       struct sdw_err *err)
{
    bool v6 = socket->family == AF_INET6;
    const struct wanted *wanted = v6 ? wanted_v6 : wanted_v4;
    size_t n = v6 ? SDW_LEN(wanted_v6) : SDW_LEN(wanted_v4);
    int stamps = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE |
                 SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY;
    int code = 0;
    for (size_t i = 0; code == 0 && i < n; i++)
        code = set(socket->fd, wanted[i].level, wanted[i].name, 1, err);
    if (code == 0)
        code = set(socket->fd, SOL_SOCKET, SO_TIMESTAMPING, stamps, err);
    if (code == 0)
        code = set(socket->fd, SOL_SOCKET, SO_RXQ_OVFL, 1, err);
    if (code == 0 && options->errors)
        code =
            set(socket->fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_RECVERR : IP_RECVERR, 1, err);
    if (code == 0 && v6 && !options->echo)
        code = set(socket->fd, IPPROTO_IPV6, IPV6_V6ONLY, 1, err);
    if (code == 0 && options->mark)
        code = set(socket->fd, SOL_SOCKET, SO_MARK, (int)options->mark, err);
    if (code == 0 && options->receive_bytes &&
        setsockopt(socket->fd, SOL_SOCKET, SO_RCVBUFFORCE, &options->receive_bytes,
                   sizeof options->receive_bytes) < 0)
        code = set(socket->fd, SOL_SOCKET, SO_RCVBUF, options->receive_bytes, err);
    return code;
}

/* A raw socket gets what every other one gets as well: only echo replies, please. */
static int open_raw_echo(struct sdw_socket *s, int protocol)
{
    struct icmp6_filter v6;
    uint32_t v4 = ~(UINT32_C(1) << ICMP_ECHOREPLY);
    s->fd = socket(s->family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
    if (s->fd < 0)
        return -1;
    s->raw = true;
    ICMP6_FILTER_SETBLOCKALL(&v6);
    ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &v6);
    return s->family == AF_INET6 ? setsockopt(s->fd, IPPROTO_ICMPV6, ICMP6_FILTER, &v6, sizeof v6)
                                 : setsockopt(s->fd, SOL_RAW, SOCKET_ICMP_FILTER, &v4, sizeof v4);
}

static int open_fd(struct sdw_socket *s, bool echo, struct sdw_err *err)
{
    int protocol = !echo ? IPPROTO_UDP : s->family == AF_INET6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
    s->fd = socket(s->family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
    if (s->fd >= 0)
        return 0;
    if (!echo)
        return sdw_err_sys(err, "UDP socket");
    if (errno != EACCES && errno != EPERM)
        return sdw_err_sys(err, "ping socket");
    if (open_raw_echo(s, protocol) == 0)
        return 0;
    return sdw_err_set(err, SDW_EPERM,
                       "no right to ping: run as root, or widen net.ipv4.ping_group_range");
}

static int bind_error(const struct sdw_address *local, struct sdw_err *err)
{
    char text[SDW_ADDRESS_TEXT];
    bool wants_rights = errno == EACCES && sdw_address_port(local) < IPPORT_RESERVED;
    return sdw_err_sys(
        err, "bind to %s port %u%s", sdw_address_text(local, text), sdw_address_port(local),
        wants_rights ? " (below 1024: needs root or CAP_NET_BIND_SERVICE, or take another)" : "");
}

int sdw_socket_open(struct sdw_socket *s, const struct sdw_address *local,
                    const struct sdw_socket_options *options, struct sdw_err *err)
{
    *s = (struct sdw_socket){.fd = -1, .family = sdw_address_family(local)};
    int code = open_fd(s, options->echo, err);
    if (code == 0)
        code = set_options(s, options, err);
    if (code == 0 && options->interface &&
        setsockopt(s->fd, SOL_SOCKET, SO_BINDTODEVICE, options->interface,
                   (socklen_t)strlen(options->interface) + 1) < 0)
        code = sdw_err_sys(err, "interface %s", options->interface);
    if (code == 0 && bind(s->fd, &local->any, sdw_address_len(local)) < 0)
        code = bind_error(local, err);
    if (code < 0)
        sdw_socket_close(s);
    return code;
}

void sdw_socket_close(struct sdw_socket *s)
{
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
}

int sdw_socket_local(const struct sdw_socket *s, struct sdw_address *local, struct sdw_err *err)
{
    socklen_t len = sizeof *local;
    *local = (struct sdw_address){0};
    if (getsockname(s->fd, &local->any, &len) < 0)
        return sdw_err_sys(err, "address of the socket");
    return 0;
}

/* Append one control message. */
static void add_control(struct msghdr *message, int level, int type, const void *data, size_t n)
{
    struct cmsghdr *c = (struct cmsghdr *)((char *)message->msg_control + message->msg_controllen);
    c->cmsg_level = level;
    c->cmsg_type = type;
    c->cmsg_len = CMSG_LEN(n);
    memcpy(CMSG_DATA(c), data, n);
    message->msg_controllen += CMSG_SPACE(n);
}

static void add_source(struct msghdr *message, const struct sdw_address *from, unsigned interface)
{
    if (sdw_address_family(from) == AF_INET6) {
        struct in6_pktinfo info = {.ipi6_addr = from->v6.sin6_addr, .ipi6_ifindex = interface};
        add_control(message, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
    } else {
        struct in_pktinfo info = {.ipi_spec_dst = from->v4.sin_addr, .ipi_ifindex = (int)interface};
        add_control(message, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
    }
}

static void add_controls(const struct sdw_socket *s, const struct sdw_outgoing *out,
                         struct msghdr *message)
{
    bool v6 = s->family == AF_INET6;
    if (out->ttl)
        add_control(message, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_HOPLIMIT : IP_TTL, &out->ttl,
                    sizeof out->ttl);
    if (out->tos >= 0)
        add_control(message, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_TCLASS : IP_TOS, &out->tos,
                    sizeof out->tos);
    if (out->from && sdw_address_family(out->from) == s->family)
        add_source(message, out->from, out->interface);
    if (out->stamp) {
        uint32_t flags = SOF_TIMESTAMPING_TX_SOFTWARE;
        add_control(message, SOL_SOCKET, SO_TIMESTAMPING, &flags, sizeof flags);
    }
}

/* An errno that tells of an earlier datagram's ICMP error and not of this send. */
static bool is_soft(int error)
{
    return error == ECONNREFUSED || error == EHOSTUNREACH || error == ENETUNREACH ||
           error == EPROTO || error == ENOPROTOOPT || error == EOPNOTSUPP || error == EHOSTDOWN;
}

int sdw_socket_send(struct sdw_socket *s, const struct sdw_outgoing *out, uint32_t *stamp_id,
                    struct sdw_err *err)
{
    _Alignas(struct cmsghdr) char control[CONTROL_BYTES];
    struct sdw_address to = *out->to;
    union { /* sendmsg(2) reads only */
        const void *in;
        void *out;
    } bytes = {.in = out->bytes};
    struct iovec part = {.iov_base = bytes.out, .iov_len = out->n};
    struct msghdr message = {.msg_name = &to,
                             .msg_namelen = sdw_address_len(&to),
                             .msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control};
    char text[SDW_ADDRESS_TEXT];
    memset(control, 0, sizeof control);
    add_controls(s, out, &message);
    for (int attempt = 0; sendmsg(s->fd, &message, 0) < 0; attempt++) {
        if (errno == EINTR || (is_soft(errno) && attempt < SOFT_ERRORS))
            continue;
        if (errno == EAGAIN || errno == ENOBUFS)
            return sdw_err_set(err, SDW_EAGAIN, "the send buffer is full");
        if (errno == ENETUNREACH || errno == EHOSTUNREACH)
            return sdw_err_set(err, SDW_ENO, "no way to %s from here: %s",
                               sdw_address_text(out->to, text), strerror(errno));
        return sdw_err_sys(err, "send to %s", sdw_address_text(out->to, text));
    }
    if (out->stamp) {
        if (stamp_id)
            *stamp_id = s->next_stamp_id;
        s->next_stamp_id++;
    }
    return 0;
}

struct sdw_inbox *sdw_inbox_new(size_t datagrams, size_t bytes_each)
{
    struct sdw_inbox *inbox = sdw_xalloc(sizeof *inbox);
    inbox->max = inbox->limit = datagrams;
    inbox->room = bytes_each;
    inbox->messages = sdw_xalloc(datagrams * sizeof *inbox->messages);
    inbox->parts = sdw_xalloc(datagrams * sizeof *inbox->parts);
    inbox->datagrams = sdw_xalloc(datagrams * sizeof *inbox->datagrams);
    inbox->bytes = sdw_xalloc(datagrams * bytes_each);
    inbox->control = sdw_xalloc(datagrams * CONTROL_BYTES);
    return inbox;
}

void sdw_inbox_free(struct sdw_inbox *inbox)
{
    if (!inbox)
        return;
    free(inbox->messages);
    free(inbox->parts);
    free(inbox->datagrams);
    free(inbox->bytes);
    free(inbox->control);
    free(inbox);
}

void sdw_inbox_limit(struct sdw_inbox *inbox, size_t datagrams)
{
    inbox->limit = datagrams && datagrams < inbox->max ? datagrams : inbox->max;
}

const struct sdw_incoming *sdw_inbox_at(const struct sdw_inbox *inbox, size_t i)
{
    return &inbox->datagrams[i];
}

static int64_t to_ns(const struct timespec *t)
{
    return (int64_t)t->tv_sec * 1000000000 + t->tv_nsec;
}

/* An int-sized or (TOS of IPv4) octet-sized control value. */
static int control_int(const struct cmsghdr *c)
{
    int value = 0;
    size_t n = c->cmsg_len - CMSG_LEN(0);
    memcpy(&value, CMSG_DATA(c), n < sizeof value ? 1 : sizeof value);
    return n < sizeof value ? value & 0xff : value;
}

/* What the control messages of a received message say; event members for the error queue. */
struct controls {
    int64_t stamp_ns;
    int ttl, tos;
    unsigned interface;
    uint32_t overflow;
    bool has_overflow;
    struct sdw_address to;
    bool unicast;
    struct sock_extended_err error;
    bool has_error;
    struct sdw_address offender;
};

static void read_error(const struct cmsghdr *c, struct controls *found)
{
    size_t n = c->cmsg_len - CMSG_LEN(0), skip = sizeof found->error;
    memcpy(&found->error, CMSG_DATA(c), skip);
    found->has_error = true;
    sa_family_t family;
    if (n < skip + sizeof family)
        return;
    memcpy(&family, CMSG_DATA(c) + skip, sizeof family);
    size_t size = family == AF_INET    ? sizeof found->offender.v4
                  : family == AF_INET6 ? sizeof found->offender.v6
                                       : 0;
    if (size && n >= skip + size) {
        memcpy(&found->offender, CMSG_DATA(c) + skip, size);
        sdw_address_set_port(&found->offender, 0);
    }
}

static void read_ip_control(const struct cmsghdr *c, struct controls *found)
{
    if (c->cmsg_type == IP_TTL) {
        found->ttl = control_int(c);
    } else if (c->cmsg_type == IP_TOS) {
        found->tos = control_int(c);
    } else if (c->cmsg_type == IP_RECVERR) {
        read_error(c, found);
    } else if (c->cmsg_type == IP_PKTINFO) {
        struct in_pktinfo info;
        memcpy(&info, CMSG_DATA(c), sizeof info);
        found->interface = (unsigned)info.ipi_ifindex;
        found->unicast = info.ipi_addr.s_addr == info.ipi_spec_dst.s_addr;
        found->to = sdw_address_of((const uint8_t *)&info.ipi_addr, sizeof info.ipi_addr, 0);
    }
}

static void read_ipv6_control(const struct cmsghdr *c, struct controls *found)
{
    if (c->cmsg_type == IPV6_HOPLIMIT) {
        found->ttl = control_int(c);
    } else if (c->cmsg_type == IPV6_TCLASS) {
        found->tos = control_int(c);
    } else if (c->cmsg_type == IPV6_RECVERR) {
        read_error(c, found);
    } else if (c->cmsg_type == IPV6_PKTINFO) {
        struct in6_pktinfo info;
        memcpy(&info, CMSG_DATA(c), sizeof info);
        found->interface = info.ipi6_ifindex;
        found->unicast = !IN6_IS_ADDR_MULTICAST(&info.ipi6_addr);
        found->to = sdw_address_of((const uint8_t *)&info.ipi6_addr, sizeof info.ipi6_addr, 0);
        if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
            found->to.v6.sin6_scope_id = info.ipi6_ifindex;
    }
}

static void read_socket_control(const struct cmsghdr *c, struct controls *found)
{
    if (c->cmsg_type == SO_TIMESTAMPING) {
        struct scm_timestamping stamps;
        memcpy(&stamps, CMSG_DATA(c), sizeof stamps);
        found->stamp_ns = to_ns(&stamps.ts[0]);
    } else if (c->cmsg_type == SO_RXQ_OVFL) {
        memcpy(&found->overflow, CMSG_DATA(c), sizeof found->overflow);
        found->has_overflow = true;
    }
}

static struct controls read_controls(struct msghdr *message)
{
    struct controls found = {.ttl = -1, .tos = -1, .unicast = true};
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level == SOL_SOCKET)
            read_socket_control(c, &found);
        else if (c->cmsg_level == IPPROTO_IP)
            read_ip_control(c, &found);
        else if (c->cmsg_level == IPPROTO_IPV6)
            read_ipv6_control(c, &found);
    }
    return found;
}

static void take(struct sdw_socket *s, struct sdw_inbox *inbox, size_t i)
{
    struct mmsghdr *m = &inbox->messages[i];
    struct sdw_incoming *in = &inbox->datagrams[i];
    struct controls found = read_controls(&m->msg_hdr);
    in->to = found.to;
    in->unicast = found.unicast;
    in->interface = found.interface;
    in->ttl = found.ttl;
    in->tos = found.tos;
    in->stamped = found.stamp_ns != 0;
    in->received_ns = in->stamped ? found.stamp_ns : sdw_wall_ns();
    in->bytes = inbox->bytes + i * inbox->room;
    in->n = m->msg_len;
    in->truncated = (m->msg_hdr.msg_flags & MSG_TRUNC) != 0;
    if (found.has_overflow) {
        s->dropped += found.overflow - s->overflow;
        s->overflow = found.overflow;
    }
}

int sdw_socket_receive(struct sdw_socket *s, struct sdw_inbox *inbox, struct sdw_err *err)
{
    for (size_t i = 0; i < inbox->limit; i++) {
        inbox->parts[i] = (struct iovec){inbox->bytes + i * inbox->room, inbox->room};
        inbox->datagrams[i].from = (struct sdw_address){0};
        inbox->messages[i].msg_hdr =
            (struct msghdr){.msg_name = &inbox->datagrams[i].from,
                            .msg_namelen = sizeof inbox->datagrams[i].from,
                            .msg_iov = &inbox->parts[i],
                            .msg_iovlen = 1,
                            .msg_control = inbox->control + i * CONTROL_BYTES,
                            .msg_controllen = CONTROL_BYTES};
    }
    int n;
    for (int attempt = 0;; attempt++) {
        n = recvmmsg(s->fd, inbox->messages, (unsigned)inbox->limit, MSG_DONTWAIT, NULL);
        if (n >= 0)
            break;
        if (errno == EAGAIN)
            return 0;
        if (errno != EINTR && !(is_soft(errno) && attempt < SOFT_ERRORS))
            return is_soft(errno) ? 0 : sdw_err_sys(err, "receive");
    }
    for (size_t i = 0; i < (size_t)n; i++)
        take(s, inbox, i);
    return n;
}

int sdw_socket_events(struct sdw_socket *s, struct sdw_socket_event *event, struct sdw_err *err)
{
    _Alignas(struct cmsghdr) char control[CONTROL_BYTES];
    struct iovec part = {event->quote, sizeof event->quote};
    struct msghdr message = {.msg_name = &event->to,
                             .msg_namelen = sizeof event->to,
                             .msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    ssize_t n;
    event->to = (struct sdw_address){0};
    do {
        n = recvmsg(s->fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN ? 0 : sdw_err_sys(err, "error queue");
    struct controls found = read_controls(&message);
    uint8_t origin = found.has_error ? found.error.ee_origin : SO_EE_ORIGIN_NONE;
    bool icmp = origin == SO_EE_ORIGIN_ICMP || origin == SO_EE_ORIGIN_ICMP6;
    event->kind = origin == SO_EE_ORIGIN_TIMESTAMPING ? SDW_SOCKET_SENT
                  : icmp                              ? SDW_SOCKET_ICMP
                                                      : SDW_SOCKET_LOCAL;
    event->stamp_ns = found.stamp_ns ? found.stamp_ns : sdw_wall_ns();
    event->stamp_id = event->kind == SDW_SOCKET_SENT ? found.error.ee_data : 0;
    event->error = (int)found.error.ee_errno;
    event->icmp_type = icmp ? found.error.ee_type : 0;
    event->icmp_code = icmp ? found.error.ee_code : 0;
    event->mtu = found.error.ee_errno == EMSGSIZE ? found.error.ee_info : 0;
    event->offender = found.offender;
    event->quote_n = event->kind == SDW_SOCKET_SENT ? 0 : (size_t)n;
    return 1;
}
