#include "net/tcptrack.h"
#include "core/mem.h"

#include <math.h>
#include <stdlib.h>

enum {
    FIRST_GAPS = 4,
    COUNTS_FROM = 3,    /* steps in a row that make the IP identification a counter */
    ID_STEP = 64,       /* a step of one is at most this */
    ID_APART = 4096,    /* further apart than this says nothing */
    TICKS_TELL = 8,     /* of a sender's clock, how long they are */
    DUPLICATE_ACKS = 3, /* that make a sender send again (RFC 5681) */
    BEFORE = 1 << 20,   /* what was under way before the first packet is within this */
    JUMP = 1 << 28,     /* no window is larger: a sequence number out of order of magnitude */
};
static const uint32_t timeout_us = 200000;  /* no sender sends again sooner without being told */
static const uint32_t slow_tick_us = 10000; /* of a clock of timestamps, before it is known */
static const uint32_t some_rtt_us = 3000;   /* half of a round trip, when none was measured */

/* Bytes that were passed over, [start, end), and what was first seen beyond them. */
struct sdw_tcp_gap {
    uint32_t start, end;
    uint32_t ts_value, at_us;
    uint32_t filler_ts; /* of the retransmission, when it is filled and both have timestamps */
    uint16_t ip_id;
    bool has_ts;
    bool before;  /* in front of the first packet that was seen */
    bool filled;  /* by a retransmission: the lost segment may have been late only */
    bool told_of; /* its receiver reported something beyond it (SACK) */
};

/* A segment that occupies sequence space. */
struct segment {
    uint32_t start, end, ts_value, at_us;
    uint16_t ip_id;
    bool has_ts;
};

static int32_t after(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b);
}

struct sdw_tcp_track *sdw_tcptrack_new(struct sdw_pool *pool)
{
    struct sdw_tcp_track *track = sdw_pool_take(pool);
    for (int i = 0; i < 2; i++) {
        track->half[i].marks = &track->marks[i];
        track->half[i].wscale = -1;
        track->half[i].rtt.min_us = UINT32_MAX;
    }
    return track;
}

void sdw_tcptrack_free(struct sdw_pool *pool, struct sdw_tcp_track *track)
{
    if (!track)
        return;
    free(track->half[0].gap);
    free(track->half[1].gap);
    sdw_pool_give(pool, track);
}

/* --- gaps ----------------------------------------------------------------------------------- */

static void remove_gap(struct sdw_tcp_half *half, unsigned i)
{
    half->n_gaps--;
    memmove(half->gap + i, half->gap + i + 1, (half->n_gaps - i) * sizeof *half->gap);
}

/* When there is no room, the oldest is forgotten: one that was filled, if there is one. */
static void add_gap(struct sdw_tcp_half *half, const struct sdw_tcp_gap *gap)
{
    if (half->n_gaps == SDW_TCP_GAPS) {
        unsigned victim = 0;
        for (unsigned i = 0; i < half->n_gaps; i++)
            if (half->gap[i].filled) {
                victim = i;
                break;
            }
        half->count.doubtful += !half->gap[victim].filled;
        remove_gap(half, victim);
    }
    if (half->n_gaps == half->gap_cap) {
        half->gap_cap = (uint8_t)(half->gap_cap ? half->gap_cap * 2 : FIRST_GAPS);
        half->gap = sdw_xrealloc(half->gap, half->gap_cap, sizeof *half->gap);
    }
    half->gap[half->n_gaps++] = *gap;
}

static void open_gap(struct sdw_tcp_half *half, uint32_t start, const struct segment *beyond)
{
    struct sdw_tcp_gap gap = {.start = start,
                              .end = beyond->start,
                              .ts_value = beyond->ts_value,
                              .has_ts = beyond->has_ts,
                              .at_us = beyond->at_us,
                              .ip_id = beyond->ip_id};
    add_gap(half, &gap);
}

/* Take what the segment covers out of a gap; `again`: it stays remembered as filled. */
static void fill_gap(struct sdw_tcp_half *half, unsigned i, const struct segment *segment,
                     bool again)
{
    struct sdw_tcp_gap gap = half->gap[i], part = gap;
    remove_gap(half, i);
    part.end = after(segment->start, gap.end) < 0 ? segment->start : gap.end;
    if (after(part.end, gap.start) > 0)
        add_gap(half, &part);
    part = gap;
    part.start = after(segment->end, gap.start) > 0 ? segment->end : gap.start;
    if (after(gap.end, part.start) > 0)
        add_gap(half, &part);
    if (!again)
        return;
    part = gap;
    part.filled = true;
    part.filler_ts = segment->ts_value;
    part.has_ts = gap.has_ts && segment->has_ts;
    if (after(segment->start, part.start) > 0)
        part.start = segment->start;
    if (after(segment->end, part.end) < 0)
        part.end = segment->end;
    add_gap(half, &part);
}

/* The gap that the segment lies in altogether; n_gaps when there is none. */
static unsigned find_gap(const struct sdw_tcp_half *half, const struct segment *segment)
{
    unsigned i = 0;
    while (i < half->n_gaps && !(after(segment->start, half->gap[i].start) >= 0 &&
                                 after(half->gap[i].end, segment->end) >= 0))
        i++;
    return i;
}

/* --- late or sent again --------------------------------------------------------------------- */

/* Nothing is sent again sooner than a round trip after it was sent: whether the timestamp would be
 * another one then. What is beyond a gap was sent soon after what left it. */
static bool rtt_shows(const struct sdw_tcp_half *half, const struct sdw_tcp_rtt *back,
                      uint32_t at_us)
{
    uint32_t ticks = half->newest_ts - half->first_ts;
    uint32_t tick_us = ticks >= TICKS_TELL ? (at_us - half->first_ts_us) / ticks : slow_tick_us;
    return half->rtt.min_us != UINT32_MAX && back->min_us != UINT32_MAX &&
           (half->rtt.min_us + back->min_us) / 2 >= tick_us;
}

/* Whether the segment was sent later than what is beyond the gap; *doubtful when that is a guess.
 * back: round trips between here and the sender. */
static bool sent_later(const struct sdw_tcp_half *half, const struct sdw_tcp_rtt *back,
                       const struct sdw_tcp_gap *gap, const struct segment *segment, bool *doubtful)
{
    if (segment->has_ts && gap->has_ts && segment->ts_value != gap->ts_value)
        return after(segment->ts_value, gap->ts_value) > 0;
    int16_t apart = (int16_t)(uint16_t)(segment->ip_id - gap->ip_id);
    if (half->id_counts >= COUNTS_FROM && apart != 0 && apart < ID_APART && apart > -ID_APART)
        return apart > 0;
    if (segment->has_ts && gap->has_ts && rtt_shows(half, back, segment->at_us))
        return false;
    uint32_t waited = segment->at_us - gap->at_us;
    *doubtful = true;
    if (!gap->told_of && half->duplicate_acks < DUPLICATE_ACKS && waited < timeout_us)
        return false;
    return waited > (back->min_us == UINT32_MAX ? some_rtt_us : back->min_us / 2);
}

/* Segments that the sender made of what was captured as one: offloads join and cut them. */
static uint32_t segments_in(const struct sdw_tcp_half *half, uint32_t payload)
{
    return half->mss && payload > half->mss ? (payload + half->mss - 1) / half->mss : 1;
}

/* What is timed may be acknowledged late now, or for its other copy. */
static void stop_timing(struct sdw_tcp_half *half)
{
    half->n_timed = 0;
    half->karn = half->next;
    half->in_recovery = true;
}

static void see_below(struct sdw_tcp_half *half, const struct sdw_tcp_rtt *back,
                      const struct segment *segment, uint32_t payload)
{
    unsigned i = find_gap(half, segment);
    bool doubtful = false, again = true;
    if (i < half->n_gaps) {
        const struct sdw_tcp_gap *gap = &half->gap[i];
        bool filled = gap->filled;
        again = sent_later(half, back, gap, segment, &doubtful);
        if (filled && doubtful) { /* seen before: the original only when that is sure to be older */
            doubtful = !segment->has_ts || !gap->has_ts;
            again = doubtful || after(gap->filler_ts, segment->ts_value) <= 0;
        }
        if (!filled || !again)
            fill_gap(half, i, segment, again);
    } else {
        for (unsigned left = half->n_gaps; left-- > 0;)
            if (after(segment->end, half->gap[left].start) > 0 &&
                after(half->gap[left].end, segment->start) > 0)
                fill_gap(half, left, segment, false);
    }
    if (again) {
        half->count.retransmitted += segments_in(half, payload);
        half->count.retransmitted_bytes += payload;
        stop_timing(half);
    } else {
        half->count.reordered += segments_in(half, payload);
    }
    half->count.doubtful += doubtful;
}

/* --- sequence numbers ----------------------------------------------------------------------- */

static void remember(struct sdw_tcp_mark *mark, uint8_t *n, unsigned max, uint32_t value,
                     uint32_t at_us)
{
    if (*n < max)
        mark[(*n)++] = (struct sdw_tcp_mark){value, at_us};
}

static void see_segment(struct sdw_tcp_half *half, const struct sdw_tcp_rtt *back,
                        const struct segment *segment, uint32_t payload, bool syn)
{
    if (!half->seen) {
        half->seen = true;
        half->next = segment->end;
        if (!syn) {
            open_gap(half, segment->start - BEFORE, segment);
            half->gap[0].before = true;
        }
        remember(half->marks->timed, &half->n_timed, SDW_TCP_TIMED, segment->end, segment->at_us);
        return;
    }
    int32_t ahead = after(segment->start, half->next);
    if (ahead > JUMP || ahead < -JUMP) { /* lost track: start again from here */
        half->next = segment->end;
        half->n_gaps = 0;
        half->count.doubtful++;
        stop_timing(half);
        return;
    }
    if (ahead < 0) {
        if (ahead == -1 && payload == 1 && segment->end == half->next && half->has_acked &&
            half->acked == half->next) {
            half->count.keepalives++;
            return;
        }
        see_below(half, back, segment, payload);
        if (after(segment->end, half->next) > 0)
            half->next = segment->end;
        return;
    }
    if (ahead > 0) {
        open_gap(half, half->next, segment);
        stop_timing(half);
    }
    half->next = segment->end;
    if (!half->in_recovery)
        remember(half->marks->timed, &half->n_timed, SDW_TCP_TIMED, segment->end, segment->at_us);
}

/* --- acknowledgements ----------------------------------------------------------------------- */

static void add_rtt(struct sdw_tcp_rtt *rtt, uint32_t us, bool echo)
{
    if ((int32_t)us < 0)
        return;
    if (us < rtt->min_us)
        rtt->min_us = us;
    rtt->n += !echo;
    rtt->n_echo += echo;
    *(echo ? &rtt->sum_echo_us : &rtt->sum_us) += us;
}

/* Forget the marks up to a value. Returns how many there are, *last is the latest of them. */
static unsigned forget(struct sdw_tcp_mark *mark, uint8_t *n, uint32_t value,
                       struct sdw_tcp_mark *last)
{
    unsigned passed = 0;
    while (passed < *n && after(value, mark[passed].value) >= 0)
        *last = mark[passed++];
    *n = (uint8_t)(*n - passed);
    memmove(mark, mark + passed, *n * sizeof *mark);
    return passed;
}

/* Gaps that the receiver has bridged: what was not filled passed unseen. What was filled is
 * remembered for a while. */
static void bridge(struct sdw_tcp_half *half)
{
    for (unsigned i = half->n_gaps; i-- > 0;) {
        const struct sdw_tcp_gap *gap = &half->gap[i];
        bool remembered = gap->filled || gap->before;
        if (after(half->acked, gap->end) < (remembered ? BEFORE : 0))
            continue;
        half->count.doubtful += !remembered;
        remove_gap(half, i);
    }
}

/* The other end acknowledges what this half sent. */
static void see_ack(struct sdw_tcp_half *half, const struct sdw_packet *packet, uint32_t at_us)
{
    const struct sdw_packet_tcp *tcp = &packet->tcp;
    struct sdw_tcp_mark last;
    for (unsigned b = 0; b < tcp->n_sack; b++)
        for (unsigned i = 0; i < half->n_gaps; i++)
            if (after(tcp->sack[b][1], half->gap[i].end) > 0)
                half->gap[i].told_of = true;
    if (half->has_acked && after(tcp->ack, half->acked) <= 0) {
        bool duplicate = tcp->ack == half->acked && packet->payload_bytes == 0 &&
                         !(tcp->flags & (SDW_TCP_SYN | SDW_TCP_FIN));
        if (duplicate && half->duplicate_acks < UINT8_MAX)
            half->duplicate_acks++;
        return;
    }
    half->acked = tcp->ack;
    half->has_acked = true;
    half->duplicate_acks = 0;
    if (forget(half->marks->timed, &half->n_timed, tcp->ack, &last) && !half->in_recovery)
        add_rtt(&half->rtt, at_us - last.at_us, false);
    if (half->in_recovery && after(tcp->ack, half->karn) >= 0)
        half->in_recovery = false;
    if (half->n_gaps)
        bridge(half);
}

/* The other end echoes a timestamp: the first echo of each ends a round trip. */
static void see_echo(struct sdw_tcp_half *half, uint32_t echo, uint32_t at_us)
{
    struct sdw_tcp_mark last;
    if (forget(half->marks->stamped, &half->n_stamped, echo, &last) && last.value == echo)
        add_rtt(&half->rtt, at_us - last.at_us, true);
}

/* --- the whole ------------------------------------------------------------------------------ */

static void see_window(struct sdw_tcp_track *track, enum sdw_direction direction,
                       const struct sdw_packet_tcp *tcp)
{
    struct sdw_tcp_half *half = &track->half[direction];
    const struct sdw_tcp_half *other = &track->half[!direction];
    bool scaled = half->wscale >= 0 && other->wscale >= 0 && !(tcp->flags & SDW_TCP_SYN);
    half->window = scaled ? (uint32_t)tcp->window << half->wscale : tcp->window;
    half->has_window = true;
    bool zero = tcp->window == 0 && !(tcp->flags & SDW_TCP_SYN);
    half->count.zero_windows += zero && !half->zero;
    half->zero = zero;
}

static void see_options(struct sdw_tcp_half *half, const struct sdw_packet *packet)
{
    const struct sdw_packet_tcp *tcp = &packet->tcp;
    half->syn = true;
    half->wscale = tcp->wscale;
    half->mss = tcp->mss;
}

/* Whether the IP identification counts this sender's packets (RFC 6864 lets it). One that comes
 * late does not speak against it. */
static void see_ip_id(struct sdw_tcp_half *half, uint16_t ip_id)
{
    int16_t step = (int16_t)(uint16_t)(ip_id - half->last_ip_id);
    if (step < 0 && step >= -ID_STEP && half->id_counts)
        return;
    bool counts = step > 0 && step <= ID_STEP;
    half->id_counts = counts ? (uint8_t)(half->id_counts + (half->id_counts < UINT8_MAX)) : 0;
    half->last_ip_id = ip_id;
}

void sdw_tcptrack_see(struct sdw_tcp_track *track, const struct sdw_packet *packet,
                      enum sdw_direction direction, uint32_t since_us)
{
    const struct sdw_packet_tcp *tcp = &packet->tcp;
    struct sdw_tcp_half *half = &track->half[direction], *other = &track->half[!direction];
    uint16_t ip_id = packet->version == 4 ? (uint16_t)packet->ip_id : 0;
    bool syn = tcp->flags & SDW_TCP_SYN;
    uint32_t length = packet->payload_bytes + (syn ? 1 : 0) + (tcp->flags & SDW_TCP_FIN ? 1 : 0);
    struct segment segment = {.start = tcp->seq,
                              .end = tcp->seq + length,
                              .ts_value = tcp->ts_value,
                              .has_ts = tcp->has_ts,
                              .at_us = since_us,
                              .ip_id = ip_id};
    if (tcp->flags & SDW_TCP_RST)
        return;
    /* The same packet twice in the capture, as from a mirror port of both directions. */
    if (half->seen && length && ip_id && ip_id == half->last_seq_id && tcp->seq == half->last_seq)
        return;
    if (syn)
        see_options(half, packet);
    if (length) {
        see_segment(half, &other->rtt, &segment, packet->payload_bytes, syn);
        half->last_seq = tcp->seq;
        half->last_seq_id = ip_id;
    }
    if (ip_id)
        see_ip_id(half, ip_id);
    if (tcp->has_ts && (!half->has_ts || after(tcp->ts_value, half->newest_ts) > 0)) {
        if (!half->has_ts) {
            half->first_ts = tcp->ts_value;
            half->first_ts_us = since_us;
        }
        half->has_ts = true;
        half->newest_ts = tcp->ts_value;
        remember(half->marks->stamped, &half->n_stamped, SDW_TCP_STAMPED, tcp->ts_value, since_us);
    }
    if (tcp->flags & SDW_TCP_ACK) {
        see_ack(other, packet, since_us);
        if (tcp->has_ts)
            see_echo(other, tcp->ts_echo, since_us);
        see_window(track, direction, tcp);
    }
}

double sdw_tcp_rtt_mean(const struct sdw_tcp_rtt *rtt)
{
    if (rtt->n)
        return (double)rtt->sum_us / rtt->n;
    return rtt->n_echo ? (double)rtt->sum_echo_us / rtt->n_echo : NAN;
}

void sdw_tcp_rtt_told(struct sdw_tcp_rtt *rtt)
{
    rtt->n = rtt->n_echo = 0;
    rtt->sum_us = rtt->sum_echo_us = 0;
}

bool sdw_tcptrack_window(const struct sdw_tcp_track *track, enum sdw_direction direction,
                         uint32_t *bytes)
{
    const struct sdw_tcp_half *sender = &track->half[direction];
    const struct sdw_tcp_half *receiver = &track->half[!direction];
    bool scale_known = (receiver->syn && receiver->wscale < 0) || (receiver->syn && sender->syn) ||
                       (sender->syn && sender->wscale < 0);
    *bytes = receiver->window;
    return receiver->has_window && scale_known;
}
