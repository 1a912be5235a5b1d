#include "net/netflow_stream.h"
#include "net/wire.h"

/* What is understood of a record, by place in struct record. */
enum part {
    BYTES,
    PACKETS,
    BYTES_TOTAL,
    PACKETS_TOTAL,
    OUT_BYTES,
    OUT_PACKETS,
    REVERSE_BYTES,
    REVERSE_PACKETS,
    PROTOCOL,
    SPORT,
    DPORT,
    INPUT,
    OUTPUT,
    VLAN,
    SAMPLER,
    SAMPLING,
    SAMPLED,
    NOT_SAMPLED,
    FIRST_UPTIME,
    LAST_UPTIME,
    FIRST_S,
    LAST_S,
    FIRST_MS,
    LAST_MS,
    FIRST_NTP,
    LAST_NTP,
    FIRST_DELTA,
    LAST_DELTA,
    BOOT_MS,
    PARTS,
    SRC4 = PARTS, /* addresses: bytes, not numbers */
    DST4,
    SRC6,
    DST6,
};

enum { REVERSE = 29305 }; /* the enterprise of reverse elements (RFC 5103) */

/* Information elements (IANA registry "IPFIX Information Elements"; NetFlow v9 shares the low
 * numbers). */
static const struct {
    uint16_t id;
    uint8_t part;
} elements[] = {
    {1, BYTES},          {2, PACKETS},    {4, PROTOCOL},     {7, SPORT},      {8, SRC4},
    {10, INPUT},         {11, DPORT},     {12, DST4},        {14, OUTPUT},    {21, LAST_UPTIME},
    {22, FIRST_UPTIME},  {23, OUT_BYTES}, {24, OUT_PACKETS}, {27, SRC6},      {28, DST6},
    {34, SAMPLING},      {48, SAMPLER},   {50, SAMPLING},    {58, VLAN},      {85, BYTES_TOTAL},
    {86, PACKETS_TOTAL}, {150, FIRST_S},  {151, LAST_S},     {152, FIRST_MS}, {153, LAST_MS},
    {154, FIRST_NTP},    {155, LAST_NTP}, {156, FIRST_NTP},  {157, LAST_NTP}, {158, FIRST_DELTA},
    {159, LAST_DELTA},   {160, BOOT_MS},  {302, SAMPLER},    {305, SAMPLED},  {306, NOT_SAMPLED},
};

struct record {
    uint64_t value[PARTS];
    uint64_t has; /* bit by part */
    struct sdw_export flow;
};

static int part_of(const struct sdw_netflow_field *field)
{
    if (field->enterprise == REVERSE)
        return field->id == 1 ? REVERSE_BYTES : field->id == 2 ? REVERSE_PACKETS : -1;
    for (size_t i = 0; field->enterprise == 0 && i < SDW_LEN(elements); i++)
        if (elements[i].id == field->id)
            return elements[i].part;
    return -1;
}

static bool has(const struct record *record, enum part part)
{
    return record->has >> part & 1;
}

/* Numbers may be shorter than their type (RFC 7011, 6.2). */
static void put(struct record *record, int part, const uint8_t *p, size_t n)
{
    struct sdw_export *flow = &record->flow;
    if (part >= SRC4) {
        size_t size = part < SRC6 ? 4 : 16;
        if (n != size)
            return;
        memcpy(part == SRC4 || part == SRC6 ? flow->src : flow->dst, p, size);
        flow->version = size == 4 ? 4 : 6;
        return;
    }
    if (part < 0 || n == 0 || n > 8)
        return;
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++)
        value = value << 8 | p[i];
    record->value[part] = value;
    record->has |= UINT64_C(1) << part;
}

/* Cut the next record off the front of the set. False when it is not whole. */
static bool read_record(const struct sdw_netflow_template *template, struct sdw_netflow_bytes *set,
                        struct record *record)
{
    *record = (struct record){0};
    for (size_t i = 0; i < template->n; i++) {
        const struct sdw_netflow_field *field = &template->field[i];
        size_t n = field->length;
        if (n == SDW_NETFLOW_VARIABLE) { /* one byte of length, or 255 and two */
            if (set->left < 1)
                return false;
            size_t head = set->p[0] == 255 ? 3 : 1;
            if (set->left < head)
                return false;
            n = head == 3 ? sdw_get16(set->p + 1) : set->p[0];
            set->p += head;
            set->left -= head;
        }
        if (set->left < n)
            return false;
        put(record, part_of(field), set->p, n);
        set->p += n;
        set->left -= n;
    }
    return true;
}

/* NTP format (RFC 7011, 6.1.9), seconds since 1900 and a binary fraction. */
static int64_t ntp_us(uint64_t ntp)
{
    return ((int64_t)(ntp >> 32) - INT64_C(2208988800)) * 1000000 +
           (int64_t)((ntp & UINT32_MAX) * 1000000 >> 32);
}

int64_t sdw_netflow_uptime_us(const struct sdw_netflow_clock *clock, uint32_t uptime_ms)
{
    return clock->export_us - (int64_t)(int32_t)(clock->uptime_ms - uptime_ms) * 1000;
}

/* The time that one of the ways to write it gives; 0 when none was used. */
static int64_t time_of(const struct record *record, const struct sdw_netflow_stream *stream,
                       const struct sdw_netflow_clock *clock, bool last)
{
    const uint64_t *value = record->value;
    enum { LIMIT = 1 << 30 }; /* no time this side of it overflows when turned into us */
    if (has(record, FIRST_MS + last) && value[FIRST_MS + last] < (uint64_t)LIMIT * 8000)
        return (int64_t)value[FIRST_MS + last] * 1000;
    if (has(record, FIRST_NTP + last))
        return ntp_us(value[FIRST_NTP + last]);
    if (has(record, FIRST_S + last) && value[FIRST_S + last] < (uint64_t)LIMIT * 8)
        return (int64_t)value[FIRST_S + last] * 1000000;
    if (has(record, FIRST_DELTA + last) && value[FIRST_DELTA + last] <= UINT32_MAX)
        return clock->export_us - (int64_t)value[FIRST_DELTA + last];
    if (!has(record, FIRST_UPTIME + last) || value[FIRST_UPTIME + last] > UINT32_MAX)
        return 0;
    if (clock->has_uptime)
        return sdw_netflow_uptime_us(clock, (uint32_t)value[FIRST_UPTIME + last]);
    int64_t boot_us = has(record, BOOT_MS) && value[BOOT_MS] < (uint64_t)LIMIT * 8000
                          ? (int64_t)value[BOOT_MS] * 1000
                          : stream->boot_us;
    return boot_us ? boot_us + (int64_t)value[FIRST_UPTIME + last] * 1000 : 0;
}

/* The sampling rate that a record tells; 0 for none, or for one that is none. */
static uint32_t sampling_of(const struct record *record)
{
    uint64_t rate = has(record, SAMPLING) ? record->value[SAMPLING] : 0;
    uint64_t sampled = record->value[SAMPLED], skipped = record->value[NOT_SAMPLED];
    if (has(record, SAMPLED) && sampled > 0 && sampled <= SDW_SAMPLING_MAX &&
        skipped <= SDW_SAMPLING_MAX)
        rate = has(record, NOT_SAMPLED) ? (sampled + skipped) / sampled : sampled;
    return rate <= SDW_SAMPLING_MAX ? (uint32_t)rate : 0;
}

/* An options record: what the exporter tells of itself. */
static void learn(struct sdw_netflow_stream *stream, const struct record *record)
{
    uint32_t rate = sampling_of(record);
    if (has(record, BOOT_MS) && record->value[BOOT_MS] < UINT64_C(1) << 43)
        stream->boot_us = (int64_t)record->value[BOOT_MS] * 1000;
    if (rate == 0)
        return;
    if (!has(record, SAMPLER)) {
        stream->sampling = rate;
        return;
    }
    size_t i = 0;
    while (i < stream->n_samplers && stream->sampler[i].id != record->value[SAMPLER])
        i++;
    if (i == SDW_NETFLOW_SAMPLERS)
        return;
    stream->sampler[i] = (struct sdw_netflow_sampler){record->value[SAMPLER], rate};
    stream->n_samplers += i == stream->n_samplers;
}

/* The rate that holds for a flow's record; 0: the stream's. */
static uint32_t rate_of(const struct sdw_netflow_stream *stream, const struct record *record)
{
    uint32_t own = sampling_of(record);
    for (size_t i = 0; own == 0 && has(record, SAMPLER) && i < stream->n_samplers; i++)
        if (stream->sampler[i].id == record->value[SAMPLER])
            own = stream->sampler[i].rate;
    return own;
}

/* The first of the counters that was told. */
static uint64_t first_of(const struct record *record, const enum part *parts, size_t n, bool *told)
{
    *told = true;
    for (size_t i = 0; i < n; i++)
        if (has(record, parts[i]))
            return record->value[parts[i]];
    *told = false;
    return 0;
}

static void fill(struct record *record, const struct sdw_netflow_stream *stream,
                 const struct sdw_netflow_clock *clock)
{
    static const enum part bytes[] = {BYTES, BYTES_TOTAL, OUT_BYTES};
    static const enum part packets[] = {PACKETS, PACKETS_TOTAL, OUT_PACKETS};
    struct sdw_export *flow = &record->flow;
    bool told;
    flow->packets = first_of(record, packets, SDW_LEN(packets), &told);
    flow->no_packets = !told;
    flow->bytes = first_of(record, bytes, SDW_LEN(bytes), &told);
    flow->reverse_bytes = record->value[REVERSE_BYTES];
    flow->reverse_packets = record->value[REVERSE_PACKETS];
    flow->protocol = (uint8_t)record->value[PROTOCOL];
    flow->sport = (uint16_t)record->value[SPORT];
    flow->dport = (uint16_t)record->value[DPORT];
    flow->input = (uint32_t)record->value[INPUT];
    flow->output = (uint32_t)record->value[OUTPUT];
    flow->vlan = (uint32_t)record->value[VLAN];
    flow->first_us = time_of(record, stream, clock, false);
    flow->last_us = time_of(record, stream, clock, true);
}

size_t sdw_netflow_records(struct sdw_netflow *netflow, struct sdw_netflow_stream *stream,
                           const struct sdw_netflow_template *template,
                           struct sdw_netflow_bytes set, const struct sdw_netflow_clock *clock,
                           sdw_export_each *each, void *arg)
{
    struct record record;
    size_t n = 0;
    while (set.left >= template->shortest && read_record(template, &set, &record)) {
        n++;
        if (template->options) {
            learn(stream, &record);
            continue;
        }
        fill(&record, stream, clock);
        sdw_netflow_hand_over(netflow, stream, &record.flow, rate_of(stream, &record),
                              clock->export_us, each, arg);
    }
    return n;
}
