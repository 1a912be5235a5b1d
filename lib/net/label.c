#include "net/label.h"
#include "core/clock.h"
#include "core/mem.h"
#include "net/quote.h"
#include "net/sniff.h"
#include "net/wire.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    CAPTURE_OCTETS = 60,
    BUFFER_BYTES = 1 << 16, /* little: a fast flow costs no more than what fits between two looks */
    LOOK_PERIOD_NS = 100000000,
    IDS = 1 << 24,
    COOKIE = 4,
    LABEL_BITS = 0xfffff,
};

struct sdw_label {
    struct sdw_sniff *sniff;
    uint32_t cookie;
    int32_t value;
    int64_t looked_ns;
};

struct sdw_label *sdw_label_new(const struct sdw_address *src, const struct sdw_address *dst,
                                int protocol, uint32_t cookie, struct sdw_err *err)
{
    char filter[256], from[SDW_ADDRESS_TEXT], to[SDW_ADDRESS_TEXT];
    (void)snprintf(filter, sizeof filter,
                   "ip6 and %s and src host %s and src port %u and dst host %s and dst port %u",
                   protocol == IPPROTO_TCP ? "tcp" : "udp", sdw_address_text(src, from),
                   sdw_address_port(src), sdw_address_text(dst, to), sdw_address_port(dst));
    struct sdw_label *label = sdw_xalloc(sizeof *label);
    label->cookie = cookie;
    label->value = SDW_LABEL_UNKNOWN;
    label->sniff = sdw_sniff_new(&(struct sdw_sniff_options){.filter = filter,
                                                             .octets = CAPTURE_OCTETS,
                                                             .buffer_bytes = BUFFER_BYTES,
                                                             .outgoing = true},
                                 err);
    if (!label->sniff) {
        sdw_label_free(label);
        return NULL;
    }
    return label;
}

void sdw_label_free(struct sdw_label *label)
{
    if (label)
        sdw_sniff_free(label->sniff);
    free(label);
}

int32_t sdw_label_of(const uint8_t *packet, size_t n, uint32_t cookie)
{
    struct sdw_header h;
    if (n == 0 || packet[0] >> 4 != 6 || !sdw_header_read(packet, n, &h))
        return SDW_LABEL_UNKNOWN;
    bool ours = h.protocol == IPPROTO_TCP ? h.seq - cookie < IDS
                                          : h.payload_n >= COOKIE && sdw_get32(h.payload) == cookie;
    return ours ? SDW_LABEL_UNKNOWN : (int32_t)(sdw_get32(packet) & LABEL_BITS);
}

/* Take all that was captured; what comes while we do is for the next time. */
static void look(struct sdw_label *label)
{
    struct sdw_str packet;
    struct sdw_err err = {0};
    int64_t received_ns, now_ns = sdw_wall_ns();
    label->looked_ns = sdw_mono_ns();
    do {
        if (sdw_sniff_next(label->sniff, &packet, &received_ns, &err) != 1)
            return;
        int32_t value = sdw_label_of((const uint8_t *)packet.p, packet.n, label->cookie);
        if (value != SDW_LABEL_UNKNOWN)
            label->value = value;
    } while (received_ns < now_ns);
}

int32_t sdw_label_now(struct sdw_label *label)
{
    if (sdw_mono_ns() - label->looked_ns >= LOOK_PERIOD_NS)
        look(label);
    return label->value;
}

void sdw_label_wait(struct sdw_label *label, int64_t for_ns)
{
    struct pollfd fd = {.fd = sdw_sniff_fd(label->sniff), .events = POLLIN};
    int64_t until_ns = sdw_mono_ns() + for_ns, left_ns = for_ns;
    while (label->value == SDW_LABEL_UNKNOWN && left_ns > 0) {
        (void)poll(&fd, 1, (int)(left_ns / 1000000) + 1);
        look(label);
        left_ns = until_ns - sdw_mono_ns();
    }
}
