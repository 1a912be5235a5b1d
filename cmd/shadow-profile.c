/* shadow-profile: from packets to flows. */
#include <sys/random.h>

#include "io/tool.h"
#include "net/profile_run.h"
#include "net/sockets_run.h"
#include "sys/privilege.h"

enum { SNAP_MIN = 64, SNAP_MAX = 262144 };
enum { LOOKED_INTO = 65536 }; /* flows at a time, some 1 KiB each */

struct config {
    const char *interface, *file, *addr, *user, *apps;
    int64_t interval_us, active_us, idle_us, duration_us, max_flows, max_pairs, snap;
    bool immediate, sockets, no_dpi, no_sni;
};

#define AT(member) offsetof(struct config, member)
static const struct sdw_option options[] = {
    {"interface", 'i', SDW_OPT_TEXT, AT(interface), "IF", "watch this interface; any: all of them",
     NULL, 0, 0, NULL, "interface"},
    {"read", 'r', SDW_OPT_TEXT, AT(file), "FILE",
     "read this capture, pcap or pcapng, instead; -: standard input", NULL, 0, 0, NULL, "file"},
    {"sockets", 0, SDW_OPT_FLAG, AT(sockets), NULL,
     "tell this machine's own TCP connections instead, from the kernel", NULL, 0, 0, NULL, NULL},
    {"interval", 0, SDW_OPT_DURATION, AT(interval_us), "DURATION",
     "update the flows that had packets this often; 0: do not, or look once at sockets", "1s", 0, 0,
     NULL, NULL},
    {"active", 0, SDW_OPT_DURATION, AT(active_us), "DURATION",
     "update a flow after this long in any case", "60s", 0, 0, NULL, NULL},
    {"idle", 0, SDW_OPT_DURATION, AT(idle_us), "DURATION",
     "end a flow after this long without a packet", "15s", 0, 0, NULL, NULL},
    {"max-flows", 0, SDW_OPT_INT, AT(max_flows), "N",
     "keep at most N flows; one chosen at random makes room for the next", "1000000", 1, 1 << 30,
     NULL, NULL},
    {"snap", 0, SDW_OPT_BYTES, AT(snap), "BYTES", "look at no more than this of each packet",
     "2048", 0, 0, NULL, NULL},
    {"immediate", 0, SDW_OPT_FLAG, AT(immediate), NULL,
     "take each packet at once, at more cost, instead of every 5 ms", NULL, 0, 0, NULL, NULL},
    {"addr", 0, SDW_OPT_TEXT, AT(addr), "keep|trunc:BITS,BITS|hash:FILE",
     "show addresses as they are, their first bits (IPv4, IPv6), or hashes under a key", "keep", 0,
     0, NULL, NULL},
    {"apps", 0, SDW_OPT_TEXT, AT(apps), "FILE",
     "names, ports and addresses that belong to applications of yours", NULL, 0, 0, NULL, "file"},
    {"no-dpi", 0, SDW_OPT_FLAG, AT(no_dpi), NULL, "tell applications by their ports only", NULL, 0,
     0, NULL, NULL},
    {"no-sni", 0, SDW_OPT_FLAG, AT(no_sni), NULL, "do not show the names of servers", NULL, 0, 0,
     NULL, NULL},
    {"max-pairs", 0, SDW_OPT_INT, AT(max_pairs), "N",
     "keep app records of at most N pairs of ends; the others of an application share one", "10000",
     0, 1 << 24, NULL, NULL},
    {"user", 0, SDW_OPT_TEXT, AT(user), "USER", "become this user once the capture is open",
     "nobody", 0, 0, NULL, NULL},
    {"duration", 'd', SDW_OPT_DURATION, AT(duration_us), "DURATION", "stop after this long", NULL,
     0, 0, NULL, NULL},
    {0},
};

static const struct sdw_operand operands[] = {
    {.name = "FILTER", .help = "packets to look at, as tcpdump(8) takes it", .optional = true},
    {0},
};

/* What libpcap goes on to call once it is confined. */
static const char *const calls[] = {"getsockopt", "recvfrom", "recvmsg", NULL};

/* Open the capture, then give up every right that it took. */
static int open_run(struct sdw_profile_run *run, const struct config *config)
{
    struct sdw_ctx *ctx = run->ctx;
    struct sdw_profile_config profile = {.interval_ns = config->interval_us * 1000,
                                         .active_ns = config->active_us * 1000,
                                         .idle_ns = config->idle_us * 1000,
                                         .max_flows = (size_t)config->max_flows};
    struct sdw_capture_config capture = {.interface = config->interface,
                                         .file = config->file,
                                         .filter = ctx->n_operands ? ctx->operands[0] : NULL,
                                         .snap = (int)config->snap,
                                         .immediate = config->immediate};
    struct sdw_classify_config apps = {.apps = config->apps,
                                       .ports_only = config->no_dpi,
                                       .names = !config->no_sni,
                                       .max_flows = LOOKED_INTO,
                                       .max_pairs = (size_t)config->max_pairs,
                                       .active_us = config->active_us,
                                       .idle_us = config->idle_us};
    bool kept = false;
    if (!config->interface == !config->file)
        return sdw_err_set(&ctx->err, SDW_EUSAGE, "give one of --interface, --read and --sockets");
    if (config->active_us <= 0 || config->idle_us <= 0)
        return sdw_err_set(&ctx->err, SDW_EUSAGE, "--active and --idle must be more than 0");
    if (config->snap < SNAP_MIN || config->snap > SNAP_MAX)
        return sdw_err_set(&ctx->err, SDW_EUSAGE, "--snap: between %d and %d bytes", SNAP_MIN,
                           SNAP_MAX);
    int code = sdw_addrmask_parse(config->addr, &profile.mask, &ctx->err);
    if (code < 0)
        return code;
    if (getrandom(&profile.hash_key, sizeof profile.hash_key, 0) < 0)
        return sdw_err_sys(&ctx->err, "random numbers");
    profile.id_key = sdw_addrmask_id_key(&profile.mask, profile.hash_key);
    apps.mask = profile.mask;
    code = sdw_profile_run_open(run, &capture, &profile, &apps, &ctx->err);
    if (code == 0)
        code = sdw_privilege_drop(config->user, &kept, &ctx->err);
    return code < 0 ? code : sdw_privilege_confine(calls, &ctx->err);
}

/* What libmnl goes on to call. */
static const char *const socket_calls[] = {"getsockopt", "sendto", "recvfrom", "recvmsg", NULL};

static int open_sockets(struct sdw_sockets_run *run, const struct config *config)
{
    struct sdw_err *err = &run->ctx->err;
    struct sdw_sockets_config sockets = {.active_us = config->active_us,
                                         .max_flows = (size_t)config->max_flows};
    uint64_t secret;
    bool kept = false;
    int code = sdw_addrmask_parse(config->addr, &sockets.mask, err);
    if (code < 0)
        return code;
    if (getrandom(&secret, sizeof secret, 0) < 0)
        return sdw_err_sys(err, "random numbers");
    sockets.id_key = sdw_addrmask_id_key(&sockets.mask, secret);
    code = sdw_sockets_run_open(run, &sockets, config->apps, err);
    if (code == 0)
        code = sdw_privilege_drop(config->user, &kept, err);
    return code < 0 ? code : sdw_privilege_confine(socket_calls, err);
}

static int run_sockets(struct sdw_ctx *ctx, const struct config *config)
{
    struct sdw_sockets_run session = {.ctx = ctx};
    if (config->interface || config->file || ctx->n_operands)
        return sdw_err_set(&ctx->err, SDW_EUSAGE,
                           "--sockets goes without --interface, --read and FILTER");
    int code = open_sockets(&session, config);
    if (code == 0)
        code = sdw_sockets_run(&session, config->interval_us, config->duration_us);
    sdw_sockets_run_close(&session);
    return code;
}

static int run(struct sdw_ctx *ctx, void *data)
{
    const struct config *config = data;
    struct sdw_profile_run session = {.ctx = ctx};
    if (config->sockets)
        return run_sockets(ctx, config);
    int code = open_run(&session, config);
    if (code == 0)
        code = sdw_profile_run(&session, config->duration_us);
    sdw_profile_run_close(&session);
    return code;
}

static const struct sdw_command command = {
    .name = "shadow-profile",
    .help = "tells the flows of an interface or a capture, and the state of their TCP",
    .options = options,
    .operands = operands,
    .run = run,
};

static const struct sdw_example examples[] = {
    {"Tell the flows of a capture:", "shadow-profile --read run.pcap", NULL},
    {"Which connections had to send again, and how much of what they sent?",
     "shadow-profile --read run.pcap -o flow.end | jq -c 'select(.retransmitted_fwd > 0) | "
     "{src, dst, dport, again: (.retransmitted_bytes_fwd / .bytes_fwd)}'",
     NULL},
    {"Which applications are there, and how much does each carry?",
     "shadow-profile --read run.pcap -o flow.end | jq -rs 'group_by(.app)[] | "
     "[.[0].app, (map(.bytes_fwd + .bytes_rev) | add)] | @tsv'",
     NULL},
    {"The shape of traffic, for shadow-probe --schedule replay --shape to make more like it:",
     "shadow-profile --read run.pcap -o shape | head -1 >shape.ndjson", NULL},
    {"This machine's connections that had to send again:",
     "shadow-profile --sockets --interval 0 | jq -c 'select(.retransmitted_fwd > 0) | {dst, "
     "dport}'",
     NULL},
    {"Watch an interface for a minute:", "shadow-profile --interface lo --duration 1m", "lab"},
    {0},
};

static const struct sdw_tool tool = {
    .name = "shadow-profile",
    .summary = "tell the flows of an interface or a capture, and the state of their TCP",
    .command = &command,
    .config_size = sizeof(struct config),
    .main_type = "flow.end",
    .column_of = sdw_schema_column,
    .examples = examples,
};

int main(int argc, char **argv)
{
    return sdw_main(&tool, argc, argv);
}
