/* What becomes of the datagrams of sFlow agents: octets written here. */
#include "tap.h"

#include "net/sflow.h"
#include "net/wire.h"

#include <netinet/in.h>

enum { MAX = 2048 };

struct datagram {
    uint8_t bytes[MAX];
    size_t n;
};

static void u32(struct datagram *d, uint32_t value)
{
    sdw_put32(d->bytes + d->n, value);
    d->n += 4;
}

static struct datagram head(uint32_t seq, uint32_t samples)
{
    struct datagram d = {.n = 0};
    u32(&d, 5);
    u32(&d, 1);
    u32(&d, 0xc0000201);
    u32(&d, 0);
    u32(&d, seq);
    u32(&d, 60000);
    u32(&d, samples);
    return d;
}

/* Start a block: returns where its length stands. */
static size_t begin(struct datagram *d, uint32_t format)
{
    u32(d, format);
    u32(d, 0);
    return d->n - 4;
}

static void end(struct datagram *d, size_t at)
{
    sdw_put32(d->bytes + at, (uint32_t)(d->n - at - 4));
}

static size_t flow_sample(struct datagram *d, uint32_t rate, uint32_t records)
{
    size_t at = begin(d, 1);
    u32(d, 1);
    u32(d, 7);
    u32(d, rate);
    u32(d, 1000);
    u32(d, 0);
    u32(d, 7);
    u32(d, 9);
    u32(d, records);
    return at;
}

/* A raw packet header: an Ethernet frame with a UDP packet of 100 IP bytes, 42 of the 114 there. */
static void header(struct datagram *d, uint32_t protocol)
{
    static const uint8_t frame[42] = {
        2, 0,  0,           0, 0, 1,  2, 0, 0, 0,  0, 2, 8, 0,    0x45, 0, 0,  100, 0,  1, 0,
        0, 64, IPPROTO_UDP, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0x10, 0x01, 0, 53, 0,   80, 0, 0};
    size_t at = begin(d, 1);
    u32(d, protocol);
    u32(d, 118); /* with the checksum of the frame, stripped below */
    u32(d, 4);
    u32(d, sizeof frame);
    memcpy(d->bytes + d->n, frame, sizeof frame);
    d->n += 44;
    end(d, at);
}

static void decoded(struct datagram *d)
{
    size_t at = begin(d, 3);
    u32(d, 1500);
    u32(d, IPPROTO_TCP);
    u32(d, 0x0a000003);
    u32(d, 0x0a000004);
    u32(d, 5000);
    u32(d, 443);
    u32(d, 0x10);
    u32(d, 0);
    end(d, at);
}

static void interface_counters(struct datagram *d, uint64_t rx, uint64_t tx)
{
    size_t sample = begin(d, 2);
    u32(d, 1);
    u32(d, 7);
    u32(d, 1);
    size_t at = begin(d, 1);
    const uint32_t words[] = {7,  6, 0, 1000000000, 1, 3, (uint32_t)(rx >> 32), (uint32_t)rx,
                              10, 2, 1, 5,          6, 0, (uint32_t)(tx >> 32), (uint32_t)tx,
                              20, 0, 0, 7,          8, 0};
    for (size_t i = 0; i < SDW_LEN(words); i++)
        u32(d, words[i]);
    end(d, at);
    end(d, sample);
}

struct seen {
    struct sdw_export flow;
    struct sdw_sflow_link link;
    size_t flows, links;
};

static void see_flow(const struct sdw_export *flow, void *arg)
{
    struct seen *seen = arg;
    seen->flow = *flow;
    seen->flows++;
}

static void see_link(const struct sdw_sflow_link *link, void *arg)
{
    struct seen *seen = arg;
    seen->link = *link;
    seen->links++;
}

static int give(struct sdw_sflow *sflow, const struct datagram *d, struct seen *seen)
{
    struct sdw_sflow_sink sink = {see_flow, see_link, seen};
    *seen = (struct seen){.flows = 0};
    return sdw_sflow_take(sflow, (struct sdw_str){(const char *)d->bytes, d->n}, &sink, NULL);
}

static void packets(void)
{
    struct sdw_sflow *sflow = sdw_sflow_new(1);
    struct seen seen;
    struct datagram d = head(1, 1);
    size_t at = flow_sample(&d, 100, 1);
    header(&d, 1);
    end(&d, at);
    ok(give(sflow, &d, &seen) == 0 && seen.flows == 1, "a sampled packet is read");
    ok(seen.flow.version == 4 && seen.flow.src[3] == 1 && seen.flow.dst[3] == 2 &&
           seen.flow.sport == 4097 && seen.flow.dport == 53 && seen.flow.protocol == IPPROTO_UDP,
       "its ends come from its own bytes");
    ok(seen.flow.packets == 100 && seen.flow.bytes == 10000 && seen.flow.sampling == 100,
       "it stands for as many as the rate says, of IP bytes");
    ok(seen.flow.input == 7 && seen.flow.output == 9, "its interfaces");

    d = head(2, 1);
    at = flow_sample(&d, 10, 2);
    header(&d, 1);
    decoded(&d);
    end(&d, at);
    give(sflow, &d, &seen);
    ok(seen.flows == 1 && seen.flow.bytes == 1000, "a packet told twice is counted once");

    d = head(3, 1);
    at = flow_sample(&d, 10, 1);
    decoded(&d);
    end(&d, at);
    give(sflow, &d, &seen);
    ok(seen.flows == 1 && seen.flow.bytes == 15000 && seen.flow.dport == 443,
       "what the agent decoded is used where there is nothing else");

    d = head(4, 1);
    at = flow_sample(&d, 10, 1);
    header(&d, 2); /* token bus */
    end(&d, at);
    give(sflow, &d, &seen);
    ok(seen.flows == 0 && sdw_sflow_counts(sflow).other == 1, "a frame of another kind is counted");

    d = head(5, 1);
    at = flow_sample(&d, 0, 1);
    header(&d, 1);
    end(&d, at);
    give(sflow, &d, &seen);
    ok(seen.flows == 0 && sdw_sflow_counts(sflow).absurd == 1, "a sampling rate of 0 is absurd");
    sdw_sflow_free(sflow);
}

static void counters(void)
{
    struct sdw_sflow *sflow = sdw_sflow_new(1);
    struct seen seen;
    struct datagram d = head(1, 2);
    size_t at = begin(&d, (4413 << 12) | 99); /* somebody's own */
    u32(&d, 1);
    end(&d, at);
    interface_counters(&d, UINT64_C(5000000000), UINT64_C(6000000000));
    ok(give(sflow, &d, &seen) == 0 && seen.links == 1, "counters are read behind what is unknown");
    ok(seen.link.index == 7 && seen.link.up && seen.link.speed_bps == 1000000000 &&
           seen.link.uptime_ms == 60000,
       "of which interface, and when");
    ok(seen.link.rx_bytes == UINT64_C(5000000000) && seen.link.tx_bytes == UINT64_C(6000000000),
       "bytes are 64 bits wide");
    ok(seen.link.rx_packets == 13 && seen.link.tx_packets == 20 && seen.link.rx_discards == 5 &&
           seen.link.rx_errors == 6 && seen.link.tx_discards == 7 && seen.link.tx_errors == 8,
       "packets are unicast, multicast and broadcast together");
    sdw_sflow_free(sflow);
}

static void sequences(void)
{
    struct sdw_sflow *sflow = sdw_sflow_new(1);
    struct seen seen;
    static const uint32_t seq[] = {10, 11, 15, 13, 16, 1, 2};
    for (size_t i = 0; i < SDW_LEN(seq); i++) {
        struct datagram d = head(seq[i], 0);
        give(sflow, &d, &seen);
    }
    struct sdw_sflow_counts counts = sdw_sflow_counts(sflow);
    ok(counts.lost == 2, "a gap is counted, less what comes late");
    ok(counts.restarts == 1, "an agent that begins again has lost nothing");
    sdw_sflow_free(sflow);
}

static void lies(void)
{
    struct sdw_sflow *sflow = sdw_sflow_new(1);
    struct seen seen;
    struct datagram d = head(1, UINT32_MAX);
    size_t at = flow_sample(&d, 1, 1);
    header(&d, 1);
    end(&d, at);
    ok(give(sflow, &d, &seen) == SDW_EINPUT && seen.flows == 1,
       "more samples announced than there are: those that are there are used");

    d = head(2, 1);
    at = flow_sample(&d, 1, UINT32_MAX);
    header(&d, 1);
    end(&d, at);
    ok(give(sflow, &d, &seen) == SDW_EINPUT || seen.flows == 0,
       "more records announced than the sample holds: no flow is made of it");

    d = head(3, 1);
    at = begin(&d, 1);
    u32(&d, 1);
    sdw_put32(d.bytes + at, UINT32_MAX);
    ok(give(sflow, &d, &seen) == SDW_EINPUT && seen.flows == 0, "a length of 4 GiB is a lie");
    sdw_put32(d.bytes + at, UINT32_MAX - 2);
    ok(give(sflow, &d, &seen) == SDW_EINPUT, "and one that padding would turn around");

    d = head(4, 1);
    at = flow_sample(&d, 1, 1);
    size_t record = begin(&d, 1);
    u32(&d, 1);
    u32(&d, 114);
    u32(&d, 0);
    u32(&d, 5000); /* bytes of header */
    u32(&d, 0);
    end(&d, record);
    end(&d, at);
    ok(give(sflow, &d, &seen) == SDW_EINPUT && seen.flows == 0,
       "a header longer than its record is a lie");

    d = head(5, 1);
    d.n = 20;
    ok(give(sflow, &d, &seen) == SDW_EINPUT, "a head that is cut off is bad");
    d = head(6, 0);
    sdw_put32(d.bytes, 4);
    ok(give(sflow, &d, &seen) == SDW_EINPUT, "so is another version");
    sdw_sflow_free(sflow);
}

int main(void)
{
    packets();
    counters();
    sequences();
    lies();
    return tap_done();
}
