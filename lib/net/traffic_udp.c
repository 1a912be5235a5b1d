#include "core/clock.h"
#include "net/traffic_share.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    LATE_NS = 2000000,            /* later than this is a stall */
    LONGEST_SLEEP_NS = 100000000, /* between looks at the stop flag */
    NAP_NS = 4000000,             /* of the receiver: the kernel keeps the time of arrival */
    BATCH = 64,
    WINDOW = 8192 /* sequence numbers in which duplicates are recognised */
};

/* The flow whose packet is due first. */
static size_t first_due(const struct sdw_pace *paces, size_t n)
{
    size_t first = 0;
    for (size_t i = 1; i < n; i++)
        if (paces[i].due_ns < paces[first].due_ns)
            first = i;
    return first;
}

static void skip_to(struct sdw_pace *paces, size_t n, size_t due, int64_t now_ns,
                    struct sdw_traffic_share *share)
{
    share->flow[due].late++;
    paces[due].due_ns = now_ns; /* this one is sent, late */
    for (size_t i = 0; i < n; i++)
        while (i != due && paces[i].due_ns < now_ns) {
            share->flow[i].skipped++;
            sdw_pace_next(&paces[i]);
        }
}

bool sdw_traffic_wait(struct sdw_pace *paces, size_t n, size_t *due,
                      const struct sdw_traffic_plan *plan, struct sdw_traffic_share *share)
{
    size_t first = *due = first_due(paces, n);
    int64_t target = share->start_ns + paces[first].due_ns, late;
    if (paces[first].due_ns >= plan->duration_us * 1000)
        return false;
    for (;;) {
        int64_t now = sdw_mono_ns();
        if (share->stop)
            return false;
        if (target - now <= LONGEST_SLEEP_NS)
            break;
        sdw_sleep_until(now + LONGEST_SLEEP_NS, 0);
    }
    late = sdw_sleep_until(target, 0);
    if (late > LATE_NS) {
        int64_t old = paces[first].due_ns;
        skip_to(paces, n, first, old + late, share);
    }
    return true;
}

static int open_flow(const struct sdw_traffic_plan *plan, const struct sdw_traffic_ends *ends,
                     size_t flow, struct sdw_err *err)
{
    struct sockaddr_storage source = ends->source;
    sdw_traffic_set_port(&source, plan->port + SDW_TRAFFIC_SOURCE_PORT + (int64_t)flow);
    int fd = socket(source.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return sdw_err_sys(err, "traffic: socket");
    if (bind(fd, (const struct sockaddr *)&source, ends->length) < 0 ||
        connect(fd, (const struct sockaddr *)&ends->destination, ends->length) < 0) {
        int code = sdw_err_sys(err, "traffic: source port %d",
                               (int)plan->port + SDW_TRAFFIC_SOURCE_PORT + (int)flow);
        close(fd);
        return code;
    }
    return fd;
}

static void send_one(int fd, struct sdw_traffic_flow *flow, size_t index, int64_t size,
                     size_t overhead)
{
    char packet[65536];
    struct sdw_traffic_header header = {SDW_TRAFFIC_MAGIC, (uint32_t)index, (uint64_t)flow->sent,
                                        sdw_wall_ns()};
    size_t payload = (size_t)size - overhead;
    if (payload < sizeof header)
        payload = sizeof header;
    memcpy(packet, &header, sizeof header);
    memset(packet + sizeof header, 0, payload - sizeof header);
    /* What the host itself refuses to queue was sent and lost, as far as the flow can tell. */
    (void)!send(fd, packet, payload, 0);
    flow->sent++;
    flow->sent_bytes += (int64_t)(payload + overhead);
}

int sdw_traffic_send_udp(const struct sdw_traffic_plan *plan, const struct sdw_traffic_ends *ends,
                         struct sdw_traffic_share *share, struct sdw_err *err)
{
    size_t n = (size_t)plan->flows, overhead = ends->source.ss_family == AF_INET ? 28 : 48, due;
    struct sdw_pace *paces = sdw_xalloc(n * sizeof *paces);
    int fds[SDW_TRAFFIC_FLOWS_MAX] = {0}, code = 0;
    size_t open = 0;
    for (; open < n; open++) {
        sdw_pace_init(&paces[open], plan, (int64_t)open);
        fds[open] = open_flow(plan, ends, open, err);
        if (fds[open] < 0) {
            code = fds[open];
            break;
        }
    }
    while (code == 0 && sdw_traffic_wait(paces, n, &due, plan, share)) {
        send_one(fds[due], &share->flow[due], due, paces[due].size, overhead);
        sdw_pace_next(&paces[due]);
    }
    for (size_t i = 0; i < open; i++)
        close(fds[i]);
    free(paces);
    return code;
}

void sdw_traffic_arrived(struct sdw_traffic_flow *flow, int64_t delay_ns, int64_t bytes)
{
    int64_t delay_us = delay_ns > 0 ? delay_ns / 1000 : 0;
    atomic_fetch_add_explicit(&flow->delay[sdw_histogram_bucket((uint64_t)delay_us)], 1,
                              memory_order_relaxed);
    if (delay_us > flow->delay_max_us)
        flow->delay_max_us = delay_us;
    flow->received++;
    flow->received_bytes += bytes;
}

/* What the receiver of datagrams keeps to itself: which sequence numbers it has seen. */
struct seen {
    uint64_t bits[WINDOW / 64];
};

/* Whether the number is new; order and duplicates are counted (RFC 4737, RFC 5560). */
static bool note(struct seen *seen, struct sdw_traffic_flow *flow, int64_t seq)
{
    uint64_t bit = UINT64_C(1) << (seq % 64);
    uint64_t *word = &seen->bits[seq % WINDOW / 64];
    int64_t highest = flow->highest;
    if (seq < highest - WINDOW)
        return false; /* older than is remembered: it was counted lost and stays so */
    if (seq >= highest) {
        int64_t from = seq - highest >= WINDOW ? seq - WINDOW + 1 : highest;
        for (int64_t s = from; s <= seq; s++)
            seen->bits[s % WINDOW / 64] &= ~(UINT64_C(1) << (s % 64));
        flow->highest = seq + 1;
    } else if (*word & bit) {
        flow->duplicated++;
        return false;
    } else {
        flow->reordered++;
    }
    *word |= bit;
    return true;
}

static void take_packet(struct msghdr *message, const char *packet, size_t size,
                        const struct sdw_traffic_plan *plan, size_t overhead, struct seen *seen,
                        struct sdw_traffic_share *share)
{
    struct sdw_traffic_header header;
    struct timespec at = {0};
    if (size < sizeof header)
        return;
    memcpy(&header, packet, sizeof header);
    if (header.magic != SDW_TRAFFIC_MAGIC || header.flow >= (uint64_t)plan->flows)
        return;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS)
            memcpy(&at, CMSG_DATA(c), sizeof at);
        uint32_t drops;
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
            memcpy(&drops, CMSG_DATA(c), sizeof drops);
            share->socket_drops = drops;
        }
    }
    struct sdw_traffic_flow *flow = &share->flow[header.flow];
    if (note(&seen[header.flow], flow, (int64_t)header.seq))
        sdw_traffic_arrived(flow, (int64_t)at.tv_sec * 1000000000 + at.tv_nsec - header.sent_ns,
                            (int64_t)(size + overhead));
}

/* Take what has arrived. Returns how many packets. */
static int drain(int fd, const struct sdw_traffic_plan *plan, size_t overhead, struct seen *seen,
                 struct sdw_traffic_share *share)
{
    struct mmsghdr messages[BATCH] = {0};
    struct iovec parts[BATCH];
    char packets[BATCH][sizeof(struct sdw_traffic_header)], controls[BATCH][128];
    for (size_t i = 0; i < BATCH; i++) {
        parts[i] = (struct iovec){packets[i], sizeof packets[i]};
        messages[i].msg_hdr.msg_iov = &parts[i];
        messages[i].msg_hdr.msg_iovlen = 1;
        messages[i].msg_hdr.msg_control = controls[i];
        messages[i].msg_hdr.msg_controllen = sizeof controls[i];
    }
    int n = recvmmsg(fd, messages, BATCH, MSG_DONTWAIT | MSG_TRUNC, NULL);
    for (int i = 0; i < n; i++)
        take_packet(&messages[i].msg_hdr, packets[i], messages[i].msg_len, plan, overhead, seen,
                    share);
    return n;
}

int sdw_traffic_receive_udp(const struct sdw_traffic_plan *plan,
                            const struct sdw_traffic_ends *ends, struct sdw_traffic_share *share,
                            struct sdw_err *err)
{
    int on = 1, room = 8 << 20;
    size_t overhead = ends->destination.ss_family == AF_INET ? 28 : 48;
    int fd = socket(ends->destination.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return sdw_err_sys(err, "traffic: socket");
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) < 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    (void)setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on);
    if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) < 0 ||
        bind(fd, (const struct sockaddr *)&ends->destination, ends->length) < 0) {
        int code = sdw_err_sys(err, "traffic: port %d", (int)plan->port);
        close(fd);
        return code;
    }
    struct seen *seen = sdw_xalloc((size_t)plan->flows * sizeof *seen);
    share->ready = 1;
    for (bool last = false; !last;) {
        last = share->stopped;
        sdw_sleep_until(sdw_mono_ns() + NAP_NS, 0);
        while (drain(fd, plan, overhead, seen, share) == BATCH)
            ;
    }
    free(seen);
    close(fd);
    return 0;
}
