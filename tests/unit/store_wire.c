/* What leaves for other engines: Snappy, and both forms of points. */
#include "store/wire.h"
#include "core/rng.h"
#include "store/bits.h"
#include "store/snappy.h"
#include "unit/tap.h"

#include <stdlib.h>

enum { MOST = 300000 };

/* A decoder of Snappy's block format; -1 when the bytes are none. */
static long expand(const struct sdw_buf *packed, char *out, size_t room)
{
    struct sdw_bytes in = sdw_bytes(packed->p, packed->n);
    size_t want = sdw_get_varint(&in), n = 0;
    while (!in.bad && in.p < in.end) {
        unsigned tag = sdw_get_byte(&in);
        size_t length = (tag >> 2) + 1, back = 0;
        if ((tag & 3) == 0) {
            for (unsigned i = 0, bytes = tag >> 2 >= 60 ? (tag >> 2) - 59 : 0; i < bytes; i++)
                length = (i ? length : 1) + ((size_t)sdw_get_byte(&in) << (8 * i));
            if (n + length > room || length > (size_t)(in.end - in.p))
                return -1;
            memcpy(out + n, in.p, length);
            sdw_skip(&in, length);
            n += length;
            continue;
        }
        if ((tag & 3) != 2)
            return -1; /* our encoder makes no others */
        back = sdw_get_byte(&in);
        back |= (size_t)sdw_get_byte(&in) << 8;
        if (back == 0 || back > n || n + length > room)
            return -1;
        for (; length > 0; length--, n++)
            out[n] = out[n - back];
    }
    return n == want && !in.bad ? (long)n : -1;
}

static size_t passes(const char *bytes, size_t n)
{
    static char back[MOST];
    struct sdw_buf packed = {0};
    sdw_snappy((struct sdw_str){bytes, n}, &packed);
    size_t size = packed.n;
    bool good = expand(&packed, back, sizeof back) == (long)n && memcmp(back, bytes, n) == 0;
    sdw_buf_release(&packed);
    return good ? size : 0;
}

static void test_snappy(void)
{
    static char bytes[MOST];
    static const size_t sizes[] = {0, 1, 3, 4, 5, 59, 60, 61, 62, 300, 65535, 65536, 65537, MOST};
    struct sdw_rng rng;
    size_t wrong = 0;
    sdw_rng_seed(&rng, 6);
    for (unsigned letters = 1; letters <= 256; letters *= 4)
        for (size_t i = 0; i < SDW_LEN(sizes); i++) {
            for (size_t k = 0; k < sizes[i]; k++)
                bytes[k] = (char)sdw_rng_below(&rng, letters);
            wrong += !passes(bytes, sizes[i]);
        }
    ok(wrong == 0, "what was compressed comes back: %zu did not", wrong);
    for (size_t k = 0; k < MOST; k++)
        bytes[k] = "link/a-b/bps\x12\x0a"[k % 14];
    size_t size = passes(bytes, MOST);
    ok(size && size < MOST / 15, "what repeats gets small: %zu of %d bytes", size, MOST);
}

static const struct sdw_point points[] = {{1, 1700000000123456, 1.5}, {1, 1700000060000000, -2}};

static void test_victoria(void)
{
    struct sdw_wire_series series = {sdw_str_of("link/a-b/bps"), sdw_str_of("{\"x\":\"1\\\"\"}"),
                                     points, 2};
    struct sdw_arena arena = {0};
    struct sdw_buf body = {0};
    sdw_wire_add(SDW_WIRE_VICTORIA, &series, &arena, &body);
    is_text(body.p,
            "{\"metric\":{\"__name__\":\"link/a-b/bps\",\"x\":\"1\\\"\"},\"values\":[1.5,-2],"
            "\"timestamps\":[1700000000123,1700000060000]}\n",
            "VictoriaMetrics gets a line of JSON for each series");
    sdw_buf_release(&body);
    sdw_arena_release(&arena);
}

static void test_prometheus(void)
{
    /* WriteRequest { TimeSeries { Label, Label, Label, Sample } }, labels by name. */
    static const char want[] = "\x0a\x4d"
                               "\x0a\x07\x0a\x02_1\x12\x01y"
                               "\x0a\x18\x0a\x08__name__\x12\x0clink_a_b_bps"
                               "\x0a\x16\x0a\x06series\x12\x0clink/a-b/bps"
                               "\x12\x10\x09\0\0\0\0\0\0\xf8\x3f\x10\xfb\xd0\x95\xff\xbc\x31";
    struct sdw_wire_series series = {sdw_str_of("link/a-b/bps"), sdw_str_of("{\"1\":\"y\"}"),
                                     points, 1};
    struct sdw_arena arena = {0};
    struct sdw_buf body = {0};
    sdw_wire_add(SDW_WIRE_PROMETHEUS, &series, &arena, &body);
    bool same = body.n == sizeof want - 1 && memcmp(body.p, want, body.n) == 0;
    ok(same, "Prometheus gets protobuf, names as it allows them, and the name as it was");
    for (size_t i = 0; !same && i < body.n; i++)
        printf("%s%02x", i ? " " : "# ", (unsigned char)body.p[i]);
    sdw_buf_release(&body);
    sdw_arena_release(&arena);
}

int main(void)
{
    test_snappy();
    test_victoria();
    test_prometheus();
    return tap_done();
}
