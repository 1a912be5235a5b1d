#include "net/collect_export.h"
#include "core/clock.h"
#include "core/mem.h"
#include "net/exportrec.h"
#include "net/netflow.h"

#include <stdlib.h>
#include <sys/random.h>

struct source {
    struct sdw_listener *listener;
    struct sdw_netflow *netflow;
    struct sdw_export_losses told;
    bool complained; /* about a bad datagram in this interval */
    uint64_t bytes, packets;
    struct sdw_ctx *ctx; /* of the datagram in hand, and of what came of it */
    int64_t ts;
    char exporter[SDW_ADDRESS_TEXT];
    int code;
};

static void put_flow(const struct sdw_export *flow, void *arg)
{
    struct source *source = arg;
    if (source->code < 0)
        return;
    source->bytes += flow->bytes + flow->reverse_bytes;
    source->packets += flow->packets + flow->reverse_packets;
    source->code = sdw_export_put(source->ctx, source->ts, source->exporter, flow);
}

static int take_datagram(const struct sdw_incoming *datagram, void *arg)
{
    struct source *source = arg;
    struct sdw_err err = {0};
    size_t n;
    const uint8_t *bytes = sdw_address_bytes(&datagram->from, &n);
    sdw_address_text(&datagram->from, source->exporter);
    source->ts = datagram->received_ns / 1000;
    int code = sdw_netflow_take(source->netflow, (struct sdw_str){(const char *)bytes, n},
                                (struct sdw_str){(const char *)datagram->bytes, datagram->n},
                                put_flow, source, &err);
    if (code < 0 && !source->complained) {
        sdw_warn(source->ctx, "a bad datagram from %s: %s", source->exporter, err.text);
        source->complained = true; /* one line an interval, however many there are */
    }
    return source->code;
}

static int fd(const void *state)
{
    return sdw_listener_fd(((const struct source *)state)->listener);
}

static int take(struct sdw_ctx *ctx, void *state)
{
    struct source *source = state;
    source->ctx = ctx;
    return sdw_listener_take(source->listener, take_datagram, source, &ctx->err);
}

static int tick(struct sdw_ctx *ctx, void *state, struct sdw_moment now)
{
    struct source *source = state;
    source->complained = false;
    int code = take(ctx, state); /* so that nothing that has come before the end is left */
    if (code == 0)
        code = sdw_export_put_losses(ctx, now.wall_us, &source->told,
                                     sdw_listener_dropped(source->listener),
                                     sdw_netflow_counts(source->netflow).lost);
    return code;
}

static void count(const void *state, struct sdw_jsonw *out)
{
    const struct source *source = state;
    struct sdw_netflow_counts counts = sdw_netflow_counts(source->netflow);
    const struct {
        const char *key;
        uint64_t n;
    } rows[] = {
        {"netflow_datagrams", counts.datagrams},
        {"netflow_bad", counts.bad},
        {"netflow_flows", counts.flows},
        {"netflow_packets", source->packets},
        {"netflow_bytes", source->bytes},
        {"netflow_sampled", counts.sampled},
        {"netflow_absurd", counts.absurd},
        {"netflow_unaddressed", counts.unaddressed},
        {"netflow_templates", counts.templates},
        {"netflow_bad_templates", counts.bad_templates},
        {"netflow_untemplated", counts.untemplated},
        {"netflow_refused", counts.refused},
        {"netflow_lost", counts.lost},
        {"netflow_restarts", counts.restarts},
        {"netflow_dropped", sdw_listener_dropped(source->listener)},
    };
    for (size_t i = 0; i < SDW_LEN(rows); i++)
        sdw_jsonw_int(out, rows[i].key, (int64_t)rows[i].n);
}

static uint64_t bad(const void *state)
{
    struct sdw_netflow_counts counts = sdw_netflow_counts(((const struct source *)state)->netflow);
    return counts.bad + counts.bad_templates + counts.absurd;
}

static void release(void *state)
{
    struct source *source = state;
    sdw_netflow_free(source->netflow);
    sdw_listener_free(source->listener);
    free(source);
}

static const struct sdw_source_kind kind = {.fd = fd,
                                            .take = take,
                                            .tick = tick,
                                            .finish = tick,
                                            .count = count,
                                            .bad = bad,
                                            .free = release};

int sdw_collect_netflow(struct sdw_collect *collect, struct sdw_listener *listener,
                        struct sdw_err *err)
{
    struct source *source = sdw_xalloc(sizeof *source);
    uint64_t key;
    if (getrandom(&key, sizeof key, 0) != (ssize_t)sizeof key)
        key = (uint64_t)sdw_wall_ns();
    source->listener = listener;
    source->netflow = sdw_netflow_new(key);
    return sdw_collect_add(collect, &kind, source, err);
}
