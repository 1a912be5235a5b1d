#include "store/chunk.h"
#include "core/mem.h"
#include "core/rng.h"
#include "store/bits.h"
#include "store/crc32c.h"
#include "store/ints.h"
#include "store/xor.h"
#include "unit/tap.h"

#include <stdlib.h>

enum { MOST = SDW_CHUNK_POINTS };

static int64_t ts[MOST], whole[MOST], got[MOST];
static double value[MOST];

static bool ints_pass(size_t n)
{
    struct sdw_buf buf = {0};
    sdw_ints_encode(whole, n, &buf);
    struct sdw_bytes in = sdw_bytes(buf.p, buf.n);
    bool good = sdw_ints_decode(&in, n, 0, n, got) == 0 && in.p == in.end &&
                memcmp(whole, got, n * sizeof *got) == 0;
    sdw_buf_release(&buf);
    return good;
}

static void test_packed(void)
{
    struct sdw_rng rng;
    size_t wrong = 0;
    sdw_rng_seed(&rng, 1);
    for (unsigned width = 0; width <= 64; width++)
        for (size_t n = 0; n < 70; n++) {
            uint64_t in[70], out[70];
            struct sdw_buf buf = {0};
            for (size_t i = 0; i < n; i++)
                in[i] = width ? sdw_rng_next(&rng) >> (64 - width) : 0;
            sdw_buf_char(&buf, 'x');
            sdw_put_packed(&buf, in, n, width);
            wrong += buf.n != 1 + (n * width + 7) / 8;
            struct sdw_bytes bytes = sdw_bytes(buf.p + 1, buf.n - 1);
            sdw_get_packed(&bytes, out, n, width);
            wrong += bytes.bad || bytes.p != bytes.end || memcmp(in, out, n * sizeof *in) != 0;
            sdw_buf_release(&buf);
        }
    ok(wrong == 0, "packed values of every width come back: %zu wrong", wrong);
}

static void test_varints(void)
{
    static const int64_t some[] = {0, 1, -1, 63, 64, -64, -65, INT64_MAX, INT64_MIN, 1LL << 35};
    struct sdw_buf buf = {0};
    size_t wrong = 0;
    for (size_t i = 0; i < SDW_LEN(some); i++)
        sdw_put_signed(&buf, some[i]);
    struct sdw_bytes in = sdw_bytes(buf.p, buf.n);
    for (size_t i = 0; i < SDW_LEN(some); i++)
        wrong += sdw_get_signed(&in) != some[i];
    ok(wrong == 0 && !in.bad && in.p == in.end, "integers of variable length come back");
    sdw_get_varint(&in);
    ok(in.bad, "reading past the end is noticed");
    struct sdw_bytes endless = sdw_bytes("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11);
    sdw_get_varint(&endless);
    ok(endless.bad, "an integer without an end is noticed");
    sdw_buf_release(&buf);
}

static void test_checksum(void)
{
    uint8_t zeros[32] = {0};
    ok(sdw_crc32c(0, zeros, 32) == 0x8a9136aa, "CRC-32C of 32 zeros is that of RFC 3720");
    ok(sdw_crc32c(0, "123456789", 9) == 0xe3069283, "and of the digits the well-known one");
    ok(sdw_crc32c(sdw_crc32c(0, "1234", 4), "56789", 5) == 0xe3069283, "also in two parts");
}

/* What values may look like: each fills whole[n]. */
static void steps(size_t n, struct sdw_rng *rng, unsigned kind)
{
    int64_t at = (int64_t)sdw_rng_next(rng) >> sdw_rng_below(rng, 64);
    int64_t step = (int64_t)sdw_rng_next(rng) >> (1 + sdw_rng_below(rng, 63));
    for (size_t i = 0; i < n; i++) {
        uint64_t noise = sdw_rng_next(rng) >> (kind % 64);
        at = kind % 3 == 0 ? at : (int64_t)((uint64_t)at + (uint64_t)step);
        whole[i] = (int64_t)((uint64_t)at + (kind % 5 ? noise : 0));
        if (kind % 7 == 0)
            whole[i] = (int64_t)((uint64_t)whole[i] * (1000 % (1 + kind)));
    }
}

static void test_integers(void)
{
    struct sdw_rng rng;
    size_t wrong = 0;
    sdw_rng_seed(&rng, 2);
    for (unsigned kind = 0; kind < 6000; kind++) {
        size_t n = kind % 17 ? sdw_rng_below(&rng, 400) : sdw_rng_below(&rng, MOST + 1);
        steps(n, &rng, kind);
        wrong += !ints_pass(n);
    }
    ok(wrong == 0, "any sequence of integers comes back: %zu wrong", wrong);
    whole[0] = INT64_MIN, whole[1] = INT64_MAX, whole[2] = INT64_MIN, whole[3] = 0;
    ok(ints_pass(4), "the ends of the range come back");
    whole[0] = 0, whole[1] = INT64_MIN, whole[2] = 0;
    ok(ints_pass(2) && ints_pass(3), "steps of 2^63 come back");
}

/* Values from low to below high of the coded whole[n] are those that a look at each one finds. */
static bool within_is_right(struct sdw_bytes in, size_t n, int64_t low, int64_t high)
{
    static int64_t back[MOST];
    size_t from, to, want_from = 0;
    while (want_from < n && whole[want_from] < low)
        want_from++;
    size_t want_to = want_from;
    while (want_to < n && whole[want_to] < high)
        want_to++;
    return sdw_ints_within(&in, n, low, high, &from, &to, back) == 0 && !in.bad && in.p == in.end &&
           from == want_from && to == want_to &&
           memcmp(back + from, whole + from, (to - from) * sizeof *back) == 0;
}

static void test_within(void)
{
    struct sdw_rng rng;
    struct sdw_buf buf = {0};
    size_t wrong = 0;
    sdw_rng_seed(&rng, 4);
    for (unsigned kind = 0; kind < 2000; kind++) {
        size_t n = 1 + sdw_rng_below(&rng, 300);
        int64_t step = 1 + (int64_t)sdw_rng_below(&rng, kind % 3 ? 1000000 : INT64_MAX / 400);
        whole[0] = kind % 5 ? (int64_t)sdw_rng_next(&rng) / 16 : INT64_MIN;
        for (size_t i = 1; i < n; i++)
            whole[i] = whole[i - 1] + step + (kind % 2 ? (int64_t)sdw_rng_below(&rng, 9) : 0);
        sdw_buf_clear(&buf);
        sdw_ints_encode(whole, n, &buf);
        struct sdw_bytes in = sdw_bytes(buf.p, buf.n);
        int64_t some = whole[sdw_rng_below(&rng, n)], other = whole[sdw_rng_below(&rng, n)];
        wrong += !within_is_right(in, n, INT64_MIN, INT64_MAX) ||
                 !within_is_right(in, n, some, other) || !within_is_right(in, n, some, some + 1) ||
                 !within_is_right(in, n, some + 1, INT64_MAX) ||
                 !within_is_right(in, n, INT64_MIN, other) ||
                 !within_is_right(in, n, INT64_MAX, INT64_MIN);
    }
    ok(wrong == 0, "a range of rising integers is found, regular or not: %zu wrong", wrong);
    sdw_buf_release(&buf);
}

/* Bytes of the chunk of ts[n] and value[n]; 0 when they do not come back. */
static size_t chunk_size(size_t n)
{
    struct sdw_buf buf = {0};
    struct sdw_chunk_room room = {0};
    struct sdw_points points = {.n = n, .columns = 1, .ts_us = ts, .column = {value}};
    sdw_chunk_encode(&points, &buf);
    bool good = sdw_chunk_decode(buf.p, buf.n, INT64_MIN, INT64_MAX, &room, NULL) == 0 &&
                room.points.n == n && memcmp(room.ts_us, ts, n * sizeof *ts) == 0 &&
                memcmp(room.column[0], value, n * sizeof *value) == 0;
    size_t size = good ? buf.n : 0;
    sdw_chunk_room_release(&room);
    sdw_buf_release(&buf);
    return size;
}

/* Times a minute apart; values of a daily wave with noise, in steps of unit. */
static void diurnal(size_t n, double level, double noise, double unit)
{
    struct sdw_rng rng;
    sdw_rng_seed(&rng, 3);
    for (size_t i = 0; i < n; i++) {
        ts[i] = 1700000000000000 + (int64_t)i * 60000000;
        double wave = level * (1 + 0.3 * sin((double)i * 2 * M_PI / 1440));
        value[i] = round((wave + noise * sdw_rng_normal(&rng)) / unit) / round(1 / unit);
    }
}

static void test_sizes(void)
{
    diurnal(1440, 5, 0, 1e-9);
    for (size_t i = 0; i < 1440; i++)
        value[i] = 7;
    size_t size = chunk_size(1440);
    ok(size && size < 40, "a constant at a regular clock is %zu bytes", size);
    for (size_t i = 0; i < 1440; i++)
        value[i] = 1e12 + 12345678.0 * (double)i;
    size = chunk_size(1440);
    ok(size && size < 50, "a steady counter is %zu bytes", size);
    /* A normal distribution needs log2(4.13 sigma) bits: 12.0 here. */
    diurnal(1440, 3e4, 1000, 1);
    double bits = (double)chunk_size(1440) * 8 / 1440;
    ok(bits > 0 && bits < 13.6, "noise costs its entropy and a bit and a half: %.2f of 12.0", bits);
    diurnal(1440, 40, 1, 0.01);
    size = chunk_size(1440);
    bits = (double)size * 8 / 1440;
    ok(size && bits < 10.3, "hundredths too: %.2f bits of 8.7", bits);
    for (size_t i = 0; i < 1440; i++)
        value[i] *= 8;
    size_t eight = chunk_size(1440);
    ok(eight && eight <= size + 16, "a common factor costs nothing: %zu, %zu bytes", eight, size);
}

static void test_reals(void)
{
    static const double odd[] = {0,
                                 -0.0,
                                 1e300,
                                 -1e-300,
                                 5e-324,
                                 0.1 + 0.2,
                                 M_PI,
                                 1e15,
                                 1e16,
                                 123456789012345.6,
                                 -1,
                                 1.0 / 3,
                                 2251799813685249.0};
    struct sdw_rng rng;
    size_t wrong = 0;
    sdw_rng_seed(&rng, 4);
    diurnal(MOST, 1, 0.1, 1e-3);
    for (size_t n = 1; n <= SDW_LEN(odd); n++) {
        memcpy(value, odd, sizeof odd);
        wrong += !chunk_size(n);
    }
    for (unsigned i = 0; i < 1000; i++) {
        size_t n = 1 + sdw_rng_below(&rng, 300);
        for (size_t k = 0; k < n; k++) {
            uint64_t bits = sdw_rng_next(&rng);
            if (sdw_rng_below(&rng, 3) == 0 && k)
                bits = sdw_real_bits(value[k - 1]) ^ (bits >> 50 << 30);
            value[k] = isfinite(sdw_real_of(bits)) ? sdw_real_of(bits) : 0;
        }
        wrong += !chunk_size(n);
    }
    ok(wrong == 0, "any finite reals come back bit for bit: %zu wrong", wrong);
    for (size_t i = 0; i < 1000; i++)
        value[i] = i % 100 ? M_PI : 1e300;
    size_t size = chunk_size(1000);
    ok(size && size < 1000, "a real that rarely changes is small: %zu bytes", size);
    diurnal(MOST, 1e6, 1e5, 0.5);
    ok(chunk_size(MOST), "the largest chunk comes back");
    for (size_t i = 0; i < MOST; i++)
        ts[i] = (int64_t)(i * i * 31 + sdw_rng_below(&rng, 31));
    ok(chunk_size(MOST), "irregular times come back");
}

/* Any part of a chunk is what that part of the whole is. */
static void test_part(void)
{
    struct sdw_buf buf = {0};
    struct sdw_chunk_room room = {0};
    size_t wrong = 0;
    diurnal(1000, 1e6, 1e3, 0.1);
    struct sdw_points points = {.n = 1000, .columns = 1, .ts_us = ts, .column = {value}};
    sdw_chunk_encode(&points, &buf);
    for (size_t from = 0; from < 1000; from += 37)
        for (size_t to = from; to <= 1000; to += 51) {
            int64_t end = to < 1000 ? ts[to] : INT64_MAX;
            int code = sdw_chunk_decode(buf.p, buf.n, ts[from] - 1, end, &room, NULL);
            wrong += code < 0 || room.points.n != to - from ||
                     memcmp(room.points.ts_us, ts + from, (to - from) * sizeof *ts) != 0 ||
                     memcmp(room.points.column[0], value + from, (to - from) * sizeof *value) != 0;
        }
    ok(wrong == 0, "a part of a chunk is that part: %zu wrong", wrong);
    sdw_chunk_room_release(&room);
    sdw_buf_release(&buf);
}

static void test_rollup(void)
{
    static const double min[] = {1, 0.5}, max[] = {9, 7}, sum[] = {12, 8}, count[] = {3, 2},
                        last[] = {2, 7};
    static const int64_t at[] = {60, 120};
    struct sdw_points points = {2, SDW_CHUNK_COLUMNS, at, {min, max, sum, count, last}};
    struct sdw_chunk_stats stats;
    struct sdw_chunk_room room = {0};
    struct sdw_buf buf = {0};
    sdw_chunk_stats_of(&points, &stats);
    ok(stats.from_us == 60 && stats.to_us == 120 && stats.count == 5, "a rollup counts its points");
    ok(stats.min == 0.5 && stats.max == 9 && stats.sum == 20 && stats.last == 7,
       "its statistics are those of the points behind it");
    sdw_chunk_encode(&points, &buf);
    ok(sdw_chunk_decode(buf.p, buf.n, INT64_MIN, INT64_MAX, &room, NULL) == 0 &&
           room.points.columns == 5 && room.column[SDW_COL_LAST][1] == 7 &&
           room.column[SDW_COL_MIN][1] == 0.5,
       "its columns come back");
    sdw_chunk_room_release(&room);
    sdw_buf_release(&buf);
}

/* A chunk cut anywhere, or with any byte changed, never does harm; a cut one is always noticed. */
static void test_damage(void)
{
    struct sdw_chunk_room room = {0};
    struct sdw_buf buf = {0};
    size_t unnoticed = 0;
    diurnal(300, 1e9, 1e4, 1);
    for (unsigned xor = 0; xor < 2; xor ++) {
        for (size_t i = 0; xor &&i < 300; i++)
            value[i] = sqrt(value[i]);
        struct sdw_points points = {.n = 300, .columns = 1, .ts_us = ts, .column = {value}};
        sdw_buf_clear(&buf);
        sdw_chunk_encode(&points, &buf);
        for (size_t cut = 0; cut < buf.n; cut++) {
            char *copy = malloc(cut ? cut : 1);
            memcpy(copy, buf.p, cut);
            unnoticed += sdw_chunk_decode(copy, cut, INT64_MIN, INT64_MAX, &room, NULL) == 0;
            free(copy);
        }
        for (size_t i = 0; i < buf.n; i++) {
            buf.p[i] = (char)(buf.p[i] ^ 0x55);
            (void)sdw_chunk_decode(buf.p, buf.n, INT64_MIN, INT64_MAX, &room, NULL);
            buf.p[i] = (char)(buf.p[i] ^ 0x55);
        }
    }
    ok(unnoticed == 0, "a chunk cut at any byte is noticed: %zu were not", unnoticed);
    sdw_chunk_room_release(&room);
    sdw_buf_release(&buf);
}

int main(void)
{
    test_packed();
    test_varints();
    test_checksum();
    test_integers();
    test_within();
    test_sizes();
    test_reals();
    test_part();
    test_rollup();
    test_damage();
    return tap_done();
}
