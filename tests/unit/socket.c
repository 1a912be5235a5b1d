#include "net/socket.h"
#include "core/clock.h"

#include <poll.h>

#include "unit/tap.h"

static const struct sdw_socket_options plain = {.errors = true};

static bool wait_for(int fd, short events)
{
    struct pollfd p = {.fd = fd, .events = events};
    return poll(&p, 1, 2000) == 1;
}

static struct sdw_address loopback(int family, uint16_t port)
{
    struct sdw_address address;
    sdw_address_parse(family == AF_INET6 ? "::1" : "127.0.0.1", port, &address);
    return address;
}

/* A port of this host that nobody listens on: bound and closed again. */
static struct sdw_address nobody(int family)
{
    struct sdw_socket s;
    struct sdw_address local = loopback(family, 0);
    sdw_socket_open(&s, &local, &plain, NULL);
    sdw_socket_local(&s, &local, NULL);
    sdw_socket_close(&s);
    return local;
}

static void a_datagram_tells_all(int family, const char *name)
{
    struct sdw_socket a, b;
    struct sdw_address local = loopback(family, 0), to;
    struct sdw_inbox *inbox = sdw_inbox_new(4, 64);
    uint32_t id = 99;
    ok(sdw_socket_open(&a, &local, &plain, NULL) == 0 &&
           sdw_socket_open(&b, &local, &plain, NULL) == 0,
       "%s: sockets open without rights", name);
    sdw_socket_local(&b, &to, NULL);
    ok(sdw_socket_receive(&b, inbox, NULL) == 0, "%s: nothing there is no error", name);

    int64_t before = sdw_wall_ns();
    struct sdw_outgoing out = {
        .to = &to, .ttl = 7, .tos = 46 << 2, .stamp = true, .bytes = "hello", .n = 5};
    ok(sdw_socket_send(&a, &out, &id, NULL) == 0 && id == 0, "%s: the first stamp has id 0", name);
    wait_for(b.fd, POLLIN);
    ok(sdw_socket_receive(&b, inbox, NULL) == 1, "%s: it arrives", name);
    const struct sdw_incoming *in = sdw_inbox_at(inbox, 0);
    ok(in->n == 5 && memcmp(in->bytes, "hello", 5) == 0 && !in->truncated, "%s: whole", name);
    ok(in->ttl == 7, "%s: with the TTL it was sent with", name);
    ok(in->tos == 46 << 2, "%s: and its traffic class", name);
    ok(in->received_ns >= before && in->received_ns <= sdw_wall_ns(), "%s: stamped", name);
    ok(sdw_address_same_host(&in->to, &to), "%s: the address it was sent to is known", name);
    struct sdw_address source;
    sdw_socket_local(&a, &source, NULL);
    ok(sdw_address_same_host(&in->from, &source) &&
           sdw_address_port(&in->from) == sdw_address_port(&source),
       "%s: and where it came from", name);

    struct sdw_socket_event event;
    wait_for(a.fd, 0);
    ok(sdw_socket_events(&a, &event, NULL) == 1 && event.kind == SDW_SOCKET_SENT &&
           event.stamp_id == 0 && event.stamp_ns >= before,
       "%s: the transmit stamp comes back under its id", name);
    ok(sdw_socket_events(&a, &event, NULL) == 0, "%s: and nothing else", name);

    for (int i = 0; i < 100 && !in->stamped; i++) {
        sdw_sleep_until(sdw_mono_ns() + 10000000, 0);
        sdw_socket_send(&a, &out, NULL, NULL);
        wait_for(b.fd, POLLIN);
        sdw_socket_receive(&b, inbox, NULL);
    }
    ok(in->stamped, "%s: before long the kernel stamps what arrives", name);

    char longer[100] = "long";
    struct sdw_outgoing big = {.to = &to, .tos = -1, .bytes = longer, .n = sizeof longer};
    sdw_socket_send(&a, &big, NULL, NULL);
    wait_for(b.fd, POLLIN);
    ok(sdw_socket_receive(&b, inbox, NULL) == 1 && sdw_inbox_at(inbox, 0)->truncated,
       "%s: a datagram longer than the room says so", name);
    ok(sdw_inbox_at(inbox, 0)->n == 64, "%s: and fills it", name);
    sdw_inbox_free(inbox);
    sdw_socket_close(&a);
    sdw_socket_close(&b);
}

static void a_refusal_is_an_event(int family, const char *name)
{
    struct sdw_socket s;
    struct sdw_address local = loopback(family, 0), to = nobody(family);
    struct sdw_socket_event event;
    sdw_socket_open(&s, &local, &plain, NULL);
    struct sdw_outgoing out = {.to = &to, .tos = -1, .bytes = "cookie", .n = 6};
    sdw_socket_send(&s, &out, NULL, NULL);
    wait_for(s.fd, 0);
    ok(sdw_socket_events(&s, &event, NULL) == 1 && event.kind == SDW_SOCKET_ICMP,
       "%s: a port that nobody listens on answers by ICMP", name);
    ok(event.icmp_type == (family == AF_INET6 ? 1 : 3) &&
           event.icmp_code == (family == AF_INET6 ? 4 : 3),
       "%s: port unreachable", name);
    ok(sdw_address_same_host(&event.offender, &to), "%s: the offender is the host asked", name);
    ok(sdw_address_port(&event.to) == sdw_address_port(&to), "%s: the port asked is told", name);
    ok(event.quote_n == 6 && memcmp(event.quote, "cookie", 6) == 0, "%s: payload quoted", name);
    ok(event.stamp_ns > 0, "%s: stamped on arrival", name);
    sdw_socket_send(&s, &out, NULL, NULL);
    wait_for(s.fd, 0);
    ok(sdw_socket_send(&s, &out, NULL, NULL) == 0, "%s: a pending error fails no later send", name);
    sdw_socket_close(&s);
}

static void a_source_may_be_chosen(void)
{
    struct sdw_socket a, b;
    struct sdw_address any = sdw_address_any(AF_INET, 0), to, from;
    struct sdw_inbox *inbox = sdw_inbox_new(1, 64);
    sdw_socket_open(&a, &any, &plain, NULL);
    sdw_socket_open(&b, &any, &plain, NULL);
    sdw_socket_local(&b, &to, NULL);
    sdw_address_parse("127.0.0.1", sdw_address_port(&to), &to);
    sdw_address_parse("127.0.0.77", 0, &from);
    struct sdw_outgoing out = {.to = &to, .from = &from, .tos = -1, .bytes = "x", .n = 1};
    sdw_socket_send(&a, &out, NULL, NULL);
    wait_for(b.fd, POLLIN);
    ok(sdw_socket_receive(&b, inbox, NULL) == 1 &&
           sdw_address_same_host(&sdw_inbox_at(inbox, 0)->from, &from),
       "a datagram leaves from the source address that was chosen");
    sdw_inbox_free(inbox);
    sdw_socket_close(&a);
    sdw_socket_close(&b);
}

static void bad_sockets(void)
{
    struct sdw_socket s;
    struct sdw_err err = {0};
    struct sdw_address foreign;
    sdw_address_parse("192.0.2.1", 5000, &foreign);
    ok(sdw_socket_open(&s, &foreign, &plain, &err) == SDW_ESYS &&
           strstr(err.text, "192.0.2.1 port 5000"),
       "an address that is not ours cannot be bound, and is named");
    ok(s.fd == -1, "and no socket stays open");
    struct sdw_address any = sdw_address_any(AF_INET, 0);
    struct sdw_socket_options options = {.interface = "no-such-if"};
    ok(sdw_socket_open(&s, &any, &options, &err) < 0 && strstr(err.text, "no-such-if"),
       "a missing interface is named");
}

static void addresses(void)
{
    struct sdw_address a, b;
    char text[SDW_ADDRESS_TEXT];
    ok(sdw_address_parse("2001:db8::1", 53, &a) && sdw_address_port(&a) == 53, "IPv6 parses");
    is_text(sdw_address_text(&a, text), "2001:db8::1", "and prints");
    ok(sdw_address_parse("192.0.2.9", 0, &b), "IPv4 parses");
    ok(!sdw_address_same_host(&a, &b) && sdw_address_same_host(&b, &b), "hosts are told apart");
    ok(!sdw_address_parse("example.org", 0, &a), "a name is not numeric");
    ok(!sdw_address_parse("", 0, &a) && !sdw_address_parse("1.2.3.4.5", 0, &a), "junk is refused");
    struct sdw_address none = {0};
    is_text(sdw_address_text(&none, text), "", "no address prints as nothing");
    size_t n;
    const uint8_t *bytes = sdw_address_bytes(&b, &n);
    struct sdw_address again = sdw_address_of(bytes, n, 7);
    ok(sdw_address_same_host(&again, &b) && sdw_address_port(&again) == 7, "bytes and back");
    struct sdw_address source, to;
    sdw_address_parse("127.0.0.1", 0, &to);
    ok(sdw_address_source(&to, NULL, 0, &source, NULL) == 0 && sdw_address_same_host(&source, &to),
       "the way to ourselves starts at ourselves");
    struct sdw_err err = {0};
    ok(sdw_address_resolve("name.invalid", 0, AF_UNSPEC, &a, &err) < 0 && strstr(err.text, "name"),
       "an unknown name is named");
}

int main(void)
{
    addresses();
    bad_sockets();
    a_datagram_tells_all(AF_INET, "IPv4");
    a_datagram_tells_all(AF_INET6, "IPv6");
    a_refusal_is_an_event(AF_INET, "IPv4");
    a_refusal_is_an_event(AF_INET6, "IPv6");
    a_source_may_be_chosen();
    return tap_done();
}
