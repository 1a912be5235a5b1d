/*
 * The test packets of STAMP (RFC 8762) with its session identifier (RFC 8972 section 3): sender and
 * reflector, unauthenticated and authenticated. What follows the base packet is in net/stamp_tlv.h.
 *
 * Times are ns since the Unix epoch; on the wire they are NTP (RFC 5905) or truncated PTPv2
 * (IEEE 1588-2008) stamps, as the Z bit of the error estimate says. PTPv2 stamps are read and
 * written in the time scale of the system clock. Both formats keep a ns exactly.
 */
#ifndef SDW_NET_STAMP_H
#define SDW_NET_STAMP_H

#include "core/base.h"
#include "core/err.h"

enum {
    SDW_STAMP_PORT = 862,
    SDW_STAMP_BASE = 44,       /* octets of a base packet, both directions */
    SDW_STAMP_BASE_AUTH = 112, /* the same, authenticated */
    SDW_STAMP_MAC = 16,        /* HMAC-SHA-256 truncated to 128 bits */
    /* TWAMP-Light (RFC 5357 appendix I) peers: a request with the TTL echoed at octet 40, and the
     * shortest reply in the field, which has no TTL. */
    SDW_TWAMP_REQUEST = 41,
    SDW_TWAMP_REPLY = 38,
};

/* A shared key, 16 to 64 octets. */
struct sdw_stamp_key {
    uint8_t bytes[64];
    size_t n;
};

/* SDW_EUSAGE when it is shorter than 16 or longer than 64 octets. */
int sdw_stamp_key_set(struct sdw_stamp_key *key, const uint8_t *bytes, size_t n,
                      struct sdw_err *err);
/* Read it from a file of hexadecimal digits (white space between them is ignored). */
int sdw_stamp_key_load(struct sdw_stamp_key *key, const char *path, struct sdw_err *err);
/* HMAC-SHA-256-128 of a then b (b may be empty). */
void sdw_stamp_mac(const struct sdw_stamp_key *key, const uint8_t *a, size_t a_n, const uint8_t *b,
                   size_t b_n, uint8_t mac[SDW_STAMP_MAC]);
/* Whether the two are equal, in constant time. */
bool sdw_stamp_mac_same(const uint8_t a[SDW_STAMP_MAC], const uint8_t b[SDW_STAMP_MAC]);

/* Error estimate (RFC 4656 section 4.1.2): the error is multiplier * 2^(scale - 32) seconds. */
enum { SDW_STAMP_SYNCED = 0x8000, SDW_STAMP_PTP = 0x4000 };
/* The estimate that covers error_ns (at least 1) most closely from above. */
uint16_t sdw_stamp_error_estimate(int64_t error_ns, bool synced, bool ptp);

/* A time in the format that the estimate's Z bit says. */
uint64_t sdw_stamp_time(int64_t ns, uint16_t estimate);
int64_t sdw_stamp_time_ns(uint64_t time, uint16_t estimate);

/* What a session-sender says. */
struct sdw_stamp_request {
    uint32_t seq;
    uint64_t sent;  /* T1, on-the-wire format */
    uint16_t error; /* error estimate */
    uint16_t ssid;  /* session identifier; 0: none */
};

/* What a session-reflector says. */
struct sdw_stamp_reply {
    uint32_t seq;
    uint64_t sent;     /* T3 */
    uint64_t received; /* T2, in the format of `error` too */
    uint16_t error;
    uint16_t ssid;
    struct sdw_stamp_request request; /* what it answers; its ssid is that of the reply */
    uint8_t ttl;                      /* that the request arrived with; 0: not told */
};

/* Octets of the base packet: 44, or 112 with a key. */
size_t sdw_stamp_base(const struct sdw_stamp_key *key);

/* Write the base packet (authenticated when key is given) into out, which has room for
 * sdw_stamp_base(key) octets. Returns that number. */
size_t sdw_stamp_put_request(const struct sdw_stamp_request *request,
                             const struct sdw_stamp_key *key, uint8_t *out);
size_t sdw_stamp_put_reply(const struct sdw_stamp_reply *reply, const struct sdw_stamp_key *key,
                           uint8_t *out);

/* Read one. With a key the packet must be authenticated by it. Returns the octets of the base
 * packet (TLVs or padding follow), or SDW_EINPUT: too short, or SDW_EPERM: the HMAC is wrong.
 * Without a key, requests from SDW_TWAMP_REQUEST and replies from SDW_TWAMP_REPLY octets on are
 * taken. */
int sdw_stamp_get_request(const uint8_t *bytes, size_t n, const struct sdw_stamp_key *key,
                          struct sdw_stamp_request *request, struct sdw_err *err);
int sdw_stamp_get_reply(const uint8_t *bytes, size_t n, const struct sdw_stamp_key *key,
                        struct sdw_stamp_reply *reply, struct sdw_err *err);

#endif
