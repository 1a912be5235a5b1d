#include "net/traffic.h"

#include "core/clock.h"
#include "net/lab.h"
#include "net/traffic_share.h"
#include "rec/end.h"
#include "sys/netns.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READY_MS = 3000, DRAIN_MS = 400, LOOK_MS = 50, START_NS = 20000000, PRIORITY = 10 };

const char *const sdw_traffic_models[] = {"cbr", "poisson", "onoff", "app", "bulk", NULL};

/* One run, as the process that reports sees it. */
struct run {
    struct sdw_ctx *ctx;
    const char *lab;
    const struct sdw_traffic_plan *plan;
    struct sdw_traffic_share *share;
    struct sdw_traffic_ends ends;
    pid_t sender, receiver;
    int64_t start_us;                           /* wall clock */
    uint32_t before[SDW_HISTOGRAM_BUCKETS];     /* delays reported so far, of all flows */
    struct sdw_traffic reported;                /* counts reported so far */
    double delay_max_us[SDW_TRAFFIC_FLOWS_MAX]; /* over the whole life */
};

/* The first listed address of the family; the automatic one when none is listed. */
static struct sdw_ip choose(const struct sdw_lab_node *node, uint8_t family)
{
    size_t chosen = 0;
    for (size_t i = node->n_addrs; i-- > 0;)
        if (node->addrs[i].family == family && (i >= 2 || chosen < 2))
            chosen = i;
    return node->addrs[chosen];
}

static int resolve(const struct sdw_topology *topology, const char *name, const char *text,
                   bool ipv6, struct sockaddr_storage *out, struct sdw_err *err)
{
    uint8_t family = ipv6 ? AF_INET6 : AF_INET;
    struct sdw_ip ip;
    long node = name ? sdw_topology_find(topology, name) : -1;
    if (node < 0)
        return sdw_err_set(err, SDW_EUSAGE, "there is no node \"%s\"", name ? name : "");
    ip = choose(&topology->nodes[node], family);
    if (text && (!sdw_ip_parse(sdw_str_of(text), &ip) || ip.length != sdw_ip_bits(ip.family)))
        return sdw_err_set(err, SDW_EUSAGE, "\"%s\" is not an address", text);
    *out = (struct sockaddr_storage){.ss_family = ip.family};
    if (ip.family == AF_INET)
        memcpy(&((struct sockaddr_in *)out)->sin_addr, ip.bytes, 4);
    else
        memcpy(&((struct sockaddr_in6 *)out)->sin6_addr, ip.bytes, 16);
    return 0;
}

static bool is_tcp(const struct sdw_traffic_plan *plan)
{
    return plan->model == SDW_TRAFFIC_APP || plan->model == SDW_TRAFFIC_BULK;
}

static int check(const struct sdw_traffic_plan *plan, struct sdw_err *err)
{
    int64_t least = is_tcp(plan) ? (int64_t)sizeof(struct sdw_traffic_header)
                                 : 48 + (int64_t)sizeof(struct sdw_traffic_header);
    if (!plan->from || !plan->to)
        return sdw_err_set(err, SDW_EUSAGE, "--from NODE and --to NODE are needed");
    if (plan->size < least || plan->size > 65000)
        return sdw_err_set(err, SDW_EUSAGE, "--size %lld: from %lld to 65000",
                           (long long)plan->size, (long long)least);
    if (plan->rate_bps <= 0 && plan->rate_end_bps <= 0 && plan->model != SDW_TRAFFIC_BULK)
        return sdw_err_set(err, SDW_EUSAGE, "--rate must be above 0");
    if (plan->model == SDW_TRAFFIC_ONOFF && plan->peak <= 1)
        return sdw_err_set(err, SDW_EUSAGE, "--peak must be above 1");
    if (plan->port + SDW_TRAFFIC_SOURCE_PORT + plan->flows > 65535)
        return sdw_err_set(err, SDW_EUSAGE, "--port %lld: at most %lld, source ports are above it",
                           (long long)plan->port,
                           (long long)65535 - SDW_TRAFFIC_SOURCE_PORT - plan->flows);
    return 0;
}

static int prepare(struct run *run)
{
    const struct sdw_traffic_plan *plan = run->plan;
    struct sdw_err *err = &run->ctx->err;
    struct sdw_topology topology = {0};
    int code = check(plan, err);
    if (code == 0)
        code = sdw_lab_load(run->lab, &topology, err);
    if (code == 0)
        code = resolve(&topology, plan->from, plan->source, plan->ipv6, &run->ends.source, err);
    if (code == 0)
        code = resolve(&topology, plan->to, plan->destination, plan->ipv6, &run->ends.destination,
                       err);
    sdw_topology_release(&topology);
    if (code < 0)
        return code;
    if (run->ends.source.ss_family != run->ends.destination.ss_family)
        return sdw_err_set(err, SDW_EUSAGE, "source and destination are of different families");
    sdw_traffic_set_port(&run->ends.destination, plan->port);
    run->ends.length = run->ends.source.ss_family == AF_INET ? sizeof(struct sockaddr_in)
                                                             : sizeof(struct sockaddr_in6);
    run->share =
        mmap(NULL, sizeof *run->share, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return run->share == MAP_FAILED ? sdw_err_sys(err, "traffic: shared memory") : 0;
}

typedef int body(const struct sdw_traffic_plan *plan, const struct sdw_traffic_ends *ends,
                 struct sdw_traffic_share *share, struct sdw_err *err);

/* Fork a process that does its work in a node and dies with its parent. */
static pid_t start(const struct run *run, const char *node, bool timely, body *work)
{
    pid_t parent = getpid(), pid = fork();
    if (pid != 0)
        return pid;
    char name[SDW_LAB_NETNS];
    struct sdw_err err = {0};
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    if (timely) { /* without the right to it, lateness is counted all the same */
        struct sched_param priority = {.sched_priority = PRIORITY};
        (void)sched_setscheduler(0, SCHED_FIFO, &priority);
        (void)prctl(PR_SET_TIMERSLACK, 1);
    }
    int code = sdw_netns_enter(sdw_lab_netns(run->lab, node, name), &err);
    if (code == 0)
        code = work(run->plan, &run->ends, run->share, &err);
    if (code < 0)
        run->share->err = err;
    _exit(code < 0);
}

/* Whether the process has ended; its failure is in ctx->err. */
static int reap(const struct run *run, pid_t *pid, int options)
{
    int status;
    if (*pid <= 0)
        return 1;
    pid_t got = waitpid(*pid, &status, options);
    if (got == 0 || (got < 0 && errno == EINTR))
        return 0;
    *pid = 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 1;
    if (run->share->err.code)
        run->ctx->err = run->share->err;
    else
        sdw_err_set(&run->ctx->err, SDW_ESYS, "traffic: a process ended by signal %d",
                    WTERMSIG(status));
    return run->ctx->err.code;
}

static void show_address(const struct sockaddr_storage *address, int64_t port, char out[80])
{
    struct sdw_ip ip = {.family = (uint8_t)address->ss_family};
    char text[SDW_IP_TEXT];
    if (ip.family == AF_INET)
        memcpy(ip.bytes, &((const struct sockaddr_in *)address)->sin_addr, 4);
    else
        memcpy(ip.bytes, &((const struct sockaddr_in6 *)address)->sin6_addr, 16);
    snprintf(out, 80, ip.family == AF_INET ? "%s:%d" : "[%s]:%d", sdw_ip_show(&ip, text),
             (int)port);
}

/* Add what the flows from..to-1 have counted so far, over their whole life. */
static void collect(const struct run *run, size_t from, size_t to, struct sdw_traffic *sum,
                    int64_t *bytes, uint32_t *delays)
{
    bool tcp = is_tcp(run->plan);
    for (size_t f = from; f < to; f++) {
        struct sdw_traffic_flow *flow = &run->share->flow[f];
        int64_t expected = sum->final ? flow->sent : flow->highest;
        sum->sent += flow->sent;
        sum->received += flow->received;
        sum->lost += tcp || expected < flow->received ? 0 : expected - flow->received;
        sum->reordered += flow->reordered;
        sum->duplicated += flow->duplicated;
        sum->retransmitted += flow->retransmitted;
        sum->late += flow->late;
        sum->skipped += flow->skipped;
        *bytes += tcp ? flow->sent_bytes : flow->received_bytes;
        for (size_t i = 0; i < SDW_HISTOGRAM_BUCKETS; i++)
            delays[i] += flow->delay[i];
    }
}

static int put(const struct run *run, struct sdw_traffic *rec, const char *name, int64_t bytes,
               const uint32_t *delays, double delay_max_us)
{
    rec->ts = sdw_wall_us();
    rec->flow = sdw_str_of(name);
    rec->protocol = sdw_str_of(is_tcp(run->plan) ? "tcp" : "udp");
    rec->model = sdw_str_of(sdw_traffic_models[run->plan->model]);
    rec->rate_bps = rec->duration_us > 0 ? (double)bytes * 8e6 / (double)rec->duration_us : 0;
    if (rec->received > 0) { /* a bucket's middle may lie above the greatest of its values */
        rec->delay_p50_us = fmin(sdw_histogram_quantile(delays, 0.5), delay_max_us);
        rec->delay_p95_us = fmin(sdw_histogram_quantile(delays, 0.95), delay_max_us);
        rec->delay_p99_us = fmin(sdw_histogram_quantile(delays, 0.99), delay_max_us);
        rec->delay_max_us = delay_max_us;
    }
    return sdw_rec_put(run->ctx, &sdw_traffic_schema, rec);
}

/* A record whose counts are 0 rather than absent. */
static struct sdw_traffic zero_counts(bool final)
{
    struct sdw_traffic rec;
    sdw_rec_init(&sdw_traffic_schema, &rec);
    rec.final = final;
    rec.sent = rec.received = rec.lost = rec.reordered = rec.duplicated = 0;
    rec.retransmitted = rec.late = rec.skipped = 0;
    return rec;
}

static int64_t since(int64_t now, int64_t *before)
{
    int64_t more = now > *before ? now - *before : 0;
    *before += more;
    return more;
}

static int put_interval(struct run *run, int64_t duration_us, int64_t *bytes_before)
{
    struct sdw_traffic rec = zero_counts(false), *old = &run->reported;
    uint32_t delays[SDW_HISTOGRAM_BUCKETS] = {0};
    int64_t bytes = 0;
    double longest = 0;
    collect(run, 0, (size_t)run->plan->flows, &rec, &bytes, delays);
    rec.duration_us = duration_us;
    rec.sent = since(rec.sent, &old->sent);
    rec.received = since(rec.received, &old->received);
    rec.lost = since(rec.lost, &old->lost);
    rec.reordered = since(rec.reordered, &old->reordered);
    rec.duplicated = since(rec.duplicated, &old->duplicated);
    rec.retransmitted = since(rec.retransmitted, &old->retransmitted);
    rec.late = since(rec.late, &old->late);
    rec.skipped = since(rec.skipped, &old->skipped);
    for (size_t i = 0; i < SDW_HISTOGRAM_BUCKETS; i++) {
        uint32_t all = delays[i];
        delays[i] -= run->before[i];
        run->before[i] = all;
    }
    for (size_t f = 0; f < (size_t)run->plan->flows; f++) {
        double max = (double)atomic_exchange(&run->share->flow[f].delay_max_us, 0);
        run->delay_max_us[f] = fmax(run->delay_max_us[f], max);
        longest = fmax(longest, max);
    }
    return put(run, &rec, run->plan->name, since(bytes, bytes_before), delays, longest);
}

static int put_final(struct run *run, const char *name, size_t from, size_t to, int64_t duration_us)
{
    char source[80], destination[80];
    struct sdw_traffic rec = zero_counts(true);
    uint32_t delays[SDW_HISTOGRAM_BUCKETS] = {0};
    int64_t bytes = 0;
    double longest = 0;
    collect(run, from, to, &rec, &bytes, delays);
    for (size_t f = from; f < to; f++)
        longest =
            fmax(longest, fmax(run->delay_max_us[f], (double)run->share->flow[f].delay_max_us));
    rec.duration_us = duration_us;
    show_address(&run->ends.source, run->plan->port + SDW_TRAFFIC_SOURCE_PORT + (int64_t)from,
                 source);
    show_address(&run->ends.destination, run->plan->port, destination);
    rec.src = sdw_str_of(source);
    rec.dst = sdw_str_of(destination);
    return put(run, &rec, name, bytes, delays, longest);
}

static int put_finals(struct run *run, int64_t duration_us)
{
    size_t n = (size_t)run->plan->flows;
    int code = 0;
    for (size_t i = 0; n > 1 && i < n && code == 0; i++) {
        char name[64];
        snprintf(name, sizeof name, "%.40s/%zu", run->plan->name, i);
        code = put_final(run, name, i, i + 1, duration_us);
    }
    return code < 0 ? code : put_final(run, run->plan->name, 0, n, duration_us);
}

/* Report until the sender has ended. */
static int watch(struct run *run)
{
    int64_t begin = sdw_mono_ns(), last = begin, bytes = 0;
    int code = 0;
    while (code == 0) {
        int64_t next = last + run->plan->interval_us * 1000;
        while (code == 0 && sdw_mono_ns() < next) {
            int64_t left_ms = (next - sdw_mono_ns()) / 1000000 + 1;
            if (sdw_stop_signal(run->ctx)) {
                run->share->stop = 1;
                sdw_sleep_until(sdw_mono_ns() + 10000000, 0);
            } else {
                poll(&(struct pollfd){run->ctx->stop_fd, POLLIN, 0}, 1,
                     left_ms < LOOK_MS ? (int)left_ms : LOOK_MS);
            }
            code = reap(run, &run->sender, WNOHANG);
        }
        int64_t now = sdw_mono_ns();
        int put_code = code < 0 ? code : put_interval(run, (now - last) / 1000, &bytes);
        if (put_code == 0)
            put_code = sdw_flush(run->ctx);
        code = put_code < 0 ? put_code : code;
        last = now;
    }
    return code < 0 ? code : 0;
}

static int go(struct run *run)
{
    const struct sdw_traffic_plan *plan = run->plan;
    bool tcp = is_tcp(plan);
    int code = 0;
    run->receiver =
        start(run, plan->to, false, tcp ? sdw_traffic_receive_tcp : sdw_traffic_receive_udp);
    for (int ms = 0; code == 0 && !run->share->ready && ms < READY_MS; ms += 2) {
        sdw_sleep_until(sdw_mono_ns() + 2000000, 0);
        code = reap(run, &run->receiver, WNOHANG);
    }
    if (code != 0 || !run->share->ready)
        return code < 0 ? code : sdw_err_set(&run->ctx->err, SDW_ESYS, "traffic: no receiver");
    run->share->start_ns = sdw_mono_ns() + START_NS;
    int64_t begin = sdw_mono_ns();
    run->sender = start(run, plan->from, true, tcp ? sdw_traffic_send_tcp : sdw_traffic_send_udp);
    code = run->sender < 0 ? sdw_err_sys(&run->ctx->err, "traffic: fork") : watch(run);
    int64_t duration_us = (sdw_mono_ns() - begin) / 1000;
    if (code < 0)
        return code;
    sdw_sleep_until(sdw_mono_ns() + (int64_t)DRAIN_MS * 1000000, 0);
    run->share->stopped = 1;
    code = reap(run, &run->receiver, 0);
    return code < 0 ? code : put_finals(run, duration_us);
}

int sdw_traffic_run(struct sdw_ctx *ctx, const char *lab, const struct sdw_traffic_plan *plan)
{
    struct run *run = sdw_xalloc(sizeof *run);
    *run = (struct run){.ctx = ctx, .lab = lab, .plan = plan};
    int code = prepare(run);
    if (code == 0 && run->share) {
        code = go(run);
        struct sdw_err err = ctx->err;
        run->share->stop = run->share->stopped = 1;
        if (code < 0 && run->sender > 0)
            kill(run->sender, SIGKILL);
        if (code < 0 && run->receiver > 0)
            kill(run->receiver, SIGKILL);
        while (reap(run, &run->sender, 0) == 0 || reap(run, &run->receiver, 0) == 0)
            ;
        ctx->err = err; /* not that of a process killed here */
        munmap(run->share, sizeof *run->share);
    }
    free(run);
    return code;
}
