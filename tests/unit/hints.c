/* The engine that is built without libndpi, in every build. */
#include "../lib/net/dpi_hints.c"
#include "net/wire.h"

#include <stdio.h>

#include "unit/tap.h"

/* Bytes being put together. */
struct bytes {
    uint8_t p[600];
    size_t n;
};

static void put(struct bytes *b, const void *p, size_t n)
{
    memcpy(b->p + b->n, p, n);
    b->n += n;
}

static void put16(struct bytes *b, size_t value)
{
    sdw_put16(b->p + b->n, (uint16_t)value);
    b->n += 2;
}

/* A ClientHello for this server. */
static struct bytes hello(const char *name)
{
    struct bytes b = {{22, 3, 1, 0, 0, 1, 0, 0, 0, 3, 3}, 11};
    size_t n = strlen(name);
    b.n += 32;
    put(&b, "\0", 1);
    put(&b, "\0\2\x13\1\1\0", 6);
    put16(&b, 4 + 9 + n);
    put(&b, "\0\x17\0\0", 4); /* another extension in front */
    put16(&b, 0);
    put16(&b, n + 5);
    put16(&b, n + 3);
    put(&b, "\0", 1);
    put16(&b, n);
    put(&b, name, n);
    sdw_put16(b.p + 3, (uint16_t)(b.n - 5));
    sdw_put16(b.p + 7, (uint16_t)(b.n - 9));
    return b;
}

static void put_question(struct bytes *b, unsigned flags, unsigned answers)
{
    put16(b, 7);
    put16(b, flags);
    put16(b, 1);
    put16(b, answers);
    put(b, "\0\0\0\0\3Www\7example\0\0\1\0\1", 4 + 13 + 4);
}

static void names(void)
{
    char host[SDW_DPI_HOST];
    bool tls;
    struct bytes b = hello("Mail.Example.ORG");
    ok(sdw_hints_tls_name(b.p, b.n, host, &tls) && tls, "a ClientHello is recognised");
    is_text(host, "mail.example.org", "with the name of its server");
    bool never = true;
    for (size_t n = 0; n < b.n; n++)
        never = never && !sdw_hints_tls_name(b.p, n, host, &tls);
    ok(never, "one that is cut off gives no name");
    ok(tls, "but is TLS");
    b = hello("not\nall right");
    ok(!sdw_hints_tls_name(b.p, b.n, host, &tls), "a name with other bytes is none");
    char longer[200];
    memset(longer, 'a', sizeof longer);
    longer[sizeof longer - 1] = 0;
    b = hello(longer);
    ok(sdw_hints_tls_name(b.p, b.n, host, &tls) && strlen(host) == SDW_DPI_HOST - 1,
       "a long name is cut");
    struct bytes query = {.n = 0};
    put_question(&query, 0x100, 0);
    ok(sdw_hints_dns(query.p, query.n, host, NULL, NULL), "a question of DNS is recognised");
    is_text(host, "www.example", "with its name");
    never = true;
    for (size_t n = 0; n < query.n; n++)
        never = never && !sdw_hints_dns(query.p, n, host, NULL, NULL);
    ok(never, "one that is cut off is none");
}

static struct sdw_packet packet_of(uint8_t protocol, uint16_t port, const struct bytes *payload)
{
    struct sdw_packet packet = {.src = {10, 0, 0, 1},
                                .dst = {10, 9, 9, 9},
                                .sport = 50000,
                                .dport = port,
                                .version = 4,
                                .protocol = protocol,
                                .payload = payload->p,
                                .payload_n = payload->n,
                                .payload_bytes = (uint32_t)payload->n};
    return packet;
}

static void look(struct sdw_dpi *dpi, const struct sdw_packet *packet, int packets, const char *app,
                 const char *host, enum sdw_dpi_confidence confidence)
{
    struct sdw_dpi_flow *flow = NULL;
    struct sdw_dpi_label label;
    int looked = 1;
    while (looked < 10 && !sdw_dpi_look(dpi, &flow, packet, 0, &label))
        looked++;
    ok(looked == packets && !flow, "%s takes %d packets", app, packets);
    is_text(label.app, app, "and is %s", app);
    is_text(label.host, host, "of '%s'", host);
    ok(label.confidence == confidence, "which is known by its %s", sdw_dpi_confidences[confidence]);
}

static void engine(void)
{
    struct sdw_dpi *dpi = NULL;
    struct sdw_err err;
    ok(sdw_dpi_new(&dpi, 2, &err) == 0, "the engine needs nothing");
    struct bytes b = hello("a.example"), noise = {{1, 2, 3}, 3}, quic = {{0xc3, 0, 0, 0, 1, 8}, 30};
    struct sdw_packet packet = packet_of(IPPROTO_TCP, 5000, &b);
    look(dpi, &packet, 1, "TLS", "a.example", SDW_DPI_PAYLOAD);
    packet = packet_of(IPPROTO_UDP, 443, &quic);
    look(dpi, &packet, 1, "QUIC", "", SDW_DPI_PAYLOAD);
    packet = packet_of(IPPROTO_TCP, 22, &noise);
    look(dpi, &packet, ENOUGH, "SSH", "", SDW_DPI_PORT);
    packet = packet_of(IPPROTO_TCP, 5000, &noise);
    look(dpi, &packet, ENOUGH, "Unknown", "", SDW_DPI_UNKNOWN);
    struct bytes answer = {.n = 0};
    put_question(&answer, 0x8180, 2);
    put(&answer, "\xc0\x0c\0\5\0\1\0\0\0\1\0\2\xc0\x0c", 14); /* an alias */
    put(&answer, "\xc0\x0c\0\1\0\1\0\0\0\1\0\4\x0a\x09\x09\x09", 16);
    packet = packet_of(IPPROTO_UDP, 53, &answer);
    look(dpi, &packet, 1, "DNS", "www.example", SDW_DPI_PAYLOAD);
    packet = packet_of(IPPROTO_TCP, 22, &noise);
    look(dpi, &packet, ENOUGH, "SSH", "www.example", SDW_DPI_PORT);

    struct sdw_dpi_flow *flow[3] = {NULL};
    struct sdw_dpi_label label;
    ok(!sdw_dpi_look(dpi, &flow[0], &packet, 0, &label) &&
           !sdw_dpi_look(dpi, &flow[1], &packet, 0, &label),
       "flows are looked at side by side");
    ok(sdw_dpi_look(dpi, &flow[2], &packet, 0, &label) && !flow[2] && sdw_dpi_skipped(dpi) == 1,
       "one too many is labelled at once, and counted");
    sdw_dpi_give_up(dpi, &flow[0], &label);
    is_text(label.app, "SSH", "what is given up on is labelled by what was seen");
    sdw_dpi_forget(dpi, &flow[1]);
    ok(!flow[0] && !flow[1] && dpi->flows == 0, "and nothing is left of either");
    packet.payload_n = 0;
    ok(!sdw_dpi_look(dpi, &flow[0], &packet, 0, &label) && !flow[0], "no payload says nothing");
    packet.protocol = IPPROTO_ICMP;
    ok(sdw_dpi_look(dpi, &flow[0], &packet, 0, &label), "but what has no ports needs none");
    is_text(label.app, "ICMP", "to be known");
    packet.fragment = SDW_FRAGMENT_LATER;
    ok(!sdw_dpi_look(dpi, &flow[0], &packet, 0, &label), "a later fragment says nothing");
    sdw_dpi_free(dpi);
}

int main(void)
{
    names();
    engine();
    return tap_done();
}
