/* Flows are found again, age by the time of the capture, and never exceed their cap. */
#include "net/flowtable.h"
#include "net/fragments.h"

#include <netinet/in.h>

#include "unit/tap.h"

static const int64_t second = 1000000000, start = INT64_C(1700000000) * 1000000000;

static struct {
    int ended[8], due;
    int64_t ended_ns, due_ns;
    uint64_t last_id;
} seen;

static void on_ended(void *arg, struct sdw_biflow *flow, enum sdw_biflow_reason reason,
                     int64_t now_ns)
{
    (void)arg;
    seen.ended[reason]++;
    seen.ended_ns = now_ns;
    seen.last_id = flow->id;
}

static void on_due(void *arg, struct sdw_biflow *flow, int64_t now_ns)
{
    (void)arg;
    (void)flow;
    seen.due++;
    seen.due_ns = now_ns;
}

/* How many were told of in rounds, and the last of them: its packets, and the time of its round. */
static int touched;
static uint64_t touched_packets;
static int64_t touched_ns;

static void on_touched(void *arg, struct sdw_biflow *flow, int64_t now_ns)
{
    (void)arg;
    touched++;
    touched_packets = flow->count[0].packets + flow->count[1].packets;
    touched_ns = now_ns;
}

static struct sdw_flowtable *make(size_t max_flows, int64_t idle_s, int64_t active_s)
{
    struct sdw_flowtable_config config = {.max_flows = max_flows,
                                          .idle_ns = idle_s * second,
                                          .active_ns = active_s * second,
                                          .hash_key = 1,
                                          .ended = on_ended,
                                          .due = on_due,
                                          .touched = on_touched};
    memset(&seen, 0, sizeof seen);
    return sdw_flowtable_new(&config);
}

/* From one end to another; the number is the address and the port of the source. */
static struct sdw_packet packet(unsigned protocol, uint32_t from, uint32_t to)
{
    struct sdw_packet p = {.version = 4, .protocol = (uint8_t)protocol, .ip_bytes = 100};
    memcpy(p.src, &from, sizeof from);
    memcpy(p.dst, &to, sizeof to);
    p.sport = (uint16_t)(20000 + from);
    p.dport = (uint16_t)(20000 + to);
    return p;
}

static struct sdw_packet segment(uint32_t from, uint32_t to, unsigned flags, uint32_t seq)
{
    struct sdw_packet p = packet(IPPROTO_TCP, from, to);
    p.whole = true;
    p.tcp = (struct sdw_packet_tcp){.flags = (uint8_t)flags, .seq = seq, .wscale = -1};
    return p;
}

static enum sdw_direction direction;
static bool fresh;

static struct sdw_biflow *see(struct sdw_flowtable *table, struct sdw_packet p, int64_t at_ms)
{
    struct sdw_flowtable_place place = sdw_flowtable_find(table, &p);
    sdw_flowtable_fetch(table, &place);
    sdw_flowtable_fetch_tcp(table, &place);
    return sdw_flowtable_see(table, &place, &p, start + at_ms * 1000000, &direction, &fresh);
}

static void check_finding(void)
{
    struct sdw_flowtable *table = make(100, 15, 60);
    const struct sdw_biflow *flow = see(table, packet(IPPROTO_UDP, 2, 1), 0);
    uint64_t id = flow->id;
    ok(fresh && direction == SDW_FORWARD && sdw_biflow_sport(flow) == 20002, "a packet is a flow");
    flow = see(table, packet(IPPROTO_UDP, 1, 2), 1);
    ok(!fresh && direction == SDW_REVERSE && flow->id == id, "its answer is the same flow");
    ok(flow->count[0].packets == 1 && flow->count[1].packets == 1 && flow->count[1].bytes == 100,
       "counted in its direction");
    see(table, packet(IPPROTO_TCP, 1, 2), 2);
    ok(fresh, "another protocol is another flow");
    struct sdw_packet tagged = packet(IPPROTO_UDP, 2, 1);
    tagged.vlan = 7;
    see(table, tagged, 3);
    ok(fresh && sdw_flowtable_count(table) == 3, "so is another VLAN");
    flow = see(table, segment(1, 9, SDW_TCP_SYN | SDW_TCP_ACK, 5), 4);
    ok(direction == SDW_REVERSE && sdw_biflow_sport(flow) == 20009 && !flow->midflow,
       "who gets a SYN-ACK is the source");
    struct sdw_packet served = segment(1, 8, SDW_TCP_ACK, 5);
    served.sport = 443;
    flow = see(table, served, 5);
    ok(direction == SDW_REVERSE && flow->midflow, "of a connection under way it is the client");
    sdw_flowtable_free(table);
}

static void check_ageing(void)
{
    struct sdw_flowtable *table = make(100, 15, 60);
    see(table, packet(IPPROTO_UDP, 1, 2), 0);
    see(table, packet(IPPROTO_UDP, 3, 4), 0);
    for (int64_t at = 1000; at <= 14000; at += 1000)
        see(table, packet(IPPROTO_UDP, 3, 4), at);
    sdw_flowtable_advance(table, start + 14900 * 1000000LL);
    ok(seen.ended[SDW_ENDED_IDLE] == 0, "a flow is kept for the idle time");
    sdw_flowtable_advance(table, start + 16 * second);
    ok(seen.ended[SDW_ENDED_IDLE] == 1 && sdw_flowtable_count(table) == 1,
       "and no longer: the other, which had packets, stays");
    sdw_flowtable_advance(table, start + 1000000 * second);
    ok(seen.ended[SDW_ENDED_IDLE] == 2 && seen.ended_ns < start + 31 * second,
       "after a long gap it ends at the time when it was due");
    see(table, packet(IPPROTO_UDP, 1, 2), 1000000000);
    see(table, packet(IPPROTO_UDP, 1, 2), 0);
    ok(seen.ended[SDW_ENDED_CLOCK] == 1 && fresh && sdw_flowtable_count(table) == 1,
       "a clock that was set back ends what there is and goes on");
    sdw_flowtable_free(table);

    table = make(100, 1000, 10);
    see(table, packet(IPPROTO_UDP, 1, 2), 0);
    sdw_flowtable_advance(table, start + 9 * second);
    ok(seen.due == 0, "a silent flow is not due before the active time");
    sdw_flowtable_advance(table, start + 35 * second);
    ok(seen.due == 2 && seen.due_ns <= start + 35 * second, "then once in each active time");
    sdw_flowtable_free(table);
}

static void check_closing(void)
{
    struct sdw_flowtable *table = make(100, 15, 60);
    see(table, segment(1, 2, SDW_TCP_SYN, 100), 0);
    see(table, segment(1, 2, SDW_TCP_SYN, 100), 1000);
    ok(!fresh, "a SYN sent again is the same connection");
    see(table, segment(2, 1, SDW_TCP_SYN | SDW_TCP_ACK, 900), 1001);
    see(table, segment(1, 2, SDW_TCP_FIN | SDW_TCP_ACK, 101), 1002);
    see(table, segment(2, 1, SDW_TCP_FIN | SDW_TCP_ACK, 901), 1003);
    see(table, segment(1, 2, SDW_TCP_ACK, 102), 1004);
    ok(!fresh && sdw_flowtable_count(table) == 1, "the last acknowledgement still belongs to it");
    sdw_flowtable_advance(table, start + 4 * second);
    ok(seen.ended[SDW_ENDED_CLOSED] == 1, "a closed connection ends soon");
    see(table, segment(1, 2, SDW_TCP_SYN, 100), 5000);
    see(table, segment(2, 1, SDW_TCP_SYN | SDW_TCP_ACK, 7), 5001);
    uint64_t id = see(table, segment(1, 2, SDW_TCP_ACK, 101), 5002)->id;
    see(table, segment(1, 2, SDW_TCP_SYN, 5000), 5003);
    ok(fresh && seen.ended[SDW_ENDED_REUSED] == 1 && seen.last_id == id,
       "a SYN of another number is another connection");
    see(table, segment(2, 1, SDW_TCP_RST, 0), 5004);
    see(table, segment(1, 2, SDW_TCP_SYN, 9000), 5005);
    ok(fresh && seen.ended[SDW_ENDED_RESET] == 1, "so is one after a reset");
    sdw_flowtable_end(table, SDW_ENDED_EOF, start + 6 * second);
    ok(seen.ended[SDW_ENDED_EOF] == 1 && sdw_flowtable_count(table) == 0, "the end ends all");
    sdw_flowtable_free(table);
}

static void tell_all(struct sdw_flowtable *table, int64_t at_s)
{
    sdw_flowtable_round(table, start + at_s * second);
    (void)sdw_flowtable_tell(table, SIZE_MAX);
}

/* A round that is told of bit by bit, while packets come. */
static void check_round(void)
{
    struct sdw_flowtable *table = make(100, 15, 60);
    for (uint32_t i = 0; i < 4; i++)
        see(table, packet(IPPROTO_UDP, i, 1), 0);
    touched = 0;
    sdw_flowtable_round(table, start + second);
    ok(touched == 0 && sdw_flowtable_tell(table, 1) && touched == 1,
       "a round tells of as many flows as it is asked for");
    see(table, packet(IPPROTO_UDP, 2, 1), 2);
    ok(touched == 2 && touched_packets == 1 && touched_ns == start + second,
       "a flow whose next packet comes before its turn is told of first, without it");
    see(table, packet(IPPROTO_UDP, 3, 1), 2);
    ok(touched == 3 && sdw_flowtable_tell(table, 1) && !sdw_flowtable_tell(table, SIZE_MAX) &&
           touched == 4,
       "and each of them once");
    sdw_flowtable_round(table, start + 3 * second);
    sdw_flowtable_round(table, start + 4 * second);
    ok(touched == 6 && touched_packets == 2 && touched_ns == start + 3 * second,
       "a new round tells first of what is left of the last");
    see(table, packet(IPPROTO_UDP, 0, 1), 5);
    sdw_flowtable_round(table, start + 6 * second);
    sdw_flowtable_end(table, SDW_ENDED_EOF, start + 7 * second);
    ok(touched == 7 && touched_ns == start + 6 * second && seen.ended[SDW_ENDED_EOF] == 4,
       "so does the end of a flow");
    sdw_flowtable_free(table);
}

static void check_cap(void)
{
    enum { CAP = 1000, FLOOD = 50000 };
    struct sdw_flowtable *table = make(CAP, 15, 60);
    size_t most = 0;
    for (uint32_t i = 0; i < FLOOD; i++) {
        see(table, packet(IPPROTO_UDP, i, 1), 0);
        if (sdw_flowtable_count(table) > most)
            most = sdw_flowtable_count(table);
    }
    ok(most == CAP && seen.ended[SDW_ENDED_EVICTED] == FLOOD - CAP, "a flood stays below the cap");
    touched = 0;
    tell_all(table, 0);
    ok(touched == CAP, "those that are left were touched");
    tell_all(table, 0);
    ok(touched == CAP, "once");
    see(table, packet(IPPROTO_UDP, FLOOD - 1, 1), 1);
    tell_all(table, 0);
    ok(touched == CAP + 1, "and again after their next packet");
    sdw_flowtable_advance(table, start + 20 * second);
    ok(sdw_flowtable_count(table) == 0 && seen.ended[SDW_ENDED_IDLE] == CAP, "all of them age");
    sdw_flowtable_free(table);
}

/* A full table meets as many new flows: some of the first and some of the last are left. */
static void check_random(void)
{
    enum { CAP = 2000 };
    struct sdw_flowtable *table = make(CAP, 15, 60);
    for (uint32_t i = 0; i < 2 * CAP; i++)
        see(table, packet(IPPROTO_UDP, i, 1), 0);
    unsigned first = 0, last = 0;
    for (uint32_t i = 0; i < CAP; i++) {
        size_t before = (size_t)seen.ended[SDW_ENDED_EVICTED];
        see(table, packet(IPPROTO_UDP, i, 1), 0);
        if ((size_t)seen.ended[SDW_ENDED_EVICTED] == before)
            *(i < CAP / 2 ? &first : &last) += 1;
    }
    ok(first > CAP / 10 && last > CAP / 20, "which flow goes is a matter of chance (%u, %u)", first,
       last);
    sdw_flowtable_free(table);
}

static void check_fragments(void)
{
    struct sdw_fragments *fragments = sdw_fragments_new(1);
    struct sdw_packet first = packet(IPPROTO_UDP, 1, 2), later = first, other;
    first.fragment = SDW_FRAGMENT_FIRST;
    first.ip_id = 9;
    later.fragment = SDW_FRAGMENT_LATER;
    later.ip_id = 9;
    later.sport = later.dport = 0;
    other = later;
    other.ip_id = 10;
    sdw_fragments_join(fragments, &first, start);
    struct sdw_packet stale = later;
    sdw_fragments_join(fragments, &later, start + second);
    ok(later.sport == first.sport && later.dport == first.dport,
       "a later fragment gets the ports of its first");
    sdw_fragments_join(fragments, &other, start + second);
    ok(other.sport == 0, "but not those of another packet");
    sdw_fragments_join(fragments, &stale, start + 31 * second);
    ok(stale.sport == 0, "nor those of long ago");
    sdw_fragments_free(fragments);
}

int main(void)
{
    check_finding();
    check_ageing();
    check_closing();
    check_round();
    check_cap();
    check_random();
    check_fragments();
    return tap_done();
}
