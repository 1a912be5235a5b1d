#include "net/reflector.h"
#include "core/rng.h"
#include "core/clock.h"
#include "core/mem.h"
#include "io/jsonw.h"
#include "net/assoc.h"
#include "net/stamp_tlv.h"
#include "net/wire.h"

#include <stdlib.h>
#include <sys/timex.h>

enum {
    BATCH = 32,
    ROOM = 9216,       /* a jumbo frame */
    SESSIONS = 16384,  /* remembered at once */
    SOURCES = 16384,   /* the same, of rate caps */
    PENDING = 256,     /* transmit stamps that we wait for */
    SERVER_PORT = 1024 /* ports below belong to servers */
};

#define SECOND         INT64_C(1000000000)
#define SESSION_IDLE   (900 * SECOND) /* a session that pauses this long begins anew (RFC 5357) */
#define CLOCK_INTERVAL SECOND         /* how often the clock's state is asked for */

/* A session: SSID and 4-tuple. Zeroed when new. */
struct session {
    int64_t seen_ns;
    uint64_t serial; /* tells it from an evicted one at the same place */
    uint64_t last_sent;
    uint32_t seq, last_seq, received, sent;
};

struct session_key {
    uint8_t from[16], to[16];
    uint16_t from_port, to_port, ssid, family;
};

/* A source's token bucket. */
struct source {
    double tokens;
    int64_t seen_ns;
};

struct source_key {
    uint8_t address[16];
};

/* A transmit stamp that was asked for. */
struct pending {
    struct session *session;
    uint64_t serial;
    uint32_t seq;
    uint16_t error;
};

struct sdw_reflector {
    struct sdw_reflector_config config;
    struct sdw_socket sockets[2]; /* n of them are open */
    size_t n;
    struct sdw_address local[2];
    struct pending pending[2][PENDING];
    uint32_t stamps_seen[2];
    struct sdw_inbox *inbox;
    struct sdw_assoc sessions, sources;
    uint64_t serial;
    uint16_t error; /* error estimate, format NTP */
    int64_t clock_ns;
    struct sdw_reflector_counts counts;
    uint8_t reply[ROOM];
};

struct sdw_reflector *sdw_reflector_new(const struct sdw_reflector_config *config,
                                        struct sdw_err *err)
{
    static const struct sdw_socket_options options = {.receive_bytes = 1 << 22};
    struct sdw_reflector *r = sdw_xalloc(sizeof *r);
    const uint64_t seed = sdw_rng_secret();
    int code = 0;
    r->config = *config;
    r->sockets[0].fd = r->sockets[1].fd = -1;
    for (size_t i = 0; code == 0 && i < config->n_local; i++) {
        struct sdw_socket *s = &r->sockets[r->n];
        struct sdw_address local = config->local[i];
        if (r->n && sdw_address_port(&local) == 0) /* a free port is the same one for both */
            sdw_address_set_port(&local, sdw_address_port(&r->local[0]));
        code = sdw_socket_open(s, &local, &options, err);
        if (code == 0)
            code = sdw_socket_local(s, &r->local[r->n++], err);
        else if (config->some_suffice && (r->n || i + 1 < config->n_local))
            code = 0;
    }
    if (code < 0) {
        sdw_reflector_free(r);
        return NULL;
    }
    r->inbox = sdw_inbox_new(BATCH, ROOM);
    sdw_assoc_init(&r->sessions, SESSIONS, sizeof(struct session_key), sizeof(struct session),
                   seed);
    sdw_assoc_init(&r->sources, SOURCES, sizeof(struct source_key), sizeof(struct source), ~seed);
    return r;
}

void sdw_reflector_free(struct sdw_reflector *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->n; i++)
        sdw_socket_close(&r->sockets[i]);
    sdw_inbox_free(r->inbox);
    sdw_assoc_release(&r->sessions);
    sdw_assoc_release(&r->sources);
    free(r);
}

size_t sdw_reflector_sockets(const struct sdw_reflector *r)
{
    return r->n;
}

int sdw_reflector_fd(const struct sdw_reflector *r, size_t i)
{
    return r->sockets[i].fd;
}

struct sdw_address sdw_reflector_local(const struct sdw_reflector *r, size_t i)
{
    return r->local[i];
}

struct sdw_reflector_counts sdw_reflector_counts(const struct sdw_reflector *r)
{
    struct sdw_reflector_counts counts = r->counts;
    counts.dropped = r->sockets[0].dropped + r->sockets[1].dropped;
    counts.evicted = r->sessions.evicted;
    return counts;
}

void sdw_reflector_counts_write(const struct sdw_reflector_counts *counts, struct sdw_buf *out)
{
    const struct {
        const char *key;
        uint64_t value;
    } all[] = {
        {"received", counts->received},
        {"reflected", counts->reflected},
        {"reflected_bytes", counts->reflected_bytes},
        {"too_short", counts->too_short},
        {"oversized", counts->oversized},
        {"unauthenticated", counts->unauthenticated},
        {"refused", counts->refused},
        {"capped", counts->capped},
        {"unsent", counts->unsent},
        {"dropped", counts->dropped},
        {"sessions", counts->sessions},
        {"evicted", counts->evicted},
    };
    struct sdw_jsonw w = sdw_jsonw(out);
    sdw_jsonw_object(&w, NULL);
    for (size_t i = 0; i < SDW_LEN(all); i++)
        sdw_jsonw_int(&w, all[i].key, (int64_t)all[i].value);
    sdw_jsonw_end(&w);
}

/* What the kernel knows of the clock: whether it is synchronised and its largest error. */
static void look_at_clock(struct sdw_reflector *r, int64_t now_ns)
{
    struct timex clock = {0};
    if (r->error && now_ns - r->clock_ns < CLOCK_INTERVAL && now_ns >= r->clock_ns)
        return;
    int state = adjtimex(&clock);
    bool synced = state >= 0 && state != TIME_ERROR && !(clock.status & STA_UNSYNC);
    int64_t error_us = state >= 0 ? clock.maxerror : 16000000;
    r->error = sdw_stamp_error_estimate(error_us * 1000, synced, false);
    r->clock_ns = now_ns;
}

/* Take a token of the request's source. */
static bool may_answer(struct sdw_reflector *r, const struct sdw_incoming *in)
{
    struct source_key key = {{0}};
    size_t n;
    double cap = r->config.rate_cap_pps, burst = cap / 10 > 32 ? cap / 10 : 32;
    if (cap <= 0)
        return true;
    const uint8_t *bytes = sdw_address_bytes(&in->from, &n);
    memcpy(key.address, bytes, n == 16 ? 8 : n);
    struct source *source = sdw_assoc_at(&r->sources, &key);
    int64_t past = in->received_ns - source->seen_ns;
    if (source->seen_ns == 0 || past > SECOND)
        source->tokens = burst;
    else if (past > 0)
        source->tokens += (double)past * cap / 1e9;
    if (source->tokens > burst)
        source->tokens = burst;
    source->seen_ns = in->received_ns;
    if (source->tokens < 1)
        return false;
    source->tokens -= 1;
    return true;
}

static struct session *session_of(struct sdw_reflector *r, const struct sdw_incoming *in,
                                  uint16_t port, uint16_t ssid)
{
    struct session_key key = {.from_port = sdw_address_port(&in->from),
                              .to_port = port,
                              .ssid = ssid,
                              .family = (uint16_t)sdw_address_family(&in->from)};
    size_t n;
    const uint8_t *bytes = sdw_address_bytes(&in->from, &n);
    memcpy(key.from, bytes, n);
    bytes = sdw_address_bytes(&in->to, &n);
    if (n)
        memcpy(key.to, bytes, n);
    struct session *session = sdw_assoc_at(&r->sessions, &key);
    if (session->serial == 0 || in->received_ns - session->seen_ns > SESSION_IDLE) {
        *session = (struct session){.serial = ++r->serial};
        r->counts.sessions++;
    }
    session->seen_ns = in->received_ns;
    return session;
}

/* Take the transmit stamps that have come; each makes its session's last reply exact. */
static int take_stamps(struct sdw_reflector *r, size_t i, struct sdw_err *err)
{
    struct sdw_socket_event event;
    int more = 0;
    while (r->stamps_seen[i] != r->sockets[i].next_stamp_id &&
           (more = sdw_socket_events(&r->sockets[i], &event, err)) == 1) {
        if (event.kind != SDW_SOCKET_SENT)
            continue;
        const struct pending *p = &r->pending[i][event.stamp_id % PENDING];
        r->stamps_seen[i] = event.stamp_id + 1;
        if (p->session && p->session->serial == p->serial && p->session->last_seq == p->seq)
            p->session->last_sent = sdw_stamp_time(event.stamp_ns, p->error);
    }
    return more < 0 ? more : 0;
}

/* Whether a request may be answered at all. */
static bool is_acceptable(struct sdw_reflector *r, size_t i, const struct sdw_incoming *in)
{
    uint16_t port = sdw_address_port(&in->from);
    if (in->truncated) {
        r->counts.oversized++;
        return false;
    }
    if (!in->unicast || port < SERVER_PORT || port == sdw_address_port(&r->local[i])) {
        r->counts.refused++;
        return false;
    }
    return true;
}

/* Send the reply that stands in r->reply, its base packet still to be written. */
static void send_reply(struct sdw_reflector *r, size_t i, const struct sdw_incoming *in,
                       struct session *session, struct sdw_stamp_reply *reply, size_t n,
                       const struct sdw_stamp_reflection *asked)
{
    struct sdw_outgoing out = {.to = &in->from,
                               .from = &in->to,
                               .interface = in->from.v6.sin6_scope_id,
                               .tos = asked->reply_dscp << 2,
                               .stamp = asked->follow_up,
                               .bytes = r->reply,
                               .n = n};
    uint32_t id;
    if (sdw_address_family(&in->from) != AF_INET6)
        out.interface = 0;
    reply->sent = sdw_stamp_time(sdw_wall_ns(), reply->error);
    sdw_stamp_put_reply(reply, r->config.key, r->reply);
    if (sdw_socket_send(&r->sockets[i], &out, &id, NULL) < 0) {
        r->counts.unsent++;
        return;
    }
    r->counts.reflected++;
    r->counts.reflected_bytes += n;
    session->sent++;
    session->seq++;
    session->last_seq = reply->seq;
    session->last_sent = reply->sent;
    if (asked->follow_up)
        r->pending[i][id % PENDING] =
            (struct pending){session, session->serial, reply->seq, reply->error};
}

/* What the TLVs of the reply may tell. */
static struct sdw_stamp_reflection tell(const struct sdw_reflector *r,
                                        const struct sdw_incoming *in, const struct sdw_address *to,
                                        const struct session *session, uint16_t error)
{
    return (struct sdw_stamp_reflection){
        .from = &in->from,
        .to = to,
        .error = error,
        .dscp = in->tos < 0 ? 0 : (uint8_t)(in->tos >> 2),
        .ecn = in->tos < 0 ? 0 : in->tos & 3,
        .keep_dscp = r->config.keep_dscp,
        .received = session->received,
        .sent = session->sent + 1,
        .stateful = !r->config.stateless,
        .last_seq = session->last_seq,
        .last_sent = session->last_sent,
    };
}

static void reflect(struct sdw_reflector *r, size_t i, const struct sdw_incoming *in)
{
    struct sdw_stamp_reply reply = {0};
    struct sdw_address to = in->to;
    uint16_t port = sdw_address_port(&r->local[i]);
    r->counts.received++;
    if (!is_acceptable(r, i, in))
        return;
    int base = sdw_stamp_get_request(in->bytes, in->n, r->config.key, &reply.request, NULL);
    if (base < 0) {
        r->counts.too_short += base == SDW_EINPUT;
        r->counts.unauthenticated += base == SDW_EPERM;
        return;
    }
    if (!may_answer(r, in)) {
        r->counts.capped++;
        return;
    }
    sdw_address_set_port(&to, port);
    struct session *session = session_of(r, in, port, reply.request.ssid);
    session->received++;
    reply.seq = r->config.stateless ? reply.request.seq : session->seq;
    reply.error = (uint16_t)(r->error | (reply.request.error & SDW_STAMP_PTP));
    reply.ssid = reply.request.ssid;
    reply.received = sdw_stamp_time(in->received_ns, reply.error);
    reply.ttl = in->ttl > 0 ? (uint8_t)in->ttl : 0;
    struct sdw_stamp_reflection asked = tell(r, in, &to, session, reply.error);
    memcpy(r->reply, in->bytes, in->n);
    sdw_put32(r->reply, reply.seq);
    size_t n = sdw_stamp_tlv_reflect(r->reply, in->n, (size_t)base, reply.request.seq,
                                     r->config.key, &asked);
    send_reply(r, i, in, session, &reply, n, &asked);
}

int sdw_reflector_serve(struct sdw_reflector *r, size_t most, struct sdw_err *err)
{
    int taken = 0;
    look_at_clock(r, sdw_wall_ns());
    for (size_t i = 0; i < r->n && (size_t)taken < most; i++) {
        sdw_inbox_limit(r->inbox, most - (size_t)taken);
        int n = sdw_socket_receive(&r->sockets[i], r->inbox, err);
        int code = take_stamps(r, i, err);
        for (int k = 0; code == 0 && k < n; k++) {
            reflect(r, i, sdw_inbox_at(r->inbox, (size_t)k));
            code = take_stamps(r, i, err);
        }
        if (n < 0 || code < 0)
            return n < 0 ? n : code;
        taken += n;
    }
    return taken;
}
