/* Writes N probe-like records of about 243 bytes, the same for the same seed: record_gen N SEED.
 * rtt_us is exponential, so that rtt_us>20000 keeps 18 % of them. */
#include "core/buf.h"
#include "core/num.h"
#include "core/rng.h"

#include <stdio.h>
#include <stdlib.h>

enum { BATCH = 64 * 1024 };

static void text_member(struct sdw_buf *out, const char *key, uint64_t low, const char *form)
{
    sdw_buf_printf(out, ",\"%s\":\"", key);
    sdw_buf_printf(out,
                   form[0] == '6'   ? "fd09::%x"
                   : form[0] == '4' ? "10.9.0.%u"
                                    : "r%u-eth0",
                   (unsigned)low);
    sdw_buf_char(out, '"');
}

static void record(struct sdw_buf *out, struct sdw_rng *rng, int64_t i)
{
    int64_t hop = 1 + (int64_t)sdw_rng_below(rng, 9);
    sdw_buf_text(out, "{\"type\":\"reply\",\"v\":1,\"ts\":");
    sdw_buf_int(out, INT64_C(1763650000000731) + i * 97);
    sdw_buf_printf(out, ",\"run\":\"%08llx\"", (unsigned long long)(sdw_rng_next(rng) >> 32));
    text_member(out, "src", 1 + sdw_rng_below(rng, 250), "4");
    text_member(out, "dst", sdw_rng_below(rng, 0xffff), "6");
    sdw_buf_printf(out, ",\"hop\":%lld", (long long)hop);
    text_member(out, "addr", 100 + sdw_rng_below(rng, 100), "4");
    sdw_buf_printf(out, ",\"seq\":%lld,\"rtt_us\":", (long long)i);
    sdw_buf_int(out, (int64_t)sdw_rng_exponential(rng, 11663));
    sdw_buf_printf(out, ",\"gap_us\":");
    sdw_buf_real(out, (double)sdw_rng_below(rng, 1000000) / 1000);
    sdw_buf_printf(out, ",\"ttl\":%lld,\"flow\":\"udp/%u\",\"icmp_type\":11,\"lost\":%s",
                   (long long)(64 - hop), 40000 + (unsigned)sdw_rng_below(rng, 9999),
                   sdw_rng_below(rng, 100) == 0 ? "true" : "false");
    text_member(out, "name", sdw_rng_below(rng, 999), "n");
    sdw_buf_text(out, "}\n");
}

int main(int argc, char **argv)
{
    int64_t n = 0, seed = 1;
    if (argc < 2 || !sdw_num_int(sdw_str_of(argv[1]), &n) ||
        (argc > 2 && !sdw_num_int(sdw_str_of(argv[2]), &seed))) {
        fputs("usage: record_gen N [SEED]\n", stderr);
        return 2;
    }
    struct sdw_rng rng;
    struct sdw_buf out = {0};
    sdw_rng_seed(&rng, (uint64_t)seed);
    for (int64_t i = 0; i < n; i++) {
        record(&out, &rng, i);
        if (out.n >= BATCH || i + 1 == n) {
            if (fwrite(out.p, 1, out.n, stdout) != out.n)
                return 4;
            sdw_buf_clear(&out);
        }
    }
    sdw_buf_release(&out);
    return fflush(stdout) == 0 ? 0 : 4;
}
