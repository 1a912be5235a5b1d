/* shadow-collect: telemetry in, records out. */
#include <stdio.h>
#include <unistd.h>

#include "core/clock.h"
#include "io/tool.h"
#include "net/collect.h"
#include "net/collect_export.h"
#include "net/collect_gnmic.h"
#include "net/collect_host.h"
#include "net/collect_prometheus.h"
#include "net/collect_snmp.h"
#include "net/import.h"
#include "rec/rec.h"
#include "sys/privilege.h"

struct config {
    bool host, gnmic, once;
    struct sdw_list interfaces, bind, snmp;
    const char *netflow, *ipfix, *sflow, *snmp_auth;
    struct sdw_prometheus_plan prometheus;
    int64_t interval_us, count;
    const char *user;
    double at;
};

#define AT(member) offsetof(struct config, member)
#define OPT(name, letter, kind, member, arg, help, def, complete)                                  \
    {                                                                                              \
        name, letter, SDW_OPT_##kind, AT(member), arg, help, def, 0, 0, NULL, complete             \
    }

static const struct sdw_option options[] = {
    OPT("linux", 0, FLAG, host, NULL,
        "collect from this machine: links, queues, processors, memory, connections", NULL, NULL),
    OPT("interface", 'i', LIST, interfaces, "GLOB,...",
        "with --linux: only the interfaces that match (default: all but loopbacks)", NULL,
        "interface"),
    OPT("netflow", 0, TEXT, netflow, "PORT",
        "take NetFlow v5, v9 and IPFIX that come to this UDP port; 0: a free one", NULL, NULL),
    OPT("ipfix", 0, TEXT, ipfix, "PORT",
        "the same, for a second port: 2055 is customary for NetFlow, 4739 for IPFIX", NULL, NULL),
    OPT("sflow", 0, TEXT, sflow, "PORT",
        "take sFlow v5 that comes to this UDP port; 6343 is customary", NULL, NULL),
    OPT("bind", 'b', LIST, bind, "ADDR",
        "take what exporters send to this address only; one of each family may be given", NULL,
        "host"),
    OPT("snmp", 0, LIST, snmp, "HOST,...",
        "ask these SNMP agents, HOST or HOST:PORT, for their links, processors and memory", NULL,
        "host"),
    OPT("snmp-auth", 0, TEXT, snmp_auth, "FILE",
        "file of the community, or the user and passphrases, to ask them with", NULL, "file"),
    OPT("prometheus", 0, TEXT, prometheus.url, "URL",
        "ask this Prometheus server, http://HOST:9090, for the points of a query", NULL, NULL),
    OPT("query", 0, TEXT, prometheus.query, "PROMQL", "what to ask it for", NULL, NULL),
    OPT("since", 0, DURATION, prometheus.since_us, "DURATION", "how far back to begin", "5m", NULL),
    OPT("step", 0, DURATION, prometheus.step_us, "DURATION", "time between its points", "15s",
        NULL),
    OPT("token", 0, TEXT, prometheus.token_file, "FILE", "file of a bearer token to show it", NULL,
        "file"),
    OPT("gnmic", 0, FLAG, gnmic, NULL, "read what gnmic --format event prints from standard input",
        NULL, NULL),
    OPT("interval", 0, DURATION, interval_us, "DURATION", "time between readings", "5s", NULL),
    {"count", 'n', SDW_OPT_INT, AT(count), "N", "stop after this many intervals", NULL, 0, 1e12,
     NULL, NULL},
    OPT("once", '1', FLAG, once, NULL, "take one reading: no rates", NULL, NULL),
    OPT("user", 0, TEXT, user, "USER", "become this user once everything that needs rights is open",
        "nobody", NULL),
    {0},
};
static const struct sdw_option import_options[] = {
    {"at", 0, SDW_OPT_REAL, AT(at), "SECONDS",
     "time of what tells none, since the epoch (default: now)", NULL, 0, 8e9, NULL, NULL},
    {0},
};
static const struct sdw_operand import_operands[] = {
    {"FORMAT", "mtr, iperf3, atlas, scamper or ip", false, false, NULL},
    {"FILE", "where to read it (default: standard input)", true, true, "file"},
    {0},
};

/* What collecting goes on to call once it is confined: listening only, and asking others too, which
 * takes sockets, names of hosts (libcurl has a thread look for them) and certificates. */
static const char *const listening[] = {"openat",  "recvfrom",   "recvmsg",  "sendto",
                                        "sendmsg", "getsockopt", "recvmmsg", NULL};
static const char *const asking[] = {
    "openat",     "recvfrom", "recvmsg",           "sendto",      "sendmsg",    "getsockopt",
    "recvmmsg",   "socket",   "connect",           "bind",        "shutdown",   "setsockopt",
    "socketpair", "sendmmsg", "getsockname",       "getpeername", "pipe2",      "eventfd2",
    "clone3",     "uname",    "sysinfo",           "access",      "faccessat2", "readlink",
    "getdents64", "geteuid",  "sched_getaffinity", "getuid",      "getegid",    "prlimit64",
    "getgid",     NULL};

static int open_sources(struct sdw_ctx *ctx, const struct config *config,
                        struct sdw_collect *collect)
{
    struct sdw_export_ports ports = {config->netflow, config->ipfix, config->sflow, &config->bind};
    int code = 0;
    if (config->host) {
        code = sdw_collect_links(collect, config->interfaces.item, config->interfaces.n, &ctx->err);
        if (code == 0)
            code = sdw_collect_load(collect, &ctx->err);
        if (code == 0)
            code = sdw_collect_connections(ctx, collect, &ctx->err);
    }
    if (code == 0)
        code = sdw_collect_exports(ctx, collect, &ports, &ctx->err);
    if (code == 0)
        code = sdw_collect_snmp(ctx, collect, &config->snmp, config->snmp_auth, &ctx->err);
    if (code == 0)
        code = sdw_collect_prometheus(collect, &config->prometheus, &ctx->err);
    if (code == 0 && config->gnmic)
        code = sdw_collect_gnmic(collect, STDIN_FILENO, &ctx->err);
    if (code == 0 && collect->n == 0)
        return sdw_err_set(&ctx->err, SDW_EUSAGE,
                           "nothing to collect from: --linux or another source is missing");
    return code;
}

static int confine(struct sdw_ctx *ctx, const struct config *config)
{
    bool kept = false, asks = config->snmp.n > 0 || config->prometheus.url;
    int code = sdw_privilege_drop(config->user, &kept, &ctx->err);
    if (code == 0)
        code = sdw_privilege_confine(asks ? asking : listening, &ctx->err);
    if (code == 0 && kept)
        sdw_detail(ctx, "user %s is not mapped here: running on without capabilities",
                   config->user);
    return code;
}

static int run(struct sdw_ctx *ctx, void *data)
{
    const struct config *config = data;
    struct sdw_collect collect = {
        .interval_us = config->interval_us, .count = config->count, .once = config->once};
    if (config->interval_us < 10000)
        return sdw_err_set(&ctx->err, SDW_EUSAGE, "--interval: at least 10ms");
    int code = open_sources(ctx, config, &collect);
    if (code == 0)
        code = confine(ctx, config);
    if (code == 0)
        code = sdw_collect_run(ctx, &collect);
    sdw_collect_release(&collect);
    return code;
}

static int import(struct sdw_ctx *ctx, void *data)
{
    const struct config *config = data;
    const struct sdw_import_format *format = sdw_import_find(ctx->operands[0]);
    struct sdw_import_counts counts = {0};
    int64_t at_us = (int64_t)(config->at * 1e6);
    char text[128];
    int code = 0;
    if (!format) {
        sdw_import_names(&ctx->scratch);
        return sdw_err_set(&ctx->err, SDW_EUSAGE, "%s: not one of %s", ctx->operands[0],
                           ctx->scratch.p);
    }
    if (ctx->n_operands == 1)
        code = sdw_import_read(ctx, format, STDIN_FILENO, "standard input", at_us, &counts);
    for (size_t i = 1; code == 0 && i < ctx->n_operands; i++)
        code = sdw_import_file(ctx, format, ctx->operands[i], at_us, &counts);
    if (code < 0)
        return code;
    snprintf(text, sizeof text, "{\"documents\":%llu,\"understood\":%llu,\"ignored\":%llu}",
             (unsigned long long)counts.documents, (unsigned long long)counts.understood,
             (unsigned long long)counts.ignored);
    return sdw_rec_end(ctx, sdw_wall_us(), sdw_stop_signal(ctx) ? "signal" : "eof", text);
}

static const struct sdw_command subs[] = {
    {"import", "turns JSON that other tools have written into records", import_options,
     import_operands, import, NULL, NULL},
    {0},
};
static const struct sdw_command command = {
    .name = "shadow-collect",
    .help = "turns the telemetry of others into records",
    .options = options,
    .run = run,
    .subs = subs,
};

static const struct sdw_example examples[] = {
    {"How busy are the links and processors of this machine, once a second for five seconds?",
     "shadow-collect --linux --interval 1s --count 5", NULL},
    {"Will a link of this machine pass 80 per cent of 10 Gbit/s within five minutes?",
     "shadow-collect --linux --interval 1s --count 2 | "
     "shadow-forecast --series 'link/*/bps' --capacity 10G --above 80% --horizon 5m -o breach",
     NULL},
    {"Loss at each hop, from a report that mtr wrote:",
     "shadow-collect import mtr mtr.json | shadow filter 'series~loss_share$' --format table",
     NULL},
    {0},
};

static const struct sdw_tool tool = {
    .name = "shadow-collect",
    .summary = "turn the telemetry of hosts, routers and other tools into records",
    .command = &command,
    .config_size = sizeof(struct config),
    .main_type = "metric",
    .column_of = sdw_schema_column,
    .examples = examples,
};

int main(int argc, char **argv)
{
    return sdw_main(&tool, argc, argv);
}
