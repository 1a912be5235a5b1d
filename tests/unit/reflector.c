#include "net/reflector.h"
#include "core/clock.h"
#include "core/rng.h"
#include "net/assoc.h"
#include "net/stamp_tlv.h"
#include "net/wire.h"

#include <poll.h>

#include "unit/tap.h"

/* A sender and a reflector on the loopback, both driven from here. */
struct pair {
    struct sdw_reflector *reflector;
    struct sdw_socket sender;
    struct sdw_address to;
    struct sdw_inbox *inbox;
    uint8_t request[16384];
    size_t n;
    uint32_t seq;
};

static const char *loopback(int family)
{
    return family == AF_INET6 ? "::1" : "127.0.0.1";
}

static void start(struct pair *p, int family, struct sdw_reflector_config config)
{
    static const struct sdw_socket_options options = {.errors = true};
    struct sdw_address any = sdw_address_any(family, 0), local;
    *p = (struct pair){.inbox = sdw_inbox_new(4, 16384)};
    config.local[0] = any;
    config.n_local = 1;
    p->reflector = sdw_reflector_new(&config, NULL);
    local = sdw_reflector_local(p->reflector, 0);
    sdw_address_parse(loopback(family), sdw_address_port(&local), &p->to);
    sdw_socket_open(&p->sender, &any, &options, NULL);
}

static void stop(struct pair *p)
{
    sdw_reflector_free(p->reflector);
    sdw_socket_close(&p->sender);
    sdw_inbox_free(p->inbox);
}

/* A new base request in p->request. */
static void begin(struct pair *p, const struct sdw_stamp_key *key, uint16_t ssid)
{
    struct sdw_stamp_request request = {
        .seq = 100 + p->seq++, .sent = sdw_stamp_time(sdw_wall_ns(), 0), .error = 1, .ssid = ssid};
    p->n = sdw_stamp_put_request(&request, key, p->request);
}

static void wait_for(int fd)
{
    struct pollfd f = {.fd = fd, .events = POLLIN};
    (void)poll(&f, 1, 2000);
}

/* Send the request; the reply, or NULL when the reflector does not answer. */
static const struct sdw_incoming *ask_as(struct pair *p, int ttl, int tos)
{
    struct sdw_outgoing out = {
        .to = &p->to, .ttl = ttl, .tos = tos, .bytes = p->request, .n = p->n};
    uint64_t before = sdw_reflector_counts(p->reflector).reflected;
    sdw_socket_send(&p->sender, &out, NULL, NULL);
    wait_for(sdw_reflector_fd(p->reflector, 0));
    sdw_reflector_serve(p->reflector, 10, NULL);
    if (sdw_reflector_counts(p->reflector).reflected == before)
        return NULL;
    wait_for(p->sender.fd);
    return sdw_socket_receive(&p->sender, p->inbox, NULL) == 1 ? sdw_inbox_at(p->inbox, 0) : NULL;
}

static const struct sdw_incoming *ask(struct pair *p)
{
    return ask_as(p, 64, 0);
}

static struct sdw_stamp_reply read_reply(const struct sdw_incoming *in,
                                         const struct sdw_stamp_key *key)
{
    struct sdw_stamp_reply reply = {0};
    if (in)
        sdw_stamp_get_reply(in->bytes, in->n, key, &reply, NULL);
    return reply;
}

static void every_field(int family, const struct sdw_stamp_key *key, const char *name)
{
    struct pair p;
    start(&p, family, (struct sdw_reflector_config){.key = key});
    begin(&p, key, 0xabcd);
    int64_t before = sdw_wall_ns();
    const struct sdw_incoming *in = ask_as(&p, 17, 10 << 2);
    int64_t after = sdw_wall_ns();
    struct sdw_stamp_reply r = read_reply(in, key);
    ok(in && in->n == p.n, "%s: a reply comes, as long as the request", name);
    ok(r.seq == 0, "%s: the reflector's own count begins at 0", name);
    ok(r.request.seq == 100 && r.request.sent != 0 && r.request.error == 1,
       "%s: what the sender wrote comes back", name);
    ok(r.ssid == 0xabcd, "%s: with its session identifier", name);
    ok(r.ttl == 17, "%s: and the TTL that its packet had left", name);
    int64_t t2 = sdw_stamp_time_ns(r.received, r.error), t3 = sdw_stamp_time_ns(r.sent, r.error);
    ok(before <= t2 && t2 < t3 && t3 <= after, "%s: T1 <= T2 < T3 <= T4", name);
    ok((r.error & 0xff) != 0 && !(r.error & SDW_STAMP_PTP), "%s: the error is estimated", name);
    ok(in && in->tos >> 2 == 10, "%s: the DSCP is that of the request", name);
    ok(in && sdw_address_same_host(&in->from, &p.to), "%s: from the address that was asked", name);
    begin(&p, key, 0xabcd);
    r = read_reply(ask(&p), key);
    ok(r.seq == 1 && r.request.seq == 101, "%s: the second reply counts on", name);
    begin(&p, key, 0xabce);
    r = read_reply(ask(&p), key);
    ok(r.seq == 0, "%s: another session counts for itself", name);
    struct sdw_reflector_counts c = sdw_reflector_counts(p.reflector);
    ok(c.received == 3 && c.reflected == 3 && c.sessions == 2, "%s: all is counted", name);
    stop(&p);
}

static void stamp_formats(void)
{
    struct pair p;
    struct sdw_stamp_request request = {.seq = 1, .error = SDW_STAMP_PTP | 1};
    start(&p, AF_INET, (struct sdw_reflector_config){.stateless = true});
    request.sent = sdw_stamp_time(sdw_wall_ns(), request.error);
    p.n = sdw_stamp_put_request(&request, NULL, p.request);
    struct sdw_stamp_reply r = read_reply(ask(&p), NULL);
    int64_t t3 = sdw_stamp_time_ns(r.sent, r.error);
    ok(r.error & SDW_STAMP_PTP && t3 <= sdw_wall_ns() && sdw_wall_ns() - t3 < INT64_C(60000000000),
       "a PTPv2 sender is answered in PTPv2");
    ok(r.seq == 1, "a stateless reflector returns the sender's number");
    stop(&p);
}

static void bad_requests(int family, const char *name)
{
    struct sdw_stamp_key key, other;
    struct pair p;
    sdw_stamp_key_set(&key, (const uint8_t *)"0123456789abcdef", 16, NULL);
    sdw_stamp_key_set(&other, (const uint8_t *)"0123456789abcdeF", 16, NULL);
    start(&p, family, (struct sdw_reflector_config){.key = &key});
    begin(&p, &other, 0);
    ok(!ask(&p) && sdw_reflector_counts(p.reflector).unauthenticated == 1,
       "%s: a wrong HMAC gets no answer and is counted", name);
    begin(&p, NULL, 0);
    ok(!ask(&p) && sdw_reflector_counts(p.reflector).too_short == 1,
       "%s: an open request to a reflector with a key gets none", name);
    stop(&p);
    start(&p, family, (struct sdw_reflector_config){0});
    begin(&p, NULL, 0);
    p.n = 40;
    ok(!ask(&p) && sdw_reflector_counts(p.reflector).too_short == 1, "%s: 40 octets get none",
       name);
    p.n = 0;
    ok(!ask(&p) && sdw_reflector_counts(p.reflector).too_short == 2, "%s: an empty one neither",
       name);
    p.n = 10000;
    ok(!ask(&p) && sdw_reflector_counts(p.reflector).oversized == 1,
       "%s: more than a jumbo frame neither", name);
    begin(&p, NULL, 0);
    p.n = SDW_TWAMP_REQUEST;
    const struct sdw_incoming *in = ask(&p);
    struct sdw_stamp_reply r = read_reply(in, NULL);
    ok(in && in->n == SDW_TWAMP_REQUEST && r.ttl == 64, "%s: a TWAMP-Light sender gets its 41",
       name);
    stop(&p);
}

static void servers_are_refused(void)
{
    static const struct sdw_socket_options options = {0};
    struct pair p;
    struct sdw_address same;
    start(&p, AF_INET, (struct sdw_reflector_config){0});
    sdw_socket_close(&p.sender);
    sdw_reflector_free(p.reflector);
    struct sdw_reflector_config config = {.n_local = 1};
    sdw_address_parse("127.0.0.1", 0, &config.local[0]);
    p.reflector = sdw_reflector_new(&config, NULL);
    p.to = sdw_reflector_local(p.reflector, 0);
    sdw_address_parse("127.0.0.2", sdw_address_port(&p.to), &same);
    sdw_socket_open(&p.sender, &same, &options, NULL);
    begin(&p, NULL, 0);
    ok(!ask(&p) && sdw_reflector_counts(p.reflector).refused == 1,
       "a request from a reflector's port is refused: two reflectors never play ball");
    stop(&p);
}

static void addresses_of_the_host(void)
{
    struct pair p;
    start(&p, AF_INET, (struct sdw_reflector_config){0});
    uint16_t port = sdw_address_port(&p.to);
    sdw_address_parse("127.0.0.99", port, &p.to);
    begin(&p, NULL, 0);
    const struct sdw_incoming *in = ask(&p);
    ok(in && sdw_address_same_host(&in->from, &p.to),
       "a host of many addresses answers from the one that was asked");
    stop(&p);
}

static void follow_up(int family, const char *name)
{
    struct pair p;
    int exact = 0;
    bool right = true;
    int64_t last_t3 = 0;
    start(&p, family, (struct sdw_reflector_config){0});
    for (uint32_t i = 0; i < 5; i++) {
        begin(&p, NULL, 3);
        p.n = sdw_stamp_tlv_add(p.request, p.n, 1000, SDW_STAMP_FOLLOW_UP, NULL, 16);
        const struct sdw_incoming *in = ask(&p);
        struct sdw_stamp_reply r = read_reply(in, NULL);
        if (!in || in->n != p.n) {
            right = false;
            break;
        }
        const uint8_t *v = in->bytes + SDW_STAMP_BASE + SDW_STAMP_TLV_HEADER;
        int64_t sent = sdw_stamp_time_ns(sdw_get64(v + 4), r.error);
        if (i == 0)
            right = sdw_get64(v + 4) == 0;
        else
            right = right && sdw_get32(v) == i - 1 && sent >= last_t3 && v[12] == 2;
        exact += i > 0 && sent > last_t3;
        last_t3 = sdw_stamp_time_ns(r.sent, r.error);
    }
    ok(right, "%s: a follow-up tells of the reply before", name);
    ok(exact == 4, "%s: when the kernel sent it, which is after T3", name);
    stop(&p);
}

static void classes(int family, const char *name)
{
    static const uint8_t wanted[4] = {46 << 2};
    for (int keep = 0; keep < 2; keep++) {
        struct pair p;
        start(&p, family, (struct sdw_reflector_config){.keep_dscp = keep});
        begin(&p, NULL, 0);
        p.n = sdw_stamp_tlv_add(p.request, p.n, 1000, SDW_STAMP_CLASS_OF_SERVICE, wanted, 4);
        const struct sdw_incoming *in = ask_as(&p, 64, 8 << 2 | 1);
        ok(in && in->tos == (keep ? 8 << 2 : 46 << 2), "%s: the reply is of the class %s", name,
           keep ? "of the request when policy says so" : "that was asked for");
        stop(&p);
    }
}

static void caps(int family, const char *name)
{
    struct pair p;
    start(&p, family, (struct sdw_reflector_config){.rate_cap_pps = 1});
    for (int i = 0; i < 100; i++) {
        begin(&p, NULL, (uint16_t)i); /* another session, the same source */
        ask(&p);
    }
    struct sdw_reflector_counts c = sdw_reflector_counts(p.reflector);
    ok(c.received == 100 && c.reflected >= 32 && c.reflected < 90 && c.capped == 100 - c.reflected,
       "%s: over the cap a source gets no answers, and they are counted", name);
    stop(&p);
}

static void never_larger(int family, const char *name)
{
    struct pair p;
    struct sdw_rng rng;
    int larger = 0, answered = 0;
    sdw_rng_seed(&rng, 7);
    start(&p, family, (struct sdw_reflector_config){0});
    for (int i = 0; i < 500; i++) {
        begin(&p, NULL, 0);
        size_t n = sdw_rng_below(&rng, 300);
        for (size_t k = SDW_STAMP_BASE; k < n; k++)
            p.request[k] =
                (uint8_t)(sdw_rng_below(&rng, 2) ? sdw_rng_below(&rng, 16) : sdw_rng_next(&rng));
        p.n = n;
        const struct sdw_incoming *in = ask(&p);
        answered += in != NULL;
        larger += in && in->n > n;
    }
    ok(larger == 0 && answered > 300, "%s: no request of 500 has a larger reply", name);
    stop(&p);
}

static void tables(void)
{
    struct sdw_assoc assoc;
    sdw_assoc_init(&assoc, 64, 8, sizeof(uint64_t), 42);
    uint64_t key = 5, *value = sdw_assoc_at(&assoc, &key);
    ok(*value == 0, "a new key's value is zero");
    *value = 9;
    ok(*(uint64_t *)sdw_assoc_at(&assoc, &key) == 9, "and stays");
    for (key = 1000; key < 3000; key++)
        *(uint64_t *)sdw_assoc_at(&assoc, &key) = key;
    ok(assoc.used == 64 && assoc.evicted >= 2000 - 64, "a full table loses one for each new one");
    sdw_assoc_release(&assoc);
}

static void bad_places(void)
{
    struct sdw_reflector_config config = {.n_local = 1};
    struct sdw_err err = {0};
    sdw_address_parse("192.0.2.1", 5000, &config.local[0]);
    ok(!sdw_reflector_new(&config, &err) && strstr(err.text, "192.0.2.1 port 5000"),
       "an address that is not ours is named");
}

int main(void)
{
    struct sdw_stamp_key key;
    sdw_stamp_key_set(&key, (const uint8_t *)"0123456789abcdef", 16, NULL);
    every_field(AF_INET, NULL, "IPv4");
    every_field(AF_INET6, NULL, "IPv6");
    every_field(AF_INET, &key, "IPv4 authenticated");
    every_field(AF_INET6, &key, "IPv6 authenticated");
    stamp_formats();
    bad_requests(AF_INET, "IPv4");
    bad_requests(AF_INET6, "IPv6");
    servers_are_refused();
    addresses_of_the_host();
    follow_up(AF_INET, "IPv4");
    follow_up(AF_INET6, "IPv6");
    classes(AF_INET, "IPv4");
    classes(AF_INET6, "IPv6");
    caps(AF_INET, "IPv4");
    caps(AF_INET6, "IPv6");
    never_larger(AF_INET, "IPv4");
    never_larger(AF_INET6, "IPv6");
    tables();
    bad_places();
    return tap_done();
}
