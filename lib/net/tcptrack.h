/*
 * What goes on in a TCP connection, told from its packets as they pass one point: retransmission
 * and reordering, round-trip times to either side, windows.
 *
 * Below the highest sequence number seen, a segment whose bytes were seen before is a
 * retransmission. One that fills a gap left it either lost (then it was sent again) or late: it is
 * a retransmission when its timestamp (RFC 7323) is later than that of the first segment that was
 * seen beyond the gap, else it is reordered. Where the timestamps are equal or missing, the
 * identification of the IP packet decides if its sender counts packets with it. Equal ones say that
 * it is reordered where the round trip is of two ticks of their clock or more: nothing is sent
 * again sooner. Otherwise the time since the gap opened decides, against half the round trip; such
 * judgements are counted as doubtful. What was filled by a retransmission may still come late: the
 * timestamp of the retransmission tells too.
 *
 * Round trips are those between this point and one end: from a segment to its acknowledgement, and
 * from a timestamp to its echo; never from segments that were sent twice (Karn).
 */
#ifndef SDW_NET_TCPTRACK_H
#define SDW_NET_TCPTRACK_H

#include "core/base.h"
#include "core/pool.h"
#include "net/biflow.h"
#include "net/packet.h"

enum { SDW_TCP_TIMED = 4, SDW_TCP_STAMPED = 8, SDW_TCP_GAPS = 64 };

struct sdw_tcp_gap;

/* Round trips between here and the end that answers. */
struct sdw_tcp_rtt {
    uint32_t min_us; /* of the connection; UINT32_MAX: none yet */
    uint32_t n, n_echo;
    uint64_t sum_us, sum_echo_us; /* since told: by acknowledgement, by timestamp echo */
};

struct sdw_tcp_count {
    uint64_t retransmitted_bytes;
    uint32_t retransmitted, reordered; /* segments, as they left the sender */
    uint32_t keepalives, zero_windows;
    uint32_t doubtful; /* judgements without timestamps, and gaps that were never explained */
};

/* A moment in the life of a connection; times count in us from its first packet and wrap. */
struct sdw_tcp_mark {
    uint32_t value; /* a sequence number or a timestamp */
    uint32_t at_us;
};

/* What waits for an answer of the other end, oldest first: segments for their acknowledgement, and
 * timestamps for their echo. */
struct sdw_tcp_marks {
    struct sdw_tcp_mark timed[SDW_TCP_TIMED], stamped[SDW_TCP_STAMPED];
};

/* One direction: what its sender sends, and what the other end says to that. What a packet without
 * news needs fills one line of the cache, what is counted of it the next. */
struct sdw_tcp_half {
    uint32_t next;   /* the sequence number after the highest seen */
    uint32_t acked;  /* highest acknowledgement of the other end */
    uint32_t karn;   /* nothing is timed until the other end has acknowledged this */
    uint32_t window; /* what this end last advertised, scaled */
    uint32_t last_seq, newest_ts;
    uint16_t last_ip_id, last_seq_id, mss;
    int8_t wscale;     /* of its SYN; -1: not offered */
    uint8_t id_counts; /* how often in a row the IP identification went up a little */
    bool seen, syn, has_acked, has_window, has_ts, zero, in_recovery;
    uint8_t n_timed, n_stamped;
    uint8_t duplicate_acks; /* of the other end, since it last acknowledged more */
    uint8_t n_gaps, gap_cap;
    struct sdw_tcp_gap *gap;
    struct sdw_tcp_marks *marks;
    uint32_t first_ts, first_ts_us; /* of its timestamps, and when it came */
    struct sdw_tcp_count count;
    struct sdw_tcp_rtt rtt; /* from here to the other end and back */
};

struct sdw_tcp_track {
    struct sdw_tcp_half half[2]; /* by enum sdw_direction */
    struct sdw_tcp_marks marks[2];
};

/* The pool is one of things of sizeof(struct sdw_tcp_track); NULL is freed too. */
struct sdw_tcp_track *sdw_tcptrack_new(struct sdw_pool *pool);
void sdw_tcptrack_free(struct sdw_pool *pool, struct sdw_tcp_track *track);

/* A packet with a whole TCP header goes by; since_us: time since the flow's first packet. */
void sdw_tcptrack_see(struct sdw_tcp_track *track, const struct sdw_packet *packet,
                      enum sdw_direction direction, uint32_t since_us);

/* Mean round trip since told, in us; NAN when there was none. By acknowledgement where there are
 * any: an echo may have waited for its end to have something to send. */
double sdw_tcp_rtt_mean(const struct sdw_tcp_rtt *rtt);
/* What follows counts as not told. */
void sdw_tcp_rtt_told(struct sdw_tcp_rtt *rtt);

/* Window that `direction` may fill, as its receiver last advertised it; false when that is not
 * known: no packet of the receiver, or none of the SYNs that agree on the scale, was seen. */
bool sdw_tcptrack_window(const struct sdw_tcp_track *track, enum sdw_direction direction,
                         uint32_t *bytes);

#endif
