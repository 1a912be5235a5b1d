/*
 * What ports and names say of a flow's application without deep packet inspection: well-known
 * ports, the server name of a TLS ClientHello (RFC 6066, section 3), the question and the answers
 * of DNS (RFC 1035). Every function takes bytes from outside and reads none beyond them.
 */
#ifndef SDW_NET_HINTS_H
#define SDW_NET_HINTS_H

#include "net/dpi.h"

/* Whether a packet can say anything: it carries payload that was captured, and the ports of its
 * flow; what has no ports is always worth a look. */
bool sdw_hints_worth(const struct sdw_packet *packet);

/* Fill the label from the ports alone; "Unknown" when neither is known. The lower is tried first.
 */
void sdw_hints_ports(uint8_t protocol, uint16_t sport, uint16_t dport, struct sdw_dpi_label *label);

/* The server name of a TLS ClientHello at the start of a TCP stream. False when these bytes are
 * none, or are cut before the name; *tls tells that they are TLS nevertheless. */
bool sdw_hints_tls_name(const uint8_t *p, size_t n, char host[SDW_DPI_HOST], bool *tls);

/* A DNS message: the name that was asked for, in lower case and without the last dot. Each A and
 * AAAA answer goes to `answer` (may be NULL) with its address of 4 or 16 bytes. False when this is
 * no DNS message with one question. */
bool sdw_hints_dns(const uint8_t *p, size_t n, char host[SDW_DPI_HOST],
                   void (*answer)(void *arg, const uint8_t *address, size_t bytes), void *arg);

/* A QUIC packet with a long header (RFC 8999). */
bool sdw_hints_quic(const uint8_t *p, size_t n);

#endif
