/*
 * How much of an address leaves the tool: all of it, its first bits, or a keyed hash that is the
 * same for the same address and tells nothing else (SipHash-2-4 under a key from a file).
 */
#ifndef SDW_NET_ADDRMASK_H
#define SDW_NET_ADDRMASK_H

#include "core/base.h"
#include "core/err.h"

enum { SDW_ADDRMASK_TEXT = 64, SDW_ADDRMASK_KEY = 16 };

struct sdw_addrmask {
    uint8_t bits4, bits6; /* kept of an address of either version */
    bool hash;
    uint8_t key[SDW_ADDRMASK_KEY];
};

/* "keep", "trunc:BITS,BITS" (IPv4, IPv6) or "hash:KEYFILE"; the file has at least 16 bytes.
 * SDW_EUSAGE for another form, SDW_ESYS or SDW_EPERM for a file that cannot be read. */
int sdw_addrmask_parse(const char *text, struct sdw_addrmask *mask, struct sdw_err *err);

/* The address with what may not be shown of it cleared: those that are cut alike are equal. Of
 * addresses that are hashed, all. Fills 16 bytes. */
void sdw_addrmask_cut(const struct sdw_addrmask *mask, uint8_t version, const uint8_t *bytes,
                      uint8_t out[16]);

/* The 4 or 16 bytes of an address of this IP version as they may be shown. Returns out. */
const char *sdw_addrmask_show(const struct sdw_addrmask *mask, uint8_t version,
                              const uint8_t *bytes, char out[SDW_ADDRMASK_TEXT]);

/* A key for the ids of flows that tells no more than the addresses shown: a constant when they
 * are shown in full, one from the file, otherwise `secret`. */
uint64_t sdw_addrmask_id_key(const struct sdw_addrmask *mask, uint64_t secret);

#endif
