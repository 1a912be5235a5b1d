#include "net/probe.h"

#include "core/clock.h"
#include "net/confine.h"
#include "net/group_run.h"
#include "net/pace.h"
#include "net/probe_mirror.h"
#include "net/stamp.h"
#include "net/tunnel.h"
#include "rec/end.h"

static const double default_mean_bps = 1e6;
enum { DEFAULT_PAIRS = 30 };

static int put(void *arg, const struct sdw_schema *schema, const void *rec)
{
    return sdw_rec_put(arg, schema, rec);
}

static void note(void *arg, const char *text)
{
    sdw_note(arg, "%s", text);
}

static int add(struct sdw_ctx *ctx, struct sdw_group *group, const struct sdw_probe_config *config,
               const struct sdw_stamp_key *key, const struct sdw_traffic_shape *shape,
               const char *name, bool mirrored, const struct sdw_tunnel *tunnel)
{
    static const int of_family[] = {AF_UNSPEC, AF_INET, AF_INET6};
    bool inside = tunnel->name[0] && !mirrored, chosen = !mirrored && !inside;
    struct sdw_session_config session = {
        .carrier = {.interface = inside ? NULL : config->interface,
                    .mark = (uint32_t)config->mark,
                    .key = key->n ? key->bytes : NULL,
                    .key_bytes = key->n},
        .kind = (enum sdw_carrier_kind)config->protocol,
        .name = name,
        .tunnel = tunnel->name[0] ? tunnel->name : NULL,
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
    const char *reason = inside ? sdw_tunnel_no_end(&session.carrier.dst) : NULL;
    if (reason)
        return sdw_err_set(&ctx->err, SDW_EUSAGE, "%s: %s", name, reason);
    uint16_t port = (uint16_t)config->source_port;
    if (chosen && config->source && !sdw_address_parse(config->source, port, &session.carrier.src))
        return sdw_err_set(&ctx->err, SDW_EUSAGE, "--source %s: not an address", config->source);
    if (chosen && !config->source && port)
        session.carrier.src = sdw_address_any(sdw_address_family(&session.carrier.dst), port);
    return sdw_group_add(group, &session, &sink, &ctx->err);
}

/* What to measure inside: the destinations; or the live flow, or else the pairs of the shape. */
static int add_asked(struct sdw_ctx *ctx, struct sdw_group *group,
                     const struct sdw_probe_config *config, const struct sdw_stamp_key *key,
                     const struct sdw_traffic_shape *shape, const struct sdw_tunnel *tunnel)
{
    size_t n = ctx->n_operands, pairs = n || config->flow ? 0 : shape->n_flows;
    int code = 0;
    if (config->schedule == SDW_SCHEDULE_REPLAY && !config->shape)
        return sdw_err_set(&ctx->err, SDW_EUSAGE, "--schedule replay needs --shape");
    if (config->flow ? n > 0 : n + pairs == 0)
        return sdw_err_set(&ctx->err, SDW_EUSAGE, "give one or more DEST, or --flow");
    for (size_t i = 0; i < n && code == 0; i++)
        code = add(ctx, group, config, key, shape, ctx->operands[i], false, tunnel);
    if (config->flow)
        code = add(ctx, group, config, key, shape, config->flow, true, tunnel);
    for (size_t i = 0; i < pairs && code == 0; i++)
        code = add(ctx, group, config, key, shape, shape->flows[i], true, tunnel);
    return code;
}

/* The same, and with a tunnel the destinations inside it and its outer packets' own way. */
static int add_all(struct sdw_ctx *ctx, struct sdw_group *group,
                   const struct sdw_probe_config *config, const struct sdw_stamp_key *key,
                   const struct sdw_traffic_shape *shape, struct sdw_tunnel *tunnel)
{
    struct sdw_tunnel_config how = sdw_probe_tunnel(config);
    if (config->inner_remote)
        return sdw_err_set(&ctx->err, SDW_EUSAGE, "--inner-remote goes with --mirror: give DEST");
    if (config->tunnel == SDW_PROBE_NO_TUNNEL)
        return config->remote || config->inner
                   ? sdw_err_set(&ctx->err, SDW_EUSAGE, "--remote and --inner go with --tunnel")
                   : add_asked(ctx, group, config, key, shape, tunnel);
    if (config->flow || ctx->n_operands == 0)
        return sdw_err_set(&ctx->err, SDW_EUSAGE,
                           "--tunnel: give one or more DEST inside it, and no --flow");
    int code = sdw_tunnel_open(tunnel, &how, &ctx->err);
    if (code == 0)
        code = sdw_tunnel_enter(tunnel, &ctx->err);
    if (code == 0)
        code = add_asked(ctx, group, config, key, shape, tunnel);
    struct sdw_err kept = ctx->err;
    if (tunnel->outside >= 0 && sdw_tunnel_leave(tunnel, &ctx->err) < 0 && code == 0)
        return ctx->err.code;
    ctx->err = kept;
    return code < 0 ? code : add(ctx, group, config, key, shape, tunnel->flow, true, tunnel);
}

int sdw_probe_run(struct sdw_ctx *ctx, void *arg)
{
    const struct sdw_probe_config *config = arg;
    struct sdw_stamp_key key = {.n = 0};
    struct sdw_traffic_shape shape = {.n_flows = 0};
    struct sdw_tunnel tunnel = {.inside = -1, .outside = -1};
    struct sdw_group group;
    const char *reason = "error";
    int code = sdw_group_init(
        &group, config->budget, config->live,
        config->schedule == SDW_SCHEDULE_CHIRP ? default_mean_bps : config->max_bps, &ctx->err);
    if (code == 0 && config->mirror) {
        code = sdw_probe_mirror(ctx, config, &group);
        sdw_group_release(&group);
        return code;
    }
    if (code == 0 && config->key)
        code = sdw_stamp_key_load(&key, config->key, &ctx->err);
    if (code == 0 && config->shape)
        code = sdw_shape_load(&shape, config->shape, &ctx->err);
    if (code == 0)
        code = add_all(ctx, &group, config, &key, &shape, &tunnel);
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
    sdw_tunnel_close(&tunnel);
    sdw_shape_release(&shape);
    return code;
}
