/*
 * Swaps under traffic: sends paced UDP flows from a host behind the head-end, writes breach and
 * event records to standard output (into shadow-steer), and watches at the other end by which
 * interface each packet comes in. Prints to the file of --report, as one JSON object: swaps,
 * latencies from the breach line to the first packet on the new path, packets lost and reordered.
 *
 * SIGTERM ends it early, with its report.
 *
 *   steer_swap FROM_NETNS TO_NETNS ADDRESS SHADOW_DEV SWAPS PPS FLOWS REPORT | shadow-steer --apply
 * ...
 */
#include "core/clock.h"
#include "core/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PORT = 4789, FLOWS_MAX = 1000, SWAP_GAP_US = 25000, WAIT_US = 500000 };

struct payload {
    uint32_t flow, seq;
    int64_t sent_ns;
};

static const char *from_netns, *netns, *shadow_dev;
static struct sockaddr_storage target;
static socklen_t target_size;
static int flows, pps;
static atomic_bool sending = true, receiving = true, ready;
static volatile sig_atomic_t stopped;
static uint32_t sent[FLOWS_MAX];
static uint64_t received, reordered, skipped;
static uint32_t expected[FLOWS_MAX];
static _Atomic int64_t asked_ns, found_ns; /* of the swap that is under way */

static void stop(int signal)
{
    (void)signal;
    stopped = 1;
}

static void die(const char *what)
{
    perror(what);
    exit(4);
}

static void *send_all(void *arg)
{
    int fd[FLOWS_MAX];
    int64_t gap = 1000000000 / pps, next = sdw_mono_ns();
    int ns = open(from_netns, O_RDONLY | O_CLOEXEC);
    (void)arg;
    if (ns < 0 || setns(ns, CLONE_NEWNET) < 0)
        die(from_netns);
    prctl(PR_SET_TIMERSLACK, 1UL);
    /* The stalls of the sender are not those of the tool. */
    (void)sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){.sched_priority = 2});
    for (int i = 0; i < flows; i++) {
        fd[i] = socket(target.ss_family, SOCK_DGRAM, 0);
        if (fd[i] < 0 || connect(fd[i], (struct sockaddr *)&target, target_size) < 0)
            die("sender");
    }
    for (uint64_t n = 0; sending; n++) {
        struct payload load = {.flow = (uint32_t)(n % (uint64_t)flows)};
        int64_t late = sdw_mono_ns() - next;
        if (late > 10000000) { /* after a stall, go on from now: no burst */
            skipped += (uint64_t)(late / gap);
            next += late;
        }
        if (late < 0)
            (void)sdw_sleep_until(next, 0);
        load.seq = sent[load.flow]++;
        load.sent_ns = sdw_mono_ns();
        if (send(fd[load.flow], &load, sizeof load, 0) < 0)
            sent[load.flow]--;
        next += gap;
    }
    return NULL;
}

/* The interface a packet came in by. */
static int came_by(struct msghdr *head)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(head); c; c = CMSG_NXTHDR(head, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO)
            return ((struct in_pktinfo *)(void *)CMSG_DATA(c))->ipi_ifindex;
        if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO)
            return (int)((struct in6_pktinfo *)(void *)CMSG_DATA(c))->ipi6_ifindex;
    }
    return 0;
}

static void take(const struct payload *load, int ifindex, int shadow)
{
    received++;
    if (load->flow < FLOWS_MAX) {
        if (load->seq < expected[load->flow])
            reordered++;
        else
            expected[load->flow] = load->seq + 1;
    }
    int64_t asked = asked_ns;
    if (ifindex == shadow && asked && load->sent_ns >= asked) {
        found_ns = load->sent_ns;
        asked_ns = 0;
    }
}

static void *receive_all(void *arg)
{
    int on = 1, room = 8 << 20, ns = open(netns, O_RDONLY | O_CLOEXEC);
    (void)arg;
    if (ns < 0 || setns(ns, CLONE_NEWNET) < 0)
        die(netns);
    int fd = socket(target.ss_family, SOCK_DGRAM, 0), shadow = (int)if_nametoindex(shadow_dev);
    if (fd < 0 || shadow == 0 || bind(fd, (struct sockaddr *)&target, target_size) < 0)
        die("receiver");
    setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
    if (target.ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
    ready = true;
    while (receiving) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        if (poll(&wait, 1, 100) <= 0)
            continue;
        for (;;) {
            struct payload load;
            char control[256];
            struct iovec iov = {&load, sizeof load};
            struct msghdr head = {.msg_iov = &iov,
                                  .msg_iovlen = 1,
                                  .msg_control = control,
                                  .msg_controllen = sizeof control};
            if (recvmsg(fd, &head, MSG_DONTWAIT) != (ssize_t)sizeof load)
                break;
            take(&load, came_by(&head), shadow);
        }
    }
    return NULL;
}

static void say(const char *text)
{
    size_t n = strlen(text);
    if (write(STDOUT_FILENO, text, n) != (ssize_t)n)
        die("write");
}

static void metric(const char *path, double value)
{
    char line[256];
    snprintf(line, sizeof line,
             "{\"type\":\"metric\",\"v\":1,\"ts\":%lld,\"series\":\"path/%s/available_bps\","
             "\"value\":%.0f}\n",
             (long long)sdw_wall_us(), path, value);
    say(line);
}

static void event(const char *kind, const char *failure)
{
    char line[256];
    snprintf(line, sizeof line,
             "{\"type\":\"event\",\"v\":1,\"ts\":%lld,\"kind\":\"%s\",\"failure\":\"%s\","
             "\"path_id\":\"B\",\"severity\":5}\n",
             (long long)sdw_wall_us(), kind, failure);
    say(line);
}

/* Ask for the swap and wait for the first packet by the shadow: its latency, or -1. */
static int64_t swap(void)
{
    char line[512];
    snprintf(line, sizeof line,
             "{\"type\":\"breach\",\"v\":1,\"ts\":%lld,\"series\":\"path/P/available_bps\","
             "\"value\":1000000,\"capacity\":900000,\"direction\":\"below\",\"severity\":4,"
             "\"horizons\":[{\"horizon_us\":5000000,\"p\":0.9}],"
             "\"eta_us\":{\"lo\":1e6,\"mid\":2e6,\"hi\":4e6},\"path_id\":\"P\"}\n",
             (long long)sdw_wall_us());
    int64_t start = sdw_mono_ns();
    found_ns = 0;
    asked_ns = start;
    say(line);
    while (found_ns == 0 && !stopped && sdw_mono_ns() - start < WAIT_US * 1000LL)
        usleep(200);
    asked_ns = 0;
    return found_ns ? found_ns - start : -1;
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void set_target(const char *address)
{
    struct sockaddr_in *four = (struct sockaddr_in *)(void *)&target;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)(void *)&target;
    if (inet_pton(AF_INET, address, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons(PORT);
        target_size = sizeof *four;
    } else if (inet_pton(AF_INET6, address, &six->sin6_addr) == 1) {
        six->sin6_family = AF_INET6;
        six->sin6_port = htons(PORT);
        target_size = sizeof *six;
    } else {
        die("address");
    }
}

static void report(const char *path, const int64_t *latency, int found, int swaps)
{
    FILE *out = fopen(path, "w");
    uint64_t all = 0;
    if (!out)
        die(path);
    for (int i = 0; i < flows; i++)
        all += sent[i];
    fprintf(out,
            "{\"swaps\":%d,\"seen\":%d,\"p50_us\":%.1f,\"p90_us\":%.1f,\"p99_us\":%.1f,"
            "\"max_us\":%.1f,\"sent\":%llu,\"lost\":%lld,\"reordered\":%llu,\"skipped\":%llu}\n",
            swaps, found, found ? (double)latency[found / 2] / 1e3 : -1,
            found ? (double)latency[found * 9 / 10] / 1e3 : -1,
            found ? (double)latency[found * 99 / 100] / 1e3 : -1,
            found ? (double)latency[found - 1] / 1e3 : -1, (unsigned long long)all,
            (long long)(all - received), (unsigned long long)reordered,
            (unsigned long long)skipped);
    fclose(out);
}

int main(int argc, char **argv)
{
    pthread_t sender, receiver;
    if (argc != 9) {
        fprintf(
            stderr,
            "usage: steer_swap FROM_NETNS TO_NETNS ADDRESS SHADOW_DEV SWAPS PPS FLOWS REPORT\n");
        return 2;
    }
    from_netns = argv[1];
    netns = argv[2];
    shadow_dev = argv[4];
    int swaps = atoi(argv[5]) / 2, found = 0;
    pps = atoi(argv[6]);
    flows = atoi(argv[7]);
    if (swaps < 1 || pps < 1 || flows < 1 || flows > FLOWS_MAX)
        return 2;
    signal(SIGTERM, stop);
    set_target(argv[3]);
    int64_t *latency = sdw_xalloc((size_t)swaps * sizeof *latency);
    if (pthread_create(&receiver, NULL, receive_all, NULL))
        die("thread");
    while (!ready)
        usleep(1000);
    if (pthread_create(&sender, NULL, send_all, NULL))
        die("thread");
    usleep(500000);
    for (int i = 0; i < swaps && !stopped; i++) {
        event("recovery", "dead");
        metric("P", 1e6);
        metric("B", 40e6);
        usleep(SWAP_GAP_US);
        int64_t took = swap();
        if (took >= 0)
            latency[found++] = took;
        usleep(SWAP_GAP_US);
        event("degradation", "dead"); /* of the shadow: everything goes home, another swap */
    }
    usleep(200000);
    sending = false;
    pthread_join(sender, NULL);
    usleep(200000);
    receiving = false;
    pthread_join(receiver, NULL);
    qsort(latency, (size_t)found, sizeof *latency, compare);
    report(argv[8], latency, found, swaps * 2);
    return 0;
}
