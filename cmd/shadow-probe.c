#include "core/clock.h"
#include "io/tool.h"
#include "net/confine.h"
#include "net/group_run.h"
#include "net/mirror_run.h"
#include "net/pace.h"
#include "net/stamp.h"
#include "rec/end.h"

static const double default_mean_bps = 1e6;
enum { DEFAULT_PAIRS = 30, MIRROR_PAIRS = 12 };

struct config {
    int schedule, family, protocol;
    int64_t port, source_port, mark, dscp, hops, pairs, count, duration_us, seed, idle_us;
    double max_bps, ttl_rate;
    const char *source, *interface, *key, *budget, *live, *flow, *shape;
    bool scope, watch, mirror;
};

static const char *const schedules[] = {"chirp", "lockin", "train", "poisson", "replay", NULL};
static const char *const protocols[] = {"auto", "udp", "icmp", "tcp", NULL};
static const char *const families[] = {"any", "ipv4", "ipv6", NULL};

#define AT(member) offsetof(struct config, member)
static const struct sdw_option options[] = {
    {"schedule", 's', SDW_OPT_ENUM, AT(schedule), "SCHEDULE", "how to inject", "chirp", 0, 0,
     schedules, NULL},
    {"scope", 0, SDW_OPT_FLAG, AT(scope), NULL,
     "let the load die at each router in turn and measure end to end only: needs no ICMP answers",
     NULL, 0, 0, NULL, NULL},
    {"flow", 0, SDW_OPT_TEXT, AT(flow), "SRC:SPORT-DST:DPORT/udp|tcp",
     "mirror this live flow: its way, without its application getting an octet", NULL, 0, 0, NULL,
     NULL},
    {"mirror", 0, SDW_OPT_FLAG, AT(mirror), NULL,
     "mirror the flows that records on standard input tell of, as shadow-profile writes them", NULL,
     0, 0, NULL, NULL},
    {"idle", 0, SDW_OPT_DURATION, AT(idle_us), "DURATION",
     "with --mirror: a flow that no record told of for so long has ended", "5m", 0, 0, NULL, NULL},
    {"shape", 0, SDW_OPT_TEXT, AT(shape), "FILE",
     "replay the shape record in this file; - is standard input", NULL, 0, 0, NULL, "file"},
    {"protocol", 0, SDW_OPT_ENUM, AT(protocol), "PROTOCOL",
     "what to send: udp, icmp echo, tcp SYN; auto is udp, and icmp where nothing reflects", "auto",
     0, 0, protocols, NULL},
    {"watch", 'w', SDW_OPT_FLAG, AT(watch), NULL, "go on for ever, rarely while there is room",
     NULL, 0, 0, NULL, NULL},
    {"count", 'c', SDW_OPT_INT, AT(count), "N", "end after so many windows", "1", 1, 1e9, NULL,
     NULL},
    {"duration", 'd', SDW_OPT_DURATION, AT(duration_us), "DURATION", "end after this time", NULL, 0,
     0, NULL, NULL},
    {"pairs", 0, SDW_OPT_INT, AT(pairs), "N",
     "pairs of an on and an off slot in a window (30; with --mirror 12)", NULL, 4, 400, NULL, NULL},
    {"max-rate", 'r', SDW_OPT_RATE, AT(max_bps), "RATE",
     "never inject faster; 0 injects nothing, a sham run", "100M", 0, 0, NULL, NULL},
    {"budget", 'b', SDW_OPT_TEXT, AT(budget), "BYTES|SHARE",
     "bytes a window may inject, or share of the live bytes of --live (1%)", "3M", 0, 0, NULL,
     NULL},
    {"live", 0, SDW_OPT_TEXT, AT(live), "IF,...", "interfaces whose counters tell the live traffic",
     NULL, 0, 0, NULL, "interface"},
    {"ttl-rate", 0, SDW_OPT_REAL, AT(ttl_rate), "PPS",
     "packets a second that may expire at one router", "50", 1, 1000, NULL, NULL},
    {"hops", 0, SDW_OPT_INT, AT(hops), "N", "longest path to walk", "30", 1, 64, NULL, NULL},
    {"port", 'p', SDW_OPT_INT, AT(port), "PORT", "UDP port of the reflector", "862", 1, 65535, NULL,
     NULL},
    {"source-port", 0, SDW_OPT_INT, AT(source_port), "PORT", "UDP port to send from", NULL, 0,
     65535, NULL, NULL},
    {"source", 'S', SDW_OPT_TEXT, AT(source), "ADDR", "address to send from", NULL, 0, 0, NULL,
     NULL},
    {"interface", 'i', SDW_OPT_TEXT, AT(interface), "IF", "interface to send by", NULL, 0, 0, NULL,
     "interface"},
    {"mark", 0, SDW_OPT_INT, AT(mark), "N", "routing mark of the packets", NULL, 0, 4294967295.0,
     NULL, NULL},
    {"dscp", 0, SDW_OPT_INT, AT(dscp), "N", "DSCP of the packets: the class that users are in", "0",
     0, 63, NULL, NULL},
    {"family", 0, SDW_OPT_ENUM, AT(family), "FAMILY", "addresses to take of a name", "any", 0, 0,
     families, NULL},
    {"key", 0, SDW_OPT_TEXT, AT(key), "FILE", "authenticate with this key (hexadecimal digits)",
     NULL, 0, 0, NULL, "file"},
    {"seed", 0, SDW_OPT_INT, AT(seed), "N", "draw the order of slots from this seed", "1", 0, 0,
     NULL, NULL},
    {0},
};

static const struct sdw_operand operands[] = {
    {"DEST",
     "address or name to measure the path to; with --mirror a condition that flows meet, as "
     "shadow filter has them",
     true, true, "host"},
    {0},
};

static int put(void *arg, const struct sdw_schema *schema, const void *rec)
{
    return sdw_rec_put(arg, schema, rec);
}

static void note(void *arg, const char *text)
{
    sdw_note(arg, "%s", text);
}

static int add(struct sdw_ctx *ctx, struct sdw_group *group, const struct config *config,
               const struct sdw_stamp_key *key, const struct sdw_traffic_shape *shape,
               const char *name, bool mirrored)
{
    static const int of_family[] = {AF_UNSPEC, AF_INET, AF_INET6};
    struct sdw_session_config session = {
        .carrier = {.interface = config->interface,
                    .mark = (uint32_t)config->mark,
                    .key = key->n ? key->bytes : NULL,
                    .key_bytes = key->n},
        .kind = (enum sdw_carrier_kind)config->protocol,
        .name = name,
        .schedule = (enum sdw_schedule)config->schedule,
        .shape = shape,
        .scope = config->scope,
        .watch = config->watch,
        .windows = config->count,
        .pairs = config->pairs ? config->pairs : DEFAULT_PAIRS,
        .max_hops = config->hops,
        .max_bps = config->max_bps,
        .ttl_rate = config->ttl_rate,
        .dscp = (uint8_t)config->dscp,
        .seed = (uint64_t)config->seed,
    };
    struct sdw_sink sink = {put, note, ctx};
    int code = mirrored
                   ? sdw_session_mirror(&session, name, &ctx->err)
                   : sdw_address_resolve(name, (uint16_t)config->port, of_family[config->family],
                                         &session.carrier.dst, &ctx->err);
    if (code < 0)
        return code;
    uint16_t port = (uint16_t)config->source_port;
    if (!mirrored && config->source &&
        !sdw_address_parse(config->source, port, &session.carrier.src))
        return sdw_err_set(&ctx->err, SDW_EUSAGE, "--source %s: not an address", config->source);
    if (!mirrored && !config->source && port)
        session.carrier.src = sdw_address_any(sdw_address_family(&session.carrier.dst), port);
    return sdw_group_add(group, &session, &sink, &ctx->err);
}

/* What to measure: the destinations, or the live flow, or else the pairs of the shape. */
static int add_all(struct sdw_ctx *ctx, struct sdw_group *group, const struct config *config,
                   const struct sdw_stamp_key *key, const struct sdw_traffic_shape *shape)
{
    size_t n = ctx->n_operands, pairs = n || config->flow ? 0 : shape->n_flows;
    int code = 0;
    if (config->schedule == SDW_SCHEDULE_REPLAY && !config->shape)
        return sdw_err_set(&ctx->err, SDW_EUSAGE, "--schedule replay needs --shape");
    if (config->flow ? n > 0 : n + pairs == 0)
        return sdw_err_set(&ctx->err, SDW_EUSAGE, "give one or more DEST, or --flow");
    for (size_t i = 0; i < n && code == 0; i++)
        code = add(ctx, group, config, key, shape, ctx->operands[i], false);
    if (config->flow)
        code = add(ctx, group, config, key, shape, config->flow, true);
    for (size_t i = 0; i < pairs && code == 0; i++)
        code = add(ctx, group, config, key, shape, shape->flows[i], true);
    return code;
}

/* Shadows of the flows that standard input tells of. */
static int mirror(struct sdw_ctx *ctx, const struct config *config, struct sdw_group *group)
{
    struct sdw_mirror_plan plan = {
        .mirror = {.pairs = config->pairs ? config->pairs : MIRROR_PAIRS,
                   .max_hops = config->hops,
                   .max_bps = config->max_bps,
                   .ttl_rate = config->ttl_rate,
                   .idle_ns = config->idle_us * 1000,
                   .mark = (uint32_t)config->mark,
                   .dscp = (uint8_t)config->dscp,
                   .seed = (uint64_t)config->seed},
        .group = group,
        .conditions = (const char *const *)ctx->operands,
        .n = ctx->n_operands,
        .duration_us = config->duration_us,
    };
    if (config->flow || config->shape || config->scope || config->watch || config->key ||
        config->source || config->interface || config->schedule != SDW_SCHEDULE_CHIRP ||
        config->protocol != SDW_CARRIER_AUTO)
        return sdw_err_set(&ctx->err, SDW_EUSAGE,
                           "--mirror takes flows from standard input: --flow, --shape, --scope, "
                           "--watch, --key, --source, --interface, --schedule and --protocol are "
                           "not for it");
    return sdw_mirror_run(ctx, &plan);
}

static int run(struct sdw_ctx *ctx, void *arg)
{
    const struct config *config = arg;
    struct sdw_stamp_key key = {.n = 0};
    struct sdw_traffic_shape shape = {.n_flows = 0};
    struct sdw_group group;
    const char *reason = "error";
    int code = sdw_group_init(
        &group, config->budget, config->live,
        config->schedule == SDW_SCHEDULE_CHIRP ? default_mean_bps : config->max_bps, &ctx->err);
    if (code == 0 && config->mirror) {
        code = mirror(ctx, config, &group);
        sdw_group_release(&group);
        return code;
    }
    if (code == 0 && config->key)
        code = sdw_stamp_key_load(&key, config->key, &ctx->err);
    if (code == 0 && config->shape)
        code = sdw_shape_load(&shape, config->shape, &ctx->err);
    if (code == 0)
        code = add_all(ctx, &group, config, &key, &shape);
    if (code == 0) {
        if (!sdw_pace_realtime())
            sdw_detail(ctx, "no real-time scheduling (CAP_SYS_NICE): more slots may be void");
        code = sdw_confine(config->live != NULL, &ctx->err);
        if (code == 0)
            code = sdw_group_run(ctx, &group, config->duration_us, &reason);
        struct sdw_buf counts = {0};
        sdw_group_counts(&group, &counts);
        struct sdw_err kept = ctx->err;
        int ended = sdw_rec_end(ctx, sdw_wall_us(), reason, counts.p);
        sdw_buf_release(&counts);
        if (code < 0)
            ctx->err = kept;
        code = code < 0 ? code : ended;
    }
    sdw_group_release(&group);
    sdw_shape_release(&shape);
    return code;
}

static const struct sdw_command command = {
    "shadow-probe", "measures each hop of a path", options, operands, run, NULL, NULL};

static const struct sdw_example examples[] = {
    {"Measure the path to a host that runs shadow-reflect", "shadow-probe 192.0.2.1", "lab"},
    {NULL, NULL, NULL},
};

static const struct sdw_tool tool = {
    .name = "shadow-probe",
    .summary = "inject synthetic traffic and measure each hop",
    .command = &command,
    .config_size = sizeof(struct config),
    .main_type = "hop",
    .column_of = sdw_schema_column,
    .examples = examples,
};

int main(int argc, char **argv)
{
    return sdw_main(&tool, argc, argv);
}
