/*
 * Where a run of ordinary string content ends: at a quote, a backslash or a control byte. This is
 * most of what scanning a line costs, so it looks at 16 bytes at a time where the machine can, and
 * at 8 everywhere.
 */
#ifndef SDW_IO_SCAN_STOP_H
#define SDW_IO_SCAN_STOP_H

#include "core/base.h"

#include <endian.h>

#define SDW_EACH_BYTE UINT64_C(0x0101010101010101)

/* Marks (in their top bits) the bytes of x that end a run. Only the lowest mark is exact. */
static inline uint64_t sdw_stops_of_word(uint64_t x)
{
    uint64_t control = x - SDW_EACH_BYTE * ' ';
    uint64_t quote = (x ^ SDW_EACH_BYTE * '"') - SDW_EACH_BYTE;
    uint64_t backslash = (x ^ SDW_EACH_BYTE * '\\') - SDW_EACH_BYTE;
    return (control | quote | backslash) & ~x & SDW_EACH_BYTE * 0x80;
}

static inline const char *sdw_stop_by_words(const char *p, const char *end)
{
    while (end - p >= 8) {
        uint64_t x;
        memcpy(&x, p, sizeof x);
        uint64_t stops = sdw_stops_of_word(le64toh(x));
        if (stops)
            return p + __builtin_ctzll(stops) / 8;
        p += 8;
    }
    while (p < end && (unsigned char)*p >= ' ' && *p != '"' && *p != '\\')
        p++;
    return p;
}

#ifdef __SSE2__
#include <emmintrin.h>

/* The first byte from p on that ends a run, or end. */
static inline const char *sdw_string_stop(const char *p, const char *end)
{
    const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\');
    const __m128i last_control = _mm_set1_epi8(0x1f);
    while (end - p >= 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i stop = _mm_or_si128(_mm_cmpeq_epi8(x, quote), _mm_cmpeq_epi8(x, backslash));
        stop = _mm_or_si128(stop, _mm_cmpeq_epi8(_mm_min_epu8(x, last_control), x));
        unsigned stops = (unsigned)_mm_movemask_epi8(stop);
        if (stops)
            return p + __builtin_ctz(stops);
        p += 16;
    }
    return sdw_stop_by_words(p, end);
}
#else
static inline const char *sdw_string_stop(const char *p, const char *end)
{
    return sdw_stop_by_words(p, end);
}
#endif

#endif
