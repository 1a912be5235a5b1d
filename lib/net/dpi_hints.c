/* The engine where libndpi is missing: ports, the names of TLS and DNS, QUIC by its header, and
 * for flows without a name of their own the name that DNS gave for their server's address. */
#include "net/dpi.h"
#include "core/map.h"
#include "core/mem.h"
#include "net/hints.h"

#include <netinet/in.h>
#include <stdlib.h>

enum {
    NAMES = 4096, /* addresses whose names are kept */
    ENOUGH = 3,   /* packets that may tell */
    DNS_ANSWER = 0x80,
};

/* What DNS said an address is called; a later answer with the same place in the table wins. */
struct name {
    uint8_t address[16];
    size_t bytes;
    char host[SDW_DPI_HOST];
};

struct sdw_dpi_flow {
    unsigned looked;
    struct sdw_dpi_label label; /* the best so far */
};

struct sdw_dpi {
    size_t flows, max_flows;
    uint64_t skipped, key;
    struct name names[NAMES];
};

/* While the answers of one message are kept. */
struct answers {
    struct sdw_dpi *dpi;
    const char *host;
};

int sdw_dpi_new(struct sdw_dpi **out, size_t max_flows, struct sdw_err *err)
{
    struct sdw_dpi *dpi = sdw_xalloc(sizeof *dpi);
    (void)err;
    dpi->max_flows = max_flows;
    dpi->key = (uintptr_t)dpi;
    *out = dpi;
    return 0;
}

void sdw_dpi_free(struct sdw_dpi *dpi)
{
    free(dpi);
}

uint64_t sdw_dpi_skipped(const struct sdw_dpi *dpi)
{
    return dpi->skipped;
}

void sdw_dpi_forget(struct sdw_dpi *dpi, struct sdw_dpi_flow **flow)
{
    dpi->flows -= *flow != NULL;
    free(*flow);
    *flow = NULL;
}

void sdw_dpi_give_up(struct sdw_dpi *dpi, struct sdw_dpi_flow **flow, struct sdw_dpi_label *label)
{
    *label = (*flow)->label;
    sdw_dpi_forget(dpi, flow);
}

static struct name *place(struct sdw_dpi *dpi, const uint8_t *address, size_t bytes)
{
    return &dpi->names[sdw_hash(address, bytes, dpi->key) % NAMES];
}

static void keep(void *arg, const uint8_t *address, size_t bytes)
{
    const struct answers *answers = arg;
    struct name *name = place(answers->dpi, address, bytes);
    memcpy(name->address, address, bytes);
    name->bytes = bytes;
    memcpy(name->host, answers->host, sizeof name->host);
}

/* The name DNS gave for an address; "" when it gave none. */
static const char *name_of(struct sdw_dpi *dpi, const uint8_t *address, size_t bytes)
{
    const struct name *name = place(dpi, address, bytes);
    return name->bytes == bytes && memcmp(name->address, address, bytes) == 0 ? name->host : "";
}

static void name_by_address(struct sdw_dpi *dpi, const struct sdw_dpi_ends *ends, char *host)
{
    size_t bytes = ends->version == 4 ? 4 : 16;
    const char *name = name_of(dpi, ends->dst, bytes);
    if (!*name)
        name = name_of(dpi, ends->src, bytes);
    memcpy(host, name, strlen(name) + 1);
}

void sdw_dpi_guess(struct sdw_dpi *dpi, const struct sdw_dpi_ends *ends,
                   struct sdw_dpi_label *label)
{
    sdw_hints_ports(ends->protocol, ends->sport, ends->dport, label);
    name_by_address(dpi, ends, label->host);
}

static bool has_port(const struct sdw_packet *packet, uint16_t port)
{
    return packet->sport == port || packet->dport == port;
}

/* What the payload itself shows. True when no other packet can show more. */
static bool look_inside(struct sdw_dpi *dpi, const struct sdw_packet *packet,
                        struct sdw_dpi_label *label)
{
    const uint8_t *p = packet->payload;
    size_t n = packet->payload_n;
    bool tcp = packet->protocol == IPPROTO_TCP, udp = packet->protocol == IPPROTO_UDP;
    bool tls = false, done = true;
    char host[SDW_DPI_HOST] = "";
    struct answers answers = {dpi, host};
    if (tcp)
        (void)sdw_hints_tls_name(p, n, host, &tls);
    if (tls) {
        label->app = "TLS";
        label->category = "Web";
    } else if (udp && has_port(packet, 443) && sdw_hints_quic(p, n)) {
        label->app = "QUIC";
        label->category = "Web";
    } else if (udp && (has_port(packet, 53) || has_port(packet, 5353)) &&
               sdw_hints_dns(p, n, host, keep, &answers)) {
        done = p[2] & DNS_ANSWER; /* the answer to a question is of use too */
    } else {
        return false;
    }
    label->confidence = SDW_DPI_PAYLOAD;
    if (*host)
        memcpy(label->host, host, sizeof host);
    return done;
}

bool sdw_dpi_look(struct sdw_dpi *dpi, struct sdw_dpi_flow **state, const struct sdw_packet *packet,
                  int64_t ts, struct sdw_dpi_label *label)
{
    (void)ts;
    if (!sdw_hints_worth(packet))
        return false;
    struct sdw_dpi_ends ends = {packet->src,   packet->dst,     packet->sport,
                                packet->dport, packet->version, packet->protocol};
    struct sdw_dpi_label best;
    sdw_dpi_guess(dpi, &ends, &best);
    bool done = look_inside(dpi, packet, &best) || !packet->payload_n;
    if (!done && !*state) {
        if (dpi->flows < dpi->max_flows) {
            *state = sdw_xalloc(sizeof **state);
            dpi->flows++;
        } else {
            dpi->skipped++;
            done = true;
        }
    }
    if (!done && ++(*state)->looked < ENOUGH) {
        (*state)->label = best;
        return false;
    }
    *label = best;
    sdw_dpi_forget(dpi, state);
    return true;
}
