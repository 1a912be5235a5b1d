#include "net/mirror_wire.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/mem.h"
#include "core/rng.h"
#include "net/egress.h"
#include "net/mark.h"
#include "net/mirrored.h"
#include "net/quote.h"
#include "net/sniff.h"
#include "net/wire.h"

enum { COOKIE = 8, REMEMBERED = 1 << 16, CAPTURE_OCTETS = 160, BUFFER_BYTES = 8 << 20 };

/* Errors that a probe can cause: the same for both families. */
static const char filter[] =
    "(icmp and (icmp[0]=3 or icmp[0]=11 or icmp[0]=12)) or (icmp6 and ip6[40]>=1 and ip6[40]<=4)";

struct sdw_mirror_wire {
    struct sdw_sniff *sniff;
    struct sdw_netlink netlink; /* asks for routes */
    bool has_netlink;
    int fd[2]; /* IPv4, IPv6; -1: this host has no such family */
    unsigned loopback;
    uint32_t cookie, last_id, mark;
    struct {
        uint32_t id;
        struct sdw_mirror_claim claim;
    } sent[REMEMBERED]; /* by id */
};

static int open_socket(int family, uint32_t mark, int *fd, struct sdw_err *err)
{
    int on = 1;
    *fd = socket(family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_RAW);
    if (*fd < 0 && (errno == EPERM || errno == EACCES))
        return sdw_err_set(err, SDW_EPERM, "a raw socket needs CAP_NET_RAW: run as root");
    if (*fd < 0 && errno == EAFNOSUPPORT)
        return 0;
    if (*fd < 0)
        return sdw_err_sys(err, "raw socket");
    if (family == AF_INET6)
        (void)setsockopt(*fd, IPPROTO_IPV6, IPV6_HDRINCL, &on, sizeof on);
    if (mark && setsockopt(*fd, SOL_SOCKET, SO_MARK, &mark, sizeof mark) < 0)
        return sdw_err_sys(err, "routing mark %u", mark);
    return 0;
}

struct sdw_mirror_wire *sdw_mirror_wire_new(uint32_t mark, struct sdw_err *err)
{
    struct sdw_sniff_options options = {
        .filter = filter, .octets = CAPTURE_OCTETS, .buffer_bytes = BUFFER_BYTES};
    struct sdw_mirror_wire *wire = sdw_xalloc(sizeof *wire);
    wire->fd[0] = wire->fd[1] = -1;
    wire->mark = mark;
    wire->cookie = sdw_mirrored_cookie(sdw_rng_secret());
    wire->loopback = if_nametoindex("lo");
    int code = open_socket(AF_INET, mark, &wire->fd[0], err);
    if (code == 0)
        code = open_socket(AF_INET6, mark, &wire->fd[1], err);
    if (code == 0)
        code = sdw_netlink_open(&wire->netlink, 0, err);
    wire->has_netlink = code == 0;
    if (code == 0)
        wire->sniff = sdw_sniff_new(&options, err);
    if (code == 0 && wire->sniff)
        return wire;
    sdw_mirror_wire_free(wire);
    return NULL;
}

void sdw_mirror_wire_free(struct sdw_mirror_wire *wire)
{
    if (!wire)
        return;
    sdw_sniff_free(wire->sniff);
    if (wire->has_netlink)
        sdw_netlink_close(&wire->netlink);
    for (size_t i = 0; i < SDW_LEN(wire->fd); i++)
        if (wire->fd[i] >= 0)
            close(wire->fd[i]);
    free(wire);
}

int sdw_mirror_wire_fd(const struct sdw_mirror_wire *wire)
{
    return sdw_sniff_fd(wire->sniff);
}

uint64_t sdw_mirror_wire_drops(const struct sdw_mirror_wire *wire)
{
    return sdw_sniff_drops(wire->sniff);
}

static int find_egress(struct sdw_mirror_wire *wire, struct sdw_mirror_tuple *tuple,
                       struct sdw_err *err)
{
    uint8_t protocol = tuple->tcp ? IPPROTO_TCP : IPPROTO_UDP;
    return sdw_egress_ask(&wire->netlink, &tuple->src, &tuple->dst, protocol, wire->mark,
                          &tuple->interface, err);
}

int sdw_mirror_wire_egress(struct sdw_mirror_wire *wire, struct sdw_mirror_tuple *tuple,
                           struct sdw_err *err)
{
    if (tuple->bound)
        return 0;
    int code = find_egress(wire, tuple, err);
    if (code < 0 || tuple->interface != wire->loopback)
        return code;
    struct sdw_address here = tuple->dst;
    tuple->dst = tuple->src;
    tuple->src = here;
    code = find_egress(wire, tuple, err);
    if (code == 0 && tuple->interface == wire->loopback)
        return sdw_err_set(err, SDW_ENO, "both ends are here");
    return code;
}

void sdw_mirror_wire_follow(struct sdw_mirror_wire *wire, struct sdw_mirror_tuple *tuple)
{
    struct sdw_mirror_tuple now = *tuple;
    struct sdw_err why = {0};
    if (!tuple->bound && find_egress(wire, &now, &why) == 0 && now.interface != wire->loopback)
        tuple->interface = now.interface;
}

/* Hand the packet to the kernel for the interface. */
static int transmit(struct sdw_mirror_wire *wire, const struct sdw_mirror_tuple *tuple,
                    const uint8_t *packet, size_t n, struct sdw_err *err)
{
    bool v6 = sdw_address_family(&tuple->dst) == AF_INET6;
    struct sdw_address to = tuple->dst;
    char text[SDW_ADDRESS_TEXT];
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct in6_pktinfo))] = {0};
    struct iovec io = {.iov_base = (void *)(uintptr_t)packet, .iov_len = n};
    struct msghdr message = {.msg_name = &to.any,
                             .msg_namelen = sdw_address_len(&to),
                             .msg_iov = &io,
                             .msg_iovlen = 1,
                             .msg_control = control};
    sdw_address_set_port(&to, 0);
    struct in_pktinfo by4 = {.ipi_ifindex = (int)tuple->interface};
    struct in6_pktinfo by6 = {.ipi6_ifindex = tuple->interface};
    size_t size = v6 ? sizeof by6 : sizeof by4;
    message.msg_controllen = CMSG_SPACE(size);
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = v6 ? IPPROTO_IPV6 : IPPROTO_IP;
    head->cmsg_type = v6 ? IPV6_PKTINFO : IP_PKTINFO;
    head->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(head), v6 ? (const void *)&by6 : (const void *)&by4, size);
    while (sendmsg(wire->fd[v6], &message, 0) < 0) {
        if (errno == EINTR)
            continue;
        if (errno == EAGAIN || errno == ENOBUFS)
            return sdw_err_set(err, SDW_EAGAIN, "the send buffer is full");
        return sdw_err_sys(err, "send to %s", sdw_address_text(&to, text));
    }
    return (int)n;
}

int sdw_mirror_wire_send(struct sdw_mirror_wire *wire, const struct sdw_mirror_tuple *tuple,
                         struct sdw_craft *craft, const struct sdw_shot *shot, uint8_t dscp,
                         const struct sdw_mirror_claim *claim, int64_t *sent_ns,
                         struct sdw_err *err)
{
    uint8_t payload[COOKIE];
    const uint8_t *bytes;
    size_t n;
    uint32_t id = ++wire->last_id;
    sdw_put32(payload, wire->cookie);
    sdw_put32(payload + 4, id);
    struct sdw_crafted what = {.ttl = shot->ttl,
                               .tos = (uint8_t)(dscp << 2),
                               .flow_label =
                                   tuple->flow_label > 0 ? (uint32_t)tuple->flow_label : 0,
                               .ip_id = sdw_mark(id),
                               .ip_bytes = shot->ip_bytes,
                               .seq = wire->cookie + id,
                               .tcp_flags = SDW_QUOTE_TCP_ACK,
                               .checksum = sdw_mark(id),
                               .poisoned = true,
                               .payload = payload,
                               .payload_n = sizeof payload};
    int code = sdw_craft(craft, &what, &bytes, &n, err);
    if (code < 0)
        return code;
    wire->sent[id % REMEMBERED].id = id;
    wire->sent[id % REMEMBERED].claim = *claim;
    *sent_ns = sdw_wall_ns();
    return transmit(wire, tuple, bytes, n, err);
}

/* The id of the packet of ours that is quoted; 0: none. */
static uint32_t identify(const struct sdw_mirror_wire *wire, const struct sdw_header *quoted)
{
    uint32_t id = 0;
    if (quoted->protocol == IPPROTO_TCP)
        id = quoted->seq - wire->cookie;
    else if (quoted->protocol != IPPROTO_UDP)
        return 0;
    else if (quoted->payload_n >= COOKIE)
        id = sdw_get32(quoted->payload) == wire->cookie ? sdw_get32(quoted->payload + 4) : 0;
    else
        id = sdw_mark_id(quoted->ip_id ? quoted->ip_id : quoted->checksum, wire->last_id);
    return id && wire->sent[id % REMEMBERED].id == id ? id : 0;
}

int sdw_mirror_wire_next(struct sdw_mirror_wire *wire, struct sdw_answer *answer,
                         struct sdw_mirror_claim *claim, struct sdw_address *src,
                         struct sdw_address *dst, struct sdw_err *err)
{
    struct sdw_str packet;
    struct sdw_icmp_error error;
    int64_t received_ns;
    int more;
    while ((more = sdw_sniff_next(wire->sniff, &packet, &received_ns, err)) == 1) {
        uint32_t id = 0;
        if (sdw_icmp_error_read((const uint8_t *)packet.p, packet.n, &error))
            id = identify(wire, &error.quoted);
        if (!id)
            continue;
        bool expired = sdw_icmp_expired(sdw_address_family(&error.from), error.type);
        *answer = (struct sdw_answer){.id = id,
                                      .kind = expired ? SDW_ANSWER_EXPIRED : SDW_ANSWER_UNREACHABLE,
                                      .from = error.from,
                                      .received_ns = received_ns,
                                      .icmp_type = error.type,
                                      .icmp_code = error.code,
                                      .mtu = error.mtu};
        *claim = wire->sent[id % REMEMBERED].claim;
        *src = error.quoted.src;
        *dst = error.quoted.dst;
        return 1;
    }
    return more;
}
