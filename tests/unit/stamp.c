#include "net/stamp.h"
#include "net/wire.h"

#include <stdlib.h>
#include <unistd.h>

#include "unit/tap.h"

static struct sdw_stamp_key key_of(const char *text)
{
    struct sdw_stamp_key key;
    sdw_stamp_key_set(&key, (const uint8_t *)text, strlen(text), NULL);
    return key;
}

static void times(void)
{
    static const int64_t samples[] = {0, 1, 999999999, 1700000000123456789, 1800000000999999999};
    for (size_t i = 0; i < SDW_LEN(samples); i++) {
        uint64_t ntp = sdw_stamp_time(samples[i], 0),
                 ptp = sdw_stamp_time(samples[i], SDW_STAMP_PTP);
        ok(sdw_stamp_time_ns(ntp, 0) == samples[i] &&
               sdw_stamp_time_ns(ptp, SDW_STAMP_PTP) == samples[i],
           "%lld ns is kept exactly by both formats", (long long)samples[i]);
    }
    ok(sdw_stamp_time(0, 0) == UINT64_C(2208988800) << 32, "the NTP era starts in 1900");
    ok(sdw_stamp_time(INT64_C(1500000000), SDW_STAMP_PTP) == (UINT64_C(1) << 32 | 500000000),
       "truncated PTPv2 is seconds and ns since 1970");
    int64_t later = INT64_C(2100000000) * 1000000000 + 5;
    ok(sdw_stamp_time_ns(sdw_stamp_time(later, 0), 0) == later, "the NTP era of 2036 is read");
}

static void error_estimates(void)
{
    for (int64_t ns = 1; ns < INT64_C(10000000000); ns = ns * 3 + 1) {
        uint16_t estimate = sdw_stamp_error_estimate(ns, true, false);
        double back = ldexp(1e9 * (estimate & 0xff), (estimate >> 8 & 0x3f) - 32);
        if (back < (double)ns || back > (double)ns * 1.01 + 1) {
            ok(0, "an error of %lld ns came back as %f", (long long)ns, back);
            return;
        }
    }
    ok(1, "an error estimate covers the error and is at most 1 %% (or a ns) above");
    ok((sdw_stamp_error_estimate(0, false, true) & 0xff) != 0, "the multiplier is never 0");
    ok(sdw_stamp_error_estimate(1, true, false) & SDW_STAMP_SYNCED &&
           !(sdw_stamp_error_estimate(1, false, false) & SDW_STAMP_SYNCED),
       "S tells whether the clock is synchronised");
}

static void requests(const struct sdw_stamp_key *key, size_t size, const char *name)
{
    struct sdw_stamp_request in = {.seq = 0x01020304,
                                   .sent = UINT64_C(0x1112131415161718),
                                   .error = 0x8a21,
                                   .ssid = 0xbeef},
                             out = {0};
    uint8_t bytes[SDW_STAMP_BASE_AUTH];
    struct sdw_err err;
    ok(sdw_stamp_put_request(&in, key, bytes) == size, "%s: a request has %zu octets", name, size);
    ok(sdw_stamp_get_request(bytes, size, key, &out, NULL) == (int)size && out.seq == in.seq &&
           out.sent == in.sent && out.error == in.error && out.ssid == in.ssid,
       "%s: and reads back", name);
    ok(sdw_stamp_get_request(bytes, 40, key, &out, &err) == SDW_EINPUT && strstr(err.text, "40"),
       "%s: a request of 40 octets is too short, and says so", name);
    ok(sdw_stamp_get_request(bytes, 0, key, &out, NULL) == SDW_EINPUT, "%s: so is none", name);
}

static void replies(const struct sdw_stamp_key *key, size_t size, const char *name)
{
    struct sdw_stamp_reply in = {.seq = 7,
                                 .sent = 70,
                                 .received = 69,
                                 .error = 0x0001,
                                 .ssid = 9,
                                 .request = {.seq = 3, .sent = 30, .error = 0x4001},
                                 .ttl = 61},
                           out = {0};
    uint8_t bytes[SDW_STAMP_BASE_AUTH];
    ok(sdw_stamp_put_reply(&in, key, bytes) == size, "%s: a reply has %zu octets", name, size);
    ok(sdw_stamp_get_reply(bytes, size, key, &out, NULL) == (int)size && out.seq == 7 &&
           out.sent == 70 && out.received == 69 && out.error == 1 && out.ssid == 9 &&
           out.request.seq == 3 && out.request.sent == 30 && out.request.error == 0x4001 &&
           out.ttl == 61,
       "%s: every field of a reply reads back", name);
}

static void layout(void)
{
    struct sdw_stamp_reply in = {.seq = 1,
                                 .sent = 2,
                                 .received = 3,
                                 .error = 4,
                                 .ssid = 5,
                                 .request = {.seq = 6, .sent = 7, .error = 8},
                                 .ttl = 9};
    uint8_t b[SDW_STAMP_BASE_AUTH];
    sdw_stamp_put_reply(&in, NULL, b);
    ok(sdw_get32(b) == 1 && sdw_get64(b + 4) == 2 && sdw_get16(b + 12) == 4 &&
           sdw_get16(b + 14) == 5 && sdw_get64(b + 16) == 3 && sdw_get32(b + 24) == 6 &&
           sdw_get64(b + 28) == 7 && sdw_get16(b + 36) == 8 && b[40] == 9,
       "the fields stand where RFC 8762 figure 5 and RFC 8972 put them");
    ok(b[38] == 0 && b[39] == 0 && b[41] == 0 && b[43] == 0, "what must be zero is");
    struct sdw_stamp_key key = key_of("0123456789abcdef");
    sdw_stamp_put_reply(&in, &key, b);
    ok(sdw_get32(b) == 1 && sdw_get64(b + 16) == 2 && sdw_get16(b + 24) == 4 &&
           sdw_get16(b + 26) == 5 && sdw_get64(b + 32) == 3 && sdw_get32(b + 48) == 6 &&
           sdw_get64(b + 64) == 7 && sdw_get16(b + 72) == 8 && b[80] == 9,
       "and where figure 6 puts them when authenticated");
    struct sdw_stamp_reply out;
    ok(sdw_stamp_get_reply(b, SDW_TWAMP_REPLY, NULL, &out, NULL) == SDW_TWAMP_REPLY && out.ttl == 0,
       "a TWAMP-Light reply of 38 octets is taken, without a TTL");
    ok(sdw_stamp_get_reply(b, SDW_TWAMP_REPLY - 1, NULL, &out, NULL) == SDW_EINPUT,
       "one of 37 is not");
}

static void authentication(void)
{
    /* RFC 4231 test case 2, cut to 128 bits; its key of 4 octets is shorter than we allow, so it
     * is padded with zeros, which is the same key to HMAC. */
    struct sdw_stamp_key jefe = {.bytes = "Jefe", .n = 16}, key = key_of("0123456789abcdef"),
                         other = key_of("0123456789abcdeF");
    static const uint8_t want[SDW_STAMP_MAC] = {0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e,
                                                0x6a, 0x04, 0x24, 0x26, 0x08, 0x95, 0x75, 0xc7};
    uint8_t mac[SDW_STAMP_MAC], bytes[SDW_STAMP_BASE_AUTH];
    sdw_stamp_mac(&jefe, (const uint8_t *)"what do ya want ", 16, (const uint8_t *)"for nothing?",
                  12, mac);
    ok(memcmp(mac, want, sizeof mac) == 0, "the HMAC is that of RFC 4231");

    struct sdw_stamp_request in = {.seq = 1}, out;
    struct sdw_err err;
    sdw_stamp_put_request(&in, &key, bytes);
    ok(sdw_stamp_get_request(bytes, sizeof bytes, &other, &out, &err) == SDW_EPERM,
       "another key is told from ours");
    int taken = 0;
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] ^= 1;
        taken += sdw_stamp_get_request(bytes, sizeof bytes, &key, &out, NULL) >= 0;
        bytes[i] ^= 1;
    }
    ok(taken == 0, "no octet of an authenticated packet changes unseen");
    ok(sdw_stamp_get_request(bytes, 111, &key, &out, NULL) == SDW_EINPUT,
       "an authenticated packet without its last octet is too short");
}

static void key_files(void)
{
    char path[] = "/tmp/shadow-stamp-key-XXXXXX";
    static const struct {
        const char *text;
        int code;
        const char *says;
    } cases[] = {
        {"00112233445566778899aabbccddeeff\n", 0, "32 digits"},
        {"0011 2233\n4455 6677 8899 AABB CCDD EEFF", 0, "white space and capitals"},
        {"0011", SDW_EUSAGE, "a short key"},
        {"", SDW_EUSAGE, "an empty file"},
        {"00112233445566778899aabbccddeef", SDW_EUSAGE, "an odd digit"},
        {"my very secret pass phrase", SDW_EUSAGE, "a pass phrase"},
    };
    struct sdw_stamp_key key;
    close(mkstemp(path));
    for (size_t i = 0; i < SDW_LEN(cases); i++) {
        FILE *file = fopen(path, "w");
        fputs(cases[i].text, file);
        fclose(file);
        struct sdw_err err = {0};
        ok(sdw_stamp_key_load(&key, path, &err) == cases[i].code, "%s in a key file is %s",
           cases[i].says, cases[i].code ? "refused" : "taken");
    }
    FILE *file = fopen(path, "w");
    for (int i = 0; i < 200; i++)
        fputs("ab", file);
    fclose(file);
    ok(sdw_stamp_key_load(&key, path, NULL) == SDW_EUSAGE, "a key of 200 octets is refused");
    unlink(path);
    struct sdw_err err = {0};
    ok(sdw_stamp_key_load(&key, path, &err) == SDW_ESYS && strstr(err.text, path),
       "a missing key file is named");
}

int main(void)
{
    struct sdw_stamp_key key = key_of("0123456789abcdef");
    times();
    error_estimates();
    requests(NULL, SDW_STAMP_BASE, "open");
    requests(&key, SDW_STAMP_BASE_AUTH, "authenticated");
    replies(NULL, SDW_STAMP_BASE, "open");
    replies(&key, SDW_STAMP_BASE_AUTH, "authenticated");
    layout();
    authentication();
    key_files();
    return tap_done();
}
