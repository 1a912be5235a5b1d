#include "store/xor.h"

/* On disk: number of bytes, first value (64 bits), then for each value one bit 0 (the same again),
 * or 1 0 and the bits of the window used before, or 1 1, leading zeros (6 bits), length less one
 * (6 bits) and that many bits. */
struct writer {
    struct sdw_buf *out;
    uint64_t word;
    unsigned filled;
};

static void put_bits(struct writer *w, uint64_t value, unsigned n)
{
    w->word |= value << w->filled;
    if (w->filled + n < 64) {
        w->filled += n;
        return;
    }
    char bytes[8];
    sdw_store64(bytes, w->word);
    sdw_buf_add(w->out, bytes, sizeof bytes);
    unsigned used = 64 - w->filled;
    w->word = used < 64 ? value >> used : 0;
    w->filled = n - used;
}

struct window {
    unsigned lead, length;
};

static void put_difference(struct writer *w, uint64_t difference, struct window *window)
{
    if (difference == 0) {
        put_bits(w, 0, 1);
        return;
    }
    unsigned lead = (unsigned)__builtin_clzll(difference);
    unsigned trail = (unsigned)__builtin_ctzll(difference);
    unsigned kept = 64 - window->lead - window->length; /* trailing zeros of the window */
    if (window->length && lead >= window->lead && trail >= kept &&
        window->length <= 64 - lead - trail + 12) {
        put_bits(w, 1, 2);
        put_bits(w, difference >> kept, window->length);
        return;
    }
    *window = (struct window){lead, 64 - lead - trail};
    put_bits(w, 3 | (uint64_t)lead << 2 | (uint64_t)(window->length - 1) << 8, 14);
    put_bits(w, difference >> trail, window->length);
}

void sdw_xor_encode(const double *value, size_t n, struct sdw_buf *out)
{
    struct sdw_buf bits = {0};
    struct writer w = {.out = &bits};
    struct window window = {0};
    for (size_t i = 0; i < n; i++) {
        if (i == 0)
            put_bits(&w, sdw_real_bits(value[0]), 64);
        else
            put_difference(&w, sdw_real_bits(value[i]) ^ sdw_real_bits(value[i - 1]), &window);
    }
    char rest[8];
    sdw_store64(rest, w.word);
    sdw_buf_add(&bits, rest, (w.filled + 7) / 8);
    sdw_put_varint(out, bits.n);
    sdw_buf_str(out, sdw_buf_view(&bits));
    sdw_buf_release(&bits);
}

struct reader {
    const uint8_t *p;
    size_t bits, at;
};

/* Past the end: zeros; the caller looks at `at` afterwards. */
static uint64_t get_bits(struct reader *r, unsigned n)
{
    uint8_t copy[16] = {0};
    size_t byte = r->at / 8, size = r->bits / 8;
    unsigned shift = r->at % 8;
    if (byte < size)
        memcpy(copy, r->p + byte, size - byte < sizeof copy ? size - byte : sizeof copy);
    uint64_t value = sdw_load64(copy) >> shift;
    if (shift + n > 64)
        value |= (uint64_t)copy[8] << (64 - shift);
    r->at += n;
    return n == 64 ? value : value & ((UINT64_C(1) << n) - 1);
}

int sdw_xor_decode(struct sdw_bytes *in, size_t n, double *value)
{
    uint64_t size = sdw_get_varint(in), last = 0;
    if (in->bad || size > (size_t)(in->end - in->p))
        return SDW_EINPUT;
    struct reader r = {in->p, (size_t)size * 8, 0};
    unsigned lead = 0, length = 64;
    for (size_t i = 0; i < n && r.at <= r.bits; i++) {
        if (i == 0) {
            last = get_bits(&r, 64);
        } else if (get_bits(&r, 1)) {
            if (get_bits(&r, 1)) {
                lead = (unsigned)get_bits(&r, 6);
                length = (unsigned)get_bits(&r, 6) + 1;
            }
            if (lead + length > 64)
                return SDW_EINPUT;
            last ^= get_bits(&r, length) << (64 - lead - length);
        }
        value[i] = sdw_real_of(last);
    }
    in->p += size;
    return r.at > r.bits ? SDW_EINPUT : 0;
}
