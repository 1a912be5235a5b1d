#include "net/sflow.h"
#include "core/map.h"
#include "core/mem.h"
#include "net/packet.h"
#include "net/wire.h"

#include <pcap/dlt.h>
#include <stdlib.h>

enum {
    VERSION = 5,
    AGENTS = 4096,
    LATE = 1000,
    AHEAD = 1000000,
    FRAME_MAX = 1 << 20, /* longer packets are none */
};

struct agent {
    uint32_t next_seq;
};

struct sdw_sflow {
    struct sdw_map agents; /* by address and sub-agent */
    struct sdw_sflow_counts counts;
};

/* A cursor over XDR (RFC 4506): words of four bytes. A read past the end gives zeros and is
 * remembered. */
struct xdr {
    const uint8_t *p;
    size_t left;
    bool cut;
};

static const uint8_t *take_bytes(struct xdr *xdr, size_t n)
{
    size_t padded = (n + 3) & ~(size_t)3;
    const uint8_t *p = xdr->p;
    if (n > xdr->left) {
        xdr->cut = true;
        xdr->left = 0;
        return NULL;
    }
    if (padded > xdr->left) /* the padding of the last may be missing */
        padded = xdr->left;
    xdr->p += padded;
    xdr->left -= padded;
    return p;
}

static uint32_t take32(struct xdr *xdr)
{
    const uint8_t *p = take_bytes(xdr, 4);
    return p ? sdw_get32(p) : 0;
}

static uint64_t take64(struct xdr *xdr)
{
    uint64_t high = take32(xdr);
    return high << 32 | take32(xdr);
}

/* A block behind its length. */
static struct xdr take_block(struct xdr *xdr)
{
    size_t n = take32(xdr);
    const uint8_t *p = take_bytes(xdr, n);
    return p ? (struct xdr){p, n, false} : (struct xdr){NULL, 0, true};
}

/* What all samples of a datagram share. */
struct reading {
    struct sdw_sflow *sflow;
    const struct sdw_sflow_sink *sink;
    uint8_t agent[16];
    uint8_t agent_n;
    uint32_t uptime_ms;
};

/* The packet of one sample; version 0 until a record told of it. */
struct sample {
    struct sdw_export flow;
    bool other; /* it was no IP packet, or not enough of one */
};

static void from_packet(struct sample *sample, const struct sdw_packet *packet)
{
    struct sdw_export *flow = &sample->flow;
    memcpy(flow->src, packet->src, sizeof flow->src);
    memcpy(flow->dst, packet->dst, sizeof flow->dst);
    flow->version = packet->version;
    flow->protocol = packet->protocol;
    flow->sport = packet->sport;
    flow->dport = packet->dport;
    flow->vlan = packet->vlan;
    flow->packets = 1;
    flow->bytes = packet->ip_bytes;
}

/* The first bytes of the packet itself (record 1). */
static void read_header(struct xdr *xdr, struct sample *sample)
{
    static const struct {
        uint32_t protocol;
        int link;
    } links[] = {{1, DLT_EN10MB}, {11, DLT_RAW}, {12, DLT_RAW}};
    uint32_t protocol = take32(xdr), wire = take32(xdr);
    struct sdw_packet packet;
    (void)take32(xdr); /* bytes stripped off the end */
    struct xdr header = take_block(xdr);
    sample->other = true;
    for (size_t i = 0; !header.cut && i < SDW_LEN(links); i++)
        if (links[i].protocol == protocol && wire <= FRAME_MAX &&
            sdw_packet_decode(links[i].link, (struct sdw_str){(const char *)header.p, header.left},
                              wire, &packet) == SDW_PACKET_IP) {
            from_packet(sample, &packet);
            sample->other = false;
        }
    xdr->cut |= header.cut;
}

/* What the agent decoded itself (records 3 and 4). */
static void read_decoded(struct xdr *xdr, size_t size, struct sample *sample)
{
    struct sdw_export *flow = &sample->flow;
    if (flow->version != 0)
        return; /* the packet itself told more */
    uint32_t bytes = take32(xdr), protocol = take32(xdr);
    const uint8_t *src = take_bytes(xdr, size), *dst = take_bytes(xdr, size);
    uint32_t sport = take32(xdr), dport = take32(xdr);
    if (xdr->cut || !src || !dst)
        return;
    memcpy(flow->src, src, size);
    memcpy(flow->dst, dst, size);
    flow->version = size == 4 ? 4 : 6;
    flow->protocol = (uint8_t)protocol;
    flow->sport = (uint16_t)sport;
    flow->dport = (uint16_t)dport;
    flow->packets = 1;
    flow->bytes = bytes;
}

static void hand_over(struct reading *reading, struct sample *sample, uint32_t rate)
{
    struct sdw_sflow_counts *counts = &reading->sflow->counts;
    counts->samples++;
    if (sample->flow.version == 0) {
        counts->other++;
        return;
    }
    sample->flow.sampling = rate;
    if (rate >= 1 && rate <= SDW_SAMPLING_MAX)
        sdw_export_scale(&sample->flow, rate);
    if (!sdw_export_plausible(&sample->flow, 0)) {
        counts->absurd++;
        return;
    }
    counts->flows++;
    reading->sink->flow(&sample->flow, reading->sink->arg);
}

/* Interfaces are numbers of 30 bits behind a format; 0x3fffffff is the agent itself. */
static uint32_t interface_of(uint32_t format, uint32_t value)
{
    return format == 0 && value != 0x3fffffff ? value : 0;
}

static void read_flow_sample(struct reading *reading, struct xdr *xdr, bool expanded)
{
    struct sample sample = {.other = false};
    (void)take32(xdr); /* sequence number of the source */
    (void)take32(xdr); /* source */
    if (expanded)
        (void)take32(xdr);
    uint32_t rate = take32(xdr);
    (void)take32(xdr); /* packets that could have been sampled */
    (void)take32(xdr); /* drops */
    uint32_t in = take32(xdr), in_format = expanded ? in : in >> 30;
    in = expanded ? take32(xdr) : in & 0x3fffffff;
    uint32_t out = take32(xdr), out_format = expanded ? out : out >> 30;
    out = expanded ? take32(xdr) : out & 0x3fffffff;
    uint32_t n = take32(xdr);
    for (uint32_t i = 0; i < n && !xdr->cut; i++) {
        uint32_t format = take32(xdr);
        struct xdr record = take_block(xdr);
        xdr->cut |= record.cut;
        if (record.cut)
            break;
        if (format == 1)
            read_header(&record, &sample);
        else if (format == 3 || format == 4)
            read_decoded(&record, format == 3 ? 4 : 16, &sample);
        xdr->cut |= record.cut;
    }
    if (xdr->cut)
        return;
    sample.flow.input = interface_of(in_format, in);
    sample.flow.output = interface_of(out_format, out);
    hand_over(reading, &sample, rate);
}

/* Generic interface counters (RFC 2233 by way of record 1). */
static void read_interface(struct reading *reading, struct xdr *xdr)
{
    struct sdw_sflow_link link = {.agent_n = reading->agent_n, .uptime_ms = reading->uptime_ms};
    memcpy(link.agent, reading->agent, sizeof link.agent);
    link.index = take32(xdr);
    (void)take32(xdr); /* ifType */
    link.speed_bps = take64(xdr);
    (void)take32(xdr); /* duplex */
    link.up = take32(xdr) & 2;
    link.rx_bytes = take64(xdr);
    link.rx_packets = take32(xdr); /* unicast, then multicast and broadcast */
    link.rx_packets += take32(xdr);
    link.rx_packets += take32(xdr);
    link.rx_discards = take32(xdr);
    link.rx_errors = take32(xdr);
    (void)take32(xdr); /* unknown protocols */
    link.tx_bytes = take64(xdr);
    link.tx_packets = take32(xdr);
    link.tx_packets += take32(xdr);
    link.tx_packets += take32(xdr);
    link.tx_discards = take32(xdr);
    link.tx_errors = take32(xdr);
    if (xdr->cut)
        return;
    reading->sflow->counts.counters++;
    reading->sink->link(&link, reading->sink->arg);
}

static void read_counter_sample(struct reading *reading, struct xdr *xdr, bool expanded)
{
    (void)take32(xdr); /* sequence number of the source */
    (void)take32(xdr); /* source */
    if (expanded)
        (void)take32(xdr);
    uint32_t n = take32(xdr);
    for (uint32_t i = 0; i < n && !xdr->cut; i++) {
        uint32_t format = take32(xdr);
        struct xdr record = take_block(xdr);
        if (format == 1 && !record.cut)
            read_interface(reading, &record);
        xdr->cut |= record.cut;
    }
}

static void read_sample(struct reading *reading, uint32_t format, struct xdr *xdr)
{
    if (format == 1 || format == 3)
        read_flow_sample(reading, xdr, format == 3);
    else if (format == 2 || format == 4)
        read_counter_sample(reading, xdr, format == 4);
    else
        reading->sflow->counts.unknown++;
}

/* Agents number their datagrams, each sub-agent for itself. */
static void check_sequence(struct sdw_sflow *sflow, struct reading *reading, uint32_t sub_agent,
                           uint32_t seq)
{
    uint8_t bytes[20];
    memcpy(bytes, reading->agent, 16);
    sdw_put32(bytes + 16, sub_agent);
    struct sdw_str key = {(const char *)bytes, sizeof bytes};
    struct agent *agent = sdw_map_get(&sflow->agents, key);
    struct sdw_sflow_counts *counts = &sflow->counts;
    if (!agent && sflow->agents.n >= AGENTS) {
        counts->refused++;
        return;
    }
    if (!agent) {
        *sdw_map_at(&sflow->agents, key) = agent = sdw_xalloc(sizeof *agent);
        agent->next_seq = seq;
    }
    int32_t ahead = (int32_t)(seq - agent->next_seq);
    if (ahead > 0 && ahead < AHEAD) {
        counts->lost += (uint32_t)ahead;
    } else if (ahead < 0 && ahead > -LATE && seq > 1) { /* counted as lost before: it is not */
        counts->lost -= counts->lost > 0;
        return;
    } else if (ahead != 0) {
        counts->restarts++;
    }
    agent->next_seq = seq + 1;
}

struct sdw_sflow *sdw_sflow_new(uint64_t hash_key)
{
    struct sdw_sflow *sflow = sdw_xalloc(sizeof *sflow);
    sdw_map_init(&sflow->agents, hash_key);
    return sflow;
}

void sdw_sflow_free(struct sdw_sflow *sflow)
{
    size_t cursor = 0;
    struct sdw_str key;
    void *value;
    if (!sflow)
        return;
    while (sdw_map_next(&sflow->agents, &cursor, &key, &value))
        free(value);
    sdw_map_release(&sflow->agents);
    free(sflow);
}

struct sdw_sflow_counts sdw_sflow_counts(const struct sdw_sflow *sflow)
{
    return sflow->counts;
}

/* The head of a datagram. SDW_EINPUT when it is none. */
static int read_head(struct xdr *xdr, struct reading *reading, uint32_t *samples,
                     struct sdw_err *err)
{
    uint32_t version = take32(xdr);
    if (version != VERSION)
        return sdw_err_set(err, SDW_EINPUT, "version %u is not sFlow 5", version);
    uint32_t kind = take32(xdr);
    reading->agent_n = kind == 1 ? 4 : kind == 2 ? 16 : 0;
    const uint8_t *agent = take_bytes(xdr, reading->agent_n);
    if (agent && reading->agent_n)
        memcpy(reading->agent, agent, reading->agent_n);
    uint32_t sub_agent = take32(xdr), seq = take32(xdr);
    reading->uptime_ms = take32(xdr);
    *samples = take32(xdr);
    if (xdr->cut || !reading->agent_n)
        return sdw_err_set(err, SDW_EINPUT,
                           "an sFlow header is cut off, or its agent has no "
                           "address");
    check_sequence(reading->sflow, reading, sub_agent, seq);
    return 0;
}

int sdw_sflow_take(struct sdw_sflow *sflow, struct sdw_str datagram,
                   const struct sdw_sflow_sink *sink, struct sdw_err *err)
{
    struct xdr xdr = {(const uint8_t *)datagram.p, datagram.n, false};
    struct reading reading = {.sflow = sflow, .sink = sink};
    uint32_t samples = 0, i = 0;
    sflow->counts.datagrams++;
    int code = read_head(&xdr, &reading, &samples, err);
    for (; code == 0 && i < samples && !xdr.cut; i++) {
        uint32_t format = take32(&xdr);
        struct xdr sample = take_block(&xdr);
        if (!sample.cut)
            read_sample(&reading, format, &sample);
        xdr.cut |= sample.cut;
    }
    if (code == 0 && xdr.cut)
        code =
            sdw_err_set(err, SDW_EINPUT,
                        "sFlow: sample %u of %u is cut off or lies about its length", i, samples);
    sflow->counts.bad += code < 0;
    return code;
}
