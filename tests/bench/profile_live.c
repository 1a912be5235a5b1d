/*
 * Traffic for shadow-profile on an interface, and what it says of it, for tests/lab/bars/live.sh:
 *
 *     profile_live IF PPS SECONDS FLOWS PACKETS PID <RECORDS
 *
 * Sends PPS packets a second (0: as many as go) for SECONDS from IF: FLOWS flows at a time of
 * PACKETS packets each, TCP and UDP, IPv4 and IPv6, both directions, with payload. Then asks the
 * process PID to end. Meanwhile reads its records, until they end, and prints one JSON object:
 *   sent, flows     packets, and flows that began
 *   held_share      share of the flows that others on this machine held up: from 20 ms before they
 *                   began, which is what catching up may take, until they were heard of, PID or
 * this reader waited for a processor, or the sender was behind, for more than 1 ms told, told_rev
 * packets of all flow.end; flow.new and flow.end records delay_..._us    from just before the first
 * packet of a flow is given to the kernel to its flow.new being read here, of the flows that were
 * not held up lost, dropped   packets that loss records tell of, and records
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/mem.h"
#include "net/packet.h"
#include "net/wire.h"

enum {
    BATCH = 32,
    FRAME = 256,
    PAYLOAD = 64,
    FLOWS_MOST = 1 << 22,
    LINE = 1 << 16,
    MS_MOST = 600000,
    CATCH_UP_MS = 20
};
enum { ETHERNET = 14, IP4 = 20, IP6 = 40, TCP = 32, UDP = 8, PORT = 8000 };
static const int64_t late_ns = 1000000, give_up_ns = 20000000, second_ns = 1000000000,
                     ms_ns = 1000000;

/* Written by the sender, read by both. */
struct shared {
    uint64_t sent, flows;
    int64_t begin_ns, took_ns;    /* by the wall clock */
    int64_t first_ns[FLOWS_MOST]; /* when the first packet of each left */
    int64_t held_ns[MS_MOST];     /* by millisecond: how long others held us up so far */
    int64_t last_ms;              /* the latest of them */
};

struct slot {
    uint32_t flow, packet, last; /* which packet of which flow is next, and its last */
};

/* --- packets -------------------------------------------------------------------------------- */

static uint8_t *put_ip(uint8_t *p, uint32_t flow, bool ipv6, bool reverse, uint8_t protocol,
                       size_t n)
{
    uint8_t *client, *server;
    sdw_put16(p + 12, ipv6 ? ETHERTYPE_IPV6 : ETHERTYPE_IP);
    p += ETHERNET;
    if (ipv6) {
        p[0] = 0x60;
        sdw_put16(p + 4, (uint16_t)n);
        p[6] = protocol;
        p[7] = 64;
        client = p + (reverse ? 24 : 8);
        server = p + (reverse ? 8 : 24);
        client[0] = server[0] = 0xfd;
        sdw_put32(client + 12, flow);
        server[1] = 1;
        return p + IP6;
    }
    p[0] = 0x45;
    sdw_put16(p + 2, (uint16_t)(IP4 + n));
    p[8] = 64;
    p[9] = protocol;
    client = p + (reverse ? 16 : 12);
    server = p + (reverse ? 12 : 16);
    sdw_put32(client, 10U << 24 | flow);
    sdw_put32(server, 172U << 24 | 16U << 16 | 1);
    return p + IP4;
}

static void put_tcp(uint8_t *p, uint32_t packet, uint32_t last, bool reverse, size_t payload)
{
    uint32_t sent = packet < 3 ? packet > reverse : 1 + (packet - 1 - reverse) / 2 * PAYLOAD;
    uint32_t heard = packet < 3 ? packet > 0 : 1 + (packet - 2 + reverse) / 2 * PAYLOAD;
    uint8_t flags = packet < 2 ? SDW_TCP_SYN : packet + 2 > last ? SDW_TCP_FIN : SDW_TCP_PSH;
    sdw_put32(p + 4, sent);
    sdw_put32(p + 8, heard);
    p[12] = TCP / 4 << 4;
    p[13] = (uint8_t)(flags | (packet ? SDW_TCP_ACK : 0));
    sdw_put16(p + 14, 512);
    p[20] = p[21] = 1; /* no operation, twice; timestamps */
    p[22] = 8;
    p[23] = 10;
    sdw_put32(p + 24, packet + 1);
    sdw_put32(p + 28, packet);
    memset(p + TCP, 'x', payload);
}

/* A packet of a flow. Its length. */
static size_t put_packet(uint8_t *p, const struct slot *slot)
{
    bool tcp = slot->flow % 2 == 0, ipv6 = slot->flow % 4 >= 2, reverse = slot->packet % 2;
    size_t payload = tcp && slot->packet < 3 ? 0 : PAYLOAD, n = payload + (tcp ? TCP : UDP);
    memset(p, 0, FRAME);
    p[0] = p[6] = 2; /* both ends are nobody here */
    p[5] = 9;
    uint8_t *transport = put_ip(p, slot->flow, ipv6, reverse, tcp ? IPPROTO_TCP : IPPROTO_UDP, n);
    sdw_put16(transport + (reverse ? 2 : 0), (uint16_t)(1024 + slot->flow % 60000));
    sdw_put16(transport + (reverse ? 0 : 2), PORT);
    if (tcp)
        put_tcp(transport, slot->packet, slot->last, reverse, payload);
    else
        sdw_put16(transport + 4, (uint16_t)n);
    return (size_t)(transport - p) + n;
}

/* --- what holds us up ----------------------------------------------------------------------- */

/* Who may have to wait for a processor, by schedstat of proc(5); and what the sender was late. */
struct watch {
    int fd[2];
    int64_t late_ns;
};

static struct watch watch_processes(pid_t a, pid_t b)
{
    const pid_t pid[2] = {a, b};
    struct watch watch = {0};
    for (int i = 0; i < 2; i++) {
        char path[64];
        snprintf(path, sizeof path, "/proc/%d/schedstat", (int)pid[i]);
        watch.fd[i] = open(path, O_RDONLY | O_CLOEXEC);
    }
    return watch;
}

static int64_t held_ns(const struct watch *watch)
{
    int64_t sum = watch->late_ns;
    for (int i = 0; i < 2; i++) {
        char text[128] = "";
        long long ran, waited;
        if (pread(watch->fd[i], text, sizeof text - 1, 0) > 0 &&
            sscanf(text, "%lld %lld", &ran, &waited) == 2)
            sum += waited;
    }
    return sum;
}

/* Note how things are, once in a millisecond. */
static void note(struct shared *shared, const struct watch *watch, int64_t wall_ns)
{
    int64_t ms = (wall_ns - shared->begin_ns) / ms_ns;
    if (ms <= shared->last_ms || ms >= MS_MOST)
        return;
    int64_t held = held_ns(watch);
    while (shared->last_ms < ms)
        shared->held_ns[++shared->last_ms] = held;
}

static bool was_held_up(const struct shared *shared, int64_t from_ns, int64_t to_ns)
{
    int64_t from = (from_ns - shared->begin_ns) / ms_ns - CATCH_UP_MS;
    int64_t to = (to_ns - shared->begin_ns) / ms_ns + 1;
    from = from > 0 ? from : 0;
    to = to < shared->last_ms ? to : shared->last_ms;
    return from > to || shared->held_ns[to] - shared->held_ns[from] > ms_ns;
}

/* --- sending -------------------------------------------------------------------------------- */

static int open_interface(const char *name)
{
    int fd = socket(AF_PACKET, SOCK_RAW, 0), one = 1;
    struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(name)};
    (void)setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof one);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) < 0) {
        perror(name);
        exit(4);
    }
    return fd;
}

static void send_all(int fd, uint8_t frames[BATCH][FRAME], const size_t *n)
{
    struct mmsghdr messages[BATCH] = {0};
    struct iovec parts[BATCH];
    for (size_t i = 0; i < BATCH; i++) {
        parts[i] = (struct iovec){frames[i], n[i]};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
    }
    for (unsigned done = 0; done < BATCH;) {
        int sent = sendmmsg(fd, messages + done, BATCH - done, 0);
        if (sent < 0 && errno != ENOBUFS && errno != EINTR && errno != EAGAIN) {
            perror("send");
            exit(4);
        }
        done += sent > 0 ? (unsigned)sent : 1; /* one that the kernel had no room for never left */
    }
}

static void send_packets(struct shared *shared, int fd, int64_t pps, int64_t seconds,
                         struct slot *slots, size_t n_slots, uint32_t packets, pid_t tool)
{
    static uint8_t frames[BATCH][FRAME];
    struct watch watch = watch_processes(tool, getppid());
    size_t n[BATCH], at = 0;
    int64_t begin = sdw_mono_ns(), now = begin, due = begin, before;
    shared->begin_ns = sdw_wall_ns();
    shared->held_ns[0] = held_ns(&watch);
    while (now - begin < seconds * second_ns) {
        before = now;
        while ((now = sdw_mono_ns()) < due)
            ;
        if ((pps ? now - due : now - before) > late_ns)
            watch.late_ns += now - before;
        if (now - due > give_up_ns)
            due = now;
        due += pps ? BATCH * second_ns / pps : 0;
        int64_t wall = sdw_wall_ns();
        for (size_t i = 0; i < BATCH; i++, at = (at + 1) % n_slots) {
            struct slot *slot = &slots[at];
            if (slot->packet > slot->last)
                *slot = (struct slot){(uint32_t)shared->flows++, 0, packets - 1};
            if (slot->packet == 0)
                shared->first_ns[slot->flow] = wall;
            n[i] = put_packet(frames[i], slot);
            slot->packet++;
        }
        send_all(fd, frames, n);
        shared->sent += BATCH;
        note(shared, &watch, wall);
    }
    shared->took_ns = now - begin;
    sdw_sleep_until(now + second_ns / 2, 0);
    note(shared, &watch, sdw_wall_ns());
}

/* --- records -------------------------------------------------------------------------------- */

struct heard {
    uint64_t fresh, ended, told, lost, dropped;
    int64_t *fresh_ns; /* when flow.new of each flow was read; 0: not yet */
};

/* The number after a key; 0 when the key is not there. */
static uint64_t number_of(const char *line, const char *key)
{
    const char *at = strstr(line, key);
    return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

/* The flow whose client has this address. */
static uint32_t flow_of(const char *line)
{
    char text[64] = "";
    uint8_t address[16] = {0};
    const char *at = strstr(line, "\"src\":\"");
    if (!at || sscanf(at + 7, "%63[^\"]", text) != 1)
        return UINT32_MAX;
    if (inet_pton(AF_INET, text, address) == 1)
        return sdw_get32(address) & 0xffffff;
    return inet_pton(AF_INET6, text, address) == 1 ? sdw_get32(address + 12) : UINT32_MAX;
}

static void hear(struct heard *heard, const char *line)
{
    static const char type[] = "{\"type\":\"";
    const char *name = line + sizeof type - 1;
    if (strncmp(line, type, sizeof type - 1) != 0)
        return;
    if (strncmp(name, "flow.new\"", 9) == 0) {
        uint32_t flow = flow_of(line);
        heard->fresh++;
        if (flow < FLOWS_MOST)
            heard->fresh_ns[flow] = sdw_wall_ns();
    } else if (strncmp(name, "flow.end\"", 9) == 0) {
        heard->ended++;
        heard->told += number_of(line, "\"packets_fwd\":") + number_of(line, "\"packets_rev\":");
    } else if (strncmp(name, "loss\"", 5) == 0) {
        heard->lost += number_of(line, "\"packets\":");
        heard->dropped += number_of(line, "\"records\":");
    }
}

static int ascending(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void print(const struct shared *shared, const struct heard *heard)
{
    uint32_t *delay = sdw_xalloc((shared->flows + 1) * sizeof *delay);
    size_t n = 0, held = 0;
    for (uint64_t i = 0; i < shared->flows; i++) {
        if (shared->first_ns[i] && was_held_up(shared, shared->first_ns[i], heard->fresh_ns[i]))
            held++;
        else if (heard->fresh_ns[i])
            delay[n++] = (uint32_t)((heard->fresh_ns[i] - shared->first_ns[i]) / 1000);
    }
    qsort(delay, n, sizeof *delay, ascending);
    printf("{\"sent\":%llu,\"flows\":%llu,\"pps\":%.0f,\"held_share\":%.4f,\"told\":%llu,"
           "\"flow_new\":%llu,\"flow_end\":%llu,\"delays\":%zu,\"delay_p50_us\":%u,"
           "\"delay_p99_us\":%u,\"delay_max_us\":%u,\"lost\":%llu,\"dropped\":%llu}\n",
           (unsigned long long)shared->sent, (unsigned long long)shared->flows,
           (double)shared->sent * 1e9 / (double)shared->took_ns,
           (double)held / (double)shared->flows, (unsigned long long)heard->told,
           (unsigned long long)heard->fresh, (unsigned long long)heard->ended, n, delay[n / 2],
           delay[n * 99 / 100], delay[n ? n - 1 : 0], (unsigned long long)heard->lost,
           (unsigned long long)heard->dropped);
    free(delay);
}

int main(int argc, char **argv)
{
    if (argc != 7) {
        fputs("usage: profile_live IF PPS SECONDS FLOWS PACKETS PID <RECORDS\n", stderr);
        return 2;
    }
    long pps = atol(argv[2]), seconds = atol(argv[3]), flows = atol(argv[4]);
    uint32_t packets = (uint32_t)atol(argv[5]);
    pid_t tool = (pid_t)atol(argv[6]);
    int fd = open_interface(argv[1]);
    struct shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    struct slot *slots = sdw_xalloc((size_t)flows * sizeof *slots);
    if (shared == MAP_FAILED)
        return 4;
    for (long i = 0; i < flows; i++) /* they do not begin all at once */
        slots[i] = (struct slot){(uint32_t)shared->flows++, 0,
                                 2 + (uint32_t)((uint64_t)i * packets / (uint64_t)flows)};
    pid_t sender = fork();
    if (sender == 0) {
        send_packets(shared, fd, pps, seconds, slots, (size_t)flows, packets, tool);
        kill(tool, SIGINT);
        _exit(0);
    }
    static char line[LINE];
    struct heard heard = {.fresh_ns = sdw_xalloc(FLOWS_MOST * sizeof *heard.fresh_ns)};
    setvbuf(stdin, NULL, _IOFBF, 1 << 16);
    while (fgets(line, sizeof line, stdin))
        hear(&heard, line);
    waitpid(sender, NULL, 0);
    print(shared, &heard);
    return 0;
}
