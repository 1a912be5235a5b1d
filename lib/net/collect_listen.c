#include "net/collect_listen.h"
#include "core/rng.h"
#include "core/mem.h"

#include <stdlib.h>

static int take_datagram(const struct sdw_incoming *datagram, void *arg)
{
    struct sdw_listening *listening = arg;
    struct sdw_err err = {0};
    sdw_address_text(&datagram->from, listening->exporter);
    listening->ts = datagram->received_ns / 1000;
    int code = listening->protocol->take(listening, datagram, &err);
    if (code < 0 && !listening->complained) {
        sdw_warn(listening->ctx, "a bad datagram from %s: %s", listening->exporter, err.text);
        listening->complained = true; /* one line an interval, however many there are */
    }
    return listening->code;
}

static int fd(const void *state)
{
    return sdw_listener_fd(((const struct sdw_listening *)state)->listener);
}

static int take(struct sdw_ctx *ctx, void *state)
{
    struct sdw_listening *listening = state;
    listening->ctx = ctx;
    return sdw_listener_take(listening->listener, take_datagram, listening, &ctx->err);
}

static int tick(struct sdw_ctx *ctx, void *state, struct sdw_moment now)
{
    struct sdw_listening *listening = state;
    listening->complained = false;
    int code = take(ctx, state); /* so that nothing that has come before the end is left */
    listening->ts = now.wall_us;
    if (listening->protocol->tell)
        listening->protocol->tell(listening);
    if (code == 0)
        code = listening->code;
    if (code == 0)
        code = sdw_export_put_losses(ctx, now.wall_us, &listening->told,
                                     sdw_listener_dropped(listening->listener),
                                     listening->protocol->lost(listening->state));
    return code;
}

static void count(const void *state, struct sdw_jsonw *out)
{
    const struct sdw_listening *listening = state;
    listening->protocol->count(listening, out);
}

static uint64_t bad(const void *state)
{
    const struct sdw_listening *listening = state;
    return listening->protocol->bad(listening->state);
}

static void release(void *state)
{
    struct sdw_listening *listening = state;
    listening->protocol->free(listening->state);
    sdw_listener_free(listening->listener);
    free(listening);
}

static const struct sdw_source_kind kind = {.fd = fd,
                                            .take = take,
                                            .tick = tick,
                                            .finish = tick,
                                            .count = count,
                                            .bad = bad,
                                            .free = release};

int sdw_collect_listen(struct sdw_collect *collect, const struct sdw_listening_protocol *protocol,
                       struct sdw_listener *listener, struct sdw_err *err)
{
    struct sdw_listening *listening = sdw_xalloc(sizeof *listening);
    listening->protocol = protocol;
    listening->state = protocol->new (sdw_rng_secret());
    listening->listener = listener;
    return sdw_collect_add(collect, &kind, listening, err);
}
