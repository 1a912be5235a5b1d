/* The engine over libndpi. Its interface changes between minor versions: the Makefile takes this
 * file only where 4.2 is found. */
#include "net/dpi.h"
#include "core/mem.h"
#include "net/hints.h"
#include "net/wire.h"

#include <ndpi/ndpi_api.h>
#include <stdlib.h>

/* Segments without payload are looked at too once there was one with: some dissectors wait for an
 * acknowledgement. */
enum { SEEN_MOST = 80 };

_Static_assert(NDPI_MAJOR == 4 && NDPI_MINOR == 2, "written for libndpi 4.2");

struct sdw_dpi_flow {
    struct sdw_dpi_flow *next; /* when free */
    unsigned looked, seen;     /* packets with payload; and all */
    ndpi_protocol detected;
    struct ndpi_flow_struct state;
};

struct sdw_dpi {
    struct ndpi_detection_module_struct *module;
    struct sdw_dpi_flow *free;
    size_t flows, max_flows; /* in use */
    uint64_t skipped;
};

int sdw_dpi_new(struct sdw_dpi **out, size_t max_flows, struct sdw_err *err)
{
    NDPI_PROTOCOL_BITMASK all;
    struct ndpi_detection_module_struct *module = ndpi_init_detection_module(ndpi_no_prefs);
    if (!module)
        return sdw_err_set(err, SDW_ESYS, "libndpi could not be set up");
    NDPI_BITMASK_SET_ALL(all);
    ndpi_set_protocol_detection_bitmask2(module, &all);
    ndpi_finalize_initialization(module);
    struct sdw_dpi *dpi = sdw_xalloc(sizeof *dpi);
    *dpi = (struct sdw_dpi){.module = module, .max_flows = max_flows};
    *out = dpi;
    return 0;
}

void sdw_dpi_free(struct sdw_dpi *dpi)
{
    if (!dpi)
        return;
    for (struct sdw_dpi_flow *flow = dpi->free, *next; flow; flow = next) {
        next = flow->next;
        free(flow);
    }
    ndpi_exit_detection_module(dpi->module);
    free(dpi);
}

uint64_t sdw_dpi_skipped(const struct sdw_dpi *dpi)
{
    return dpi->skipped;
}

static struct sdw_dpi_flow *take(struct sdw_dpi *dpi)
{
    struct sdw_dpi_flow *flow = dpi->free;
    if (dpi->flows >= dpi->max_flows)
        return NULL;
    dpi->flows++;
    if (!flow)
        return sdw_xalloc(sizeof *flow);
    dpi->free = flow->next;
    memset(flow, 0, sizeof *flow);
    return flow;
}

void sdw_dpi_forget(struct sdw_dpi *dpi, struct sdw_dpi_flow **flow)
{
    if (!*flow)
        return;
    ndpi_free_flow_data(&(*flow)->state);
    (*flow)->next = dpi->free;
    dpi->free = *flow;
    dpi->flows--;
    *flow = NULL;
}

static void say(struct sdw_dpi *dpi, const struct sdw_dpi_flow *flow, struct sdw_dpi_label *label)
{
    static const enum sdw_dpi_confidence confidences[NDPI_CONFIDENCE_MAX] = {
        [NDPI_CONFIDENCE_UNKNOWN] = SDW_DPI_UNKNOWN,
        [NDPI_CONFIDENCE_MATCH_BY_PORT] = SDW_DPI_PORT,
        [NDPI_CONFIDENCE_MATCH_BY_IP] = SDW_DPI_ADDRESS,
        [NDPI_CONFIDENCE_DPI_CACHE] = SDW_DPI_CACHE,
        [NDPI_CONFIDENCE_DPI] = SDW_DPI_PAYLOAD,
    };
    uint16_t app = flow->detected.app_protocol, master = flow->detected.master_protocol;
    if (app == NDPI_PROTOCOL_UNKNOWN) {
        app = master;
        master = NDPI_PROTOCOL_UNKNOWN;
    }
    *label = (struct sdw_dpi_label){
        .app = ndpi_get_proto_name(dpi->module, app),
        .master = master == NDPI_PROTOCOL_UNKNOWN || master == app
                      ? NULL
                      : ndpi_get_proto_name(dpi->module, master),
        .category = ndpi_category_get_name(dpi->module, flow->detected.category),
        .confidence = confidences[flow->state.confidence],
    };
    const char *host = flow->state.host_server_name;
    memcpy(label->host, host, strnlen(host, sizeof label->host - 1));
}

/* Headers that carry nothing, from which the library takes the ports and addresses. */
static size_t put_headers(uint8_t *p, const struct sdw_dpi_ends *ends)
{
    enum { SYN = 2, TCP_BYTES = 20, UDP_BYTES = 8, VERSION4 = 0x45, VERSION6 = 0x60 };
    bool ipv4 = ends->version == 4, udp = ends->protocol == IPPROTO_UDP;
    size_t ip_bytes = ipv4 ? 20 : 40, bytes = udp ? UDP_BYTES : TCP_BYTES;
    uint8_t *transport = p + ip_bytes;
    p[0] = ipv4 ? VERSION4 : VERSION6;
    sdw_put16(p + (ipv4 ? 2 : 4), (uint16_t)(ipv4 ? ip_bytes + bytes : bytes));
    p[ipv4 ? 9 : 6] = ends->protocol;
    p[ipv4 ? 8 : 7] = 64; /* time to live */
    memcpy(p + (ipv4 ? 12 : 8), ends->src, ipv4 ? 4 : 16);
    memcpy(p + (ipv4 ? 16 : 24), ends->dst, ipv4 ? 4 : 16);
    sdw_put16(transport, ends->sport);
    sdw_put16(transport + 2, ends->dport);
    if (udp) {
        sdw_put16(transport + 4, UDP_BYTES);
    } else if (ends->protocol == IPPROTO_TCP) {
        transport[12] = TCP_BYTES / 4 << 4;
        transport[13] = SYN;
    }
    return ip_bytes + bytes;
}

void sdw_dpi_guess(struct sdw_dpi *dpi, const struct sdw_dpi_ends *ends,
                   struct sdw_dpi_label *label)
{
    struct sdw_dpi_flow flow = {0};
    uint8_t headers[60] = {0}, guessed;
    size_t n = put_headers(headers, ends);
    flow.detected =
        ndpi_detection_process_packet(dpi->module, &flow.state, headers, (uint16_t)n, 0);
    if (flow.detected.app_protocol == NDPI_PROTOCOL_UNKNOWN)
        flow.detected = ndpi_detection_giveup(dpi->module, &flow.state, 1, &guessed);
    say(dpi, &flow, label);
    ndpi_free_flow_data(&flow.state);
}

bool sdw_dpi_look(struct sdw_dpi *dpi, struct sdw_dpi_flow **state, const struct sdw_packet *packet,
                  int64_t ts, struct sdw_dpi_label *label)
{
    struct sdw_dpi_flow *flow = *state;
    bool worth = sdw_hints_worth(packet);
    if (!worth && (!flow || packet->fragment == SDW_FRAGMENT_LATER))
        return false;
    if (!flow && !(flow = *state = take(dpi))) {
        dpi->skipped++;
        sdw_dpi_guess(dpi,
                      &(struct sdw_dpi_ends){packet->src, packet->dst, packet->sport, packet->dport,
                                             packet->version, packet->protocol},
                      label);
        return true;
    }
    size_t n = packet->ip_n < UINT16_MAX ? packet->ip_n : UINT16_MAX;
    flow->detected = ndpi_detection_process_packet(dpi->module, &flow->state, packet->ip,
                                                   (uint16_t)n, (uint64_t)ts / 1000);
    bool known = flow->detected.app_protocol != NDPI_PROTOCOL_UNKNOWN;
    flow->looked += worth;
    bool enough = flow->looked >= SDW_DPI_PACKETS || ++flow->seen >= SEEN_MOST;
    if (!enough && (!known || ndpi_extra_dissection_possible(dpi->module, &flow->state)))
        return false;
    if (known) {
        say(dpi, flow, label);
        sdw_dpi_forget(dpi, state);
    } else {
        sdw_dpi_give_up(dpi, state, label);
    }
    return true;
}

void sdw_dpi_give_up(struct sdw_dpi *dpi, struct sdw_dpi_flow **flow, struct sdw_dpi_label *label)
{
    uint8_t guessed;
    (*flow)->detected = ndpi_detection_giveup(dpi->module, &(*flow)->state, 1, &guessed);
    say(dpi, *flow, label);
    sdw_dpi_forget(dpi, flow);
}
