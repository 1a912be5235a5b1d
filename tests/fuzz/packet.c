/* Captured packets of any link, followed as flows and as TCP. The first byte chooses the link; each
 * packet then is a byte of time, two of length, and its bytes. */
#include <stdlib.h>

#include "net/profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* DLT_EN10MB, _RAW, _LINUX_SLL, _LINUX_SLL2, _NULL, _LOOP, _PPP and one that is not known. */
static const int links[] = {1, 12, 113, 276, 0, 108, 9, 189};

static int say(void *arg, const struct sdw_schema *schema, const void *rec)
{
    struct sdw_buf *buf = arg;
    sdw_buf_clear(buf);
    sdw_rec_encode(schema, rec, buf);
    return 0;
}

/* Each packet is memory of its own, so that reading beyond it is seen. */
static size_t feed(struct sdw_profile *profile, int link, const uint8_t *data, size_t size,
                   int64_t *now_ns)
{
    if (size < 3)
        return size;
    size_t n = (size_t)data[1] << 8 | data[2];
    if (n > size - 3)
        n = size - 3;
    uint8_t *bytes = malloc(n + !n);
    if (!bytes)
        return size;
    memcpy(bytes, data + 3, n);
    *now_ns += ((int64_t)data[0] - 16) * 100000000;
    struct sdw_packet packet;
    if (sdw_packet_decode(link, (struct sdw_str){(char *)bytes, n}, (uint32_t)n, &packet) ==
            SDW_PACKET_IP &&
        packet.payload_n && packet.payload + packet.payload_n > bytes + n)
        abort();
    sdw_profile_packet(profile, *now_ns, (struct sdw_str){(char *)bytes, n}, (uint32_t)n);
    free(bytes);
    return n + 3;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct sdw_buf buf = {0};
    struct sdw_profile_config config = {.link = links[data[0] % SDW_LEN(links)],
                                        .interval_ns = 1000000000,
                                        .active_ns = 60000000000,
                                        .idle_ns = 15000000000,
                                        .max_flows = 4,
                                        .mask = {.bits4 = 32, .bits6 = 128},
                                        .say = say,
                                        .arg = &buf};
    struct sdw_profile *profile = sdw_profile_new(&config);
    int64_t now_ns = 1700000000000000000;
    for (size_t at = 1; at < size;)
        at += feed(profile, config.link, data + at, size - at, &now_ns);
    sdw_profile_finish(profile);
    sdw_profile_free(profile);
    sdw_buf_release(&buf);
    return 0;
}
