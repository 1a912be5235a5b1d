/* What becomes of the datagrams of NetFlow and IPFIX exporters: octets written here. */
#include "tap.h"

#include "net/netflow.h"
#include "net/wire.h"

#include <netinet/in.h>

enum { EXPORT_S = 1700000000, MAX = 2048 };

/* A datagram under construction. */
struct datagram {
    uint8_t bytes[MAX];
    size_t n, set; /* set: where the open one starts */
};

static void u8(struct datagram *d, unsigned value)
{
    d->bytes[d->n++] = (uint8_t)value;
}

static void u16(struct datagram *d, unsigned value)
{
    sdw_put16(d->bytes + d->n, (uint16_t)value);
    d->n += 2;
}

static void u32(struct datagram *d, uint32_t value)
{
    sdw_put32(d->bytes + d->n, value);
    d->n += 4;
}

static void open_set(struct datagram *d, unsigned id)
{
    d->set = d->n;
    u16(d, id);
    u16(d, 0);
}

static void close_set(struct datagram *d)
{
    sdw_put16(d->bytes + d->set + 2, (uint16_t)(d->n - d->set));
}

static struct datagram v5(unsigned count, uint32_t seq, unsigned sampling)
{
    struct datagram d = {.n = 0};
    u16(&d, 5);
    u16(&d, count);
    u32(&d, 100000); /* uptime, ms */
    u32(&d, EXPORT_S);
    u32(&d, 500000000);
    u32(&d, seq);
    u16(&d, 0x0102);
    u16(&d, sampling);
    return d;
}

static void v5_flow(struct datagram *d, uint32_t packets, uint32_t bytes)
{
    u32(d, 0x0a000001);
    u32(d, 0x0a000002);
    u32(d, 0);
    u16(d, 3);
    u16(d, 4);
    u32(d, packets);
    u32(d, bytes);
    u32(d, 98000);
    u32(d, 99000);
    u16(d, 1234);
    u16(d, 80);
    u16(d, 0x0018);
    u8(d, IPPROTO_TCP);
    for (int i = 0; i < 9; i++)
        u8(d, 0);
}

static struct datagram v9(uint32_t seq, uint32_t domain)
{
    struct datagram d = {.n = 0};
    u16(&d, 9);
    u16(&d, 1);
    u32(&d, 100000);
    u32(&d, EXPORT_S);
    u32(&d, seq);
    u32(&d, domain);
    return d;
}

static struct datagram ipfix(uint32_t seq, uint32_t domain)
{
    struct datagram d = {.n = 0};
    u16(&d, 10);
    u16(&d, 0);
    u32(&d, EXPORT_S);
    u32(&d, seq);
    u32(&d, domain);
    return d;
}

static void fields(struct datagram *d, unsigned id, const uint16_t (*field)[2], size_t n)
{
    u16(d, id);
    u16(d, (unsigned)n);
    for (size_t i = 0; i < n; i++) {
        u16(d, field[i][0]);
        u16(d, field[i][1]);
    }
}

static const uint16_t plain[][2] = {{8, 4}, {12, 4}, {7, 2}, {11, 2}, {4, 1}, {2, 4}, {1, 4}};

static void plain_template(struct datagram *d, unsigned set, unsigned id)
{
    open_set(d, set);
    fields(d, id, plain, SDW_LEN(plain));
    close_set(d);
}

static void plain_flow(struct datagram *d, uint32_t packets, uint32_t bytes)
{
    u32(d, 0x0a000001);
    u32(d, 0x0a000002);
    u16(d, 1234);
    u16(d, 53);
    u8(d, IPPROTO_UDP);
    u32(d, packets);
    u32(d, bytes);
}

/* What was handed over. */
struct seen {
    struct sdw_export flow[8];
    size_t n;
};

static void see(const struct sdw_export *flow, void *arg)
{
    struct seen *seen = arg;
    if (seen->n < SDW_LEN(seen->flow))
        seen->flow[seen->n] = *flow;
    seen->n++;
}

static int give_from(struct sdw_netflow *netflow, const char *exporter, struct datagram *d,
                     struct seen *seen)
{
    if (d->n >= 4 && d->bytes[1] == 10)
        sdw_put16(d->bytes + 2, (uint16_t)d->n);
    return sdw_netflow_take(netflow, sdw_str_of(exporter),
                            (struct sdw_str){(const char *)d->bytes, d->n}, see, seen, NULL);
}

static int give(struct sdw_netflow *netflow, struct datagram d, struct seen *seen)
{
    *seen = (struct seen){.n = 0};
    return give_from(netflow, "\1\2\3\4", &d, seen);
}

static void version_5(void)
{
    struct sdw_netflow *netflow = sdw_netflow_new(1);
    struct seen seen;
    struct datagram d = v5(1, 7, 0);
    v5_flow(&d, 10, 5000);
    ok(give(netflow, d, &seen) == 0 && seen.n == 1, "a v5 flow is read");
    const struct sdw_export *f = &seen.flow[0];
    ok(f->version == 4 && f->src[0] == 10 && f->src[3] == 1 && f->dst[3] == 2, "its addresses");
    ok(f->sport == 1234 && f->dport == 80 && f->protocol == IPPROTO_TCP, "its ports");
    ok(f->packets == 10 && f->bytes == 5000 && f->sampling == 1, "its counts");
    ok(f->input == 3 && f->output == 4, "its interfaces");
    ok(f->first_us == INT64_C(1699999998500000) && f->duration_us == 1000000,
       "its times, relative to the exporter's uptime");

    d = v5(1, 8, 0x4000 | 100);
    v5_flow(&d, 2, 3000);
    give(netflow, d, &seen);
    ok(seen.flow[0].packets == 200 && seen.flow[0].bytes == 300000 && seen.flow[0].sampling == 100,
       "the sampling rate of the header is applied and told");

    d = v5(2, 9, 0);
    v5_flow(&d, 1, 100);
    ok(give(netflow, d, &seen) == SDW_EINPUT && seen.n == 1,
       "of a datagram that is cut off the flows that are there are used, and it is bad");
    sdw_netflow_free(netflow);
}

static void sequences(void)
{
    struct sdw_netflow *netflow = sdw_netflow_new(1);
    struct seen seen;
    static const struct {
        uint32_t seq;
        uint64_t lost, restarts;
        const char *say;
    } steps[] = {
        {100, 0, 0, "the first number is taken as it is"},
        {101, 0, 0, "the next is no gap"},
        {105, 3, 0, "a gap is counted in flows"},
        {103, 2, 0, "what comes late was not lost"},
        {106, 2, 0, "and does not upset what follows"},
        {0, 2, 1, "a number from the beginning is a restart, not a loss"},
        {1, 2, 1, "which goes on from there"},
        {3000000000u, 2, 2, "so is a jump past all belief"},
    };
    for (size_t i = 0; i < SDW_LEN(steps); i++) {
        struct datagram d = v5(1, steps[i].seq, 0);
        v5_flow(&d, 1, 100);
        give(netflow, d, &seen);
        struct sdw_netflow_counts counts = sdw_netflow_counts(netflow);
        ok(counts.lost == steps[i].lost && counts.restarts == steps[i].restarts, "%s",
           steps[i].say);
    }
    sdw_netflow_free(netflow);
}

static void templates(void)
{
    struct sdw_netflow *netflow = sdw_netflow_new(1);
    struct seen seen;
    struct datagram d = v9(1, 5);
    open_set(&d, 300);
    plain_flow(&d, 1, 100);
    close_set(&d);
    give(netflow, d, &seen);
    ok(seen.n == 0 && sdw_netflow_counts(netflow).untemplated == 1,
       "data whose template has not come is left out, and counted");

    d = v9(2, 5);
    plain_template(&d, 0, 300);
    open_set(&d, 300);
    plain_flow(&d, 1, 100);
    plain_flow(&d, 2, 200);
    u8(&d, 0);
    u8(&d, 0); /* padding */
    close_set(&d);
    give(netflow, d, &seen);
    ok(seen.n == 2 && seen.flow[1].bytes == 200, "a template and its records, with padding");

    struct datagram data = v9(3, 5);
    open_set(&data, 300);
    plain_flow(&data, 3, 300);
    close_set(&data);
    seen.n = 0;
    give_from(netflow, "\1\2\3\5", &data, &seen);
    ok(seen.n == 0, "another exporter's template is not used");
    struct datagram other = v9(3, 6);
    open_set(&other, 300);
    plain_flow(&other, 3, 300);
    close_set(&other);
    give(netflow, other, &seen);
    ok(seen.n == 0, "nor that of another domain");
    give(netflow, data, &seen);
    ok(seen.n == 1 && seen.flow[0].bytes == 300, "its own is kept");
    sdw_netflow_free(netflow);
}

static void bogus_templates(void)
{
    struct sdw_netflow *netflow = sdw_netflow_new(1);
    static const uint16_t empty[][2] = {{8, 0}, {12, 0}};
    struct seen seen;
    struct datagram d = v9(1, 1);
    open_set(&d, 0);
    fields(&d, 300, empty, 2);
    close_set(&d);
    open_set(&d, 300);
    u32(&d, 0);
    close_set(&d);
    give(netflow, d, &seen);
    ok(sdw_netflow_counts(netflow).bad_templates == 1 && seen.n == 0,
       "a template whose records have no length is refused");

    d = v9(2, 1);
    open_set(&d, 0);
    fields(&d, 10, plain, SDW_LEN(plain));
    close_set(&d);
    give(netflow, d, &seen);
    ok(sdw_netflow_counts(netflow).bad_templates == 2, "so is one with the id of a template set");

    d = v9(3, 1);
    open_set(&d, 0);
    u16(&d, 301);
    u16(&d, 65535);
    u32(&d, 0);
    close_set(&d);
    ok(give(netflow, d, &seen) == SDW_EINPUT && sdw_netflow_counts(netflow).bad_templates == 3,
       "and one that announces more fields than there are");

    static const uint16_t huge[][2] = {{8, 60000}, {12, 60000}};
    d = v9(4, 1);
    open_set(&d, 0);
    fields(&d, 302, huge, 2);
    close_set(&d);
    give(netflow, d, &seen);
    ok(sdw_netflow_counts(netflow).bad_templates == 4, "and one no datagram has room for");

    d = v9(5, 1);
    open_set(&d, 1);
    u16(&d, 303);
    u16(&d, 3);
    u16(&d, 4);
    close_set(&d);
    ok(give(netflow, d, &seen) == SDW_EINPUT, "options of odd lengths are bad");

    d = v9(6, 1);
    u16(&d, 300);
    u16(&d, 3);
    ok(give(netflow, d, &seen) == SDW_EINPUT, "a set shorter than its own head is bad");
    d = v9(7, 1);
    u16(&d, 300);
    u16(&d, 400);
    ok(give(netflow, d, &seen) == SDW_EINPUT, "so is one longer than its datagram");
    sdw_netflow_free(netflow);
}

static void sampling(void)
{
    struct sdw_netflow *netflow = sdw_netflow_new(1);
    struct seen seen;
    struct datagram d = v9(1, 1);
    plain_template(&d, 0, 300);
    open_set(&d, 1); /* options: scope system, SAMPLING_INTERVAL */
    u16(&d, 301);
    u16(&d, 4);
    u16(&d, 4);
    u16(&d, 1);
    u16(&d, 4);
    u16(&d, 34);
    u16(&d, 4);
    close_set(&d);
    open_set(&d, 301);
    u32(&d, 0);
    u32(&d, 50);
    close_set(&d);
    open_set(&d, 300);
    plain_flow(&d, 2, 200);
    close_set(&d);
    give(netflow, d, &seen);
    ok(seen.n == 1 && seen.flow[0].bytes == 10000 && seen.flow[0].packets == 100 &&
           seen.flow[0].sampling == 50,
       "the rate that options tell is applied");
    ok(sdw_netflow_counts(netflow).sampled == 1, "and counted");

    d = ipfix(0, 1);
    plain_template(&d, 2, 300);
    open_set(&d, 3); /* options: meteringProcessId, samplingPacketInterval, samplingPacketSpace */
    u16(&d, 301);
    u16(&d, 3);
    u16(&d, 1);
    u16(&d, 143);
    u16(&d, 4);
    u16(&d, 305);
    u16(&d, 4);
    u16(&d, 306);
    u16(&d, 4);
    close_set(&d);
    open_set(&d, 301);
    u32(&d, 1);
    u32(&d, 1);
    u32(&d, 9);
    close_set(&d);
    open_set(&d, 300);
    plain_flow(&d, 2, 200);
    close_set(&d);
    give(netflow, d, &seen);
    ok(seen.n == 1 && seen.flow[0].bytes == 2000 && seen.flow[0].sampling == 10,
       "one packet in ten: interval and space");

    static const uint16_t sampled[][2] = {{8, 4}, {12, 4}, {1, 4}, {2, 4}, {34, 4}};
    d = v9(2, 2);
    open_set(&d, 0);
    fields(&d, 300, sampled, SDW_LEN(sampled));
    close_set(&d);
    open_set(&d, 300);
    u32(&d, 1);
    u32(&d, 2);
    u32(&d, 100);
    u32(&d, 1);
    u32(&d, UINT32_MAX);
    close_set(&d);
    give(netflow, d, &seen);
    ok(seen.n == 1 && seen.flow[0].sampling == 1 && seen.flow[0].bytes == 100,
       "a rate that cannot be is not applied");
    sdw_netflow_free(netflow);
}

static void ipfix_fields(void)
{
    struct sdw_netflow *netflow = sdw_netflow_new(1);
    struct seen seen;
    struct datagram d = ipfix(0, 1);
    open_set(&d, 2);
    u16(&d, 300);
    u16(&d, 8);
    u16(&d, 27);
    u16(&d, 16);
    u16(&d, 28);
    u16(&d, 16);
    u16(&d, 82); /* interfaceName, variable */
    u16(&d, 65535);
    u16(&d, 1);
    u16(&d, 3); /* reduced size */
    u16(&d, 2);
    u16(&d, 2);
    u16(&d, 0x8001); /* reverse octets, packets */
    u16(&d, 4);
    u32(&d, 29305);
    u16(&d, 0x8002);
    u16(&d, 4);
    u32(&d, 29305);
    u16(&d, 152);
    u16(&d, 8);
    close_set(&d);
    open_set(&d, 300);
    for (unsigned i = 0; i < 32; i++)
        u8(&d, i);
    u8(&d, 3);
    u8(&d, 'e');
    u8(&d, 't');
    u8(&d, 'h');
    u8(&d, 1);
    u16(&d, 0);
    u16(&d, 64);
    u32(&d, 7000);
    u32(&d, 9);
    u32(&d, 395);
    u32(&d, 3570467840u); /* 395 * 2^32 + this: ms of November 2023 */
    close_set(&d);
    give(netflow, d, &seen);
    const struct sdw_export *f = &seen.flow[0];
    ok(seen.n == 1 && f->version == 6 && f->src[15] == 15 && f->dst[15] == 31,
       "IPv6 addresses are read past a field of variable length");
    ok(f->bytes == 65536 && f->packets == 64, "numbers of reduced size are whole");
    ok(f->reverse_bytes == 7000 && f->reverse_packets == 9, "the other direction is told apart");

    d = ipfix(1, 1);
    open_set(&d, 2);
    u16(&d, 300);
    u16(&d, 0);
    close_set(&d);
    open_set(&d, 300);
    u32(&d, 0);
    close_set(&d);
    give(netflow, d, &seen);
    ok(sdw_netflow_counts(netflow).untemplated == 1, "a template that is withdrawn is gone");

    d = ipfix(1, 1);
    open_set(&d, 2);
    u16(&d, 301);
    u16(&d, 1);
    u16(&d, 82);
    u16(&d, 65535);
    close_set(&d);
    open_set(&d, 301);
    u8(&d, 255);
    u16(&d, 60000);
    close_set(&d);
    give(netflow, d, &seen);
    ok(seen.n == 0, "a variable length past the end of its set gives no record");
    sdw_netflow_free(netflow);
}

static void bounds(void)
{
    struct sdw_netflow *netflow = sdw_netflow_new(1);
    struct seen seen;
    struct datagram d = v9(1, 1);
    plain_template(&d, 0, 300);
    open_set(&d, 300);
    plain_flow(&d, 1, 4093509154u);
    plain_flow(&d, 0, 100);
    plain_flow(&d, 2, 131000);
    close_set(&d);
    give(netflow, d, &seen);
    ok(seen.n == 1 && seen.flow[0].bytes == 131000, "two packets can hold 131000 bytes");
    ok(sdw_netflow_counts(netflow).absurd == 2,
       "more than the packets can hold is absurd and left out, as are bytes without a packet");
    sdw_netflow_free(netflow);
}

static void times(void)
{
    struct sdw_export flow = {.sampling = 1, .first_us = 5000000, .last_us = 6500000};
    ok(sdw_export_plausible(&flow, INT64_C(1700000000000000)) && flow.duration_us == 1500000 &&
           flow.first_us == 0,
       "an exporter that does not know the date still tells how long a flow was");
    flow = (struct sdw_export){.sampling = 1, .first_us = 9, .last_us = 8};
    ok(sdw_export_plausible(&flow, 10) && flow.duration_us == -1 && flow.first_us == 0,
       "a flow that ends before it begins has no times");
    flow = (struct sdw_export){
        .sampling = 1, .packets = UINT64_C(1) << 50, .bytes = UINT64_C(1) << 50};
    sdw_export_scale(&flow, 100);
    ok(!sdw_export_plausible(&flow, 1), "counts past 2^53 cannot be");
}

int main(void)
{
    version_5();
    sequences();
    templates();
    bogus_templates();
    sampling();
    ipfix_fields();
    bounds();
    times();
    return tap_done();
}
