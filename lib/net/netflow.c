#include "net/netflow.h"
#include "core/mem.h"
#include "net/netflow_stream.h"
#include "net/wire.h"

#include <stdlib.h>

enum {
    STREAMS = 4096,
    LATE = 1000,     /* a number this little before the one expected came late */
    AHEAD = 1000000, /* one this much ahead is a new sequence, not a loss */
    V5_HEAD = 24,
    V5_RECORD = 48,
    V9_HEAD = 20,
    IPFIX_HEAD = 16,
    SET_HEAD = 4,
    FIRST_DATA = 256, /* set ids from here are those of templates */
};

struct sdw_netflow *sdw_netflow_new(uint64_t hash_key)
{
    struct sdw_netflow *netflow = sdw_xalloc(sizeof *netflow);
    sdw_map_init(&netflow->streams, hash_key);
    return netflow;
}

void sdw_netflow_free(struct sdw_netflow *netflow)
{
    size_t cursor = 0;
    struct sdw_str key;
    void *value;
    if (!netflow)
        return;
    while (sdw_map_next(&netflow->streams, &cursor, &key, &value))
        sdw_netflow_stream_free(value);
    sdw_map_release(&netflow->streams);
    free(netflow);
}

struct sdw_netflow_counts sdw_netflow_counts(const struct sdw_netflow *netflow)
{
    return netflow->counts;
}

/* NULL when there is no room for another. */
static struct sdw_netflow_stream *stream_of(struct sdw_netflow *netflow, struct sdw_str exporter,
                                            uint16_t version, uint32_t domain)
{
    uint8_t key[16 + 6] = {0};
    size_t n = exporter.n < 16 ? exporter.n : 16;
    if (n)
        memcpy(key, exporter.p, n);
    sdw_put16(key + n, version);
    sdw_put32(key + n + 2, domain);
    struct sdw_str view = {(const char *)key, n + 6};
    struct sdw_netflow_stream *stream = sdw_map_get(&netflow->streams, view);
    if (stream)
        return stream;
    if (netflow->streams.n >= STREAMS) {
        netflow->counts.refused++;
        return NULL;
    }
    stream = sdw_xalloc(sizeof *stream);
    sdw_map_init(&stream->templates, netflow->streams.key);
    *sdw_map_at(&netflow->streams, view) = stream;
    return stream;
}

/* Compare the number of a datagram that counts for `units` with the one expected. */
static void check_sequence(struct sdw_netflow *netflow, struct sdw_netflow_stream *stream,
                           uint32_t seq, uint32_t units)
{
    int32_t ahead = (int32_t)(seq - stream->next_seq);
    struct sdw_netflow_counts *counts = &netflow->counts;
    if (!stream->seq_known || ahead == 0) {
        stream->seq_known = true;
    } else if (ahead > 0 && ahead < AHEAD) {
        counts->lost += (uint32_t)ahead;
    } else if (ahead < 0 && ahead > -LATE && seq != 0) { /* counted as lost before: it is not */
        counts->lost -= counts->lost < units ? counts->lost : units;
        return;
    } else {
        counts->restarts++;
    }
    stream->next_seq = seq + units;
}

void sdw_netflow_hand_over(struct sdw_netflow *netflow, const struct sdw_netflow_stream *stream,
                           struct sdw_export *flow, uint32_t sampling, int64_t export_us,
                           sdw_export_each *each, void *arg)
{
    uint32_t rate = sampling > 0 ? sampling : stream->sampling;
    sdw_export_scale(flow, rate > 0 ? rate : 1);
    if (flow->version == 0) {
        netflow->counts.unaddressed++;
        return;
    }
    if (!sdw_export_plausible(flow, export_us)) {
        netflow->counts.absurd++;
        return;
    }
    netflow->counts.flows++;
    netflow->counts.sampled += rate > 1;
    each(flow, arg);
}

static int take_v5(struct sdw_netflow *netflow, struct sdw_str exporter,
                   struct sdw_netflow_bytes bytes, sdw_export_each *each, void *arg,
                   struct sdw_err *err)
{
    const uint8_t *head = bytes.p;
    if (bytes.left < V5_HEAD)
        return sdw_err_set(err, SDW_EINPUT, "a NetFlow v5 header is cut off");
    uint32_t count = sdw_get16(head + 2);
    struct sdw_netflow_stream *stream =
        stream_of(netflow, exporter, 5, (uint32_t)sdw_get16(head + 20));
    if (!stream)
        return 0;
    struct sdw_netflow_clock clock = {
        .export_us = (int64_t)sdw_get32(head + 8) * 1000000 + sdw_get32(head + 12) / 1000,
        .uptime_ms = sdw_get32(head + 4),
        .has_uptime = true,
    };
    check_sequence(netflow, stream, sdw_get32(head + 16), count);
    stream->sampling = sdw_get16(head + 22) & 0x3fff;
    const uint8_t *p = head + V5_HEAD;
    size_t left = bytes.left - V5_HEAD;
    for (uint32_t i = 0; i < count; i++, p += V5_RECORD, left -= V5_RECORD) {
        if (left < V5_RECORD)
            return sdw_err_set(err, SDW_EINPUT, "NetFlow v5: %u flows announced, %u are there",
                               count, i);
        struct sdw_export flow = {
            .version = 4,
            .input = sdw_get16(p + 12),
            .output = sdw_get16(p + 14),
            .packets = sdw_get32(p + 16),
            .bytes = sdw_get32(p + 20),
            .first_us = sdw_netflow_uptime_us(&clock, sdw_get32(p + 24)),
            .last_us = sdw_netflow_uptime_us(&clock, sdw_get32(p + 28)),
            .sport = sdw_get16(p + 32),
            .dport = sdw_get16(p + 34),
            .protocol = p[38],
        };
        memcpy(flow.src, p, 4);
        memcpy(flow.dst, p + 4, 4);
        sdw_netflow_hand_over(netflow, stream, &flow, 0, clock.export_us, each, arg);
    }
    return 0;
}

/* What the sets of one datagram have in common. */
struct reading {
    struct sdw_netflow_stream *stream;
    struct sdw_netflow_clock clock;
    bool ipfix;
    size_t records;
};

static int take_set(struct sdw_netflow *netflow, struct reading *reading, uint16_t id,
                    struct sdw_netflow_bytes set, sdw_export_each *each, void *arg,
                    struct sdw_err *err)
{
    uint16_t first = reading->ipfix ? 2 : 0; /* set id of templates; the next is of options */
    if (id == first || id == first + 1)
        return sdw_netflow_templates(netflow, reading->stream, set, id != first, reading->ipfix,
                                     err);
    if (id < FIRST_DATA)
        return 0; /* reserved */
    const struct sdw_netflow_template *template =
        sdw_map_get(&reading->stream->templates, (struct sdw_str){(const char *)&id, sizeof id});
    if (template)
        reading->records += sdw_netflow_records(netflow, reading->stream, template, set,
                                                &reading->clock, each, arg);
    else
        netflow->counts.untemplated++;
    return 0;
}

/* All sets; the first that is bad is told, those after it are read all the same. */
static int take_sets(struct sdw_netflow *netflow, struct reading *reading,
                     struct sdw_netflow_bytes bytes, sdw_export_each *each, void *arg,
                     struct sdw_err *err)
{
    int result = 0;
    while (bytes.left >= SET_HEAD) {
        uint16_t id = sdw_get16(bytes.p);
        size_t n = sdw_get16(bytes.p + 2);
        if (n < SET_HEAD || n > bytes.left)
            return sdw_err_set(err, SDW_EINPUT, "set %u: a length of %zu, with %zu bytes left", id,
                               n, bytes.left);
        struct sdw_netflow_bytes set = {bytes.p + SET_HEAD, n - SET_HEAD};
        int code = take_set(netflow, reading, id, set, each, arg, result == 0 ? err : NULL);
        result = result < 0 ? result : code;
        bytes.p += n;
        bytes.left -= n;
    }
    return result;
}

static int take_v9(struct sdw_netflow *netflow, struct sdw_str exporter,
                   struct sdw_netflow_bytes bytes, sdw_export_each *each, void *arg,
                   struct sdw_err *err)
{
    const uint8_t *head = bytes.p;
    if (bytes.left < V9_HEAD)
        return sdw_err_set(err, SDW_EINPUT, "a NetFlow v9 header is cut off");
    struct reading reading = {
        .stream = stream_of(netflow, exporter, 9, sdw_get32(head + 16)),
        .clock = {.export_us = (int64_t)sdw_get32(head + 8) * 1000000,
                  .uptime_ms = sdw_get32(head + 4),
                  .has_uptime = true},
    };
    if (!reading.stream)
        return 0;
    check_sequence(netflow, reading.stream, sdw_get32(head + 12), 1);
    struct sdw_netflow_bytes sets = {head + V9_HEAD, bytes.left - V9_HEAD};
    return take_sets(netflow, &reading, sets, each, arg, err);
}

static int take_ipfix(struct sdw_netflow *netflow, struct sdw_str exporter,
                      struct sdw_netflow_bytes bytes, sdw_export_each *each, void *arg,
                      struct sdw_err *err)
{
    const uint8_t *head = bytes.p;
    if (bytes.left < IPFIX_HEAD)
        return sdw_err_set(err, SDW_EINPUT, "an IPFIX header is cut off");
    size_t length = sdw_get16(head + 2);
    if (length < IPFIX_HEAD || length > bytes.left)
        return sdw_err_set(err, SDW_EINPUT, "IPFIX: a length of %zu in a datagram of %zu", length,
                           bytes.left);
    struct reading reading = {
        .stream = stream_of(netflow, exporter, 10, sdw_get32(head + 12)),
        .clock = {.export_us = (int64_t)sdw_get32(head + 4) * 1000000},
        .ipfix = true,
    };
    if (!reading.stream)
        return 0;
    struct sdw_netflow_bytes sets = {head + IPFIX_HEAD, length - IPFIX_HEAD};
    uint64_t untemplated = netflow->counts.untemplated;
    int code = take_sets(netflow, &reading, sets, each, arg, err);
    if (netflow->counts.untemplated == untemplated)
        check_sequence(netflow, reading.stream, sdw_get32(head + 8), (uint32_t)reading.records);
    else
        reading.stream->seq_known = false; /* how many records there were is not known */
    return code;
}

int sdw_netflow_take(struct sdw_netflow *netflow, struct sdw_str exporter, struct sdw_str datagram,
                     sdw_export_each *each, void *arg, struct sdw_err *err)
{
    static const struct {
        uint16_t version;
        int (*take)(struct sdw_netflow *, struct sdw_str, struct sdw_netflow_bytes,
                    sdw_export_each *, void *, struct sdw_err *);
    } versions[] = {{5, take_v5}, {9, take_v9}, {10, take_ipfix}};
    struct sdw_netflow_bytes bytes = {(const uint8_t *)datagram.p, datagram.n};
    int code = SDW_EINPUT;
    uint16_t version = bytes.left >= 2 ? sdw_get16(bytes.p) : 0;
    size_t i = 0;
    netflow->counts.datagrams++;
    while (i < SDW_LEN(versions) && versions[i].version != version)
        i++;
    if (i < SDW_LEN(versions))
        code = versions[i].take(netflow, exporter, bytes, each, arg, err);
    else
        sdw_err_set(err, SDW_EINPUT, "version %u is neither NetFlow v5, v9 nor IPFIX", version);
    netflow->counts.bad += code < 0;
    return code;
}
