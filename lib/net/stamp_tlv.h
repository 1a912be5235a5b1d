/*
 * What may follow a STAMP base packet: the TLVs of RFC 8972 section 4 (with errata 8199 and 8339),
 * and, to keep replies to load small, the length of RFC 10052's Reflected Test Packet Control.
 * A packet of `n` octets is its base packet (net/stamp.h) followed by TLVs.
 */
#ifndef SDW_NET_STAMP_TLV_H
#define SDW_NET_STAMP_TLV_H

#include "net/address.h"
#include "net/stamp.h"

enum sdw_stamp_tlv_type {
    SDW_STAMP_PADDING = 1,
    SDW_STAMP_LOCATION = 2,
    SDW_STAMP_TIMESTAMP_INFO = 3,
    SDW_STAMP_CLASS_OF_SERVICE = 4,
    SDW_STAMP_DIRECT_MEASUREMENT = 5,
    SDW_STAMP_ACCESS_REPORT = 6,
    SDW_STAMP_FOLLOW_UP = 7,
    SDW_STAMP_HMAC = 8,
    SDW_STAMP_REPLY_CONTROL = 12,
};

enum { SDW_STAMP_UNKNOWN = 0x80, SDW_STAMP_MALFORMED = 0x40, SDW_STAMP_FORGED = 0x20 };
enum { SDW_STAMP_TLV_HEADER = 4 };

/* One TLV, a view into its packet. */
struct sdw_stamp_tlv {
    uint8_t flags, type;
    const uint8_t *value;
    size_t n;
};

/* The TLV at *at of packet[n]; *at moves past it. 1; 0 at the end; SDW_EINPUT when the rest is
 * shorter than the TLV says. */
int sdw_stamp_tlv_next(const uint8_t *packet, size_t n, size_t *at, struct sdw_stamp_tlv *tlv);

/* The sender's side: each appends to packet[n] and returns the new length (n when it does not fit
 * into room octets). value NULL: zeros. */
size_t sdw_stamp_tlv_add(uint8_t *packet, size_t n, size_t room, enum sdw_stamp_tlv_type type,
                         const uint8_t *value, size_t value_n);
/* Extra Padding so that the packet is exactly `target` octets long; n when that is not possible
 * (fewer than 4 octets missing). */
size_t sdw_stamp_tlv_pad(uint8_t *packet, size_t n, size_t target);
/* The HMAC TLV over the sequence number and the TLVs that follow `base`. */
size_t sdw_stamp_tlv_sign(uint8_t *packet, size_t n, size_t room, size_t base,
                          const struct sdw_stamp_key *key);
/* Whether the TLVs of a packet that came back may be used: none is flagged as forged, and with a
 * key, the HMAC TLV is there (unless only padding follows), in its place, and right. */
bool sdw_stamp_tlv_trusted(const uint8_t *packet, size_t n, size_t base,
                           const struct sdw_stamp_key *key);

/* Codes of Timestamp Information and Follow-Up Telemetry (RFC 8972 tables 7 and 9). */
enum { SDW_STAMP_SYNC_NTP = 1, SDW_STAMP_SYNC_FREE = 5, SDW_STAMP_BY_SOFTWARE = 2 };

/* What a reflector knows when it answers, and what the TLVs ask of it. */
struct sdw_stamp_reflection {
    const struct sdw_address *from, *to; /* of the request, with ports */
    uint16_t error;                      /* error estimate of the reply: its format and S */
    uint8_t dscp;                        /* of the request */
    uint8_t ecn;
    bool keep_dscp;          /* policy: answer with the DSCP of the request whatever is asked */
    uint32_t received, sent; /* packets of the session, this one included */
    bool stateful;
    uint32_t last_seq;  /* the reply before: its sequence number, */
    uint64_t last_sent; /* and its transmit stamp on the wire's format; 0: none */

    uint8_t reply_dscp; /* out: to answer with */
    bool follow_up;     /* out: the session wants transmit stamps */
};

/* Turn the TLVs of a request, already copied behind the base of its reply, into those of the reply,
 * in place: flags, values, HMAC. reply[n] begins with its own sequence number; request_seq is that
 * of the request. With a key an HMAC TLV must protect all but mere padding. Returns the length
 * of the reply, which is n or less. */
size_t sdw_stamp_tlv_reflect(uint8_t *reply, size_t n, size_t base, uint32_t request_seq,
                             const struct sdw_stamp_key *key,
                             struct sdw_stamp_reflection *reflection);

#endif
