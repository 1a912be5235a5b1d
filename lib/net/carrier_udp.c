#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/mem.h"
#include "core/rng.h"
#include "net/carrier.h"
#include "net/socket.h"
#include "net/stamp.h"
#include "net/wire.h"

enum {
    PAYLOAD_MAX = 1500,
    UDP_HEADER = 8,
    TLV_HEADER = 4,
    TLV_UNKNOWN = 0x80, /* the sender sets it; a reflector that knows the TLV clears it */
    TLV_PADDING = 1,
    TLV_REPLY_CONTROL = 12,
    REPLY_CONTROL_BYTES = 8,
    INBOX = 64,
    RECEIVE_BUFFER = 1 << 20,
    STAMP_ERROR_NS = 10000, /* from the stamp to the wire */
};

struct udp {
    struct sdw_carrier carrier;
    struct sdw_socket socket;
    struct sdw_inbox *inbox;
    struct sdw_stamp_key key;
    bool keyed;
    uint16_t ssid, error;
    size_t base, taken, held; /* datagrams of the inbox: given out, and in all */
    uint8_t payload[PAYLOAD_MAX];
};

static size_t header_bytes(const struct sdw_carrier *carrier)
{
    return (sdw_address_family(&carrier->dst) == AF_INET6 ? 40 : 20) + UDP_HEADER;
}

static void put_tlv(uint8_t *at, uint8_t type, size_t bytes)
{
    at[0] = TLV_UNKNOWN;
    at[1] = type;
    sdw_put16(at + 2, (uint16_t)bytes);
}

/* Fill what follows the base packet up to n octets; returns the length it came to. */
static size_t put_tlvs(struct udp *udp, size_t n, bool short_reply)
{
    size_t at = udp->base;
    if (short_reply && at + TLV_HEADER + REPLY_CONTROL_BYTES <= n) {
        put_tlv(udp->payload + at, TLV_REPLY_CONTROL, REPLY_CONTROL_BYTES);
        sdw_put16(udp->payload + at + 4, (uint16_t)udp->base);
        sdw_put16(udp->payload + at + 6, 1);
        sdw_put32(udp->payload + at + 8, 0);
        at += TLV_HEADER + REPLY_CONTROL_BYTES;
    }
    if (at + TLV_HEADER > n)
        return at;
    put_tlv(udp->payload + at, TLV_PADDING, n - at - TLV_HEADER);
    return n;
}

static int udp_send(struct sdw_carrier *carrier, const struct sdw_probe_packet *packet,
                    int64_t *sent_ns, struct sdw_err *err)
{
    struct udp *udp = (struct udp *)carrier;
    size_t headers = header_bytes(carrier), n = udp->base;
    if (packet->ip_bytes > headers + n)
        n = packet->ip_bytes - headers;
    n = put_tlvs(udp, n < PAYLOAD_MAX ? n : PAYLOAD_MAX, packet->short_reply);
    struct sdw_outgoing out = {.to = &carrier->dst,
                               .ttl = packet->ttl,
                               .tos = packet->dscp << 2,
                               .bytes = udp->payload,
                               .n = n};
    struct sdw_stamp_request request = {.seq = packet->id, .error = udp->error, .ssid = udp->ssid};
    *sent_ns = sdw_wall_ns();
    request.sent = sdw_stamp_time(*sent_ns, udp->error);
    (void)sdw_stamp_put_request(&request, udp->keyed ? &udp->key : NULL, udp->payload);
    int code = sdw_socket_send(&udp->socket, &out, NULL, err);
    return code < 0 ? code : (int)(headers + n);
}

static bool read_reply(struct udp *udp, const struct sdw_incoming *in, struct sdw_answer *answer)
{
    struct sdw_stamp_reply reply;
    if (!sdw_address_same_host(&in->from, &udp->carrier.dst) ||
        sdw_stamp_get_reply(in->bytes, in->n, udp->keyed ? &udp->key : NULL, &reply, NULL) < 0)
        return false;
    *answer = (struct sdw_answer){
        .id = reply.request.seq,
        .kind = SDW_ANSWER_FAR_END,
        .from = in->from,
        .received_ns = in->received_ns,
        .far_received_ns = sdw_stamp_time_ns(reply.received, reply.error),
        .far_sent_ns = sdw_stamp_time_ns(reply.sent, reply.error),
        .far_seq = reply.seq,
        .far_ttl = reply.ttl,
    };
    udp->carrier.far_end = in->n < udp->base ? SDW_FAR_TWAMP_LIGHT : SDW_FAR_STAMP;
    return true;
}

static bool is_expiry(const struct sdw_socket_event *event, bool v6)
{
    return v6 ? event->icmp_type == ICMP6_TIME_EXCEEDED : event->icmp_type == ICMP_TIMXCEED;
}

static bool is_port_unreachable(const struct sdw_socket_event *event, bool v6)
{
    return v6 ? event->icmp_type == ICMP6_DST_UNREACH &&
                    event->icmp_code == ICMP6_DST_UNREACH_NOPORT
              : event->icmp_type == ICMP_UNREACH && event->icmp_code == ICMP_UNREACH_PORT;
}

static bool read_error(struct udp *udp, const struct sdw_socket_event *event,
                       struct sdw_answer *answer)
{
    bool v6 = sdw_address_family(&udp->carrier.dst) == AF_INET6;
    if (event->kind != SDW_SOCKET_ICMP || event->quote_n < 4)
        return false;
    *answer = (struct sdw_answer){
        .id = sdw_get32(event->quote),
        .kind = is_expiry(event, v6) ? SDW_ANSWER_EXPIRED : SDW_ANSWER_UNREACHABLE,
        .from = event->offender,
        .received_ns = event->stamp_ns ? event->stamp_ns : sdw_wall_ns(),
        .icmp_type = event->icmp_type,
        .icmp_code = event->icmp_code,
        .mtu = event->mtu,
    };
    if (is_port_unreachable(event, v6) &&
        sdw_address_same_host(&event->offender, &udp->carrier.dst)) {
        answer->kind = SDW_ANSWER_FAR_END;
        if (udp->carrier.far_end == SDW_FAR_NONE)
            udp->carrier.far_end = SDW_FAR_ICMP;
    }
    return true;
}

/* The next datagram of the inbox, refilled when it is used up; NULL when there is none. */
static const struct sdw_incoming *next_datagram(struct udp *udp, int *code, struct sdw_err *err)
{
    *code = 0;
    if (udp->taken == udp->held) {
        udp->taken = udp->held = 0;
        *code = sdw_socket_receive(&udp->socket, udp->inbox, err);
        if (*code <= 0)
            return NULL;
        udp->held = (size_t)*code;
    }
    return sdw_inbox_at(udp->inbox, udp->taken++);
}

static int udp_receive(struct sdw_carrier *carrier, struct sdw_answer *answers, size_t max,
                       struct sdw_err *err)
{
    struct udp *udp = (struct udp *)carrier;
    size_t n = 0;
    int code = 0;
    const struct sdw_incoming *in;
    while (n < max && (in = next_datagram(udp, &code, err)))
        if (read_reply(udp, in, &answers[n]))
            n++;
        else
            carrier->foreign++;
    struct sdw_socket_event event;
    while (code >= 0 && n < max && (code = sdw_socket_events(&udp->socket, &event, err)) > 0)
        if (read_error(udp, &event, &answers[n]))
            n++;
        else
            carrier->foreign++;
    carrier->drops = udp->socket.dropped;
    return code < 0 ? code : (int)n;
}

static void udp_close(struct sdw_carrier *carrier)
{
    struct udp *udp = (struct udp *)carrier;
    sdw_socket_close(&udp->socket);
    sdw_inbox_free(udp->inbox);
    free(udp);
}

static const struct sdw_carrier_ops udp_ops = {udp_send, udp_receive, udp_close};

/* Padding that no link can compress (RFC 8972, section 4.1). */
static void fill(uint8_t *bytes, size_t n)
{
    struct sdw_rng rng;
    sdw_rng_seed(&rng, n);
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)sdw_rng_next(&rng);
}

static int open_socket(struct udp *udp, const struct sdw_carrier_config *config,
                       struct sdw_err *err)
{
    struct sdw_socket_options options = {.interface = config->interface,
                                         .mark = config->mark,
                                         .receive_bytes = RECEIVE_BUFFER,
                                         .errors = true};
    struct sdw_address local = config->src;
    if (sdw_address_family(&local) == AF_UNSPEC) {
        int code = sdw_address_source(&config->dst, config->interface, config->mark, &local, err);
        if (code < 0)
            return code;
        sdw_address_set_port(&local, sdw_address_port(&config->src));
    }
    int code = sdw_socket_open(&udp->socket, &local, &options, err);
    return code < 0 ? code : sdw_socket_local(&udp->socket, &udp->carrier.src, err);
}

struct sdw_carrier *sdw_carrier_udp(const struct sdw_carrier_config *config, struct sdw_err *err)
{
    struct udp *udp = sdw_xalloc(sizeof *udp);
    udp->carrier = (struct sdw_carrier){.ops = &udp_ops,
                                        .protocol = "udp",
                                        .dst = config->dst,
                                        .flow_label = -1,
                                        .fds = {-1, -1, -1},
                                        .far_end = SDW_FAR_NONE};
    udp->socket.fd = -1;
    udp->keyed = config->key != NULL;
    udp->ssid = config->ssid;
    udp->error = sdw_stamp_error_estimate(STAMP_ERROR_NS, false, false);
    if ((udp->keyed && sdw_stamp_key_set(&udp->key, config->key, config->key_bytes, err) < 0) ||
        open_socket(udp, config, err) < 0) {
        udp_close(&udp->carrier);
        return NULL;
    }
    udp->inbox = sdw_inbox_new(INBOX, PAYLOAD_MAX);
    udp->base = sdw_stamp_base(udp->keyed ? &udp->key : NULL);
    udp->carrier.min_ip_bytes = (uint16_t)(header_bytes(&udp->carrier) + udp->base);
    udp->carrier.fds[0] = udp->socket.fd;
    fill(udp->payload, sizeof udp->payload);
    return &udp->carrier;
}
