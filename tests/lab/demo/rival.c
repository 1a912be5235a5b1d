/*
 * The rules that operators use today, to compare with: they read what today's rules read (counters
 * of the head-end, answers to pings) and move traffic by the weights of a nexthop group.
 *
 *   rival utilisation DEV=to-p NOMINAL=10000000 SHARE=50 THRESHOLD=0.8 FOR=3
 *       moves SHARE per cent when the counter of DEV has shown at least THRESHOLD of NOMINAL
 *       bit/s in FOR polls of one second one after the other
 *   rival reactive TARGET=10.9.101.1 SHARE=50 DELAY_MS=20 LOSS=0.02 PERSIST=3
 *       pings TARGET ten times a second and moves SHARE per cent when PERSIST rounds one after
 *       the other were bad: the delay above its base by DELAY_MS, or more than LOSS of the last
 *       fifty pings without an answer
 *
 * Both move another SHARE when things are still bad HOLD=5 seconds later, and write each move as
 * a `change` record. GROUP=100 is the group, 1 and 2 its nexthops.
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WINDOW = 50, ROUND_MS = 100, POLL_MS = 1000 };

struct rule {
    const char *dev, *target;
    double nominal, threshold, for_polls, share, delay_ms, loss, persist, hold, group;
};

struct state {
    double moved; /* per cent on the standby */
    double bad_rounds;
    int64_t moved_ns;
};

struct pinger {
    int fd;
    bool six;
    struct sockaddr_storage to;
    socklen_t to_len;
    uint16_t seq;
    int64_t sent_ns[WINDOW]; /* by seq % WINDOW; 0: answered or not sent */
    bool lost[WINDOW];
    double base_ms, last_ms;
};

static volatile sig_atomic_t stopping;

static void on_signal(int sig)
{
    (void)sig;
    stopping = 1;
}

static int64_t now_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void fail(const char *what)
{
    fprintf(stderr, "rival: %s: %s\n", what, strerror(errno));
    exit(4);
}

static void say(const struct rule *rule, const struct state *state, double before, const char *why)
{
    printf("{\"type\":\"change\",\"v\":1,\"ts\":%lld,\"unit\":\"live\",\"state\":\"SHIFTED\","
           "\"from\":{\"primary\":%.2f,\"standby\":%.2f},"
           "\"to\":{\"primary\":%.2f,\"standby\":%.2f},\"why\":\"%s\",\"applied\":true,"
           "\"back_end\":\"ip nexthop, group %.0f\"}\n",
           (long long)(now_ns(CLOCK_REALTIME) / 1000), 1 - before / 100, before / 100,
           1 - state->moved / 100, state->moved / 100, why, rule->group);
    fflush(stdout);
}

/* Set the weights of the group by the ordinary tool. */
static void move(const struct rule *rule, struct state *state, const char *why)
{
    int64_t now = now_ns(CLOCK_MONOTONIC);
    if (state->moved >= 100 ||
        (state->moved_ns && (double)(now - state->moved_ns) < rule->hold * 1e9))
        return;
    double before = state->moved;
    state->moved += rule->share;
    if (state->moved > 100)
        state->moved = 100;
    char id[16], group[48];
    snprintf(id, sizeof id, "%.0f", rule->group);
    if (state->moved < 100)
        snprintf(group, sizeof group, "1,%.0f/2,%.0f", 100 - state->moved, state->moved);
    else
        snprintf(group, sizeof group, "2");
    pid_t pid = fork();
    if (pid == 0) {
        execlp("ip", "ip", "nexthop", "replace", "id", id, "group", group, (char *)NULL);
        _exit(127);
    }
    int status = 0;
    if (pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0) {
        fprintf(stderr, "rival: ip nexthop replace id %s group %s failed\n", id, group);
        exit(4);
    }
    state->moved_ns = now;
    state->bad_rounds = 0;
    say(rule, state, before, why);
}

/* Bytes that the device has sent, as /proc/net/dev of this namespace has it. */
static double sent_bytes(const char *dev)
{
    char line[512], name[32];
    unsigned long long sent = 0;
    FILE *f = fopen("/proc/thread-self/net/dev", "re");
    if (!f)
        fail("/proc/thread-self/net/dev");
    while (fgets(line, sizeof line, f))
        if (sscanf(line, " %31[^:]: %*u %*u %*u %*u %*u %*u %*u %*u %llu", name, &sent) == 2 &&
            strcmp(name, dev) == 0)
            break;
    fclose(f);
    return (double)sent;
}

static void wait_until(int64_t at_ns)
{
    struct timespec t = {at_ns / 1000000000, at_ns % 1000000000};
    while (!stopping && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
        ;
}

static void run_utilisation(const struct rule *rule)
{
    struct state state = {0};
    int64_t at = now_ns(CLOCK_MONOTONIC), before_ns = at;
    double before = sent_bytes(rule->dev);
    while (!stopping) {
        at += (int64_t)POLL_MS * 1000000;
        wait_until(at);
        int64_t ns = now_ns(CLOCK_MONOTONIC);
        double bytes = sent_bytes(rule->dev);
        double used = (bytes - before) * 8e9 / (double)(ns - before_ns) / rule->nominal;
        before = bytes;
        before_ns = ns;
        state.bad_rounds = used >= rule->threshold ? state.bad_rounds + 1 : 0;
        if (state.bad_rounds >= rule->for_polls)
            move(rule, &state, "utilisation of the nominal rate");
    }
}

static void ping_open(struct pinger *ping, const char *target)
{
    struct addrinfo hint = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST}, *found;
    if (!target || getaddrinfo(target, NULL, &hint, &found) != 0) {
        fprintf(stderr, "rival: TARGET is not an address\n");
        exit(2);
    }
    ping->six = found->ai_family == AF_INET6;
    memcpy(&ping->to, found->ai_addr, found->ai_addrlen);
    ping->to_len = found->ai_addrlen;
    freeaddrinfo(found);
    ping->fd = socket(ping->six ? AF_INET6 : AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC,
                      ping->six ? (int)IPPROTO_ICMPV6 : (int)IPPROTO_ICMP);
    if (ping->fd < 0)
        fail("raw socket");
    ping->base_ms = 1e9;
}

static void ping_send(struct pinger *ping)
{
    struct icmp packet = {.icmp_type = ping->six ? ICMP6_ECHO_REQUEST : ICMP_ECHO};
    size_t slot = ping->seq % WINDOW;
    ping->lost[slot] = ping->sent_ns[slot] != 0;
    packet.icmp_id = htons((uint16_t)getpid());
    packet.icmp_seq = htons(ping->seq);
    uint32_t sum = 0;
    const unsigned char *bytes = (const unsigned char *)&packet;
    for (size_t i = 0; i + 1 < 8 && !ping->six; i += 2)
        sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
    sum = (sum >> 16) + (sum & 0xffff);
    packet.icmp_cksum = ping->six ? 0 : htons((uint16_t) ~(sum + (sum >> 16)));
    ping->sent_ns[slot] = now_ns(CLOCK_MONOTONIC);
    if (sendto(ping->fd, &packet, 8, 0, (struct sockaddr *)&ping->to, ping->to_len) < 0)
        ping->lost[slot] = true;
    ping->seq++;
}

static void ping_receive(struct pinger *ping)
{
    unsigned char packet[256];
    ssize_t n;
    while ((n = recv(ping->fd, packet, sizeof packet, 0)) > 0) {
        size_t skip = ping->six ? 0 : (size_t)(packet[0] & 15) * 4;
        if ((size_t)n < skip + 8 ||
            packet[skip] != (ping->six ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY) ||
            (packet[skip + 4] << 8 | packet[skip + 5]) != (getpid() & 0xffff))
            continue;
        size_t slot = (size_t)(packet[skip + 6] << 8 | packet[skip + 7]) % WINDOW;
        if (ping->sent_ns[slot] == 0)
            continue;
        ping->last_ms = (double)(now_ns(CLOCK_MONOTONIC) - ping->sent_ns[slot]) / 1e6;
        ping->sent_ns[slot] = 0;
        if (ping->last_ms < ping->base_ms)
            ping->base_ms = ping->last_ms;
    }
}

/* Pings of the window older than half a second without an answer, as a share of all. */
static double ping_loss(const struct pinger *ping)
{
    int lost = 0, n = ping->seq < WINDOW ? ping->seq : WINDOW;
    int64_t old = now_ns(CLOCK_MONOTONIC) - 500000000;
    for (int i = 0; i < n; i++)
        lost += ping->lost[i] || (ping->sent_ns[i] && ping->sent_ns[i] < old);
    return n ? (double)lost / n : 0;
}

static void run_reactive(const struct rule *rule)
{
    struct state state = {0};
    struct pinger ping = {0};
    ping_open(&ping, rule->target);
    int64_t at = now_ns(CLOCK_MONOTONIC);
    while (!stopping) {
        ping.last_ms = ping.base_ms < 1e9 ? ping.base_ms : 0;
        ping_send(&ping);
        at += (int64_t)ROUND_MS * 1000000;
        while (!stopping && now_ns(CLOCK_MONOTONIC) < at) {
            int64_t left = (at - now_ns(CLOCK_MONOTONIC)) / 1000000;
            poll(&(struct pollfd){ping.fd, POLLIN, 0}, 1, (int)left + 1);
            ping_receive(&ping);
        }
        bool slow = ping.base_ms < 1e9 && ping.last_ms > ping.base_ms + rule->delay_ms;
        bool lossy = ping_loss(&ping) > rule->loss;
        state.bad_rounds = slow || lossy ? state.bad_rounds + 1 : 0;
        if (state.bad_rounds >= rule->persist)
            move(rule, &state, slow ? "delay of pings" : "loss of pings");
    }
}

static void set(struct rule *rule, const char *word)
{
    const struct {
        const char *name;
        double *number;
        const char **text;
    } known[] = {
        {"DEV", NULL, &rule->dev},           {"TARGET", NULL, &rule->target},
        {"NOMINAL", &rule->nominal, NULL},   {"THRESHOLD", &rule->threshold, NULL},
        {"FOR", &rule->for_polls, NULL},     {"SHARE", &rule->share, NULL},
        {"DELAY_MS", &rule->delay_ms, NULL}, {"LOSS", &rule->loss, NULL},
        {"PERSIST", &rule->persist, NULL},   {"HOLD", &rule->hold, NULL},
        {"GROUP", &rule->group, NULL},
    };
    const char *equals = strchr(word, '=');
    for (size_t i = 0; equals && i < sizeof known / sizeof known[0]; i++) {
        size_t n = strlen(known[i].name);
        if (n != (size_t)(equals - word) || memcmp(word, known[i].name, n) != 0)
            continue;
        char *end = NULL;
        if (known[i].text)
            *known[i].text = equals + 1;
        else if ((*known[i].number = strtod(equals + 1, &end), *end == '\0' && end > equals + 1))
            return;
        if (known[i].text)
            return;
    }
    fprintf(stderr, "rival: %s is no setting\n", word);
    exit(2);
}

int main(int argc, char **argv)
{
    struct rule rule = {.dev = "to-p",
                        .nominal = 10e6,
                        .threshold = 0.8,
                        .for_polls = 3,
                        .share = 50,
                        .delay_ms = 20,
                        .loss = 0.02,
                        .persist = 3,
                        .hold = 5,
                        .group = 100};
    struct sigaction act = {.sa_handler = on_signal};
    for (int i = 2; i < argc; i++)
        set(&rule, argv[i]);
    sigaction(SIGTERM, &act, NULL);
    sigaction(SIGINT, &act, NULL);
    if (argc > 1 && strcmp(argv[1], "utilisation") == 0) {
        run_utilisation(&rule);
    } else if (argc > 1 && strcmp(argv[1], "reactive") == 0) {
        run_reactive(&rule);
    } else {
        fprintf(stderr, "usage: rival utilisation|reactive [SETTING=VALUE]...\n");
        return 2;
    }
    return 0;
}
