#include "core/clock.h"
#include "net/traffic_share.h"

#include <errno.h>
#include <linux/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CONNECT_MS = 3000,
    LOOK_MS = 100, /* between looks at the stop flag and at the kernel's counters */
    RETRY_NS = 1000000,
    READ_SIZE = 256 * 1024,
};

/* One connection at the sender: what of the message in hand is still to be written. */
struct stream {
    int fd;
    char *message; /* plan->size bytes */
    size_t left;
};

static int connect_flow(const struct sdw_traffic_plan *plan, const struct sdw_traffic_ends *ends,
                        size_t flow, struct sdw_err *err)
{
    struct sockaddr_storage source = ends->source;
    int on = 1, code = 0;
    sdw_traffic_set_port(&source, plan->port + SDW_TRAFFIC_SOURCE_PORT + (int64_t)flow);
    int fd = socket(source.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return sdw_err_sys(err, "traffic: socket");
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct pollfd waiting = {fd, POLLOUT, 0};
    socklen_t length = sizeof code;
    if (bind(fd, (const struct sockaddr *)&source, ends->length) < 0)
        code = errno;
    else if (connect(fd, (const struct sockaddr *)&ends->destination, ends->length) < 0 &&
             errno != EINPROGRESS)
        code = errno;
    else if (poll(&waiting, 1, CONNECT_MS) != 1)
        code = ETIMEDOUT;
    else
        (void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &length);
    if (code == 0)
        return fd;
    close(fd);
    errno = code;
    return sdw_err_sys(err, "traffic: connection %zu to port %d", flow, (int)plan->port);
}

/* Write on; 0 when the message is out, 1 when the socket takes no more, negative: broken. */
static int push(struct stream *stream, size_t size)
{
    while (stream->left) {
        ssize_t n =
            send(stream->fd, stream->message + size - stream->left, stream->left, MSG_NOSIGNAL);
        if (n < 0)
            return errno == EAGAIN || errno == EINTR ? 1 : -1;
        stream->left -= (size_t)n;
    }
    return 0;
}

/* Start the next message, unless the one before is still in hand. */
static int put_message(struct stream *stream, struct sdw_traffic_flow *flow, size_t index,
                       size_t size)
{
    struct sdw_traffic_header header = {SDW_TRAFFIC_MAGIC, (uint32_t)index, (uint64_t)flow->sent,
                                        sdw_wall_ns()};
    int code = push(stream, size);
    if (code != 0)
        return code;
    memcpy(stream->message, &header, sizeof header);
    stream->left = size;
    flow->sent++;
    return push(stream, size) < 0 ? -1 : 0;
}

/* The kernel's own account of a connection. */
static void account(const struct stream *stream, struct sdw_traffic_flow *flow, int64_t headers)
{
    struct tcp_info info = {0};
    socklen_t length = sizeof info;
    if (getsockopt(stream->fd, IPPROTO_TCP, TCP_INFO, &info, &length) < 0)
        return;
    flow->retransmitted = info.tcpi_total_retrans;
    flow->sent_bytes = (int64_t)info.tcpi_bytes_sent + info.tcpi_data_segs_out * headers;
}

static void send_paced(const struct sdw_traffic_plan *plan, struct stream *streams, int64_t headers,
                       struct sdw_traffic_share *share)
{
    size_t n = (size_t)plan->flows, size = (size_t)plan->size, due;
    struct sdw_pace *paces = sdw_xalloc(n * sizeof *paces);
    for (size_t i = 0; i < n; i++)
        sdw_pace_init(&paces[i], plan, (int64_t)i);
    while (sdw_traffic_wait(paces, n, &due, plan, share)) {
        if (put_message(&streams[due], &share->flow[due], due, size) > 0)
            share->flow[due].skipped++; /* the network is full: the application waits */
        sdw_pace_next(&paces[due]);
        for (size_t i = 0; i < n; i++)
            (void)push(&streams[i], size);
        account(&streams[due], &share->flow[due], headers);
    }
    free(paces);
}

static void send_bulk(const struct sdw_traffic_plan *plan, struct stream *streams, int64_t headers,
                      struct sdw_traffic_share *share)
{
    size_t n = (size_t)plan->flows, size = (size_t)plan->size;
    int64_t end = share->start_ns + plan->duration_us * 1000;
    struct pollfd fds[SDW_TRAFFIC_FLOWS_MAX];
    sdw_sleep_until(share->start_ns, 0);
    while (!share->stop && sdw_mono_ns() < end) {
        for (size_t i = 0; i < n; i++)
            fds[i] = (struct pollfd){streams[i].fd, POLLOUT, 0};
        if (poll(fds, (nfds_t)n, LOOK_MS) < 0)
            break;
        for (size_t i = 0; i < n; i++) {
            for (int burst = 0; (fds[i].revents & POLLOUT) && burst < 64; burst++)
                if (put_message(&streams[i], &share->flow[i], i, size) != 0)
                    break;
            account(&streams[i], &share->flow[i], headers);
        }
    }
}

/* Give what is in hand and in flight a second to arrive. */
static void finish(const struct sdw_traffic_plan *plan, struct stream *streams, size_t n,
                   int64_t headers, struct sdw_traffic_share *share)
{
    int64_t until = sdw_mono_ns() + INT64_C(1000000000);
    bool busy = true;
    while (busy && sdw_mono_ns() < until) {
        busy = false;
        for (size_t i = 0; i < n; i++) {
            busy |= push(&streams[i], (size_t)plan->size) > 0;
            account(&streams[i], &share->flow[i], headers);
            busy |= share->flow[i].received < share->flow[i].sent;
        }
        sdw_sleep_until(sdw_mono_ns() + RETRY_NS, 0);
    }
    for (size_t i = 0; i < n; i++) {
        close(streams[i].fd);
        free(streams[i].message);
    }
}

int sdw_traffic_send_tcp(const struct sdw_traffic_plan *plan, const struct sdw_traffic_ends *ends,
                         struct sdw_traffic_share *share, struct sdw_err *err)
{
    struct stream streams[SDW_TRAFFIC_FLOWS_MAX];
    int64_t headers = ends->source.ss_family == AF_INET ? 52 : 72; /* with the time option */
    int code = 0;
    size_t n = 0;
    for (; n < (size_t)plan->flows; n++) {
        int fd = connect_flow(plan, ends, n, err);
        if (fd < 0) {
            code = fd;
            break;
        }
        streams[n] = (struct stream){fd, sdw_xalloc((size_t)plan->size), 0};
    }
    share->start_ns = sdw_mono_ns();
    if (code == 0 && plan->model == SDW_TRAFFIC_BULK)
        send_bulk(plan, streams, headers, share);
    else if (code == 0)
        send_paced(plan, streams, headers, share);
    finish(plan, streams, n, headers, share);
    return code;
}

/* One connection at the receiver: where in the current message it is. */
struct arrival {
    struct sdw_traffic_header header;
    size_t at;
};

static void take_bytes(struct arrival *arrival, const char *bytes, size_t n,
                       const struct sdw_traffic_plan *plan, struct sdw_traffic_share *share)
{
    int64_t now = sdw_wall_ns();
    size_t size = (size_t)plan->size;
    while (n) {
        size_t part = size - arrival->at < n ? size - arrival->at : n;
        if (arrival->at < sizeof arrival->header) {
            size_t rest = sizeof arrival->header - arrival->at;
            memcpy((char *)&arrival->header + arrival->at, bytes, rest < part ? rest : part);
        }
        arrival->at += part;
        bytes += part;
        n -= part;
        if (arrival->at < size)
            return;
        arrival->at = 0;
        if (arrival->header.magic != SDW_TRAFFIC_MAGIC ||
            arrival->header.flow >= (uint64_t)plan->flows)
            return;
        struct sdw_traffic_flow *flow = &share->flow[arrival->header.flow];
        flow->highest = (int64_t)arrival->header.seq + 1;
        sdw_traffic_arrived(flow, now - arrival->header.sent_ns, plan->size);
    }
}

static void serve(const struct sdw_traffic_plan *plan, int listener,
                  struct sdw_traffic_share *share)
{
    struct pollfd fds[SDW_TRAFFIC_FLOWS_MAX + 1] = {{listener, POLLIN, 0}};
    struct arrival *arrivals = sdw_xalloc(SDW_TRAFFIC_FLOWS_MAX * sizeof *arrivals);
    char *bytes = sdw_xalloc(READ_SIZE);
    nfds_t n = 1;
    while (!share->stopped) {
        if (poll(fds, n, LOOK_MS) <= 0)
            continue;
        if (fds[0].revents && n <= SDW_TRAFFIC_FLOWS_MAX) {
            int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
            if (fd >= 0)
                fds[n++] = (struct pollfd){fd, POLLIN, 0};
        }
        for (nfds_t i = 1; i < n; i++) {
            ssize_t got = fds[i].revents ? read(fds[i].fd, bytes, READ_SIZE) : -1;
            if (got > 0)
                take_bytes(&arrivals[i - 1], bytes, (size_t)got, plan, share);
            else if (fds[i].revents && (got == 0 || errno != EAGAIN))
                fds[i].events = 0, fds[i].fd = -1 - fds[i].fd; /* ended: poll passes over it */
        }
    }
    for (nfds_t i = 1; i < n; i++)
        close(fds[i].fd < 0 ? -1 - fds[i].fd : fds[i].fd);
    free(bytes);
    free(arrivals);
}

int sdw_traffic_receive_tcp(const struct sdw_traffic_plan *plan,
                            const struct sdw_traffic_ends *ends, struct sdw_traffic_share *share,
                            struct sdw_err *err)
{
    int on = 1;
    int fd = socket(ends->destination.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return sdw_err_sys(err, "traffic: socket");
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (const struct sockaddr *)&ends->destination, ends->length) < 0 ||
        listen(fd, SDW_TRAFFIC_FLOWS_MAX) < 0) {
        int code = sdw_err_sys(err, "traffic: port %d", (int)plan->port);
        close(fd);
        return code;
    }
    share->ready = 1;
    serve(plan, fd, share);
    close(fd);
    return 0;
}
