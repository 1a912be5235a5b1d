#include "net/carrier.h"
#include "core/clock.h"
#include "core/mem.h"
#include "core/rng.h"
#include "net/craft.h"
#include "net/egress.h"
#include "net/label.h"
#include "net/mark.h"
#include "net/mirrored.h"
#include "net/quote.h"
#include "net/sniff.h"
#include "net/wire.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    COOKIE = 8, /* octets of the payload: ours, and the id */
    REMEMBERED = 1 << 16,
    TTLS = 256,
    CAPTURE_OCTETS = 160,
    LABEL_WAIT_NS = 250000000, /* a flow of four packets a second is seen at once */
};

#define FRESH_NS INT64_C(5000000000) /* a router that answered within this is on the path */

/* Packets with the 5-tuple of a live flow (or, syn, of a connection that is never made). All but a
 * SYN that is meant to be answered have a wrong checksum: should one reach the destination, its
 * application gets nothing. */
struct raw {
    struct sdw_carrier carrier;
    struct sdw_craft *craft;
    struct sdw_sniff *sniff;
    struct sdw_label *label; /* of the live flow; NULL: it has none */
    int fd;                  /* sends */
    int reserved;            /* syn: holds our port */
    int protocol;
    bool syn;
    uint32_t cookie, last_id;
    uint8_t ttl_of[REMEMBERED]; /* by id: TTL it was sent with */
    int64_t answered_ns[TTLS];  /* by TTL: when a router at it answered last */
};

/* The last router of the path, as far as it is known: what a marker to the far end is sent to. */
static uint8_t last_router(const struct raw *raw)
{
    uint8_t ever = 0;
    int64_t now = sdw_mono_ns();
    for (int ttl = TTLS - 1; ttl > 0; ttl--) {
        if (raw->answered_ns[ttl] && now - raw->answered_ns[ttl] < FRESH_NS)
            return (uint8_t)ttl;
        if (raw->answered_ns[ttl] && !ever)
            ever = (uint8_t)ttl;
    }
    return ever;
}

static int transmit(struct raw *raw, const uint8_t *packet, size_t n, struct sdw_err *err)
{
    struct sdw_address to = raw->carrier.dst;
    char text[SDW_ADDRESS_TEXT];
    sdw_address_set_port(&to, 0);
    while (sendto(raw->fd, packet, n, 0, &to.any, sdw_address_len(&to)) < 0) {
        if (errno == EINTR)
            continue;
        if (errno == EAGAIN || errno == ENOBUFS)
            return sdw_err_set(err, SDW_EAGAIN, "the send buffer is full");
        return sdw_err_sys(err, "send to %s", sdw_address_text(&to, text));
    }
    return (int)n;
}

static int raw_send(struct sdw_carrier *carrier, const struct sdw_probe_packet *packet,
                    int64_t *sent_ns, struct sdw_err *err)
{
    struct raw *raw = (struct raw *)carrier;
    uint8_t payload[COOKIE];
    const uint8_t *bytes;
    size_t n;
    bool far = packet->ttl == 255, real = raw->syn && !packet->short_reply;
    sdw_put32(payload, raw->cookie);
    sdw_put32(payload + 4, packet->id);
    if (raw->label)
        carrier->flow_label = sdw_label_now(raw->label);
    struct sdw_crafted what = {.ttl = packet->ttl,
                               .tos = (uint8_t)(packet->dscp << 2),
                               .flow_label =
                                   carrier->flow_label > 0 ? (uint32_t)carrier->flow_label : 0,
                               .ip_id = sdw_mark(packet->id),
                               .ip_bytes = real ? 0 : packet->ip_bytes,
                               .seq = raw->cookie + packet->id,
                               .tcp_flags = raw->syn ? SDW_QUOTE_TCP_SYN : SDW_QUOTE_TCP_ACK,
                               .checksum = sdw_mark(packet->id),
                               .poisoned = !real,
                               .payload = payload,
                               .payload_n = sizeof payload};
    if (far && !real && !packet->short_reply && last_router(raw))
        what.ttl = last_router(raw);
    int code = sdw_craft(raw->craft, &what, &bytes, &n, err);
    if (code < 0)
        return code;
    *sent_ns = sdw_wall_ns();
    code = transmit(raw, bytes, n, err);
    if (code < 0)
        return code;
    raw->last_id = packet->id;
    raw->ttl_of[packet->id % REMEMBERED] = what.ttl;
    return code;
}

/* Whether the quoted packet is one of ours, and which. */
static bool identify(const struct raw *raw, const struct sdw_header *quoted, uint32_t *id)
{
    if (quoted->protocol != raw->protocol ||
        !sdw_address_same_host(&quoted->src, &raw->carrier.src) ||
        !sdw_address_same_host(&quoted->dst, &raw->carrier.dst) ||
        sdw_address_port(&quoted->src) != sdw_address_port(&raw->carrier.src) ||
        sdw_address_port(&quoted->dst) != sdw_address_port(&raw->carrier.dst))
        return false;
    if (raw->protocol == IPPROTO_TCP)
        *id = quoted->seq - raw->cookie;
    else if (quoted->payload_n >= COOKIE)
        *id = sdw_get32(quoted->payload) == raw->cookie ? sdw_get32(quoted->payload + 4) : 0;
    else
        *id = sdw_mark_id(quoted->ip_id ? quoted->ip_id : quoted->checksum, raw->last_id);
    return *id > 0 && *id <= raw->last_id && raw->last_id - *id < REMEMBERED;
}

static bool read_icmp(struct raw *raw, struct sdw_str packet, struct sdw_answer *answer)
{
    struct sdw_icmp_error error;
    if (!sdw_icmp_error_read((const uint8_t *)packet.p, packet.n, &error) ||
        !identify(raw, &error.quoted, &answer->id))
        return false;
    int family = sdw_address_family(&error.from);
    answer->from = error.from;
    answer->icmp_type = error.type;
    answer->icmp_code = error.code;
    answer->mtu = error.mtu;
    answer->kind = SDW_ANSWER_UNREACHABLE;
    if (sdw_icmp_expired(family, error.type)) {
        answer->kind = SDW_ANSWER_EXPIRED;
        raw->answered_ns[raw->ttl_of[answer->id % REMEMBERED]] = sdw_mono_ns();
    }
    return true;
}

/* A SYN-ACK or RST that answers a SYN of ours. */
static bool read_segment(struct raw *raw, struct sdw_str packet, struct sdw_answer *answer)
{
    struct sdw_header h;
    if (!raw->syn || !sdw_header_read((const uint8_t *)packet.p, packet.n, &h) ||
        h.protocol != IPPROTO_TCP || !(h.tcp_flags & SDW_QUOTE_TCP_ACK) ||
        !sdw_address_same_host(&h.src, &raw->carrier.dst) ||
        sdw_address_port(&h.src) != sdw_address_port(&raw->carrier.dst) ||
        sdw_address_port(&h.dst) != sdw_address_port(&raw->carrier.src))
        return false;
    answer->id = h.ack - 1 - raw->cookie;
    answer->kind = SDW_ANSWER_FAR_END;
    answer->from = h.src;
    sdw_address_set_port(&answer->from, 0);
    raw->carrier.far_end = SDW_FAR_ECHO;
    return answer->id > 0 && answer->id <= raw->last_id;
}

static int raw_receive(struct sdw_carrier *carrier, struct sdw_answer *answers, size_t max,
                       struct sdw_err *err)
{
    struct raw *raw = (struct raw *)carrier;
    struct sdw_str packet;
    int64_t received_ns;
    size_t n = 0;
    int more = 0;
    while (n < max && (more = sdw_sniff_next(raw->sniff, &packet, &received_ns, err)) == 1) {
        answers[n] = (struct sdw_answer){.received_ns = received_ns};
        if (read_icmp(raw, packet, &answers[n]) || read_segment(raw, packet, &answers[n]))
            n++;
        else
            carrier->foreign++;
    }
    if (n)
        carrier->drops = sdw_sniff_drops(raw->sniff);
    return more < 0 ? more : (int)n;
}

static void raw_close(struct sdw_carrier *carrier)
{
    struct raw *raw = (struct raw *)carrier;
    sdw_craft_free(raw->craft);
    sdw_sniff_free(raw->sniff);
    sdw_label_free(raw->label);
    if (raw->fd >= 0)
        close(raw->fd);
    if (raw->reserved >= 0)
        close(raw->reserved);
    free(raw);
}

static const struct sdw_carrier_ops raw_ops = {raw_send, raw_receive, raw_close};

/* Errors that quote a packet from src to dst, and segments that answer one. */
static void write_filter(const struct raw *raw, char *out, size_t size)
{
    size_t n;
    const uint8_t *src = sdw_address_bytes(&raw->carrier.src, &n);
    const uint8_t *dst = sdw_address_bytes(&raw->carrier.dst, &n);
    char text[SDW_ADDRESS_TEXT];
    int used =
        n == 4 ? snprintf(out, size,
                          "(icmp and (icmp[0]=3 or icmp[0]=11 or icmp[0]=12) and "
                          "icmp[20:4]=%u and icmp[24:4]=%u)",
                          sdw_get32(src), sdw_get32(dst))
               : snprintf(out, size,
                          "(icmp6 and ip6[40]>=1 and ip6[40]<=4 and ip6[56:4]=%u and "
                          "ip6[68:4]=%u and ip6[72:4]=%u and ip6[84:4]=%u)",
                          sdw_get32(src), sdw_get32(src + 12), sdw_get32(dst), sdw_get32(dst + 12));
    if (raw->syn)
        (void)snprintf(out + used, size - (size_t)used,
                       " or (tcp and src host %s and src port %u and dst port %u)",
                       sdw_address_text(&raw->carrier.dst, text),
                       sdw_address_port(&raw->carrier.dst), sdw_address_port(&raw->carrier.src));
}

/* Hold a free port, so that no connection of this host gets our answers. */
static int reserve_port(struct raw *raw, struct sdw_err *err)
{
    socklen_t len = sizeof raw->carrier.src;
    struct sdw_address *src = &raw->carrier.src;
    raw->reserved = socket(sdw_address_family(src), SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (raw->reserved < 0 || bind(raw->reserved, &src->any, sdw_address_len(src)) < 0 ||
        getsockname(raw->reserved, &src->any, &len) < 0)
        return sdw_err_sys(err, "cannot have TCP port %u", sdw_address_port(src));
    return 0;
}

static int open_socket(struct raw *raw, const struct sdw_carrier_config *config,
                       struct sdw_err *err)
{
    char name[IF_NAMESIZE];
    const char *interface = config->interface;
    unsigned index;
    raw->fd = socket(sdw_address_family(&config->dst), SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
                     IPPROTO_RAW);
    if (raw->fd < 0 && (errno == EPERM || errno == EACCES))
        return sdw_err_set(err, SDW_EPERM, "a raw socket needs CAP_NET_RAW: run as root");
    if (raw->fd < 0)
        return sdw_err_sys(err, "raw socket");
    if (!interface) {
        int code = sdw_egress_find(&raw->carrier.src, &raw->carrier.dst, (uint8_t)raw->protocol,
                                   config->mark, &index, err);
        if (code < 0)
            return code;
        interface = if_indextoname(index, name);
    }
    if (interface && setsockopt(raw->fd, SOL_SOCKET, SO_BINDTODEVICE, interface,
                                (socklen_t)strlen(interface) + 1) < 0)
        return sdw_err_sys(err, "interface %s", interface);
    if (config->mark &&
        setsockopt(raw->fd, SOL_SOCKET, SO_MARK, &config->mark, sizeof config->mark) < 0)
        return sdw_err_sys(err, "routing mark %u", config->mark);
    return 0;
}

/* Look for the live flow's label, and go on looking while packets are sent. */
static int learn_label(struct raw *raw, struct sdw_err *err)
{
    raw->label =
        sdw_label_new(&raw->carrier.src, &raw->carrier.dst, raw->protocol, raw->cookie, err);
    if (!raw->label)
        return SDW_ESYS;
    sdw_label_wait(raw->label, LABEL_WAIT_NS);
    return 0;
}

static int open_raw(struct raw *raw, const struct sdw_carrier_config *config, struct sdw_err *err)
{
    char filter[512];
    struct sdw_address *src = &raw->carrier.src;
    int code = 0;
    struct sdw_address any = sdw_address_any(sdw_address_family(&config->dst), 0);
    uint16_t port = sdw_address_port(src);
    bool chosen = sdw_address_family(src) != AF_UNSPEC && !sdw_address_same_host(src, &any);
    if (!chosen)
        code = sdw_address_source(&config->dst, config->interface, config->mark, src, err);
    if (!chosen)
        sdw_address_set_port(src, port);
    if (code == 0 && sdw_address_family(src) != sdw_address_family(&config->dst))
        code = sdw_err_set(err, SDW_EUSAGE, "the ends of a flow are of one family");
    if (code == 0 && raw->syn)
        code = reserve_port(raw, err);
    if (code == 0)
        code = open_socket(raw, config, err);
    if (code < 0)
        return code;
    raw->cookie = sdw_mirrored_cookie(sdw_rng_secret());
    raw->craft = sdw_craft_new(src, &raw->carrier.dst, raw->protocol, err);
    if (!raw->craft)
        return SDW_ESYS;
    raw->carrier.min_ip_bytes = sdw_craft_least(raw->craft);
    write_filter(raw, filter, sizeof filter);
    raw->sniff =
        sdw_sniff_new(&(struct sdw_sniff_options){.filter = filter, .octets = CAPTURE_OCTETS}, err);
    if (!raw->sniff)
        return SDW_ESYS;
    raw->carrier.fds[0] = sdw_sniff_fd(raw->sniff);
    return raw->syn || sdw_address_family(src) != AF_INET6 ? 0 : learn_label(raw, err);
}

static struct sdw_carrier *make(const struct sdw_carrier_config *config, int protocol, bool syn,
                                struct sdw_err *err)
{
    struct raw *raw = sdw_xalloc(sizeof *raw);
    raw->carrier = (struct sdw_carrier){.ops = &raw_ops,
                                        .protocol = protocol == IPPROTO_TCP ? "tcp" : "udp",
                                        .src = config->src,
                                        .dst = config->dst,
                                        .flow_label = SDW_LABEL_UNKNOWN,
                                        .fds = {-1, -1, -1},
                                        .far_end = SDW_FAR_NONE,
                                        .mute_load = true,
                                        .mute_far_end = !syn};
    raw->fd = raw->reserved = -1;
    raw->protocol = protocol;
    raw->syn = syn;
    if (open_raw(raw, config, err) < 0) {
        raw_close(&raw->carrier);
        return NULL;
    }
    return &raw->carrier;
}

struct sdw_carrier *sdw_carrier_raw(const struct sdw_carrier_config *config, bool tcp,
                                    struct sdw_err *err)
{
    return make(config, tcp ? IPPROTO_TCP : IPPROTO_UDP, false, err);
}

struct sdw_carrier *sdw_carrier_tcp(const struct sdw_carrier_config *config, struct sdw_err *err)
{
    return make(config, IPPROTO_TCP, true, err);
}
