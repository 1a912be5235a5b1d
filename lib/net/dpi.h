/*
 * What application a flow belongs to, from its first packets. One engine per thread; of each flow
 * the first SDW_DPI_PACKETS packets with payload are looked at, then it is given up on. Nothing of
 * the payload is kept but the name of the server.
 *
 * Two files provide this: dpi_ndpi.c over libndpi, and dpi_hints.c, built where libndpi is missing,
 * over net/hints.h.
 */
#ifndef SDW_NET_DPI_H
#define SDW_NET_DPI_H

#include "core/base.h"
#include "core/err.h"
#include "net/packet.h"

enum {
    SDW_DPI_PACKETS = 24, /* packets with payload that are looked at */
    SDW_DPI_HOST = 80,    /* room for a server's name; longer ones are cut */
};

enum sdw_dpi_confidence {
    SDW_DPI_UNKNOWN,
    SDW_DPI_PORT,    /* its ports are those of the application */
    SDW_DPI_ADDRESS, /* so is an address */
    SDW_DPI_CACHE,   /* another flow announced it */
    SDW_DPI_PAYLOAD, /* seen in its payload */
    SDW_DPI_USER,    /* the user's map says so */
};
/* Names of the confidences, NULL-ended: what records say. */
extern const char *const sdw_dpi_confidences[];

/* The names live as long as the engine. */
struct sdw_dpi_label {
    const char *app;      /* "YouTube"; "Unknown" when nothing is known, never NULL */
    const char *master;   /* "TLS": what carries it; NULL: nothing else does */
    const char *category; /* "Streaming"; never NULL */
    enum sdw_dpi_confidence confidence;
    char host[SDW_DPI_HOST]; /* SNI, HTTP host, DNS name; "" when none was seen */
};

struct sdw_dpi;
struct sdw_dpi_flow;

/* An engine that looks at no more than max_flows flows at a time (a flow above that is labelled by
 * its ports at once, and counted). SDW_ESYS when the library cannot be set up. */
int sdw_dpi_new(struct sdw_dpi **dpi, size_t max_flows, struct sdw_err *err);
void sdw_dpi_free(struct sdw_dpi *dpi);
/* Flows that were labelled by ports alone because too many were being looked at. */
uint64_t sdw_dpi_skipped(const struct sdw_dpi *dpi);

/* The ends of a flow: addresses of 4 or 16 bytes by version (4 or 6). */
struct sdw_dpi_ends {
    const uint8_t *src, *dst;
    uint16_t sport, dport;
    uint8_t version, protocol;
};
/* What ports and addresses alone say of a flow. */
void sdw_dpi_guess(struct sdw_dpi *dpi, const struct sdw_dpi_ends *ends,
                   struct sdw_dpi_label *label);

/* Look at a packet of a flow, of either direction, captured at ts (us); before there was one with
 * payload they say nothing and cost nothing. *flow is the flow's state, NULL before its first
 * packet; it is freed, and NULL again, once this returns true: the label is then final, and the
 * flow's further packets must not be given. */
bool sdw_dpi_look(struct sdw_dpi *dpi, struct sdw_dpi_flow **flow, const struct sdw_packet *packet,
                  int64_t ts, struct sdw_dpi_label *label);
/* No more packets will come of a flow that has no label yet: the best that can be said of it. Frees
 * *flow, which must not be NULL. */
void sdw_dpi_give_up(struct sdw_dpi *dpi, struct sdw_dpi_flow **flow, struct sdw_dpi_label *label);
/* Free the state of a flow whose label nobody wants; NULL is fine. */
void sdw_dpi_forget(struct sdw_dpi *dpi, struct sdw_dpi_flow **flow);

#endif
