#include "store/snappy.h"
#include "store/bits.h"

enum {
    BLOCK = 65536, /* copies reach back within a block, so that two bytes hold their distance */
    HASH_BITS = 14,
    COPY_LEAST = 4,
    COPY_MOST = 64,
};

static void put_literal(struct sdw_buf *out, const char *p, size_t n)
{
    if (n == 0)
        return;
    if (n <= 60) {
        sdw_buf_char(out, (char)((n - 1) << 2));
    } else {
        char length[2];
        sdw_store16(length, (uint16_t)(n - 1));
        sdw_buf_char(out, (char)(61 << 2));
        sdw_buf_add(out, length, sizeof length);
    }
    sdw_buf_add(out, p, n);
}

static void put_copy(struct sdw_buf *out, size_t distance, size_t n)
{
    while (n > 0) {
        size_t some = n < COPY_MOST ? n : COPY_MOST;
        char bytes[3] = {(char)((some - 1) << 2 | 2)};
        sdw_store16(bytes + 1, (uint16_t)distance);
        sdw_buf_add(out, bytes, sizeof bytes);
        n -= some;
    }
}

static size_t hash(const char *p)
{
    return sdw_load32(p) * 0x1e35a7bdu >> (32 - HASH_BITS);
}

/* Greedy: the last place with the same four bytes, as long as it matches. */
static void put_block(const char *p, size_t n, struct sdw_buf *out)
{
    uint16_t place[1 << HASH_BITS] = {0};
    size_t from = 0; /* start of what is not written yet */
    for (size_t at = 1; at + COPY_LEAST <= n;) {
        uint16_t *slot = &place[hash(p + at)];
        size_t before = *slot, same = 0;
        *slot = (uint16_t)at;
        if (before < at)
            while (at + same < n && p[before + same] == p[at + same])
                same++;
        if (same < COPY_LEAST) {
            at++;
            continue;
        }
        put_literal(out, p + from, at - from);
        put_copy(out, at - before, same);
        at += same;
        from = at;
    }
    put_literal(out, p + from, n - from);
}

void sdw_snappy(struct sdw_str bytes, struct sdw_buf *out)
{
    sdw_put_varint(out, bytes.n);
    for (size_t at = 0; at < bytes.n; at += BLOCK) {
        size_t n = bytes.n - at < BLOCK ? bytes.n - at : BLOCK;
        put_block(bytes.p + at, n, out);
    }
}
