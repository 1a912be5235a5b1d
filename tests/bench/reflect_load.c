/*
 * Asks a reflector, for the benchmarks: how fast it answers, and how true its stamps are; and the
 * barest echo there is, to compare it with.
 *
 *     reflect_load flood PORT PACKETS   keeps 256 requests under way; prints how many answers
 *     reflect_load stamps PORT PACKETS  one request at a time; prints p50 and p99 in ns
 *     reflect_load echo PORT            answers whatever comes, for ever
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "net/socket.h"
#include "net/stamp_tlv.h"
#include "net/wire.h"

enum { BATCH = 32, WINDOW = 256, BYTES = 64, ROOM = 2048 };

static struct sdw_address loopback(uint16_t port)
{
    struct sdw_address address;
    sdw_address_parse("127.0.0.1", port, &address);
    return address;
}

static int echo(uint16_t port)
{
    static uint8_t bytes[BATCH][ROOM];
    static struct sockaddr_in from[BATCH];
    static struct mmsghdr messages[BATCH];
    struct iovec parts[BATCH];
    struct sdw_address local = loopback(port);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0 || bind(fd, &local.any, sdw_address_len(&local)) < 0)
        return 1;
    for (;;) {
        for (size_t i = 0; i < BATCH; i++) {
            parts[i] = (struct iovec){bytes[i], ROOM};
            messages[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
                                                  .msg_namelen = sizeof from[i],
                                                  .msg_iov = &parts[i],
                                                  .msg_iovlen = 1};
        }
        int n = recvmmsg(fd, messages, BATCH, MSG_WAITFORONE, NULL);
        for (int i = 0; i < n; i++)
            parts[i].iov_len = messages[i].msg_len;
        if (n > 0)
            (void)sendmmsg(fd, messages, (unsigned)n, 0);
    }
}

static void open_sender(struct sdw_socket *s)
{
    static const struct sdw_socket_options options = {.receive_bytes = 1 << 22};
    struct sdw_address local = loopback(0);
    if (sdw_socket_open(s, &local, &options, NULL) < 0)
        exit(1);
}

/* Answers to `packets` requests of BYTES octets; lost ones end the wait for them after 200 ms. */
static int flood(uint16_t port, long packets)
{
    static uint8_t request[BYTES], replies[BATCH][ROOM];
    struct sdw_address to = loopback(port);
    struct sdw_socket s;
    static struct mmsghdr out[BATCH], in[BATCH];
    struct iovec out_part = {request, sizeof request}, in_parts[BATCH];
    struct sdw_stamp_request what = {.seq = 1, .error = 1};
    long sent = 0, answered = 0;
    open_sender(&s);
    sdw_stamp_put_request(&what, NULL, request);
    (void)sdw_stamp_tlv_pad(request, SDW_STAMP_BASE, sizeof request);
    for (size_t i = 0; i < BATCH; i++) {
        out[i].msg_hdr = (struct msghdr){.msg_name = &to,
                                         .msg_namelen = sdw_address_len(&to),
                                         .msg_iov = &out_part,
                                         .msg_iovlen = 1};
        in_parts[i] = (struct iovec){replies[i], ROOM};
        in[i].msg_hdr = (struct msghdr){.msg_iov = &in_parts[i], .msg_iovlen = 1};
    }
    while (answered < packets) {
        while (sent < packets && sent - answered + BATCH <= WINDOW) {
            int n = sendmmsg(s.fd, out, BATCH, 0);
            sent += n > 0 ? n : 0;
        }
        struct pollfd f = {.fd = s.fd, .events = POLLIN};
        if (poll(&f, 1, 200) <= 0)
            break;
        int n = recvmmsg(s.fd, in, BATCH, MSG_DONTWAIT, NULL);
        answered += n > 0 ? n : 0;
    }
    printf("%ld\n", answered);
    return 0;
}

static int ascending(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void print(const char *name, int64_t *values, size_t n)
{
    qsort(values, n, sizeof *values, ascending);
    printf("%s %lld %lld\n", name, (long long)values[n / 2], (long long)values[n * 99 / 100]);
}

/* The transmit stamp of the request just sent. */
static int64_t sent_at(struct sdw_socket *s)
{
    struct sdw_socket_event event;
    for (int i = 0; i < 1000; i++)
        if (sdw_socket_events(s, &event, NULL) == 1 && event.kind == SDW_SOCKET_SENT)
            return event.stamp_ns;
    return 0;
}

/* T2 against the kernel's transmit stamp of the request, which on the loopback is when it arrives;
 * T3 against the kernel's transmit stamp of the reply, from the next one's follow-up. */
static int stamps(uint16_t port, size_t packets)
{
    struct sdw_address to = loopback(port);
    struct sdw_socket s;
    struct sdw_inbox *inbox = sdw_inbox_new(1, ROOM);
    int64_t *t2 = calloc(packets, sizeof *t2), *t3 = calloc(packets, sizeof *t3), last_t3 = 0;
    uint8_t request[ROOM];
    size_t n2 = 0, n3 = 0;
    if (!t2 || !t3)
        return 1;
    open_sender(&s);
    for (uint32_t i = 0; i < packets; i++) {
        struct sdw_stamp_request what = {.seq = i, .error = 1, .ssid = 1};
        size_t n = sdw_stamp_put_request(&what, NULL, request);
        n = sdw_stamp_tlv_add(request, n, ROOM, SDW_STAMP_FOLLOW_UP, NULL, 16);
        struct sdw_outgoing out = {.to = &to, .tos = -1, .stamp = true, .bytes = request, .n = n};
        struct pollfd f = {.fd = s.fd, .events = POLLIN};
        struct sdw_stamp_reply reply;
        sdw_socket_send(&s, &out, NULL, NULL);
        int64_t t1 = sent_at(&s);
        if (poll(&f, 1, 1000) <= 0 || sdw_socket_receive(&s, inbox, NULL) != 1)
            continue;
        const struct sdw_incoming *in = sdw_inbox_at(inbox, 0);
        if (sdw_stamp_get_reply(in->bytes, in->n, NULL, &reply, NULL) < 0)
            continue;
        int64_t follow_up =
            sdw_stamp_time_ns(sdw_get64(in->bytes + SDW_STAMP_BASE + 8), reply.error);
        if (t1)
            t2[n2++] = llabs(sdw_stamp_time_ns(reply.received, reply.error) - t1);
        if (last_t3 && sdw_get32(in->bytes + SDW_STAMP_BASE + 4) == reply.seq - 1)
            t3[n3++] = follow_up - last_t3;
        last_t3 = sdw_stamp_time_ns(reply.sent, reply.error);
        sdw_sleep_until(sdw_mono_ns() + 200000, 0);
    }
    if (n2 == 0 || n3 == 0)
        return 1;
    print("t2", t2, n2);
    print("t3", t3, n3);
    return 0;
}

int main(int argc, char **argv)
{
    uint16_t port = argc > 2 ? (uint16_t)strtol(argv[2], NULL, 10) : 0;
    long packets = argc > 3 ? strtol(argv[3], NULL, 10) : 0;
    if (argc == 3 && strcmp(argv[1], "echo") == 0)
        return echo(port);
    if (argc == 4 && strcmp(argv[1], "flood") == 0 && packets > 0)
        return flood(port, packets);
    if (argc == 4 && strcmp(argv[1], "stamps") == 0 && packets > 0)
        return stamps(port, (size_t)packets);
    fprintf(stderr, "usage: reflect_load echo PORT | flood PORT PACKETS | stamps PORT PACKETS\n");
    return 2;
}
