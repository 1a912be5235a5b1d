#include "net/stamp_tlv.h"
#include "net/wire.h"

int sdw_stamp_tlv_next(const uint8_t *packet, size_t n, size_t *at, struct sdw_stamp_tlv *tlv)
{
    size_t left = n - *at;
    if (left == 0)
        return 0;
    if (left < SDW_STAMP_TLV_HEADER)
        return SDW_EINPUT;
    const uint8_t *p = packet + *at;
    *tlv = (struct sdw_stamp_tlv){p[0], p[1], p + SDW_STAMP_TLV_HEADER, sdw_get16(p + 2)};
    if (tlv->n > left - SDW_STAMP_TLV_HEADER)
        return SDW_EINPUT;
    *at += SDW_STAMP_TLV_HEADER + tlv->n;
    return 1;
}

size_t sdw_stamp_tlv_add(uint8_t *packet, size_t n, size_t room, enum sdw_stamp_tlv_type type,
                         const uint8_t *value, size_t value_n)
{
    if (value_n > UINT16_MAX || n > room || room - n < SDW_STAMP_TLV_HEADER + value_n)
        return n;
    uint8_t *p = packet + n;
    p[0] = SDW_STAMP_UNKNOWN;
    p[1] = (uint8_t)type;
    sdw_put16(p + 2, (uint16_t)value_n);
    if (value)
        memcpy(p + SDW_STAMP_TLV_HEADER, value, value_n);
    else
        memset(p + SDW_STAMP_TLV_HEADER, 0, value_n);
    return n + SDW_STAMP_TLV_HEADER + value_n;
}

size_t sdw_stamp_tlv_pad(uint8_t *packet, size_t n, size_t target)
{
    if (target < n + SDW_STAMP_TLV_HEADER)
        return n;
    return sdw_stamp_tlv_add(packet, n, target, SDW_STAMP_PADDING, NULL,
                             target - n - SDW_STAMP_TLV_HEADER);
}

size_t sdw_stamp_tlv_sign(uint8_t *packet, size_t n, size_t room, size_t base,
                          const struct sdw_stamp_key *key)
{
    uint8_t mac[SDW_STAMP_MAC];
    sdw_stamp_mac(key, packet, 4, packet + base, n - base, mac);
    return sdw_stamp_tlv_add(packet, n, room, SDW_STAMP_HMAC, mac, sizeof mac);
}

/* What one look over the TLVs finds. */
struct survey {
    size_t count, padding;
    size_t mac_at;      /* offset of the HMAC TLV; 0: none */
    size_t padding_at;  /* offset of a last TLV that is Extra Padding; 0: the last is another */
    bool mac_misplaced; /* more than padding follows it, or it is not of 16 octets, or two */
    bool malformed, forged;
};

static struct survey look(const uint8_t *packet, size_t n, size_t base)
{
    struct survey s = {0};
    struct sdw_stamp_tlv tlv;
    size_t at = base, start = at;
    int more;
    while ((more = sdw_stamp_tlv_next(packet, n, &at, &tlv)) == 1) {
        bool padding = tlv.type == SDW_STAMP_PADDING;
        s.count++;
        s.padding += padding;
        s.padding_at = padding ? start : 0;
        s.forged |= (tlv.flags & SDW_STAMP_FORGED) != 0;
        if (s.mac_at && !padding)
            s.mac_misplaced = true;
        if (tlv.type == SDW_STAMP_HMAC) {
            s.mac_misplaced |= tlv.n != SDW_STAMP_MAC;
            s.mac_at = start;
        }
        start = at;
    }
    s.malformed = more < 0;
    return s;
}

/* Whether the TLVs are as their sender wrote them; seq[4] starts the packet it sent. */
static bool is_intact(const struct survey *s, const uint8_t *packet, size_t base,
                      const uint8_t seq[4], const struct sdw_stamp_key *key)
{
    uint8_t mac[SDW_STAMP_MAC];
    if (!s->mac_at)
        return !key || (s->count == s->padding && s->count <= 1 && !s->malformed);
    if (!key || s->mac_misplaced)
        return false;
    sdw_stamp_mac(key, seq, 4, packet + base, s->mac_at - base, mac);
    return sdw_stamp_mac_same(mac, packet + s->mac_at + SDW_STAMP_TLV_HEADER);
}

bool sdw_stamp_tlv_trusted(const uint8_t *packet, size_t n, size_t base,
                           const struct sdw_stamp_key *key)
{
    struct survey s = look(packet, n, base);
    return !s.forged && is_intact(&s, packet, base, packet, key);
}

/* Sub-TLVs of a Location (RFC 8972 section 4.2.1): what is asked for and what answers it. A source
 * MAC address is not seen by a UDP socket: its EUI-64 answer stays zero, as the RFC has it. */
static const struct {
    uint8_t asked, length, answer_v4, answer_v6;
    bool destination;
} locations[] = {
    {1, 8, 3, 3, false},
    {4, 16, 5, 6, true},
    {7, 16, 8, 9, false},
};

/* The flags of the sub-TLV. */
static uint8_t locate(uint8_t *p, size_t n, const struct sdw_stamp_reflection *r)
{
    for (size_t i = 0; i < SDW_LEN(locations); i++) {
        if (p[1] != locations[i].asked)
            continue;
        if (n != locations[i].length)
            return SDW_STAMP_MALFORMED;
        size_t size;
        const uint8_t *bytes = sdw_address_bytes(locations[i].destination ? r->to : r->from, &size);
        memset(p + SDW_STAMP_TLV_HEADER, 0, n);
        if (size <= n && n == 16)
            memcpy(p + SDW_STAMP_TLV_HEADER, bytes, size);
        p[1] = size == 16 ? locations[i].answer_v6 : locations[i].answer_v4;
        return 0;
    }
    return SDW_STAMP_UNKNOWN;
}

static uint8_t reflect_location(uint8_t *value, size_t n, struct sdw_stamp_reflection *r)
{
    struct sdw_stamp_tlv sub;
    size_t at = 4, start = at;
    int more;
    sdw_put16(value, sdw_address_port(r->to));
    sdw_put16(value + 2, sdw_address_port(r->from));
    while ((more = sdw_stamp_tlv_next(value, n, &at, &sub)) == 1) {
        value[start] = locate(value + start, sub.n, r);
        start = at;
    }
    return more < 0 ? SDW_STAMP_MALFORMED : 0;
}

static uint8_t reflect_timestamp_info(uint8_t *value, size_t n SDW_UNUSED,
                                      struct sdw_stamp_reflection *r)
{
    uint8_t source = r->error & SDW_STAMP_SYNCED ? SDW_STAMP_SYNC_NTP : SDW_STAMP_SYNC_FREE;
    value[0] = value[2] = source;
    value[1] = value[3] = SDW_STAMP_BY_SOFTWARE;
    return 0;
}

static uint8_t reflect_class_of_service(uint8_t *value, size_t n SDW_UNUSED,
                                        struct sdw_stamp_reflection *r)
{
    uint8_t wanted = value[0] >> 2;
    uint8_t rejected = r->keep_dscp && wanted != r->dscp;
    if (!rejected)
        r->reply_dscp = wanted;
    sdw_put16(value, (uint16_t)(wanted << 10 | r->dscp << 4 | r->ecn << 2 | rejected));
    sdw_put16(value + 2, 0);
    return 0;
}

static uint8_t reflect_direct_measurement(uint8_t *value, size_t n SDW_UNUSED,
                                          struct sdw_stamp_reflection *r)
{
    sdw_put32(value + 4, r->received);
    sdw_put32(value + 8, r->sent);
    return 0;
}

/* The access identifier is 1 (3GPP) or 2 (not); a report of another is to be discarded. */
static uint8_t reflect_access_report(uint8_t *value, size_t n SDW_UNUSED,
                                     struct sdw_stamp_reflection *r SDW_UNUSED)
{
    uint8_t id = value[0] >> 4;
    return id == 1 || id == 2 ? 0 : SDW_STAMP_UNKNOWN;
}

static uint8_t reflect_follow_up(uint8_t *value, size_t n SDW_UNUSED,
                                 struct sdw_stamp_reflection *r)
{
    memset(value, 0, 16);
    if (!r->stateful)
        return 0;
    r->follow_up = true;
    if (r->last_sent) {
        sdw_put32(value, r->last_seq);
        sdw_put64(value + 4, r->last_sent);
        value[12] = SDW_STAMP_BY_SOFTWARE;
    }
    return 0;
}

/* The types that are understood: length of the value (exact, or the least), what to do. */
static const struct known {
    uint8_t type;
    bool exact;
    uint16_t length;
    uint8_t (*reflect)(uint8_t *value, size_t n, struct sdw_stamp_reflection *r); /* NULL: copy */
} known[] = {
    {SDW_STAMP_PADDING, false, 0, NULL},
    {SDW_STAMP_LOCATION, false, 4, reflect_location},
    {SDW_STAMP_TIMESTAMP_INFO, true, 4, reflect_timestamp_info},
    {SDW_STAMP_CLASS_OF_SERVICE, true, 4, reflect_class_of_service},
    {SDW_STAMP_DIRECT_MEASUREMENT, true, 12, reflect_direct_measurement},
    {SDW_STAMP_ACCESS_REPORT, true, 4, reflect_access_report},
    {SDW_STAMP_FOLLOW_UP, true, 16, reflect_follow_up},
    {SDW_STAMP_HMAC, true, SDW_STAMP_MAC, NULL},
    {SDW_STAMP_REPLY_CONTROL, false, 8, NULL},
};

static const struct known *find(uint8_t type)
{
    for (size_t i = 0; i < SDW_LEN(known); i++)
        if (known[i].type == type)
            return &known[i];
    return NULL;
}

/* Flags and value of one TLV of the reply. */
static uint8_t reflect_one(uint8_t type, uint8_t *value, size_t n, struct sdw_stamp_reflection *r)
{
    const struct known *k = find(type);
    if (!k)
        return SDW_STAMP_UNKNOWN;
    if (k->exact ? n != k->length : n < k->length) {
        if (type == SDW_STAMP_FOLLOW_UP)
            memset(value, 0, n < 12 ? n : 12);
        return SDW_STAMP_MALFORMED;
    }
    return k->reflect ? k->reflect(value, n, r) : 0;
}

/* Flags and values of all TLVs, up to the first that is malformed. */
static void reflect_all(uint8_t *reply, size_t n, size_t base, bool intact,
                        struct sdw_stamp_reflection *r)
{
    struct sdw_stamp_tlv tlv;
    size_t at = base, start = at;
    int more;
    while ((more = sdw_stamp_tlv_next(reply, n, &at, &tlv)) == 1) {
        if (intact)
            reply[start] = reflect_one(tlv.type, reply + start + SDW_STAMP_TLV_HEADER, tlv.n, r);
        else
            reply[start] = (uint8_t)(SDW_STAMP_FORGED | (find(tlv.type) ? 0 : SDW_STAMP_UNKNOWN));
        if (reply[start] & SDW_STAMP_MALFORMED)
            return;
        start = at;
    }
    if (more < 0)
        reply[start] = (uint8_t)(SDW_STAMP_MALFORMED | (intact ? 0 : SDW_STAMP_FORGED));
}

/* The length the sender wants its reply to have (RFC 10052 section 3); n when it does not say. */
static size_t wanted_length(const uint8_t *reply, size_t n, size_t base)
{
    struct sdw_stamp_tlv tlv;
    size_t at = base;
    while (sdw_stamp_tlv_next(reply, n, &at, &tlv) == 1)
        if (tlv.type == SDW_STAMP_REPLY_CONTROL && tlv.n >= 8)
            return sdw_get16(tlv.value);
    return n;
}

/* Cut the last padding so that the reply is as short as wanted, and as it can be. */
static size_t cut_padding(uint8_t *reply, size_t n, size_t padding_at, size_t wanted)
{
    if (wanted >= n)
        return n;
    if (wanted < padding_at + SDW_STAMP_TLV_HEADER)
        return padding_at;
    sdw_put16(reply + padding_at + 2, (uint16_t)(wanted - padding_at - SDW_STAMP_TLV_HEADER));
    return wanted;
}

size_t sdw_stamp_tlv_reflect(uint8_t *reply, size_t n, size_t base, uint32_t request_seq,
                             const struct sdw_stamp_key *key,
                             struct sdw_stamp_reflection *reflection)
{
    uint8_t seq[4];
    reflection->reply_dscp = reflection->dscp;
    reflection->follow_up = false;
    /* A sender flags its TLVs as unknown, so zeros are a TWAMP-Light peer's mere padding. */
    if (n <= base || (n >= base + 2 && reply[base] == 0 && reply[base + 1] == 0))
        return n;
    struct survey s = look(reply, n, base);
    sdw_put32(seq, request_seq);
    bool intact = is_intact(&s, reply, base, seq, key);
    reflect_all(reply, n, base, intact, reflection);
    if (intact && s.mac_at)
        sdw_stamp_mac(key, reply, 4, reply + base, s.mac_at - base,
                      reply + s.mac_at + SDW_STAMP_TLV_HEADER);
    if (intact && !s.malformed && s.padding_at)
        n = cut_padding(reply, n, s.padding_at, wanted_length(reply, n, base));
    return n;
}
