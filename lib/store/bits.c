#include "store/bits.h"

void sdw_put_varint(struct sdw_buf *out, uint64_t value)
{
    sdw_buf_reserve(out, 10);
    uint8_t *p = (uint8_t *)out->p + out->n;
    for (; value >= 0x80; value >>= 7)
        *p++ = (uint8_t)(value | 0x80);
    *p++ = (uint8_t)value;
    out->n = (size_t)((char *)p - out->p);
}

void sdw_put_signed(struct sdw_buf *out, int64_t value)
{
    sdw_put_varint(out, ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0));
}

struct sdw_bytes sdw_bytes(const void *p, size_t n)
{
    return (struct sdw_bytes){p, (const uint8_t *)p + n, false};
}

uint8_t sdw_get_byte(struct sdw_bytes *in)
{
    if (in->p == in->end) {
        in->bad = true;
        return 0;
    }
    return *in->p++;
}

uint64_t sdw_get_varint(struct sdw_bytes *in)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && in->p < in->end; shift += 7) {
        uint8_t byte = *in->p++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return value;
    }
    in->bad = true;
    in->p = in->end;
    return 0;
}

int64_t sdw_get_signed(struct sdw_bytes *in)
{
    uint64_t value = sdw_get_varint(in);
    return (int64_t)((value >> 1) ^ (0 - (value & 1)));
}

void sdw_skip(struct sdw_bytes *in, size_t n)
{
    if (n > (size_t)(in->end - in->p)) {
        in->bad = true;
        n = (size_t)(in->end - in->p);
    }
    in->p += n;
}

unsigned sdw_width(uint64_t value)
{
    return value ? 64 - (unsigned)__builtin_clzll(value) : 0;
}

size_t sdw_packed_size(size_t n, unsigned width)
{
    return (n * width + 7) / 8;
}

void sdw_put_packed(struct sdw_buf *out, const uint64_t *value, size_t n, unsigned width)
{
    size_t size = sdw_packed_size(n, width);
    sdw_buf_reserve(out, size + 8);
    char *p = out->p + out->n;
    uint64_t word = 0;
    unsigned filled = 0;
    for (size_t i = 0; i < n && width; i++) {
        word |= value[i] << filled;
        filled += width;
        if (filled >= 64) {
            sdw_store64(p, word);
            p += 8;
            filled -= 64;
            word = filled ? value[i] >> (width - filled) : 0;
        }
    }
    if (filled)
        sdw_store64(p, word);
    out->n += size;
}

/* Bits [at, at + width) of size bytes, near whose end a whole word cannot be read. */
static uint64_t careful(const uint8_t *p, size_t size, size_t at, unsigned width, uint64_t mask)
{
    uint8_t copy[16] = {0};
    size_t byte = at / 8, left = size - byte;
    unsigned shift = at % 8;
    memcpy(copy, p + byte, left < sizeof copy ? left : sizeof copy);
    uint64_t word = sdw_load64(copy) >> shift;
    if (shift + width > 64)
        word |= (uint64_t)copy[8] << (64 - shift);
    return word & mask;
}

void sdw_get_packed(struct sdw_bytes *in, uint64_t *value, size_t n, unsigned width)
{
    size_t left = (size_t)(in->end - in->p), i = 0;
    if (width > 64 || n > SIZE_MAX / 64 || sdw_packed_size(n, width) > left) {
        in->bad = true;
        in->p = in->end;
        memset(value, 0, n * sizeof *value);
        return;
    }
    const uint8_t *p = in->p;
    size_t size = sdw_packed_size(n, width);
    uint64_t mask = width == 64 ? UINT64_MAX : (UINT64_C(1) << width) - 1;
    /* A word may be read as far as the input goes, not only to the end of the run. */
    size_t whole = width && left >= 8 ? ((left - 8) * 8 + 7) / width : 0;
    if (width == 0)
        memset(value, 0, n * sizeof *value);
    else if (width <= 57)
        for (; i < n && i < whole; i++)
            value[i] = (sdw_load64(p + i * width / 8) >> (i * width % 8)) & mask;
    for (; i < n && width; i++)
        value[i] = careful(p, size, i * width, width, mask);
    in->p += size;
}
