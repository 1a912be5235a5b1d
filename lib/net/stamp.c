#include "net/stamp.h"
#include "net/wire.h"

#include <ctype.h>
#include <sodium.h>
#include <stdio.h>

/* Seconds from the NTP epoch (1900) to the Unix epoch. */
#define NTP_UNIX INT64_C(2208988800)
#define NS       INT64_C(1000000000)

/* Where the fields of a base packet stand (RFC 8762 figures 2, 4, 5 and 6). */
struct layout {
    uint8_t sent, error, ssid;                                    /* both directions */
    uint8_t received, sender_seq, sender_sent, sender_error, ttl; /* replies */
    uint8_t mac;                                                  /* 0: unauthenticated */
    uint8_t n;
};

static const struct layout open_layout = {4, 12, 14, 16, 24, 28, 36, 40, 0, SDW_STAMP_BASE};
static const struct layout auth_layout = {16, 24, 26, 32, 48, 64, 72, 80, 96, SDW_STAMP_BASE_AUTH};

static const struct layout *layout_of(const struct sdw_stamp_key *key)
{
    return key ? &auth_layout : &open_layout;
}

int sdw_stamp_key_set(struct sdw_stamp_key *key, const uint8_t *bytes, size_t n,
                      struct sdw_err *err)
{
    *key = (struct sdw_stamp_key){0};
    if (n < 16 || n > sizeof key->bytes)
        return sdw_err_set(err, SDW_EUSAGE, "a key has 16 to %zu octets, not %zu",
                           sizeof key->bytes, n);
    if (sodium_init() < 0)
        return sdw_err_set(err, SDW_ESYS, "libsodium does not start");
    memcpy(key->bytes, bytes, n);
    key->n = n;
    return 0;
}

static int hex_digit(int c)
{
    return c >= '0' && c <= '9' ? c - '0' : tolower(c) - 'a' + 10;
}

int sdw_stamp_key_load(struct sdw_stamp_key *key, const char *path, struct sdw_err *err)
{
    uint8_t bytes[sizeof key->bytes + 1] = {0};
    size_t digits = 0;
    int c, code = 0;
    FILE *file = fopen(path, "re");
    if (!file)
        return sdw_err_sys(err, "key file %s", path);
    while (code == 0 && (c = getc(file)) != EOF) {
        if (isspace(c))
            continue;
        if (!isxdigit(c))
            code = sdw_err_set(err, SDW_EUSAGE, "key file %s: not a hexadecimal digit at digit %zu",
                               path, digits + 1);
        else if (digits / 2 >= sizeof bytes)
            break;
        else
            bytes[digits / 2] = (uint8_t)(bytes[digits / 2] << 4 | hex_digit(c)), digits++;
    }
    if (code == 0 && ferror(file))
        code = sdw_err_sys(err, "key file %s", path);
    fclose(file);
    if (code == 0 && digits % 2)
        code = sdw_err_set(err, SDW_EUSAGE, "key file %s: an odd number of digits", path);
    if (code == 0)
        code = sdw_stamp_key_set(key, bytes, digits / 2, err);
    sodium_memzero(bytes, sizeof bytes);
    return code;
}

void sdw_stamp_mac(const struct sdw_stamp_key *key, const uint8_t *a, size_t a_n, const uint8_t *b,
                   size_t b_n, uint8_t mac[SDW_STAMP_MAC])
{
    crypto_auth_hmacsha256_state state;
    uint8_t full[crypto_auth_hmacsha256_BYTES];
    crypto_auth_hmacsha256_init(&state, key->bytes, key->n);
    crypto_auth_hmacsha256_update(&state, a, a_n);
    crypto_auth_hmacsha256_update(&state, b, b_n);
    crypto_auth_hmacsha256_final(&state, full);
    memcpy(mac, full, SDW_STAMP_MAC);
}

bool sdw_stamp_mac_same(const uint8_t a[SDW_STAMP_MAC], const uint8_t b[SDW_STAMP_MAC])
{
    return sodium_memcmp(a, b, SDW_STAMP_MAC) == 0;
}

uint16_t sdw_stamp_error_estimate(int64_t error_ns, bool synced, bool ptp)
{
    uint64_t limit = UINT64_C(4000000000000); /* beyond an hour nobody cares how wrong */
    uint64_t ns = error_ns < 1 ? 1 : (uint64_t)error_ns > limit ? limit : (uint64_t)error_ns;
    uint64_t whole = ns / (uint64_t)NS, rest = ns % (uint64_t)NS;
    uint64_t units = (whole << 32) + ((rest << 32) + (uint64_t)NS - 1) / (uint64_t)NS;
    unsigned scale = 0;
    while (units > 255) {
        units = (units + 1) / 2;
        scale++;
    }
    return (uint16_t)((synced ? SDW_STAMP_SYNCED : 0) | (ptp ? SDW_STAMP_PTP : 0) | scale << 8 |
                      units);
}

uint64_t sdw_stamp_time(int64_t ns, uint16_t estimate)
{
    int64_t seconds = ns / NS, rest = ns % NS;
    if (rest < 0) {
        rest += NS;
        seconds--;
    }
    if (estimate & SDW_STAMP_PTP)
        return (uint64_t)(uint32_t)seconds << 32 | (uint32_t)rest;
    uint64_t fraction = (((uint64_t)rest << 32) + NS / 2) / NS;
    return (uint64_t)(uint32_t)(seconds + NTP_UNIX) << 32 | fraction;
}

int64_t sdw_stamp_time_ns(uint64_t time, uint16_t estimate)
{
    int64_t seconds = (int64_t)(time >> 32);
    if (estimate & SDW_STAMP_PTP)
        return seconds * NS + (int64_t)(uint32_t)time;
    if (seconds < INT64_C(0x80000000)) /* the NTP era that begins in 2036 */
        seconds += INT64_C(0x100000000);
    return (seconds - NTP_UNIX) * NS +
           (int64_t)(((time & 0xffffffff) * (uint64_t)NS + 0x80000000) >> 32);
}

size_t sdw_stamp_base(const struct sdw_stamp_key *key)
{
    return layout_of(key)->n;
}

/* The fields that both directions have, on a zeroed packet. */
static void put_common(uint8_t *out, const struct layout *at, uint32_t seq, uint64_t sent,
                       uint16_t error, uint16_t ssid)
{
    memset(out, 0, at->n);
    sdw_put32(out, seq);
    sdw_put64(out + at->sent, sent);
    sdw_put16(out + at->error, error);
    sdw_put16(out + at->ssid, ssid);
}

static size_t finish(uint8_t *out, const struct layout *at, const struct sdw_stamp_key *key)
{
    if (key)
        sdw_stamp_mac(key, out, at->mac, NULL, 0, out + at->mac);
    return at->n;
}

size_t sdw_stamp_put_request(const struct sdw_stamp_request *request,
                             const struct sdw_stamp_key *key, uint8_t *out)
{
    const struct layout *at = layout_of(key);
    put_common(out, at, request->seq, request->sent, request->error, request->ssid);
    return finish(out, at, key);
}

size_t sdw_stamp_put_reply(const struct sdw_stamp_reply *reply, const struct sdw_stamp_key *key,
                           uint8_t *out)
{
    const struct layout *at = layout_of(key);
    put_common(out, at, reply->seq, reply->sent, reply->error, reply->ssid);
    sdw_put64(out + at->received, reply->received);
    sdw_put32(out + at->sender_seq, reply->request.seq);
    sdw_put64(out + at->sender_sent, reply->request.sent);
    sdw_put16(out + at->sender_error, reply->request.error);
    out[at->ttl] = reply->ttl;
    return finish(out, at, key);
}

static int check(const uint8_t *bytes, size_t n, size_t least, const struct layout *at,
                 const struct sdw_stamp_key *key, struct sdw_err *err)
{
    uint8_t mac[SDW_STAMP_MAC];
    if (n < least)
        return sdw_err_set(err, SDW_EINPUT, "%zu octets are too few for a STAMP packet, not %zu", n,
                           least);
    if (key) {
        sdw_stamp_mac(key, bytes, at->mac, NULL, 0, mac);
        if (!sdw_stamp_mac_same(mac, bytes + at->mac))
            return sdw_err_set(err, SDW_EPERM, "the HMAC of a STAMP packet is wrong");
    }
    return (int)(n < at->n ? n : at->n);
}

int sdw_stamp_get_request(const uint8_t *bytes, size_t n, const struct sdw_stamp_key *key,
                          struct sdw_stamp_request *request, struct sdw_err *err)
{
    const struct layout *at = layout_of(key);
    int base = check(bytes, n, key ? at->n : SDW_TWAMP_REQUEST, at, key, err);
    if (base < 0)
        return base;
    request->seq = sdw_get32(bytes);
    request->sent = sdw_get64(bytes + at->sent);
    request->error = sdw_get16(bytes + at->error);
    request->ssid = sdw_get16(bytes + at->ssid);
    return base;
}

int sdw_stamp_get_reply(const uint8_t *bytes, size_t n, const struct sdw_stamp_key *key,
                        struct sdw_stamp_reply *reply, struct sdw_err *err)
{
    const struct layout *at = layout_of(key);
    int base = check(bytes, n, key ? at->n : SDW_TWAMP_REPLY, at, key, err);
    if (base < 0)
        return base;
    reply->seq = sdw_get32(bytes);
    reply->sent = sdw_get64(bytes + at->sent);
    reply->error = sdw_get16(bytes + at->error);
    reply->ssid = sdw_get16(bytes + at->ssid);
    reply->received = sdw_get64(bytes + at->received);
    reply->request.seq = sdw_get32(bytes + at->sender_seq);
    reply->request.sent = sdw_get64(bytes + at->sender_sent);
    reply->request.error = sdw_get16(bytes + at->sender_error);
    reply->request.ssid = reply->ssid;
    reply->ttl = n > at->ttl ? bytes[at->ttl] : 0;
    return base;
}
