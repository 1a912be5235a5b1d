#include "net/craft.h"
#include "net/label.h"
#include "net/mark.h"
#include "net/mirrored.h"
#include "net/quote.h"
#include "net/wire.h"

#include "unit/tap.h"

#include <pcap/dlt.h>

static struct sdw_address at(const char *text, uint16_t port)
{
    struct sdw_address address;
    sdw_address_parse(text, port, &address);
    return address;
}

static const char *const ends[2][2] = {{"192.0.2.1", "198.51.100.2"},
                                       {"2001:db8::1", "2001:db8:1::2"}};

static void packets(int v6, int protocol, const char *name)
{
    struct sdw_address src = at(ends[v6][0], 5555), dst = at(ends[v6][1], 4444);
    struct sdw_craft *craft = sdw_craft_new(&src, &dst, protocol, NULL);
    struct sdw_crafted what = {.ttl = 3,
                               .tos = 46 << 2,
                               .flow_label = 0xabcde,
                               .ip_id = 77,
                               .ip_bytes = 200,
                               .seq = 0x01020304,
                               .tcp_flags = SDW_QUOTE_TCP_SYN,
                               .payload = (const uint8_t *)"cookie!!",
                               .payload_n = 8};
    const uint8_t *p;
    size_t n, header = v6 ? 40 : 20, field = header + (protocol == IPPROTO_TCP ? 16 : 6);
    ok(sdw_craft(craft, &what, &p, &n, NULL) == 0 && n == 200, "%s: as long as was asked", name);
    struct sdw_header h;
    ok(sdw_header_read(p, n, &h) && h.protocol == protocol && h.ttl == 3, "%s: reads back", name);
    ok(sdw_address_same_host(&h.src, &src) && sdw_address_same_host(&h.dst, &dst) &&
           sdw_address_port(&h.src) == 5555 && sdw_address_port(&h.dst) == 4444,
       "%s: with the 5-tuple of the flow", name);
    ok(!v6 || (sdw_get32(p) & 0xfffff) == 0xabcde, "%s: with its flow label", name);
    ok(v6 || h.ip_id == 77, "%s: with its IP id", name);
    ok((v6 ? (sdw_get16(p) >> 4 & 0xff) : p[1]) == 46 << 2, "%s: with its class", name);
    ok(protocol == IPPROTO_TCP ? h.seq == 0x01020304 && h.tcp_flags == SDW_QUOTE_TCP_SYN
                               : memcmp(h.payload, "cookie!!", 8) == 0,
       "%s: with what tells it from others", name);
    ok(sdw_get16(p + field) == sdw_transport_checksum(p, n), "%s: and a right checksum", name);

    what.poisoned = true;
    int right = 0, wrong_mark = 0;
    for (uint32_t i = 1; i < 3000; i++) {
        what.ip_id = what.checksum = (uint16_t)(i * 21 + 1);
        what.ip_bytes = (uint16_t)(40 + i % 1400);
        if (i % 3 == 0) { /* ask for the very checksum that would be right */
            what.poisoned = false;
            sdw_craft(craft, &what, &p, &n, NULL);
            what.checksum = sdw_get16(p + field);
            what.poisoned = true;
        }
        sdw_craft(craft, &what, &p, &n, NULL);
        uint16_t sum = sdw_transport_checksum(p, n), have = sdw_get16(p + field);
        right += have == sum || (sum == 0 && have == 0xffff) || (sum == 0xffff && have == 0) ||
                 (protocol == IPPROTO_UDP && have == 0);
        wrong_mark += protocol == IPPROTO_UDP && have != what.checksum;
    }
    ok(right == 0, "%s: a poisoned packet never has a right checksum", name);
    ok(wrong_mark == 0, "%s: but the one that was asked for", name);
    what.ip_bytes = 1;
    sdw_craft(craft, &what, &p, &n, NULL);
    ok(n == sdw_craft_least(craft), "%s: none is shorter than the least", name);
    what.ip_bytes = 9000;
    sdw_craft(craft, &what, &p, &n, NULL);
    ok(n == SDW_CRAFT_MAX, "%s: nor longer than the most", name);
    sdw_craft_free(craft);
}

/* A mirrored packet among those of the live flow. */
static void labels(int protocol, const char *name)
{
    struct sdw_address src = at(ends[1][0], 5555), dst = at(ends[1][1], 4444);
    struct sdw_craft *craft = sdw_craft_new(&src, &dst, protocol, NULL);
    struct sdw_crafted what = {.ttl = 1,
                               .flow_label = 0x54321,
                               .ip_bytes = 100,
                               .seq = 0x01020304,
                               .payload = (const uint8_t *)"\1\2\3\0more",
                               .payload_n = 8};
    const uint8_t *p;
    size_t n;
    sdw_craft(craft, &what, &p, &n, NULL);
    ok(sdw_label_of(p, n, 0x09020304) == 0x54321, "%s: the label of a live packet is read", name);
    ok(sdw_label_of(p, n, 0x01020300) == SDW_LABEL_UNKNOWN, "%s: that of our own is not", name);
    int taken = 0;
    for (size_t k = 0; k < 48; k++)
        taken += sdw_label_of(p, k, 0x09020304) != SDW_LABEL_UNKNOWN;
    ok(taken == 0, "%s: nor that of less than its headers", name);
    sdw_craft_free(craft);
    src = at(ends[0][0], 5555), dst = at(ends[0][1], 4444);
    craft = sdw_craft_new(&src, &dst, protocol, NULL);
    sdw_craft(craft, &what, &p, &n, NULL);
    ok(sdw_label_of(p, n, 0x09020304) == SDW_LABEL_UNKNOWN, "%s: IPv4 has none", name);
    sdw_craft_free(craft);
}

/* What shadow-profile must not take for traffic of the flow, as a capture has it. */
static void signs(int v6, int protocol, const char *name)
{
    struct sdw_address src = at(ends[v6][0], 5555), dst = at(ends[v6][1], 4444);
    struct sdw_craft *craft = sdw_craft_new(&src, &dst, protocol, NULL);
    struct sdw_crafted what = {.ttl = 3,
                               .ip_id = 77,
                               .seq = 0x01020304,
                               .tcp_flags = SDW_QUOTE_TCP_ACK,
                               .poisoned = true,
                               .payload = (const uint8_t *)"cookie!!",
                               .payload_n = 8};
    const uint8_t *p;
    size_t n;
    struct sdw_packet packet;
    sdw_craft(craft, &what, &p, &n, NULL);
    struct sdw_str bytes = {(const char *)p, n};
    ok(sdw_packet_decode(DLT_RAW, bytes, (uint32_t)n, &packet) == SDW_PACKET_IP &&
           sdw_packet_mirrored(&packet),
       "%s: the smallest is told from the flow's own", name);
    if (protocol == IPPROTO_TCP)
        packet.tcp.ack = 1;
    else
        packet.payload_n = 15;
    ok(!sdw_packet_mirrored(&packet), "%s: and an other is not taken for one", name);
    sdw_craft_free(craft);
}

/* An ICMP error from a router about packet[n], quoting `quoted` octets of it. */
static size_t error_about(int v6, const uint8_t *packet, size_t quoted, uint8_t *out)
{
    struct sdw_address router = at(v6 ? "2001:db8:9::9" : "203.0.113.9", 0);
    size_t n, header = v6 ? 40 : 20;
    memset(out, 0, header + 8);
    out[0] = v6 ? 0x60 : 0x45;
    out[v6 ? 6 : 9] = v6 ? 58 : 1;
    memcpy(out + (v6 ? 8 : 12), sdw_address_bytes(&router, &n), v6 ? 16 : 4);
    out[header] = v6 ? 3 : 11;
    memcpy(out + header + 8, packet, quoted);
    return header + 8 + quoted;
}

static void quotes(int v6, const char *name)
{
    struct sdw_address src = at(ends[v6][0], 5555), dst = at(ends[v6][1], 4444);
    struct sdw_craft *craft = sdw_craft_new(&src, &dst, IPPROTO_UDP, NULL);
    struct sdw_crafted what = {.ttl = 1,
                               .ip_id = 77,
                               .ip_bytes = 100,
                               .checksum = 99,
                               .poisoned = true,
                               .payload = (const uint8_t *)"cookie!!",
                               .payload_n = 8};
    const uint8_t *p;
    size_t n, header = v6 ? 40 : 20;
    uint8_t icmp[512];
    struct sdw_icmp_error e;
    sdw_craft(craft, &what, &p, &n, NULL);
    ok(sdw_icmp_error_read(icmp, error_about(v6, p, n, icmp), &e) &&
           sdw_icmp_expired(v6 ? AF_INET6 : AF_INET, e.type),
       "%s: an expiry is read", name);
    char text[SDW_ADDRESS_TEXT];
    is_text(sdw_address_text(&e.from, text), v6 ? "2001:db8:9::9" : "203.0.113.9",
            "%s: with the router's address", name);
    ok(sdw_address_same_host(&e.quoted.dst, &dst) && e.quoted.checksum == 99 &&
           (v6 || e.quoted.ip_id == 77) && memcmp(e.quoted.payload, "cookie!!", 8) == 0,
       "%s: and what it quotes", name);
    ok(sdw_icmp_error_read(icmp, error_about(v6, p, header + 8, icmp), &e) &&
           e.quoted.checksum == 99 && e.quoted.payload_n == 0,
       "%s: 8 octets of the UDP header are enough", name);
    int taken = 0;
    for (size_t k = 0; k < header + 8; k++)
        taken += sdw_icmp_error_read(icmp, error_about(v6, p, k, icmp), &e);
    ok(taken == 0, "%s: fewer are not", name);
    for (size_t k = 0; k < header; k++)
        taken += sdw_icmp_error_read(icmp, k, &e);
    ok(taken == 0 && !sdw_icmp_error_read(p, n, &e), "%s: nor is anything else an error", name);
    n = error_about(v6, p, n, icmp);
    icmp[header] = v6 ? 129 : 0;
    ok(!sdw_icmp_error_read(icmp, n, &e), "%s: an echo reply is none", name);
    icmp[header] = v6 ? 2 : 3;
    icmp[header + 1] = v6 ? 0 : 4;
    sdw_put16(icmp + header + 6, 1400);
    ok(sdw_icmp_error_read(icmp, n, &e) && e.mtu == 1400, "%s: too big tells the MTU", name);
    icmp[header] = v6 ? 1 : 3;
    icmp[header + 1] = v6 ? 4 : 3;
    ok(sdw_icmp_error_read(icmp, n, &e) && e.type == icmp[header] && e.code == icmp[header + 1],
       "%s: a closed port is told", name);
    sdw_craft_free(craft);
}

static void marks(void)
{
    int wrong = 0, zero = 0;
    for (uint32_t last = 1; last < 400000; last += 977)
        for (uint32_t back = 0; back < SDW_MARKS && back < last; back += 769) {
            uint16_t mark = sdw_mark(last - back);
            zero += mark == 0;
            wrong += sdw_mark_id(mark, last) != last - back;
        }
    ok(wrong == 0 && zero == 0, "the latest 65521 ids are told by 16 bits that are never 0");
    ok(sdw_mark_id(sdw_mark(500), 100) == 0, "an id that was not sent yet is none");
    ok(sdw_mark_id(0, 100) == 0 && sdw_mark_id(65535, 100) == 0, "nor is a mark we do not make");
    ok(sdw_mark_id(sdw_mark(UINT32_MAX - 3), UINT32_MAX) == UINT32_MAX - 3, "to the last id");
}

/* What begins the payload is no header that the far end of a tunnel goes by. */
static void cookies(void)
{
    bool valid = false, known = false;
    for (uint64_t random = 0; random < 256; random++) {
        uint32_t cookie = sdw_mirrored_cookie(random << 24 | random);
        valid = valid || cookie & 0x08000000;
        known = known || cookie >> 30 == 0;
    }
    ok(!valid, "no VXLAN header with a VNI");
    ok(!known, "no Geneve header of a version that there is");
    ok(sdw_mirrored_cookie(1) != sdw_mirrored_cookie(2), "and cookies differ");
}

int main(void)
{
    marks();
    cookies();
    packets(0, IPPROTO_UDP, "IPv4 UDP");
    packets(0, IPPROTO_TCP, "IPv4 TCP");
    packets(1, IPPROTO_UDP, "IPv6 UDP");
    packets(1, IPPROTO_TCP, "IPv6 TCP");
    labels(IPPROTO_UDP, "UDP");
    labels(IPPROTO_TCP, "TCP");
    for (int v6 = 0; v6 < 2; v6++) {
        signs(v6, IPPROTO_UDP, v6 ? "IPv6 UDP" : "IPv4 UDP");
        signs(v6, IPPROTO_TCP, v6 ? "IPv6 TCP" : "IPv4 TCP");
    }
    quotes(0, "IPv4");
    quotes(1, "IPv6");
    return tap_done();
}
