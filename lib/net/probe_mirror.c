#include "net/probe_mirror.h"

#include "net/carrier.h"
#include "net/mirror_run.h"
#include "net/stamp.h"

enum { MIRROR_PAIRS = 12 };

struct sdw_tunnel_config sdw_probe_tunnel(const struct sdw_probe_config *config)
{
    return (struct sdw_tunnel_config){.remote = config->remote,
                                      .inner = config->inner,
                                      .source = config->source,
                                      .interface = config->interface,
                                      .vni = config->vni,
                                      .port = config->remote_port,
                                      .source_port = config->source_port,
                                      .marked = config->mark != 0};
}

/* Carriers to the far end, for a thread that is inside. */
static int open_carriers(const struct sdw_probe_config *config, const struct sdw_address *far,
                         struct sdw_mirror_tunnel *tunnel, struct sdw_err *err)
{
    struct sdw_stamp_key key = {.n = 0};
    struct sdw_carrier_config to = {.dst = *far};
    bool udp = config->protocol != SDW_CARRIER_ICMP, echo = config->protocol != SDW_CARRIER_UDP;
    if (config->key && sdw_stamp_key_load(&key, config->key, err) < 0)
        return err->code;
    to.key = key.n ? key.bytes : NULL;
    to.key_bytes = key.n;
    if (udp && !(tunnel->carriers[tunnel->n++] = sdw_carrier_open(SDW_CARRIER_UDP, &to, err)))
        return err->code;
    if (echo && !config->key &&
        !(tunnel->carriers[tunnel->n++] = sdw_carrier_open(SDW_CARRIER_ICMP, &to, err)))
        return err->code;
    return 0;
}

static void close_carriers(const struct sdw_mirror_tunnel *tunnel)
{
    for (size_t i = 0; i < tunnel->n; i++)
        if (tunnel->carriers[i])
            tunnel->carriers[i]->ops->close(tunnel->carriers[i]);
}

static int run_inside(struct sdw_ctx *ctx, const struct sdw_probe_config *config,
                      struct sdw_mirror_plan *plan, const struct sdw_address *far,
                      struct sdw_tunnel *tunnel)
{
    struct sdw_mirror_tunnel through = {
        .name = tunnel->name, .flow = tunnel->flow, .interface = (unsigned)tunnel->interface};
    int code = sdw_tunnel_enter(tunnel, &ctx->err);
    if (code < 0)
        return code;
    const char *reason = sdw_tunnel_no_end(far);
    code = reason ? sdw_err_set(&ctx->err, SDW_EUSAGE, "--inner-remote %s: %s",
                                config->inner_remote, reason)
                  : open_carriers(config, far, &through, &ctx->err);
    struct sdw_err kept = ctx->err;
    int left = sdw_tunnel_leave(tunnel, &ctx->err);
    if (code < 0)
        ctx->err = kept;
    code = code < 0 ? code : left;
    plan->mirror.tunnel = &through;
    if (code == 0)
        code = sdw_mirror_run(ctx, plan);
    plan->mirror.tunnel = NULL;
    close_carriers(&through);
    return code;
}

/* Through a tunnel of our own to the far end that all flows have. */
static int mirror_tunnelled(struct sdw_ctx *ctx, const struct sdw_probe_config *config,
                            struct sdw_mirror_plan *plan)
{
    struct sdw_tunnel_config how = sdw_probe_tunnel(config);
    struct sdw_tunnel tunnel;
    struct sdw_address far = {0}, outside = {0};
    if (!config->inner_remote ||
        !sdw_address_parse(config->inner_remote, (uint16_t)config->port, &far))
        return sdw_err_set(&ctx->err, SDW_EUSAGE,
                           "--inner-remote %s: the address of the tunnel's far end inside",
                           config->inner_remote ? config->inner_remote : "is missing");
    if (config->remote && sdw_address_parse(config->remote, 0, &outside) &&
        sdw_address_same_host(&far, &outside))
        return sdw_err_set(&ctx->err, SDW_EUSAGE,
                           "--inner-remote %s: the far end inside and outside are two addresses",
                           config->inner_remote);
    int code = sdw_tunnel_open(&tunnel, &how, &ctx->err);
    if (code < 0)
        return code;
    code = run_inside(ctx, config, plan, &far, &tunnel);
    sdw_tunnel_close(&tunnel);
    return code;
}

/* What is not for --mirror, or only with a tunnel. */
static int check(const struct sdw_probe_config *config, struct sdw_err *err)
{
    bool tunnel = config->tunnel != SDW_PROBE_NO_TUNNEL;
    if (config->flow || config->shape || config->scope || config->watch ||
        config->schedule != SDW_SCHEDULE_CHIRP || config->protocol == SDW_CARRIER_TCP)
        return sdw_err_set(err, SDW_EUSAGE,
                           "--mirror takes flows from standard input: --flow, --shape, --scope, "
                           "--watch, --schedule and --protocol tcp are not for it");
    if (!tunnel && (config->key || config->source || config->interface || config->source_port ||
                    config->remote || config->inner || config->inner_remote ||
                    config->protocol != SDW_CARRIER_AUTO))
        return sdw_err_set(err, SDW_EUSAGE,
                           "--mirror sends packets as the flows do: --key, --source, "
                           "--source-port, --interface, --protocol, --remote, --inner and "
                           "--inner-remote are for it with --tunnel only");
    return 0;
}

int sdw_probe_mirror(struct sdw_ctx *ctx, const struct sdw_probe_config *config,
                     struct sdw_group *group)
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
    if (check(config, &ctx->err) < 0)
        return SDW_EUSAGE;
    return config->tunnel == SDW_PROBE_NO_TUNNEL ? sdw_mirror_run(ctx, &plan)
                                                 : mirror_tunnelled(ctx, config, &plan);
}
