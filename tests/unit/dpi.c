/* What every engine does, with or without libndpi. */
#include "net/dpi.h"
#include "net/wire.h"

#include <netinet/in.h>
#include <stdlib.h>

#include "unit/tap.h"

enum { HEADERS = 28 };

/* An IPv4 packet of UDP with this payload, as it is decoded. bytes: room for it. */
static struct sdw_packet datagram(uint8_t bytes[256], uint16_t sport, uint16_t dport,
                                  const void *payload, size_t n)
{
    static const uint8_t src[4] = {10, 0, 0, 1}, dst[4] = {10, 0, 0, 2};
    memset(bytes, 0, HEADERS);
    bytes[0] = 0x45;
    sdw_put16(bytes + 2, (uint16_t)(HEADERS + n));
    bytes[8] = 64;
    bytes[9] = IPPROTO_UDP;
    memcpy(bytes + 12, src, 4);
    memcpy(bytes + 16, dst, 4);
    sdw_put16(bytes + 20, sport);
    sdw_put16(bytes + 22, dport);
    sdw_put16(bytes + 24, (uint16_t)(8 + n));
    memcpy(bytes + HEADERS, payload, n);
    struct sdw_packet packet = {.sport = sport,
                                .dport = dport,
                                .version = 4,
                                .protocol = IPPROTO_UDP,
                                .ip = bytes,
                                .ip_n = HEADERS + n,
                                .ip_bytes = (uint32_t)(HEADERS + n),
                                .payload = bytes + HEADERS,
                                .payload_n = n,
                                .payload_bytes = (uint32_t)n};
    memcpy(packet.src, src, 4);
    memcpy(packet.dst, dst, 4);
    return packet;
}

#define QUESTION "\0\7\1\0\0\1\0\0\0\0\0\0\3www\7example\0\0\1\0\1"
#define ANSWER                                                                                     \
    "\0\7\x81\x80\0\1\0\1\0\0\0\0\3www\7example\0\0\1\0\1\xc0\x0c\0\1\0\1\0\0\0\1\0\4\1\2\3\4"
#define NOISE "\x9d\x01\xe3\x77\x12\xa0\x5c\xc1"

static void dns(struct sdw_dpi *dpi)
{
    uint8_t room[256];
    struct sdw_dpi_flow *flow = NULL;
    struct sdw_dpi_label label = {0};
    struct sdw_packet packet = datagram(room, 50000, 53, QUESTION, sizeof QUESTION - 1);
    bool done = sdw_dpi_look(dpi, &flow, &packet, 1, &label);
    packet = datagram(room, 53, 50000, ANSWER, sizeof ANSWER - 1);
    done = done || sdw_dpi_look(dpi, &flow, &packet, 2, &label);
    ok(done && !flow, "a question and its answer are enough, and nothing is kept");
    is_text(label.app, "DNS", "to be known as DNS");
    ok(!label.master, "carried by nothing else");
    is_text(label.category, "Network", "of its category");
    is_text(label.host, "www.example", "with the name that was asked for");
    is_text(sdw_dpi_confidences[label.confidence], "payload", "by its payload");
}

static void give_up(struct sdw_dpi *dpi)
{
    uint8_t room[256];
    struct sdw_dpi_flow *flow = NULL;
    struct sdw_dpi_label label = {0};
    struct sdw_packet packet = datagram(room, 50001, 50002, NOISE, sizeof NOISE - 1);
    int looked = 0;
    bool done = false;
    while (!done && looked++ < 100)
        done = sdw_dpi_look(dpi, &flow, &packet, looked, &label);
    ok(done && looked <= SDW_DPI_PACKETS && !flow, "no more than %d packets are looked at",
       SDW_DPI_PACKETS);
    is_text(label.app, "Unknown", "noise is unknown");
    ok(label.confidence == SDW_DPI_UNKNOWN && !*label.host && *label.category,
       "and nothing is made up");
    packet = datagram(room, 50003, 514, NOISE, sizeof NOISE - 1);
    ok(!sdw_dpi_look(dpi, &flow, &packet, 1, &label) && flow, "one packet of it decides nothing");
    sdw_dpi_give_up(dpi, &flow, &label);
    ok(!flow, "a flow that ends early is given up on");
    is_text(label.app, "Syslog", "with what its port says");
    ok(label.confidence == SDW_DPI_PORT, "and only that");
}

static void crowd(void)
{
    uint8_t room[256];
    struct sdw_dpi *dpi = NULL;
    struct sdw_dpi_flow *flow[2] = {NULL, NULL};
    struct sdw_dpi_label label;
    struct sdw_err err;
    ok(sdw_dpi_new(&dpi, 1, &err) == 0, "an engine for one flow");
    struct sdw_packet packet = datagram(room, 50003, 514, NOISE, sizeof NOISE - 1);
    ok(!sdw_dpi_look(dpi, &flow[0], &packet, 1, &label), "looks at one");
    ok(sdw_dpi_look(dpi, &flow[1], &packet, 1, &label) && !flow[1], "and labels the next at once");
    is_text(label.app, "Syslog", "by its port");
    ok(sdw_dpi_skipped(dpi) == 1, "and counts it");
    sdw_dpi_forget(dpi, &flow[0]);
    ok(!sdw_dpi_look(dpi, &flow[1], &packet, 1, &label) && flow[1], "until there is room again");
    sdw_dpi_forget(dpi, &flow[1]);
    sdw_dpi_free(dpi);
}

int main(void)
{
    struct sdw_dpi *dpi = NULL;
    struct sdw_err err;
    if (sdw_dpi_new(&dpi, 100, &err) < 0)
        return 1;
    dns(dpi);
    give_up(dpi);
    sdw_dpi_free(dpi);
    crowd();
    return tap_done();
}
