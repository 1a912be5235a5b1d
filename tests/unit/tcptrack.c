/* What is told of a TCP connection from the packets that pass: sent again or late, round trips,
 * windows. */
#include "net/tcptrack.h"

#include <netinet/in.h>

#include "unit/tap.h"

enum { MSS = 1000 };

static struct sdw_pool pool = {.size = sizeof(struct sdw_tcp_track)};

/* A connection under test: what was seen of it, and the next IP identification. */
struct wire {
    struct sdw_tcp_track *track;
    uint16_t ip_id;
    bool no_ts;
};

static struct sdw_packet base(struct wire *w, uint32_t ts, uint32_t echo)
{
    return (struct sdw_packet){.version = 4,
                               .protocol = IPPROTO_TCP,
                               .whole = true,
                               .ip_id = w->ip_id++,
                               .tcp = {.has_ts = !w->no_ts,
                                       .ts_value = ts,
                                       .ts_echo = echo,
                                       .window = 100,
                                       .wscale = -1,
                                       .flags = SDW_TCP_ACK}};
}

/* n bytes from the source, from seq on; the IP identification is given. */
static void data_id(struct wire *w, uint32_t seq, uint32_t n, uint32_t ts, uint32_t at_us,
                    uint16_t ip_id)
{
    struct sdw_packet p = base(w, ts, 1);
    p.ip_id = ip_id;
    p.tcp.seq = seq;
    p.tcp.ack = 1;
    p.payload_bytes = n;
    sdw_tcptrack_see(w->track, &p, SDW_FORWARD, at_us);
}

static void data(struct wire *w, uint32_t seq, uint32_t n, uint32_t ts, uint32_t at_us)
{
    data_id(w, seq, n, ts, at_us, w->ip_id++);
}

static void ack(struct wire *w, uint32_t number, uint32_t echo, uint32_t at_us)
{
    struct sdw_packet p = base(w, 1000 + at_us / 1000, echo);
    p.tcp.seq = 1;
    p.tcp.ack = number;
    sdw_tcptrack_see(w->track, &p, SDW_REVERSE, at_us);
}

static struct wire open_wire(void)
{
    struct wire w = {.track = sdw_tcptrack_new(&pool), .ip_id = 100};
    struct sdw_packet p = base(&w, 0, 0);
    p.tcp.flags = SDW_TCP_SYN;
    p.tcp.seq = UINT32_MAX;
    p.tcp.mss = MSS;
    p.tcp.wscale = 7;
    sdw_tcptrack_see(w.track, &p, SDW_FORWARD, 0);
    p = base(&w, 1000, 0);
    p.tcp.flags = SDW_TCP_SYN | SDW_TCP_ACK;
    p.tcp.ack = 0;
    p.tcp.mss = MSS;
    p.tcp.wscale = 4;
    sdw_tcptrack_see(w.track, &p, SDW_REVERSE, 20000);
    p = base(&w, 21, 1000);
    p.tcp.seq = 0;
    p.tcp.ack = 1;
    sdw_tcptrack_see(w.track, &p, SDW_FORWARD, 25000);
    return w;
}

static const struct sdw_tcp_count *forward(const struct wire *w)
{
    return &w->track->half[SDW_FORWARD].count;
}

static bool counted(const struct wire *w, unsigned retransmitted, unsigned reordered,
                    unsigned doubtful)
{
    const struct sdw_tcp_count *c = forward(w);
    bool same =
        c->retransmitted == retransmitted && c->reordered == reordered && c->doubtful == doubtful;
    if (!same)
        printf("# retransmitted %u, reordered %u, doubtful %u\n", c->retransmitted, c->reordered,
               c->doubtful);
    return same;
}

static void check_order(void)
{
    struct wire w = open_wire();
    for (uint32_t i = 0; i < 5; i++)
        data(&w, i * MSS, MSS, 100 + i, 100000 + i * 1000);
    ok(counted(&w, 0, 0, 0), "data in order is neither late nor sent again");
    data(&w, 1 * MSS, MSS, 150, 150000);
    ok(counted(&w, 1, 0, 0) && forward(&w)->retransmitted_bytes == MSS,
       "bytes that were seen before are sent again");
    data(&w, 6 * MSS, MSS, 160, 160000);
    data(&w, 5 * MSS, MSS, 159, 161000);
    ok(counted(&w, 1, 1, 0), "what fills a gap with an earlier timestamp is late");
    data(&w, 8 * MSS, MSS, 170, 170000);
    data(&w, 7 * MSS, MSS, 190, 190000);
    ok(counted(&w, 2, 1, 0), "with a later one it is sent again");
    data(&w, 7 * MSS, MSS, 169, 191000);
    ok(counted(&w, 2, 2, 0), "the first copy that comes after it was late only");
    data(&w, 7 * MSS, MSS, 195, 195000);
    ok(counted(&w, 3, 2, 0), "a third is sent again");
    data(&w, 12 * MSS, MSS, 200, 200000);
    data(&w, 10 * MSS, MSS, 220, 220000);
    data(&w, 9 * MSS, MSS, 199, 220100);
    data(&w, 11 * MSS, MSS, 221, 221000);
    ok(counted(&w, 5, 3, 0), "parts of a gap are told apart one by one");
    sdw_tcptrack_free(&pool, w.track);
}

static void check_ties(void)
{
    struct wire w = open_wire();
    for (uint16_t i = 0; i < 4; i++)
        data_id(&w, i * 1000U, MSS, 100, 100000, (uint16_t)(500 + i));
    data_id(&w, 5 * MSS, MSS, 101, 101000, 505);
    data_id(&w, 4 * MSS, MSS, 101, 101200, 504);
    ok(counted(&w, 0, 1, 0), "with equal timestamps an earlier IP identification is late");
    data_id(&w, 7 * MSS, MSS, 102, 102000, 507);
    data_id(&w, 6 * MSS, MSS, 102, 102200, 508);
    ok(counted(&w, 1, 1, 0), "and a later one is sent again");
    sdw_tcptrack_free(&pool, w.track);

    w = open_wire();
    w.no_ts = true;
    data_id(&w, 0, MSS, 0, 100000, 0);
    data_id(&w, 2 * MSS, MSS, 0, 101000, 0);
    data_id(&w, 1 * MSS, MSS, 0, 101500, 0);
    ok(counted(&w, 0, 1, 1), "without both, what comes before it can have been asked for is late");
    data_id(&w, 4 * MSS, MSS, 0, 110000, 0);
    for (int i = 0; i < 4; i++)
        ack(&w, 3 * MSS, 0, 111000);
    data_id(&w, 3 * MSS, MSS, 0, 115000, 0);
    ok(counted(&w, 1, 1, 2), "after three duplicates and half a round trip it is sent again");
    data_id(&w, 6 * MSS, MSS, 0, 120000, 0);
    data_id(&w, 5 * MSS, MSS, 0, 400000, 0);
    ok(counted(&w, 2, 1, 3), "so it is after a time-out");
    sdw_tcptrack_free(&pool, w.track);
}

/* IPv6: nothing but timestamps, of a clock of 1 ms. */
static void check_equal_stamps(void)
{
    struct wire w = open_wire();
    data_id(&w, 0, MSS, 100, 100000, 0);
    data_id(&w, 2 * MSS, MSS, 101, 101000, 0);
    for (int i = 0; i < 4; i++)
        ack(&w, 1 * MSS, 0, 102000);
    data_id(&w, 1 * MSS, MSS, 101, 120000, 0);
    ok(counted(&w, 0, 1, 0), "an equal timestamp is late: a copy would be a round trip later");
    data_id(&w, 4 * MSS, MSS, 130, 130000, 0);
    data_id(&w, 3 * MSS, MSS, 160, 160000, 0);
    data_id(&w, 3 * MSS, MSS, 130, 161000, 0);
    ok(counted(&w, 1, 2, 0), "also where a copy overtook it");
    sdw_tcptrack_free(&pool, w.track);

    w = (struct wire){.track = sdw_tcptrack_new(&pool)};
    data_id(&w, 0, MSS, 100, 100000, 0);
    data_id(&w, 2 * MSS, MSS, 101, 101000, 0);
    data_id(&w, 1 * MSS, MSS, 130, 130000, 0);
    data_id(&w, 1 * MSS, MSS, 101, 131000, 0);
    ok(counted(&w, 1, 1, 0), "without a round trip the copy's own timestamp tells");
    data_id(&w, 1 * MSS, MSS, 140, 140000, 0);
    ok(counted(&w, 2, 1, 0), "and one more is sent again");
    sdw_tcptrack_free(&pool, w.track);
}

static void check_special(void)
{
    struct wire w = open_wire();
    data(&w, 0, MSS, 100, 100000);
    ack(&w, MSS, 100, 120000);
    data(&w, MSS - 1, 1, 5000, 5000000);
    ok(counted(&w, 0, 0, 0) && forward(&w)->keepalives == 1, "a keepalive is not sent again");
    data_id(&w, MSS, MSS, 5001, 5001000, 77);
    data_id(&w, MSS, MSS, 5001, 5001010, 77);
    ok(counted(&w, 0, 0, 0), "a packet captured twice counts once");
    data(&w, MSS, 3 * MSS - 10, 5100, 5100000);
    ok(counted(&w, 3, 0, 0), "segments that an offload joined count as they were sent");
    struct sdw_packet rst = base(&w, 1, 1);
    rst.tcp.flags = SDW_TCP_RST;
    rst.tcp.seq = 0x40000000;
    sdw_tcptrack_see(w.track, &rst, SDW_FORWARD, 5200000);
    data(&w, 4 * MSS - 10, MSS, 5201, 5201000);
    ok(counted(&w, 3, 0, 0), "the number of a reset says nothing");
    sdw_tcptrack_free(&pool, w.track);

    w = open_wire();
    struct sdw_packet syn = base(&w, 0, 0);
    syn.tcp.flags = SDW_TCP_SYN;
    syn.tcp.seq = UINT32_MAX;
    sdw_tcptrack_see(w.track, &syn, SDW_FORWARD, 1000000);
    ok(counted(&w, 1, 0, 0), "a SYN that comes twice was sent again");
    sdw_tcptrack_free(&pool, w.track);

    w = (struct wire){.track = sdw_tcptrack_new(&pool), .ip_id = 1};
    data(&w, 50 * MSS, MSS, 100, 0);
    data(&w, 49 * MSS, MSS, 99, 100);
    data(&w, 48 * MSS, MSS, 120, 20000);
    ok(counted(&w, 1, 1, 0), "what lies in front of the first packet is told by its timestamp");
    data(&w, 52 * MSS, MSS, 130, 30000);
    ack(&w, 53 * MSS, 130, 40000);
    ok(counted(&w, 1, 1, 1), "a gap that was acknowledged passed unseen, which is doubtful");
    sdw_tcptrack_free(&pool, w.track);
}

static void check_wrap(void)
{
    struct wire w = {.track = sdw_tcptrack_new(&pool), .ip_id = 1};
    uint32_t seq = UINT32_MAX - 2 * MSS, ts = UINT32_MAX - 2;
    for (uint32_t i = 0; i < 5; i++)
        data(&w, seq + i * MSS, MSS, ts + i, i * 1000);
    data(&w, seq + 6 * MSS, MSS, ts + 6, 6000);
    data(&w, seq + 5 * MSS, MSS, ts + 5, 6100);
    data(&w, seq + MSS, MSS, ts + 30, 30000);
    ok(counted(&w, 1, 1, 0), "numbers and timestamps may wrap");
    sdw_tcptrack_free(&pool, w.track);
}

static void check_rtt(void)
{
    struct wire w = open_wire();
    const struct sdw_tcp_rtt *there = &w.track->half[SDW_FORWARD].rtt;
    const struct sdw_tcp_rtt *back = &w.track->half[SDW_REVERSE].rtt;
    ok(there->min_us == 20000 && back->min_us == 5000, "the handshake gives both halves");
    data(&w, 0, MSS, 100, 100000);
    data(&w, MSS, MSS, 100, 103000);
    ack(&w, 2 * MSS, 100, 118000);
    ok(there->min_us == 15000, "an acknowledgement answers the last that it covers");
    w.no_ts = true;
    data(&w, 2 * MSS, MSS, 0, 200000);
    data(&w, 3 * MSS, MSS, 0, 201000);
    data(&w, 2 * MSS, MSS, 0, 210000);
    ack(&w, 4 * MSS, 0, 211000);
    ok(there->min_us == 15000, "nothing is timed by what was sent twice");
    data(&w, 4 * MSS, MSS, 0, 300000);
    ack(&w, 5 * MSS, 0, 314000);
    ok(there->min_us == 14000, "what follows is");
    w.no_ts = false;
    data(&w, 5 * MSS, MSS, 400, 400000);
    data(&w, 5 * MSS, MSS, 405, 405000);
    ack(&w, 6 * MSS, 405, 418000);
    ok(there->min_us == 13000, "the echo of a timestamp tells which copy was answered");
    struct sdw_tcp_rtt told = *there;
    ok(sdw_tcp_rtt_mean(&told) > 13000, "there is a mean");
    sdw_tcp_rtt_told(&told);
    ok(isnan(sdw_tcp_rtt_mean(&told)) && told.min_us == 13000,
       "which begins anew once told; the minimum stays");
    sdw_tcptrack_free(&pool, w.track);
}

static void window_of(struct wire *w, uint16_t window)
{
    struct sdw_packet p = base(w, 1, 1);
    p.tcp.seq = 1;
    p.tcp.window = window;
    sdw_tcptrack_see(w->track, &p, SDW_REVERSE, 50000);
}

static void check_window(void)
{
    uint32_t bytes;
    struct wire w = open_wire();
    window_of(&w, 300);
    ok(sdw_tcptrack_window(w.track, SDW_FORWARD, &bytes) && bytes == 300 << 4,
       "a window is scaled by its sender's SYN");
    window_of(&w, 0);
    window_of(&w, 0);
    window_of(&w, 10);
    window_of(&w, 0);
    ok(w.track->half[SDW_REVERSE].count.zero_windows == 2, "it was closed twice");
    sdw_tcptrack_free(&pool, w.track);
    w = (struct wire){.track = sdw_tcptrack_new(&pool), .ip_id = 1};
    window_of(&w, 300);
    ok(!sdw_tcptrack_window(w.track, SDW_FORWARD, &bytes),
       "without the SYNs nobody knows how large it is");
    sdw_tcptrack_free(&pool, w.track);
}

static void check_many_gaps(void)
{
    struct wire w = open_wire();
    for (uint32_t i = 0; i < 200; i++)
        data(&w, i * 2 * MSS, MSS, 100 + i, 100000 + i * 100);
    ok(w.track->half[SDW_FORWARD].n_gaps == SDW_TCP_GAPS && forward(&w)->doubtful > 0,
       "gaps are bounded, and the loss of one is told");
    for (uint32_t i = 150; i < 199; i++)
        data(&w, (i * 2 + 1) * MSS, MSS, 5000, 300000);
    ok(forward(&w)->retransmitted == 49, "those that are remembered are told apart");
    sdw_tcptrack_free(&pool, w.track);
}

int main(void)
{
    check_order();
    check_ties();
    check_equal_stamps();
    check_special();
    check_wrap();
    check_rtt();
    check_window();
    check_many_gaps();
    return tap_done();
}
