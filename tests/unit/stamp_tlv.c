#include "net/stamp_tlv.h"
#include "net/wire.h"

#include "unit/tap.h"

enum { BASE = SDW_STAMP_BASE, ROOM = 512 };

static struct sdw_address from4, to4, from6, to6;

static struct sdw_stamp_reflection facts(bool v6)
{
    return (struct sdw_stamp_reflection){.from = v6 ? &from6 : &from4,
                                         .to = v6 ? &to6 : &to4,
                                         .error = SDW_STAMP_SYNCED | 1,
                                         .dscp = 10,
                                         .ecn = 1,
                                         .received = 7,
                                         .sent = 6,
                                         .stateful = true,
                                         .last_seq = 41,
                                         .last_sent = 0x1122334455667788};
}

/* A request with one TLV, as the reflector's reply starts from it. */
static size_t with(uint8_t *p, uint8_t type, const uint8_t *value, size_t n)
{
    memset(p, 0, ROOM);
    return sdw_stamp_tlv_add(p, BASE, ROOM, (enum sdw_stamp_tlv_type)type, value, n);
}

static size_t reflect(uint8_t *p, size_t n, struct sdw_stamp_reflection *r)
{
    return sdw_stamp_tlv_reflect(p, n, BASE, 0, NULL, r);
}

static void adding(void)
{
    uint8_t p[ROOM] = {0};
    struct sdw_stamp_tlv tlv;
    size_t n = sdw_stamp_tlv_add(p, BASE, ROOM, SDW_STAMP_CLASS_OF_SERVICE,
                                 (const uint8_t *)"\x28\0\0\0", 4),
           at = BASE;
    ok(n == BASE + 8 && p[BASE] == SDW_STAMP_UNKNOWN, "a sender flags its TLVs as unknown");
    ok(sdw_stamp_tlv_pad(p, n, n + 3) == n, "3 octets cannot be padded");
    ok(sdw_stamp_tlv_pad(p, n, n + 4) == n + 4, "4 can");
    ok(sdw_stamp_tlv_pad(p, n, 300) == 300, "padding makes the length exact");
    ok(sdw_stamp_tlv_next(p, 300, &at, &tlv) == 1 && tlv.type == 4 && tlv.n == 4 &&
           sdw_stamp_tlv_next(p, 300, &at, &tlv) == 1 && tlv.type == 1 &&
           sdw_stamp_tlv_next(p, 300, &at, &tlv) == 0,
       "and the TLVs read back one by one");
    at = BASE;
    ok(sdw_stamp_tlv_next(p, BASE + 7, &at, &tlv) == SDW_EINPUT, "one that is cut off is told");
    at = BASE;
    ok(sdw_stamp_tlv_next(p, BASE + 3, &at, &tlv) == SDW_EINPUT, "so is a cut off header");
    ok(sdw_stamp_tlv_add(p, BASE, BASE + 7, SDW_STAMP_CLASS_OF_SERVICE, NULL, 4) == BASE,
       "what does not fit is not added");
}

static void flags(void)
{
    uint8_t p[ROOM];
    struct sdw_stamp_reflection r = facts(false);
    size_t n = with(p, 99, (const uint8_t *)"abcd", 4);
    ok(reflect(p, n, &r) == n && p[BASE] == SDW_STAMP_UNKNOWN &&
           memcmp(p + BASE + 4, "abcd", 4) == 0,
       "a type that is not known is copied and flagged U");
    n = with(p, SDW_STAMP_PADDING, NULL, 20);
    ok(reflect(p, n, &r) == n && p[BASE] == 0, "one that is known has U cleared");
    p[BASE] = 0xff;
    reflect(p, n, &r);
    ok(p[BASE] == 0, "whatever flags the request had");
    n = with(p, SDW_STAMP_CLASS_OF_SERVICE, NULL, 5);
    reflect(p, n, &r);
    ok(p[BASE] == SDW_STAMP_MALFORMED, "a wrong length is flagged M");
    n = with(p, SDW_STAMP_PADDING, NULL, 20);
    ok(reflect(p, n - 1, &r) == n - 1 && p[BASE] == SDW_STAMP_MALFORMED,
       "a TLV longer than the packet is flagged M");
    n = with(p, SDW_STAMP_DIRECT_MEASUREMENT, NULL, 11);
    n = sdw_stamp_tlv_add(p, n, ROOM, SDW_STAMP_CLASS_OF_SERVICE, NULL, 4);
    reflect(p, n, &r);
    ok(p[BASE] == SDW_STAMP_MALFORMED && p[BASE + 15] == SDW_STAMP_UNKNOWN,
       "after a malformed TLV the rest is copied as it came");
    memset(p, 0, ROOM);
    ok(reflect(p, 100, &r) == 100 && p[BASE] == 0, "zeros behind the base are mere padding");
    n = with(p, SDW_STAMP_FOLLOW_UP, (const uint8_t *)"abcdefghijkl", 12);
    reflect(p, n, &r);
    ok(p[BASE] == SDW_STAMP_MALFORMED && sdw_get64(p + BASE + 4) == 0 && p[BASE + 15] == 0,
       "a follow-up of a wrong length is zeroed as well");
    ok(reflect(p, BASE, &r) == BASE, "no TLV is fine");
    p[BASE] = 0x80;
    ok(reflect(p, BASE + 1, &r) == BASE + 1 && p[BASE] == SDW_STAMP_MALFORMED,
       "a single octet behind the base is a malformed TLV");
}

static void location(bool v6, const char *name)
{
    uint8_t p[ROOM], value[4 + 12 + 20 + 20 + 8] = {0};
    struct sdw_stamp_reflection r = facts(v6);
    static const struct {
        uint8_t at, type, n;
    } subs[] = {{4, 1, 8}, {16, 4, 16}, {36, 7, 16}, {56, 77, 4}};
    for (size_t i = 0; i < SDW_LEN(subs); i++) {
        value[subs[i].at] = SDW_STAMP_UNKNOWN;
        value[subs[i].at + 1] = subs[i].type;
        value[subs[i].at + 3] = subs[i].n;
    }
    size_t n = with(p, SDW_STAMP_LOCATION, value, sizeof value), size;
    ok(reflect(p, n, &r) == n && p[BASE] == 0, "%s: a location keeps its length", name);
    const uint8_t *v = p + BASE + 4;
    ok(sdw_get16(v) == 862 && sdw_get16(v + 2) == 5000, "%s: ports, destination first", name);
    ok(v[4] == 0 && v[5] == 3 && sdw_get64(v + 8) == 0,
       "%s: the MAC address that nobody sees is a zero EUI-64", name);
    const uint8_t *bytes = sdw_address_bytes(r.to, &size);
    ok(v[16] == 0 && v[17] == (v6 ? 6 : 5) && memcmp(v + 20, bytes, size) == 0,
       "%s: the destination address is told in its family", name);
    bytes = sdw_address_bytes(r.from, &size);
    ok(v[36] == 0 && v[37] == (v6 ? 9 : 8) && memcmp(v + 40, bytes, size) == 0,
       "%s: and the source address", name);
    ok(v[56] == SDW_STAMP_UNKNOWN && v[57] == 77, "%s: an unknown sub-TLV is flagged U", name);
    value[19] = 15;
    n = with(p, SDW_STAMP_LOCATION, value, sizeof value);
    reflect(p, n, &r);
    ok(v[16] == SDW_STAMP_MALFORMED, "%s: a sub-TLV of a wrong length is flagged M", name);
}

static void values(void)
{
    uint8_t p[ROOM];
    const uint8_t *v = p + BASE + 4;
    struct sdw_stamp_reflection r = facts(false);
    reflect(p, with(p, SDW_STAMP_TIMESTAMP_INFO, NULL, 4), &r);
    ok(v[0] == 1 && v[1] == 2 && v[2] == 1 && v[3] == 2, "stamps are NTP-synchronised software's");
    r.error = 1;
    reflect(p, with(p, SDW_STAMP_TIMESTAMP_INFO, NULL, 4), &r);
    ok(v[0] == 5 && v[2] == 5, "or of a free-running clock");

    static const uint8_t cs[] = {46 << 2, 0, 0, 0};
    reflect(p, with(p, SDW_STAMP_CLASS_OF_SERVICE, cs, 4), &r);
    ok(v[0] >> 2 == 46 && ((v[0] & 3) << 4 | v[1] >> 4) == 10 && (v[1] >> 2 & 3) == 1 &&
           (v[1] & 3) == 0,
       "a class of service tells the DSCP and ECN that arrived");
    ok(r.reply_dscp == 46, "and asks for the DSCP of the reply");
    r.keep_dscp = true;
    reflect(p, with(p, SDW_STAMP_CLASS_OF_SERVICE, cs, 4), &r);
    ok(r.reply_dscp == 10 && (v[1] & 3) == 1, "which a policy may refuse, saying so");

    static const uint8_t counter[12] = {0, 0, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8};
    reflect(p, with(p, SDW_STAMP_DIRECT_MEASUREMENT, counter, 12), &r);
    ok(sdw_get32(v) == 9 && sdw_get32(v + 4) == 7 && sdw_get32(v + 8) == 6,
       "a direct measurement keeps the sender's count and adds ours");

    reflect(p, with(p, SDW_STAMP_ACCESS_REPORT, (const uint8_t *)"\x10\x02\0\0", 4), &r);
    ok(p[BASE] == 0 && v[0] == 0x10 && v[1] == 2, "an access report comes back as it was");
    reflect(p, with(p, SDW_STAMP_ACCESS_REPORT, (const uint8_t *)"\x30\x02\0\0", 4), &r);
    ok(p[BASE] == SDW_STAMP_UNKNOWN, "one of an unknown network is not accepted");

    reflect(p, with(p, SDW_STAMP_FOLLOW_UP, NULL, 16), &r);
    ok(sdw_get32(v) == 41 && sdw_get64(v + 4) == 0x1122334455667788 && v[12] == 2 && r.follow_up,
       "a follow-up tells when the reply before was sent");
    r.stateful = false;
    reflect(p, with(p, SDW_STAMP_FOLLOW_UP, NULL, 16), &r);
    ok(sdw_get32(v) == 0 && sdw_get64(v + 4) == 0 && !r.follow_up, "a stateless reflector cannot");
}

static void short_replies(void)
{
    uint8_t p[ROOM], control[8] = {0, BASE + 12 + 10};
    struct sdw_stamp_reflection r = facts(false);
    size_t n = with(p, SDW_STAMP_REPLY_CONTROL, control, 8), first = n;
    n = sdw_stamp_tlv_pad(p, n, 400);
    ok(reflect(p, n, &r) == first + 10 && sdw_get16(p + first + 2) == 6,
       "a sender may ask for a reply shorter than its request");
    control[1] = BASE;
    n = sdw_stamp_tlv_pad(p, with(p, SDW_STAMP_REPLY_CONTROL, control, 8), 400);
    ok(reflect(p, n, &r) == first, "down to what is not padding");
    sdw_put16(control, 9000);
    n = sdw_stamp_tlv_pad(p, with(p, SDW_STAMP_REPLY_CONTROL, control, 8), 400);
    ok(reflect(p, n, &r) == 400, "but never for a longer one");
}

static void integrity(void)
{
    struct sdw_stamp_key key, other;
    uint8_t p[ROOM];
    struct sdw_stamp_reflection r = facts(false);
    sdw_stamp_key_set(&key, (const uint8_t *)"0123456789abcdef", 16, NULL);
    sdw_stamp_key_set(&other, (const uint8_t *)"0123456789abcdeF", 16, NULL);
    enum { AUTH = SDW_STAMP_BASE_AUTH };
    memset(p, 0, sizeof p);
    sdw_put32(p, 5);
    size_t n = sdw_stamp_tlv_add(p, AUTH, ROOM, SDW_STAMP_FOLLOW_UP, NULL, 16);
    n = sdw_stamp_tlv_sign(p, n, ROOM, AUTH, &key);
    n = sdw_stamp_tlv_pad(p, n, 300);
    uint8_t request[ROOM];
    memcpy(request, p, sizeof p);
    ok(sdw_stamp_tlv_trusted(p, n, AUTH, &key), "signed TLVs are trusted");
    ok(!sdw_stamp_tlv_trusted(p, n, AUTH, &other), "not with another key");
    sdw_put32(p, 77); /* the reply's own sequence number */
    sdw_stamp_tlv_reflect(p, n, AUTH, 5, &key, &r);
    ok(p[AUTH] == 0 && sdw_get32(p + AUTH + 4) == 41, "a reflector takes what is signed");
    ok(sdw_stamp_tlv_trusted(p, n, AUTH, &key), "and signs its reply");
    memcpy(p, request, sizeof p);
    sdw_stamp_tlv_reflect(p, n, AUTH, 6, &key, &r);
    ok(p[AUTH] == SDW_STAMP_FORGED && p[AUTH + 20] == SDW_STAMP_FORGED &&
           p[AUTH + 40] == SDW_STAMP_FORGED && sdw_get32(p + AUTH + 4) == 0,
       "TLVs of another packet are all flagged I and not filled in");
    ok(!sdw_stamp_tlv_trusted(p, n, AUTH, &key), "which the sender does not trust");
    memcpy(p, request, sizeof p);
    sdw_stamp_tlv_reflect(p, n, AUTH, 5, NULL, &r);
    ok(p[AUTH] == SDW_STAMP_FORGED, "without a key no HMAC can be right");
    n = sdw_stamp_tlv_add(p, AUTH, ROOM, SDW_STAMP_FOLLOW_UP, NULL, 16);
    sdw_stamp_tlv_reflect(p, n, AUTH, 5, &key, &r);
    ok(p[AUTH] == SDW_STAMP_FORGED, "with one, TLVs must be signed");
    n = sdw_stamp_tlv_pad(p, AUTH, 300);
    sdw_stamp_tlv_reflect(p, n, AUTH, 5, &key, &r);
    ok(p[AUTH] == 0, "except mere padding");
    n = sdw_stamp_tlv_sign(p, AUTH, ROOM, AUTH, &key);
    n = sdw_stamp_tlv_add(p, n, ROOM, SDW_STAMP_FOLLOW_UP, NULL, 16);
    sdw_stamp_tlv_reflect(p, n, AUTH, 5, &key, &r);
    ok(p[AUTH] & SDW_STAMP_FORGED, "an HMAC TLV before others protects nothing");
}

int main(void)
{
    sdw_address_parse("192.0.2.1", 5000, &from4);
    sdw_address_parse("192.0.2.2", 862, &to4);
    sdw_address_parse("2001:db8::1", 5000, &from6);
    sdw_address_parse("2001:db8::2", 862, &to6);
    adding();
    flags();
    location(false, "IPv4");
    location(true, "IPv6");
    values();
    short_replies();
    integrity();
    return tap_done();
}
