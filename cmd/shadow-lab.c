/* shadow-lab: networks of namespaces to try everything on. */
#include "core/clock.h"
#include "io/tool.h"
#include "net/lab.h"
#include "net/traffic.h"
#include "rec/end.h"

#include <poll.h>
#include <stdio.h>

struct config {
    const char *lab;
    struct sdw_preset preset;
    struct sdw_lab_change change;
    struct sdw_traffic_plan traffic;
    int icmp, shaper;
    int64_t interval_us, count;
};

#define AT(field) offsetof(struct config, field)
#define LAB                                                                                        \
    {                                                                                              \
        "lab", 'l', SDW_OPT_TEXT, AT(lab), "NAME", "name of the laboratory", "lab", 0, 0, NULL,    \
            NULL                                                                                   \
    }
#define OPT(name, kind, field, arg, help, def)                                                     \
    {                                                                                              \
        name, 0, SDW_OPT_##kind, AT(field), arg, help, def, 0, 0, NULL, NULL                       \
    }
#define OPT_INT(name, field, help, def, lo, hi)                                                    \
    {                                                                                              \
        name, 0, SDW_OPT_INT, AT(field), "N", help, def, lo, hi, NULL, NULL                        \
    }
#define OPT_ENUM(name, field, arg, help, def, values)                                              \
    {                                                                                              \
        name, 0, SDW_OPT_ENUM, AT(field), arg, help, def, 0, 0, values, NULL                       \
    }

static const char *const icmp_modes[] = {"default", "off", NULL};
static const char *const shapers[] = {"tbf", "htb", NULL};

static const struct sdw_option up_options[] = {
    LAB,
    OPT_INT("hops", preset.hops, "routers of chain and trap", "4", 1, 60),
    OPT_INT("bottleneck", preset.bottleneck,
            "hop that the tight link leads into; the branch of ecmp (default: 3, trap 4, ecmp 1)",
            NULL, 1, 61),
    OPT_INT("width", preset.width, "branches of ecmp", "2", 2, 4),
    OPT("rate", RATE, preset.rate_bps, "RATE", "true rate of the tight link (Ethernet)", "20M"),
    OPT("nominal", RATE, preset.nominal_bps, "RATE", "rate that a reader of counters believes",
        NULL),
    OPT("narrow", RATE, preset.narrow_bps, "RATE", "rate of trap's idle link before the tight one",
        "20M"),
    OPT("standby", RATE, preset.standby_bps, "RATE",
        "true rate of diamond's standby (default: nominal)", NULL),
    OPT("buffer", DURATION, preset.buffer_us, "DURATION", "time a full queue takes to drain",
        "80ms"),
    OPT("burst", BYTES, preset.burst_bytes, "BYTES",
        "token bucket of the shapers (default: two packets)", NULL),
    OPT("loss", SHARE, preset.loss_share, "SHARE", "random loss on the tight link", NULL),
    OPT("standby-loss", SHARE, preset.standby_loss, "SHARE", "random loss on diamond's standby",
        NULL),
    OPT_ENUM("shaper", shaper, "NAME", "queueing discipline that shapes", "tbf", shapers),
    OPT_ENUM("icmp", icmp, "LIMITS", "limits on ICMP answers", "default", icmp_modes),
    {0},
};
static const struct sdw_option lab_options[] = {LAB, {0}};
static const struct sdw_option set_options[] = {
    LAB,
    OPT("rate", RATE, change.rate_bps, "RATE", "true rate from the first node to the second", NULL),
    OPT("buffer", DURATION, change.buffer_us, "DURATION", "time a full queue takes to drain", NULL),
    OPT("loss", SHARE, change.loss_share, "SHARE", "random loss", NULL),
    OPT("no-loss", FLAG, change.no_loss, NULL, "end the random loss", NULL),
    {0},
};
static const struct sdw_option traffic_options[] = {
    LAB,
    OPT("from", TEXT, traffic.from, "NODE", "node that sends", NULL),
    OPT("to", TEXT, traffic.to, "NODE", "node that receives", NULL),
    OPT("source", TEXT, traffic.source, "ADDRESS", "send from this address of the node", NULL),
    OPT("destination", TEXT, traffic.destination, "ADDRESS", "send to this address of the node",
        NULL),
    OPT("name", TEXT, traffic.name, "NAME", "name in the records", "traffic"),
    OPT_ENUM("model", traffic.model, "MODEL", "UDP cbr, poisson, onoff; TCP app, bulk", "cbr",
             sdw_traffic_models),
    OPT("rate", RATE, traffic.rate_bps, "RATE", "rate of all flows together (IP)", "1M"),
    OPT("rate-end", RATE, traffic.rate_end_bps, "RATE", "rate that it rises or falls to", NULL),
    OPT("ramp", DURATION, traffic.ramp_us, "DURATION", "time it takes (default: all)", NULL),
    OPT("peak", REAL, traffic.peak, "X", "onoff: rate while on, over the mean", "1.8"),
    OPT_INT("size", traffic.size, "IP bytes a packet, or bytes a TCP message", "1000", 24, 65000),
    OPT("trimodal", FLAG, traffic.trimodal, NULL, "packets of 72, 576 and 1500 bytes", NULL),
    OPT_INT("flows", traffic.flows, "flows, each from its own port", "1", 1, 256),
    OPT_INT("port", traffic.port, "port of the receiver", "9000", 1, 55000),
    OPT("ipv6", FLAG, traffic.ipv6, NULL, "use IPv6", NULL),
    OPT("duration", DURATION, traffic.duration_us, "DURATION", "how long to send", "10s"),
    OPT("interval", DURATION, traffic.interval_us, "DURATION", "time between records", "1s"),
    OPT_INT("seed", traffic.seed, "seed of sizes and gaps", "1", 0, 1e9),
    {0},
};
static const struct sdw_option counters_options[] = {
    LAB,
    OPT("interval", DURATION, interval_us, "DURATION", "time between readings", "1s"),
    OPT_INT("count", count, "readings; 0 goes on until stopped", "1", 0, 1e9),
    {0},
};

static const struct sdw_operand up_operands[] = {
    {"PLAN", "chain, diamond, trap, ecmp, or a file of node and link records", false, false,
     "file"},
    {0},
};
static const struct sdw_operand exec_operands[] = {
    {"NODE", "where to run it", false, false, NULL},
    {"COMMAND", "the command and its arguments", false, true, "command"},
    {0},
};
static const struct sdw_operand link_operands[] = {
    {"LINK", "link and direction: r1-r2", false, false, NULL},
    {0},
};

/* Print the plan as records, then the end. */
static int put_plan(struct sdw_ctx *ctx, const struct sdw_topology *topology)
{
    char counts[64];
    int64_t now = sdw_wall_us();
    int code = 0;
    for (size_t i = 0; i < topology->n_nodes + topology->n_links && code == 0; i++) {
        sdw_buf_clear(&ctx->scratch);
        if (i < topology->n_nodes)
            sdw_topology_node_line(topology, i, now, &ctx->scratch);
        else
            sdw_topology_link_line(topology, i - topology->n_nodes, now, &ctx->scratch);
        code = sdw_put(ctx, sdw_buf_view(&ctx->scratch));
    }
    snprintf(counts, sizeof counts, "{\"nodes\":%zu,\"links\":%zu}", topology->n_nodes,
             topology->n_links);
    return code < 0 ? code : sdw_rec_end(ctx, now, "done", counts);
}

static int run_up(struct sdw_ctx *ctx, void *arg)
{
    struct config *config = arg;
    struct sdw_topology topology = {0};
    config->preset.htb = config->shaper == 1;
    int code = sdw_topology_plan(&topology, ctx->operands[0], &config->preset, &ctx->err);
    if (code == 0)
        code = sdw_lab_up(config->lab, &topology, config->icmp == 1, &ctx->err);
    if (code == 0)
        code = put_plan(ctx, &topology);
    sdw_topology_release(&topology);
    return code;
}

static int run_list(struct sdw_ctx *ctx, void *arg)
{
    const struct config *config = arg;
    struct sdw_topology topology = {0};
    int code = sdw_lab_load(config->lab, &topology, &ctx->err);
    if (code == 0)
        code = put_plan(ctx, &topology);
    sdw_topology_release(&topology);
    return code;
}

static int run_exec(struct sdw_ctx *ctx, void *arg)
{
    const struct config *config = arg;
    return sdw_lab_exec(config->lab, ctx->operands[0], ctx->operands + 1, &ctx->err);
}

static int run_down(struct sdw_ctx *ctx, void *arg)
{
    const struct config *config = arg;
    struct sdw_lab_down count;
    char counts[96];
    int code = sdw_lab_down(config->lab, &count, &ctx->err);
    if (code < 0)
        return code;
    snprintf(counts, sizeof counts, "{\"namespaces\":%lld,\"processes\":%lld}",
             (long long)count.namespaces, (long long)count.processes);
    return sdw_rec_end(ctx, sdw_wall_us(), "done", counts);
}

static int run_set(struct sdw_ctx *ctx, void *arg)
{
    const struct config *config = arg;
    int code = sdw_lab_change(config->lab, ctx->operands[0], &config->change, sdw_wall_us(),
                              &ctx->scratch, &ctx->err);
    if (code == 0)
        code = sdw_put(ctx, sdw_buf_view(&ctx->scratch));
    return code < 0 ? code : sdw_rec_end(ctx, sdw_wall_us(), "done", NULL);
}

static int run_traffic(struct sdw_ctx *ctx, void *arg)
{
    const struct config *config = arg;
    int code = sdw_traffic_run(ctx, config->lab, &config->traffic);
    return code < 0 ? code : sdw_rec_end(ctx, sdw_wall_us(), "done", NULL);
}

static int run_counters(struct sdw_ctx *ctx, void *arg)
{
    const struct config *config = arg;
    int code = 0;
    for (int64_t done = 0; code == 0 && !sdw_stop_signal(ctx);) {
        code = sdw_lab_put_counters(ctx, config->lab, ctx->operands[0]);
        if (code < 0 || ++done == config->count)
            break;
        code = sdw_flush(ctx);
        poll(&(struct pollfd){ctx->stop_fd, POLLIN, 0}, 1, (int)(config->interval_us / 1000));
    }
    return code < 0 ? code : sdw_rec_end(ctx, sdw_wall_us(), "done", NULL);
}

static const struct sdw_command subs[] = {
    {"up", "builds a laboratory and prints its plan", up_options, up_operands, run_up, NULL, NULL},
    {"list", "prints the plan of a standing laboratory", lab_options, NULL, run_list, NULL, NULL},
    {"exec", "runs a command inside a node", lab_options, exec_operands, run_exec, NULL, NULL},
    {"set", "changes a link of a standing laboratory", set_options, link_operands, run_set, NULL,
     NULL},
    {"traffic", "runs live traffic between two nodes", traffic_options, NULL, run_traffic, NULL,
     "traffic"},
    {"counters", "reads the queue of a shaped link", counters_options, link_operands, run_counters,
     NULL, "metric"},
    {"down", "takes a laboratory down", lab_options, NULL, run_down, NULL, NULL},
    {0},
};
static const struct sdw_command command = {"shadow-lab", NULL, NULL, NULL, NULL, subs, NULL};
static const struct sdw_example examples[] = {
    {"A chain of four routers whose third link is shaped to 20 Mbit/s, and a ping through it:",
     "shadow-lab up chain -l man && shadow-lab exec -l man c ping -c 1 10.9.0.2 && "
     "shadow-lab down -l man",
     "lab"},
    {0},
};
static const struct sdw_tool tool = {
    .name = "shadow-lab",
    .summary = "build networks of namespaces and run live traffic in them",
    .command = &command,
    .config_size = sizeof(struct config),
    .main_type = "link",
    .column_of = sdw_schema_column,
    .examples = examples,
};

int main(int argc, char **argv)
{
    return sdw_main(&tool, argc, argv);
}
