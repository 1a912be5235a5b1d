#include "net/flowsay.h"
#include "net/tcptrack.h"
#include "net/wire.h"

#include <math.h>
#include <netinet/in.h>

/* Writes 16 digits and a NUL. */
static void put_hex(uint64_t value, char out[17])
{
    for (int i = 16; i-- > 0; value >>= 4)
        out[i] = "0123456789abcdef"[value & 15];
    out[16] = '\0';
}

static int64_t port(uint16_t number)
{
    return number ? number : SDW_NO_INT;
}

static void say_outer(struct sdw_flowsay *say, const struct sdw_packet_outer *outer,
                      const struct sdw_addrmask *mask)
{
    struct sdw_flow_rec *rec = &say->rec;
    rec->outer_src =
        sdw_str_of(sdw_addrmask_show(mask, outer->version, outer->src, say->outer_src));
    rec->outer_dst =
        sdw_str_of(sdw_addrmask_show(mask, outer->version, outer->dst, say->outer_dst));
    rec->outer_protocol = sdw_str_of(sdw_biflow_protocol(outer->protocol, say->outer_protocol));
    rec->outer_sport = port(outer->sport);
    rec->outer_dport = port(outer->dport);
}

void sdw_flowsay_who(struct sdw_flowsay *say, const struct sdw_biflow *flow,
                     const struct sdw_addrmask *mask, int64_t ts_ns)
{
    struct sdw_flow_rec *rec = &say->rec;
    *rec = sdw_flow_rec_none;
    put_hex(flow->id, say->id);
    rec->ts = ts_ns / 1000;
    rec->flow_id = (struct sdw_str){say->id, 16};
    rec->src =
        sdw_str_of(sdw_addrmask_show(mask, flow->key.version, sdw_biflow_src(flow), say->src));
    rec->dst =
        sdw_str_of(sdw_addrmask_show(mask, flow->key.version, sdw_biflow_dst(flow), say->dst));
    rec->sport = sdw_biflow_sport(flow);
    rec->dport = sdw_biflow_dport(flow);
    rec->protocol = sdw_str_of(sdw_biflow_protocol(flow->key.protocol, say->protocol));
    rec->midflow = flow->key.protocol == IPPROTO_TCP ? flow->midflow : -1;
    rec->vlan = flow->key.vlan ? flow->key.vlan : SDW_NO_INT;
    rec->vni = flow->key.vni ? flow->key.vni : SDW_NO_INT;
    if (flow->outer)
        say_outer(say, flow->outer, mask);
}

static void say_around(struct sdw_flowsay *say, const struct sdw_packet *packet)
{
    static const char *const names[] = {"vlan", "qinq", "mpls", "gre", "vxlan", "ip"};
    size_t at = 0;
    for (size_t i = 0; packet->around && i < SDW_LEN(names); i++) {
        if (!(packet->around & 1U << i))
            continue;
        size_t n = strlen(names[i]);
        say->around[at] = at ? ',' : '[';
        at++;
        say->around[at++] = '"';
        memcpy(say->around + at, names[i], n);
        at += n;
        say->around[at++] = '"';
    }
    if (at == 0)
        return;
    say->around[at++] = ']';
    say->rec.around = (struct sdw_str){say->around, at};
}

void sdw_flowsay_first(struct sdw_flowsay *say, const struct sdw_biflow *flow,
                       const struct sdw_packet *packet)
{
    bool from_src = memcmp(packet->src, sdw_biflow_src(flow), packet->version == 6 ? 16 : 4) == 0;
    say_around(say, packet);
    if (packet->version == 6 && packet->ip_n >= 4 && from_src)
        say->rec.flow_label = (int64_t)(sdw_get32(packet->ip) & 0xfffff);
}

static int64_t microseconds(uint32_t us)
{
    return us == UINT32_MAX ? SDW_NO_INT : (int64_t)us;
}

static int64_t window(const struct sdw_tcp_track *tcp, enum sdw_direction direction)
{
    uint32_t bytes;
    return sdw_tcptrack_window(tcp, direction, &bytes) ? (int64_t)bytes : SDW_NO_INT;
}

static void say_tcp(struct sdw_flow_rec *rec, const struct sdw_tcp_track *tcp)
{
    const struct sdw_tcp_half *fwd = &tcp->half[SDW_FORWARD], *rev = &tcp->half[SDW_REVERSE];
    rec->rtt_fwd_us = sdw_tcp_rtt_mean(&fwd->rtt);
    rec->rtt_rev_us = sdw_tcp_rtt_mean(&rev->rtt);
    rec->rtt_fwd_min_us = microseconds(fwd->rtt.min_us);
    rec->rtt_rev_min_us = microseconds(rev->rtt.min_us);
    if (fwd->rtt.min_us != UINT32_MAX && rev->rtt.min_us != UINT32_MAX)
        rec->rtt_min_us = rec->rtt_fwd_min_us + rec->rtt_rev_min_us;
    rec->retransmitted_fwd = fwd->count.retransmitted;
    rec->retransmitted_rev = rev->count.retransmitted;
    rec->retransmitted_bytes_fwd = (int64_t)fwd->count.retransmitted_bytes;
    rec->retransmitted_bytes_rev = (int64_t)rev->count.retransmitted_bytes;
    rec->reordered_fwd = fwd->count.reordered;
    rec->reordered_rev = rev->count.reordered;
    rec->window_fwd_bytes = window(tcp, SDW_FORWARD);
    rec->window_rev_bytes = window(tcp, SDW_REVERSE);
    rec->zero_windows_fwd = rev->count.zero_windows;
    rec->zero_windows_rev = fwd->count.zero_windows;
    rec->tcp_confidence = sdw_str_of(fwd->count.doubtful || rev->count.doubtful ? "low" : "high");
}

void sdw_flowsay_counts(struct sdw_flowsay *say, const struct sdw_biflow *flow, int64_t span_ns)
{
    struct sdw_flow_rec *rec = &say->rec;
    const struct sdw_biflow_count *count = flow->count;
    int64_t life_ns = flow->last_ns - flow->first_ns;
    uint64_t all = count[0].bytes + count[1].bytes;
    uint64_t since = all - flow->told[0].bytes - flow->told[1].bytes;
    rec->duration_us = life_ns / 1000;
    if (span_ns > 0)
        rec->current_bps = (double)since * 8e9 / (double)span_ns;
    if (life_ns > 0)
        rec->average_bps = (double)all * 8e9 / (double)life_ns;
    rec->peak_bps = fmax(flow->peak_bps, isnan(rec->current_bps) ? 0 : rec->current_bps);
    if (rec->peak_bps <= 0)
        rec->peak_bps = rec->average_bps;
    rec->packets_fwd = (int64_t)count[SDW_FORWARD].packets;
    rec->packets_rev = (int64_t)count[SDW_REVERSE].packets;
    rec->bytes_fwd = (int64_t)count[SDW_FORWARD].bytes;
    rec->bytes_rev = (int64_t)count[SDW_REVERSE].bytes;
    if (flow->tcp)
        say_tcp(rec, flow->tcp);
}

const char *sdw_flowsay_reason(enum sdw_biflow_reason reason)
{
    static const char *const names[] = {
        [SDW_ENDED_IDLE] = "idle",     [SDW_ENDED_CLOSED] = "closed",   [SDW_ENDED_RESET] = "reset",
        [SDW_ENDED_REUSED] = "reused", [SDW_ENDED_EVICTED] = "evicted", [SDW_ENDED_CLOCK] = "clock",
        [SDW_ENDED_EOF] = "eof",
    };
    return names[reason];
}
