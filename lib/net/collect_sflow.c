#include "net/collect_export.h"
#include "core/counter.h"
#include "core/map.h"
#include "core/mem.h"
#include "net/collect_listen.h"
#include "net/sflow.h"

#include <math.h>
#include <stdlib.h>

enum {
    FLOWS = 65536, /* gathered in one interval; when there are more, they are told earlier */
    LINKS = 65536,
};

/* Packets of one flow that were sampled in this interval. */
struct gathered {
    struct sdw_export flow;
    char exporter[SDW_ADDRESS_TEXT];
};

/* What is remembered of an interface of an agent. */
struct remembered {
    uint32_t uptime_ms;
    bool known;
    struct sdw_counter tx_bytes, rx_bytes, tx_packets, rx_packets;
    struct sdw_counter tx_discards, rx_discards, tx_errors, rx_errors;
};

struct state {
    struct sdw_sflow *sflow;
    struct sdw_map flows; /* struct gathered */
    struct sdw_map links; /* struct remembered */
};

static struct sdw_str key_of(const struct sdw_listening *listening, const struct sdw_export *flow,
                             uint8_t room[128])
{
    size_t n = strlen(listening->exporter);
    memset(room, 0, 128);
    memcpy(room, flow->src, 16);
    memcpy(room + 16, flow->dst, 16);
    memcpy(room + 32, &flow->sport, 2);
    memcpy(room + 34, &flow->dport, 2);
    room[36] = flow->protocol;
    room[37] = flow->version;
    memcpy(room + 38, listening->exporter, n);
    return (struct sdw_str){(const char *)room, 38 + n};
}

/* Tell the flows of the interval, and forget them. */
static void tell(struct sdw_listening *listening)
{
    struct state *state = listening->state;
    size_t cursor = 0;
    struct sdw_str key;
    void *value;
    while (sdw_map_next(&state->flows, &cursor, &key, &value)) {
        struct gathered *gathered = value;
        if (listening->code == 0)
            listening->code =
                sdw_export_put(listening->ctx, listening->ts, gathered->exporter, &gathered->flow);
        free(gathered);
    }
    uint64_t hash_key = state->flows.key;
    sdw_map_release(&state->flows);
    sdw_map_init(&state->flows, hash_key);
}

static void gather(const struct sdw_export *flow, void *arg)
{
    struct sdw_listening *listening = arg;
    struct state *state = listening->state;
    uint8_t room[128];
    listening->bytes += flow->bytes;
    listening->packets += flow->packets;
    if (state->flows.n >= FLOWS)
        tell(listening);
    void **place = sdw_map_at(&state->flows, key_of(listening, flow, room));
    struct gathered *gathered = *place;
    if (!gathered) {
        *place = gathered = sdw_xalloc(sizeof *gathered);
        gathered->flow = *flow;
        gathered->flow.first_us = listening->ts; /* makes its id; how long it was cannot be told */
        memcpy(gathered->exporter, listening->exporter, sizeof gathered->exporter);
    } else {
        gathered->flow.packets += flow->packets;
        gathered->flow.bytes += flow->bytes;
        gathered->flow.sampling = flow->sampling;
    }
}

static void put_link(const struct sdw_sflow_link *link, void *arg)
{
    struct sdw_listening *listening = arg;
    struct state *state = listening->state;
    char agent[SDW_ADDRESS_TEXT];
    uint8_t room[20] = {0};
    struct sdw_address address = sdw_address_of(link->agent, link->agent_n, 0);
    struct sdw_metrics metrics = {
        .ctx = listening->ctx, .ts = listening->ts, .code = listening->code};
    memcpy(room, link->agent, 16);
    memcpy(room + 16, &link->index, 4);
    struct sdw_str key = {(const char *)room, sizeof room};
    struct remembered *last = sdw_map_get(&state->links, key);
    sdw_address_text(&address, agent);
    if (!last && state->links.n >= LINKS)
        return;
    if (!last)
        *sdw_map_at(&state->links, key) = last = sdw_xalloc(sizeof *last);
    /* By the agent's clock, whose ms wrap after 49 days. One that went back was restarted. */
    int32_t elapsed_ms = last->known ? (int32_t)(link->uptime_ms - last->uptime_ms) : 0;
    if (last->known && elapsed_ms < 0)
        *last = (struct remembered){.known = false};
    int64_t elapsed_ns = elapsed_ms > 0 ? (int64_t)elapsed_ms * 1000000 : 0;
    struct {
        struct sdw_counter *counter;
        uint64_t now;
        unsigned bits;
        double scale;
        const char *name;
    } rows[] = {
        {&last->tx_bytes, link->tx_bytes, 64, 8, "bps"},
        {&last->rx_bytes, link->rx_bytes, 64, 8, "rx_bps"},
        {&last->tx_packets, link->tx_packets, 32, 1, "pps"},
        {&last->rx_packets, link->rx_packets, 32, 1, "rx_pps"},
        {&last->tx_discards, link->tx_discards, 32, 1, "dropped_per_s"},
        {&last->rx_discards, link->rx_discards, 32, 1, "rx_dropped_per_s"},
        {&last->tx_errors, link->tx_errors, 32, 1, "errors_per_s"},
        {&last->rx_errors, link->rx_errors, 32, 1, "rx_errors_per_s"},
    };
    for (size_t i = 0; i < SDW_LEN(rows); i++) {
        double rate = sdw_counter_rate(rows[i].counter, rows[i].now, rows[i].bits, UINT32_MAX / 2.0,
                                       elapsed_ns);
        sdw_metrics_put(&metrics, rate * rows[i].scale, "link/%s:%u/%s", agent, link->index,
                        rows[i].name);
    }
    if (link->speed_bps > 0 && link->speed_bps < UINT64_C(1) << 53)
        sdw_metrics_put(&metrics, (double)link->speed_bps, "link/%s:%u/capacity_bps", agent,
                        link->index);
    last->uptime_ms = link->uptime_ms;
    last->known = true;
    listening->code = metrics.code;
}

static int take(struct sdw_listening *listening, const struct sdw_incoming *datagram,
                struct sdw_err *err)
{
    const struct state *state = listening->state;
    struct sdw_sflow_sink sink = {gather, put_link, listening};
    return sdw_sflow_take(state->sflow,
                          (struct sdw_str){(const char *)datagram->bytes, datagram->n}, &sink, err);
}

static void count(const struct sdw_listening *listening, struct sdw_jsonw *out)
{
    const struct state *state = listening->state;
    struct sdw_sflow_counts counts = sdw_sflow_counts(state->sflow);
    const struct {
        const char *key;
        uint64_t n;
    } rows[] = {
        {"sflow_datagrams", counts.datagrams},
        {"sflow_bad", counts.bad},
        {"sflow_samples", counts.samples},
        {"sflow_flows", counts.flows},
        {"sflow_other", counts.other},
        {"sflow_absurd", counts.absurd},
        {"sflow_packets", listening->packets},
        {"sflow_bytes", listening->bytes},
        {"sflow_counters", counts.counters},
        {"sflow_unknown", counts.unknown},
        {"sflow_refused", counts.refused},
        {"sflow_lost", counts.lost},
        {"sflow_restarts", counts.restarts},
        {"sflow_dropped", sdw_listener_dropped(listening->listener)},
    };
    for (size_t i = 0; i < SDW_LEN(rows); i++)
        sdw_jsonw_int(out, rows[i].key, (int64_t)rows[i].n);
}

static uint64_t lost(const void *state)
{
    return sdw_sflow_counts(((const struct state *)state)->sflow).lost;
}

static uint64_t bad(const void *state)
{
    struct sdw_sflow_counts counts = sdw_sflow_counts(((const struct state *)state)->sflow);
    return counts.bad + counts.absurd;
}

static void free_values(struct sdw_map *map)
{
    size_t cursor = 0;
    struct sdw_str key;
    void *value;
    while (sdw_map_next(map, &cursor, &key, &value))
        free(value);
    sdw_map_release(map);
}

static void *new_state(uint64_t key)
{
    struct state *state = sdw_xalloc(sizeof *state);
    state->sflow = sdw_sflow_new(key);
    sdw_map_init(&state->flows, key);
    sdw_map_init(&state->links, key);
    return state;
}

static void free_state(void *arg)
{
    struct state *state = arg;
    free_values(&state->flows);
    free_values(&state->links);
    sdw_sflow_free(state->sflow);
    free(state);
}

static const struct sdw_listening_protocol protocol = {.new = new_state,
                                                       .take = take,
                                                       .tell = tell,
                                                       .lost = lost,
                                                       .bad = bad,
                                                       .count = count,
                                                       .free = free_state};

int sdw_collect_sflow(struct sdw_collect *collect, struct sdw_listener *listener,
                      struct sdw_err *err)
{
    return sdw_collect_listen(collect, &protocol, listener, err);
}
