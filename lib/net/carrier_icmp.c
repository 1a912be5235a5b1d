#include "net/carrier.h"
#include "core/clock.h"
#include "core/mem.h"
#include "core/rng.h"
#include "net/quote.h"
#include "net/socket.h"
#include "net/wire.h"

#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <stdlib.h>

enum {
    MESSAGE_MAX = 1480,
    HEADER = 8, /* of an echo message */
    OURS = 10,  /* octets of its payload that we write: cookie, id, compensation */
    INBOX = 64,
    RECEIVE_BUFFER = 1 << 20,
    SEQUENCES = 1 << 16,
};

/* Echo requests. Identifier and checksum stay the same from one to the next, so that routers that
 * take them for a flow send all of them one way. */
struct echo {
    struct sdw_carrier carrier;
    struct sdw_socket socket;
    struct sdw_inbox *inbox;
    bool v6;
    uint16_t identifier;
    uint32_t cookie, last_id;
    size_t taken, held; /* datagrams of the inbox: given out, and in all */
    uint8_t message[MESSAGE_MAX];
};

static size_t ip_header(const struct echo *echo)
{
    return echo->v6 ? 40 : 20;
}

static uint16_t fold(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

static uint16_t checksum(const uint8_t *p, size_t n)
{
    uint32_t sum = 0;
    for (; n >= 2; p += 2, n -= 2)
        sum += sdw_get16(p);
    return (uint16_t)~fold(n ? sum + (uint32_t)(p[0] << 8) : sum);
}

/* The message for one id, n octets long, its checksum the same for every id. */
static void write_message(struct echo *echo, uint32_t id, size_t n)
{
    uint8_t *m = echo->message;
    m[0] = echo->v6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO;
    m[1] = 0;
    sdw_put16(m + 2, 0);
    sdw_put16(m + 4, echo->identifier); /* a ping socket writes its own */
    sdw_put16(m + 6, (uint16_t)id);
    sdw_put32(m + HEADER, echo->cookie);
    sdw_put32(m + HEADER + 4, id);
    sdw_put16(m + HEADER + 8, (uint16_t)~fold((id & 0xffff) * 2 + (id >> 16)));
    if (echo->socket.raw && !echo->v6)
        sdw_put16(m + 2, checksum(m, n));
}

static int icmp_send(struct sdw_carrier *carrier, const struct sdw_probe_packet *packet,
                     int64_t *sent_ns, struct sdw_err *err)
{
    struct echo *echo = (struct echo *)carrier;
    size_t ip = ip_header(echo), n = HEADER + OURS;
    if (packet->ip_bytes > ip + n)
        n = packet->ip_bytes - ip;
    if (n > MESSAGE_MAX)
        n = MESSAGE_MAX;
    write_message(echo, packet->id, n);
    struct sdw_outgoing out = {.to = &carrier->dst,
                               .ttl = packet->ttl,
                               .tos = packet->dscp << 2,
                               .bytes = echo->message,
                               .n = n};
    *sent_ns = sdw_wall_ns();
    int code = sdw_socket_send(&echo->socket, &out, NULL, err);
    if (code < 0)
        return code;
    echo->last_id = packet->id;
    return (int)(ip + n);
}

/* Which of our requests a message (or what is quoted of one) is. */
static bool identify(const struct echo *echo, const uint8_t *m, size_t n, uint8_t type,
                     uint32_t *id)
{
    if (n < HEADER || m[0] != type)
        return false;
    if (echo->socket.raw && sdw_get16(m + 4) != echo->identifier)
        return false;
    if (n >= HEADER + 8) {
        *id = sdw_get32(m + HEADER + 4);
        return sdw_get32(m + HEADER) == echo->cookie;
    }
    *id = echo->last_id - ((echo->last_id - sdw_get16(m + 6)) & (SEQUENCES - 1));
    return true;
}

static bool read_reply(struct echo *echo, const struct sdw_incoming *in, struct sdw_answer *answer)
{
    const uint8_t *m = in->bytes;
    size_t n = in->n;
    if (echo->socket.raw && !echo->v6) {
        size_t header = n ? (size_t)(m[0] & 15) * 4 : 0;
        if (header < 20 || n < header)
            return false;
        m += header;
        n -= header;
    }
    *answer = (struct sdw_answer){
        .kind = SDW_ANSWER_FAR_END, .from = in->from, .received_ns = in->received_ns};
    sdw_address_set_port(&answer->from, 0);
    if (!sdw_address_same_host(&in->from, &echo->carrier.dst) ||
        !identify(echo, m, n, echo->v6 ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY, &answer->id))
        return false;
    echo->carrier.far_end = SDW_FAR_ECHO;
    return true;
}

static bool read_error(struct echo *echo, const struct sdw_socket_event *event,
                       struct sdw_answer *answer)
{
    *answer = (struct sdw_answer){.kind = SDW_ANSWER_UNREACHABLE,
                                  .from = event->offender,
                                  .received_ns = event->stamp_ns,
                                  .icmp_type = event->icmp_type,
                                  .icmp_code = event->icmp_code,
                                  .mtu = event->mtu};
    if (sdw_icmp_expired(echo->socket.family, event->icmp_type))
        answer->kind = SDW_ANSWER_EXPIRED;
    return event->kind == SDW_SOCKET_ICMP &&
           identify(echo, event->quote, event->quote_n, echo->v6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO,
                    &answer->id);
}

/* The next message of the inbox, refilled when it is used up; NULL when there is none. */
static const struct sdw_incoming *next_message(struct echo *echo, int *code, struct sdw_err *err)
{
    if (echo->taken == echo->held) {
        echo->taken = echo->held = 0;
        *code = sdw_socket_receive(&echo->socket, echo->inbox, err);
        if (*code <= 0)
            return NULL;
        echo->held = (size_t)*code;
    }
    return sdw_inbox_at(echo->inbox, echo->taken++);
}

static int icmp_receive(struct sdw_carrier *carrier, struct sdw_answer *answers, size_t max,
                        struct sdw_err *err)
{
    struct echo *echo = (struct echo *)carrier;
    const struct sdw_incoming *in;
    struct sdw_socket_event event;
    size_t n = 0;
    int code = 0;
    while (n < max && (in = next_message(echo, &code, err)))
        if (read_reply(echo, in, &answers[n]))
            n++;
        else
            carrier->foreign++;
    while (code >= 0 && n < max && (code = sdw_socket_events(&echo->socket, &event, err)) > 0)
        if (read_error(echo, &event, &answers[n]))
            n++;
        else
            carrier->foreign++;
    carrier->drops = echo->socket.dropped;
    return code < 0 ? code : (int)n;
}

static void icmp_close(struct sdw_carrier *carrier)
{
    struct echo *echo = (struct echo *)carrier;
    sdw_socket_close(&echo->socket);
    sdw_inbox_free(echo->inbox);
    free(echo);
}

static const struct sdw_carrier_ops icmp_ops = {icmp_send, icmp_receive, icmp_close};

static int open_icmp(struct echo *echo, const struct sdw_carrier_config *config,
                     struct sdw_err *err)
{
    struct sdw_socket_options options = {.interface = config->interface,
                                         .mark = config->mark,
                                         .receive_bytes = RECEIVE_BUFFER,
                                         .errors = true,
                                         .echo = true};
    struct sdw_address local = config->src;
    int code = 0;
    if (sdw_address_family(&local) == AF_UNSPEC)
        code = sdw_address_source(&config->dst, config->interface, config->mark, &local, err);
    sdw_address_set_port(&local, 0);
    if (code == 0)
        code = sdw_socket_open(&echo->socket, &local, &options, err);
    echo->carrier.src = local;
    return code;
}

struct sdw_carrier *sdw_carrier_icmp(const struct sdw_carrier_config *config, struct sdw_err *err)
{
    struct echo *echo = sdw_xalloc(sizeof *echo);
    struct sdw_rng rng;
    echo->carrier = (struct sdw_carrier){.ops = &icmp_ops,
                                         .protocol = "icmp",
                                         .dst = config->dst,
                                         .flow_label = -1,
                                         .fds = {-1, -1, -1},
                                         .far_end = SDW_FAR_NONE};
    echo->socket.fd = -1;
    echo->v6 = sdw_address_family(&config->dst) == AF_INET6;
    sdw_address_set_port(&echo->carrier.dst, 0);
    if (open_icmp(echo, config, err) < 0) {
        icmp_close(&echo->carrier);
        return NULL;
    }
    sdw_rng_seed(&rng, sdw_rng_secret());
    for (size_t i = 0; i < sizeof echo->message; i++)
        echo->message[i] = (uint8_t)sdw_rng_next(&rng);
    echo->cookie = (uint32_t)sdw_rng_next(&rng);
    echo->identifier = (uint16_t)sdw_rng_next(&rng);
    echo->inbox = sdw_inbox_new(INBOX, MESSAGE_MAX + 60);
    echo->carrier.min_ip_bytes = (uint16_t)(ip_header(echo) + HEADER + OURS);
    echo->carrier.fds[0] = echo->socket.fd;
    return &echo->carrier;
}
