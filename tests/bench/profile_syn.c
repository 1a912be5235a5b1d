/* Writes a capture of PACKETS SYNs, each of one of FLOWS random flows: profile_syn PACKETS FLOWS
 * SEED. Packets come every microsecond. The same seed gives the same. */
#include "core/num.h"
#include "core/rng.h"
#include "net/wire.h"

#include <stdio.h>

enum { FRAME = 66, BATCH = 512, START_S = 1700000000 };

static const uint8_t frame[FRAME] = {
    2,        0, 0,   0,   0, 1, 2,  0, 0,  0, 0, 2, 8, 0, /* Ethernet */
    0x45,     0, 0,   52,  0, 1, 64, 0, 64, 6, 0, 0,       /* IPv4, without its addresses */
    [42] = 0, 0, 0,   0,                                   /* acknowledgement */
    0x80,     2, 250, 240, 0, 0, 0,  0,                    /* SYN */
    2,        4, 5,   180, 1, 1, 4,  2, 1,  3, 3, 7,       /* options */
};

static void put_little(uint8_t *p, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(value >> 8 * i);
}

int main(int argc, char **argv)
{
    int64_t packets = 0, flows = 1, seed = 1;
    if (argc != 4 || !sdw_num_int(sdw_str_of(argv[1]), &packets) ||
        !sdw_num_int(sdw_str_of(argv[2]), &flows) || flows < 1 ||
        !sdw_num_int(sdw_str_of(argv[3]), &seed)) {
        fputs("usage: profile_syn PACKETS FLOWS SEED\n", stderr);
        return 2;
    }
    static const uint8_t head[24] = {0x4d, 0x3c, 0xb2, 0xa1, 2, 0, 4, 0, [17] = 255, [20] = 1};
    static uint8_t out[BATCH][16 + FRAME];
    struct sdw_rng rng;
    sdw_rng_seed(&rng, (uint64_t)seed);
    bool good = fwrite(head, 1, sizeof head, stdout) == sizeof head;
    size_t n = 0;
    for (int64_t i = 0; good && i < packets; i++) {
        uint8_t *p = out[n++];
        uint64_t ns = (uint64_t)i * 1000;
        struct sdw_rng flow; /* a number stands for a flow */
        sdw_rng_seed(&flow, sdw_rng_below(&rng, (uint64_t)flows));
        uint64_t ends = sdw_rng_next(&flow), ports = sdw_rng_next(&flow);
        put_little(p, (uint32_t)(START_S + ns / 1000000000));
        put_little(p + 4, (uint32_t)(ns % 1000000000));
        put_little(p + 8, FRAME);
        put_little(p + 12, FRAME);
        memcpy(p + 16, frame, FRAME);
        sdw_put64(p + 16 + 26, ends);
        sdw_put64(p + 16 + 34, ports); /* both, and the sequence number */
        if (n == BATCH || i + 1 == packets) {
            good = fwrite(out, sizeof out[0], n, stdout) == n;
            n = 0;
        }
    }
    return good && fflush(stdout) == 0 ? 0 : 4;
}
