#include "net/collect_export.h"
#include "net/collect_listen.h"
#include "net/netflow.h"

static void put_flow(const struct sdw_export *flow, void *arg)
{
    struct sdw_listening *listening = arg;
    if (listening->code < 0)
        return;
    listening->bytes += flow->bytes + flow->reverse_bytes;
    listening->packets += flow->packets + flow->reverse_packets;
    listening->code = sdw_export_put(listening->ctx, listening->ts, listening->exporter, flow);
}

static int take(struct sdw_listening *listening, const struct sdw_incoming *datagram,
                struct sdw_err *err)
{
    size_t n;
    const uint8_t *bytes = sdw_address_bytes(&datagram->from, &n);
    return sdw_netflow_take(listening->state, (struct sdw_str){(const char *)bytes, n},
                            (struct sdw_str){(const char *)datagram->bytes, datagram->n}, put_flow,
                            listening, err);
}

static void count(const struct sdw_listening *listening, struct sdw_jsonw *out)
{
    struct sdw_netflow_counts counts = sdw_netflow_counts(listening->state);
    const struct {
        const char *key;
        uint64_t n;
    } rows[] = {
        {"netflow_datagrams", counts.datagrams},
        {"netflow_bad", counts.bad},
        {"netflow_flows", counts.flows},
        {"netflow_packets", listening->packets},
        {"netflow_bytes", listening->bytes},
        {"netflow_sampled", counts.sampled},
        {"netflow_absurd", counts.absurd},
        {"netflow_unaddressed", counts.unaddressed},
        {"netflow_templates", counts.templates},
        {"netflow_bad_templates", counts.bad_templates},
        {"netflow_untemplated", counts.untemplated},
        {"netflow_refused", counts.refused},
        {"netflow_lost", counts.lost},
        {"netflow_restarts", counts.restarts},
        {"netflow_dropped", sdw_listener_dropped(listening->listener)},
    };
    for (size_t i = 0; i < SDW_LEN(rows); i++)
        sdw_jsonw_int(out, rows[i].key, (int64_t)rows[i].n);
}

static uint64_t lost(const void *state)
{
    return sdw_netflow_counts(state).lost;
}

static uint64_t bad(const void *state)
{
    struct sdw_netflow_counts counts = sdw_netflow_counts(state);
    return counts.bad + counts.bad_templates + counts.absurd;
}

static void *new_state(uint64_t key)
{
    return sdw_netflow_new(key);
}

static void free_state(void *state)
{
    sdw_netflow_free(state);
}

static const struct sdw_listening_protocol protocol = {
    .new = new_state, .take = take, .lost = lost, .bad = bad, .count = count, .free = free_state};

int sdw_collect_netflow(struct sdw_collect *collect, struct sdw_listener *listener,
                        struct sdw_err *err)
{
    return sdw_collect_listen(collect, &protocol, listener, err);
}
