/* shadow-reflect: answer STAMP test packets. */
#include <poll.h>

#include "core/clock.h"
#include "io/tool.h"
#include "net/reflector.h"
#include "rec/end.h"
#include "sys/privilege.h"

struct config {
    int64_t port, count, duration_us, rate_cap;
    struct sdw_list bind;
    const char *key, *user;
    bool stateless, keep_dscp;
};

#define AT(member) offsetof(struct config, member)

static const struct sdw_option options[] = {
    {.name = "port",
     .letter = 'p',
     .kind = SDW_OPT_INT,
     .offset = AT(port),
     .arg = "PORT",
     .help = "listen on this UDP port; 0 takes a free one",
     .def = "862",
     .max = 65535},
    {.name = "bind",
     .letter = 'b',
     .kind = SDW_OPT_LIST,
     .offset = AT(bind),
     .arg = "ADDR",
     .help = "listen on this address only; one of each family may be given",
     .complete = "host"},
    {.name = "key",
     .letter = 'k',
     .kind = SDW_OPT_TEXT,
     .offset = AT(key),
     .arg = "FILE",
     .help = "answer only packets authenticated by the key in this file (hexadecimal digits)",
     .complete = "file"},
    {.name = "stateless",
     .kind = SDW_OPT_FLAG,
     .offset = AT(stateless),
     .help = "send the sender's sequence number back instead of counting"},
    {.name = "keep-dscp",
     .kind = SDW_OPT_FLAG,
     .offset = AT(keep_dscp),
     .help = "do not let senders choose the DSCP of replies"},
    {.name = "rate-cap",
     .kind = SDW_OPT_INT,
     .offset = AT(rate_cap),
     .arg = "PPS",
     .help = "answer at most this many packets a second of one source; 0 means no cap",
     .def = "20000",
     .max = 1e9},
    {.name = "user",
     .kind = SDW_OPT_TEXT,
     .offset = AT(user),
     .arg = "USER",
     .help = "become this user once the port is open",
     .def = "nobody"},
    {.name = "duration",
     .letter = 'd',
     .kind = SDW_OPT_DURATION,
     .offset = AT(duration_us),
     .arg = "DURATION",
     .help = "stop after this long"},
    {.name = "count",
     .letter = 'n',
     .kind = SDW_OPT_INT,
     .offset = AT(count),
     .arg = "N",
     .help = "stop after this many replies",
     .max = 1e15},
    {0},
};

/* What the reflector goes on to call once it is confined. */
static const char *const calls[] = {"recvmmsg", "recvmsg",       "sendmsg",
                                    "adjtimex", "clock_adjtime", NULL};

/* The addresses to listen on: those asked for, or any of both families. */
static int set_local(const struct config *config, struct sdw_reflector_config *out,
                     struct sdw_err *err)
{
    uint16_t port = (uint16_t)config->port;
    if (config->bind.n > SDW_LEN(out->local))
        return sdw_err_set(err, SDW_EUSAGE, "--bind: at most one IPv4 and one IPv6 address");
    for (size_t i = 0; i < config->bind.n; i++)
        if (!sdw_address_parse(config->bind.item[i], port, &out->local[i]))
            return sdw_err_set(err, SDW_EUSAGE, "--bind: %s is not an IPv4 or IPv6 address",
                               config->bind.item[i]);
    out->n_local = config->bind.n;
    if (out->n_local == 0) {
        out->local[0] = sdw_address_any(AF_INET, port);
        out->local[1] = sdw_address_any(AF_INET6, port);
        out->n_local = 2;
        out->some_suffice = true;
    }
    return 0;
}

static struct sdw_reflector *open_reflector(struct sdw_ctx *ctx, const struct config *config,
                                            struct sdw_stamp_key *key)
{
    struct sdw_reflector_config out = {.stateless = config->stateless,
                                       .keep_dscp = config->keep_dscp,
                                       .rate_cap_pps = (double)config->rate_cap};
    char text[SDW_ADDRESS_TEXT];
    if (set_local(config, &out, &ctx->err) < 0)
        return NULL;
    if (config->key && sdw_stamp_key_load(key, config->key, &ctx->err) < 0)
        return NULL;
    out.key = config->key ? key : NULL;
    struct sdw_reflector *reflector = sdw_reflector_new(&out, &ctx->err);
    for (size_t i = 0; reflector && i < sdw_reflector_sockets(reflector); i++) {
        struct sdw_address local = sdw_reflector_local(reflector, i);
        sdw_note(ctx, "listening on %s port %u", sdw_address_text(&local, text),
                 sdw_address_port(&local));
    }
    return reflector;
}

static int confine(struct sdw_ctx *ctx, const struct config *config)
{
    bool kept = false;
    int code = sdw_privilege_drop(config->user, &kept, &ctx->err);
    if (code == 0)
        code = sdw_privilege_confine(calls, &ctx->err);
    if (code == 0 && kept)
        sdw_detail(ctx, "user %s is not mapped here: running on without capabilities",
                   config->user);
    return code;
}

/* Wait for packets or a signal, at most until end_ns (0: for ever). False when time is up. */
static bool wait_for_packets(const struct sdw_ctx *ctx, const struct sdw_reflector *reflector,
                             int64_t end_ns)
{
    struct pollfd fds[3] = {{.fd = ctx->stop_fd, .events = POLLIN}};
    size_t n = sdw_reflector_sockets(reflector);
    for (size_t i = 0; i < n; i++)
        fds[i + 1] = (struct pollfd){.fd = sdw_reflector_fd(reflector, i), .events = POLLIN};
    int64_t left_ms = end_ns ? (end_ns - sdw_mono_ns() + 999999) / 1000000 : INT32_MAX;
    if (left_ms <= 0)
        return false;
    (void)poll(fds, (nfds_t)n + 1, left_ms > 60000 ? 60000 : (int)left_ms);
    return true;
}

/* Reflect until enough, time is up or a signal comes; *reason says which. */
static int serve(struct sdw_ctx *ctx, const struct config *config, struct sdw_reflector *reflector,
                 const char **reason)
{
    int64_t end_ns = config->duration_us ? sdw_mono_ns() + config->duration_us * 1000 : 0;
    uint64_t wanted = config->count ? (uint64_t)config->count : UINT64_MAX;
    uint64_t reflected = 0;
    while (reflected < wanted) {
        uint64_t left = wanted - reflected;
        int taken = sdw_reflector_serve(reflector, left > 1024 ? 1024 : (size_t)left, &ctx->err);
        if (taken < 0)
            return taken;
        reflected = sdw_reflector_counts(reflector).reflected;
        if (sdw_stop_signal(ctx)) {
            *reason = "signal";
            return SDW_ESTOP;
        }
        if (end_ns && sdw_mono_ns() >= end_ns)
            break;
        if (taken == 0 && !wait_for_packets(ctx, reflector, end_ns))
            break;
    }
    return 0;
}

static int report(struct sdw_ctx *ctx, const struct sdw_reflector *reflector, const char *reason)
{
    struct sdw_reflector_counts counts = sdw_reflector_counts(reflector);
    struct sdw_buf text = {0};
    int64_t now_us = sdw_wall_us();
    int code = 0;
    if (counts.dropped) {
        struct sdw_loss loss;
        sdw_rec_init(&sdw_loss_schema, &loss);
        loss.ts = now_us;
        loss.tool = sdw_str_of("shadow-reflect");
        loss.where = sdw_str_of("kernel");
        loss.reason = sdw_str_of("the socket's receive buffer was full");
        loss.packets = (int64_t)counts.dropped;
        code = sdw_rec_put(ctx, &sdw_loss_schema, &loss);
    }
    sdw_reflector_counts_write(&counts, &text);
    if (code == 0)
        code = sdw_rec_end(ctx, now_us, reason, text.p);
    sdw_buf_release(&text);
    return code;
}

static int run(struct sdw_ctx *ctx, void *data)
{
    const struct config *config = data;
    struct sdw_stamp_key key;
    const char *reason = "done";
    struct sdw_reflector *reflector = open_reflector(ctx, config, &key);
    if (!reflector)
        return ctx->err.code;
    int code = confine(ctx, config);
    if (code == 0)
        code = serve(ctx, config, reflector, &reason);
    if (code == 0 || code == SDW_ESTOP) {
        int reported = report(ctx, reflector, reason);
        code = reported < 0 ? reported : code;
    }
    sdw_reflector_free(reflector);
    return code;
}

static const struct sdw_command command = {
    .name = "shadow-reflect",
    .help = "answers STAMP test packets with the times they came and went",
    .options = options,
    .run = run,
};

static const struct sdw_example examples[] = {
    {"Answer on the standard port, for a minute:", "shadow-reflect --duration 1m", "lab"},
    {"Answer on one address, on a port that needs no rights:",
     "shadow-reflect --bind 127.0.0.1 --port 8620 --duration 1s", NULL},
    {0},
};

static const struct sdw_tool tool = {
    .name = "shadow-reflect",
    .summary = "answer STAMP test packets with the times they came and went",
    .command = &command,
    .config_size = sizeof(struct config),
    .main_type = "end",
    .column_of = sdw_schema_column,
    .examples = examples,
};

int main(int argc, char **argv)
{
    return sdw_main(&tool, argc, argv);
}
