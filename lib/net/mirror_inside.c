#include "net/mirror_inside.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "core/mem.h"
#include "net/flow.h"

enum {
    REMEMBERED = 1 << 13,
    ANSWERS = 64,
    SHIM = 8 + 8 + 14, /* UDP, VXLAN and inner Ethernet headers (RFC 7348, section 5) */
};

struct sdw_mirror_inside {
    const struct sdw_mirror_tunnel *tunnel;
    struct sdw_mirror_tuple outer;
    int fd;
    size_t current;   /* the carrier to try */
    uint32_t last_id; /* of packets by any of them */
    struct {
        uint32_t id;
        struct sdw_mirror_claim claim;
    } sent[REMEMBERED]; /* by id */
    struct sdw_answer answers[ANSWERS];
    size_t taken, held; /* of the answers: given out, and in all */
};

static int watch(int epoll, int fd, struct sdw_err *err)
{
    struct epoll_event event = {.events = EPOLLIN, .data = {.fd = fd}};
    return fd < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0
               ? 0
               : sdw_err_sys(err, "waiting for a socket");
}

static int watch_all(const struct sdw_mirror_inside *inside, int wire_fd, struct sdw_err *err)
{
    int code = inside->fd < 0 ? sdw_err_sys(err, "epoll") : watch(inside->fd, wire_fd, err);
    for (size_t i = 0; i < inside->tunnel->n; i++)
        for (size_t k = 0; k < SDW_LEN(inside->tunnel->carriers[i]->fds) && code == 0; k++)
            code = watch(inside->fd, inside->tunnel->carriers[i]->fds[k], err);
    return code;
}

struct sdw_mirror_inside *sdw_mirror_inside_new(const struct sdw_mirror_tunnel *tunnel, int wire_fd,
                                                struct sdw_err *err)
{
    struct sdw_flow flow;
    if (sdw_flow_parse(tunnel->flow, &flow, err) < 0)
        return NULL;
    struct sdw_mirror_inside *inside = sdw_xalloc(sizeof *inside);
    inside->tunnel = tunnel;
    inside->outer = (struct sdw_mirror_tuple){.src = flow.src,
                                              .dst = flow.dst,
                                              .tcp = flow.tcp,
                                              .flow_label = -1,
                                              .common = true,
                                              .bound = tunnel->interface != 0,
                                              .interface = tunnel->interface};
    inside->fd = epoll_create1(EPOLL_CLOEXEC);
    if (watch_all(inside, wire_fd, err) == 0)
        return inside;
    sdw_mirror_inside_free(inside);
    return NULL;
}

void sdw_mirror_inside_free(struct sdw_mirror_inside *inside)
{
    if (!inside)
        return;
    if (inside->fd >= 0)
        close(inside->fd);
    free(inside);
}

int sdw_mirror_inside_fd(const struct sdw_mirror_inside *inside)
{
    return inside->fd;
}

const struct sdw_mirror_tuple *sdw_mirror_inside_outer(const struct sdw_mirror_inside *inside)
{
    return &inside->outer;
}

struct sdw_mirror_tuple sdw_mirror_inside_ends(const struct sdw_mirror_inside *inside)
{
    const struct sdw_carrier *carrier = inside->tunnel->carriers[0];
    return (struct sdw_mirror_tuple){
        .src = carrier->src, .dst = carrier->dst, .flow_label = -1, .common = true};
}

struct sdw_carrier *sdw_mirror_inside_carrier(const struct sdw_mirror_inside *inside)
{
    return inside->tunnel->carriers[inside->current];
}

bool sdw_mirror_inside_next_carrier(struct sdw_mirror_inside *inside)
{
    inside->current = (inside->current + 1) % inside->tunnel->n;
    return inside->current > 0;
}

void sdw_mirror_inside_first_carrier(struct sdw_mirror_inside *inside)
{
    inside->current = 0;
}

int64_t sdw_mirror_inside_bytes(const struct sdw_mirror_inside *inside, int64_t ip_bytes)
{
    return ip_bytes + SHIM + (sdw_address_family(&inside->outer.dst) == AF_INET6 ? 40 : 20);
}

int sdw_mirror_inside_send(struct sdw_mirror_inside *inside, struct sdw_carrier *carrier,
                           const struct sdw_shot *shot, uint8_t dscp,
                           const struct sdw_mirror_claim *claim, int64_t *sent_ns,
                           struct sdw_err *err)
{
    inside->last_id += inside->last_id + 1 ? 1 : 2;
    struct sdw_probe_packet packet = {.id = inside->last_id,
                                      .ttl = shot->ttl,
                                      .dscp = dscp,
                                      .ip_bytes = shot->ip_bytes,
                                      .short_reply = shot->load};
    inside->sent[packet.id % REMEMBERED].id = packet.id;
    inside->sent[packet.id % REMEMBERED].claim = *claim;
    int bytes = carrier->ops->send(carrier, &packet, sent_ns, err);
    return bytes < 0 ? bytes : (int)sdw_mirror_inside_bytes(inside, bytes);
}

/* Fill the answers from the first carrier that has some. */
static int fill(struct sdw_mirror_inside *inside, struct sdw_err *err)
{
    int n = 0;
    for (size_t i = 0; i < inside->tunnel->n && n == 0; i++) {
        struct sdw_carrier *carrier = inside->tunnel->carriers[i];
        n = carrier->ops->receive(carrier, inside->answers, ANSWERS, err);
    }
    inside->taken = 0;
    inside->held = n > 0 ? (size_t)n : 0;
    return n;
}

int sdw_mirror_inside_next(struct sdw_mirror_inside *inside, struct sdw_answer *answer,
                           struct sdw_mirror_claim *claim, struct sdw_err *err)
{
    for (;;) {
        int more = inside->taken < inside->held ? 1 : fill(inside, err);
        if (more <= 0)
            return more;
        *answer = inside->answers[inside->taken++];
        /* An ICMP error, be it of the far end, tells nothing of the time that packets need. */
        bool reflected = answer->kind == SDW_ANSWER_FAR_END && answer->icmp_type == 0;
        if (!reflected || answer->id == 0 || inside->sent[answer->id % REMEMBERED].id != answer->id)
            continue;
        *claim = inside->sent[answer->id % REMEMBERED].claim;
        return 1;
    }
}

uint64_t sdw_mirror_inside_drops(const struct sdw_mirror_inside *inside)
{
    uint64_t drops = 0;
    for (size_t i = 0; i < inside->tunnel->n; i++)
        drops += inside->tunnel->carriers[i]->drops;
    return drops;
}
