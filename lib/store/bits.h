/*
 * Numbers as the store writes them: integers of variable length (LEB128), and runs of values of
 * equal width. Everything on disk is little-endian.
 */
#ifndef SDW_STORE_BITS_H
#define SDW_STORE_BITS_H

#include "core/base.h"
#include "core/buf.h"

#include <endian.h>

void sdw_put_varint(struct sdw_buf *out, uint64_t value);
void sdw_put_signed(struct sdw_buf *out, int64_t value); /* zigzag: small magnitudes are short */

/* A cursor over bytes. Reading past the end gives zeros and sets bad, which stays. */
struct sdw_bytes {
    const uint8_t *p, *end;
    bool bad;
};
struct sdw_bytes sdw_bytes(const void *p, size_t n);
uint8_t sdw_get_byte(struct sdw_bytes *in);
uint64_t sdw_get_varint(struct sdw_bytes *in);
int64_t sdw_get_signed(struct sdw_bytes *in);

void sdw_skip(struct sdw_bytes *in, size_t n);

/* n values of `width` bits (0..64), lowest bit first; higher bits of a value must be clear. */
void sdw_put_packed(struct sdw_buf *out, const uint64_t *value, size_t n, unsigned width);
size_t sdw_packed_size(size_t n, unsigned width); /* bytes */
void sdw_get_packed(struct sdw_bytes *in, uint64_t *value, size_t n, unsigned width);

unsigned sdw_width(uint64_t value); /* bits that it needs: 0 for 0, 64 at most */

/* Fixed-size integers and reals at any address; here because queries spend their time in them. */
static inline void sdw_store16(void *p, uint16_t value)
{
    value = htole16(value);
    memcpy(p, &value, sizeof value);
}

static inline void sdw_store32(void *p, uint32_t value)
{
    value = htole32(value);
    memcpy(p, &value, sizeof value);
}

static inline void sdw_store64(void *p, uint64_t value)
{
    value = htole64(value);
    memcpy(p, &value, sizeof value);
}

static inline uint32_t sdw_load32(const void *p)
{
    uint32_t value;
    memcpy(&value, p, sizeof value);
    return le32toh(value);
}

static inline uint64_t sdw_load64(const void *p)
{
    uint64_t value;
    memcpy(&value, p, sizeof value);
    return le64toh(value);
}

static inline uint64_t sdw_real_bits(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline double sdw_real_of(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

#endif
