/* An IPv4 or IPv6 address with a port: what sockets, carriers and records name their ends by. */
#ifndef SDW_NET_ADDRESS_H
#define SDW_NET_ADDRESS_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "core/base.h"
#include "core/err.h"

enum { SDW_ADDRESS_TEXT = 64 }; /* INET6_ADDRSTRLEN, '%' and an interface's name */

/* Zeroed: no address (family AF_UNSPEC). Ports inside are in network byte order, as the kernel has
 * them; the functions below take and give host order. */
struct sdw_address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    };
};

static inline int sdw_address_family(const struct sdw_address *address)
{
    return address->any.sa_family;
}

socklen_t sdw_address_len(const struct sdw_address *address);
uint16_t sdw_address_port(const struct sdw_address *address);
void sdw_address_set_port(struct sdw_address *address, uint16_t port);
bool sdw_address_same_host(const struct sdw_address *a, const struct sdw_address *b);
bool sdw_address_same(const struct sdw_address *a, const struct sdw_address *b); /* with ports */
/* Whether no host, but a group or a whole network, is meant. */
bool sdw_address_is_group(const struct sdw_address *address);
/* The 4 or 16 bytes of the address; *n is 0 when there is none. */
const uint8_t *sdw_address_bytes(const struct sdw_address *address, size_t *n);
/* The other way: 4 or 16 bytes to an address with this port; anything else gives none. */
struct sdw_address sdw_address_of(const uint8_t *bytes, size_t n, uint16_t port);
/* The any-address of a family. */
struct sdw_address sdw_address_any(int family, uint16_t port);

/* The address without its port, as text ("192.0.2.1", "fe80::1%eth0"); "" for none. */
const char *sdw_address_text(const struct sdw_address *address, char out[SDW_ADDRESS_TEXT]);
/* Numbers only, never the resolver; false when it is none. */
bool sdw_address_parse(const char *text, uint16_t port, struct sdw_address *out);
/* A name or a numeric address; family AF_UNSPEC takes the first the resolver gives. SDW_ENO when
 * the name is unknown. */
int sdw_address_resolve(const char *host, uint16_t port, int family, struct sdw_address *out,
                        struct sdw_err *err);
/* The address the kernel would send from towards dst (port 0); nothing is sent. mark is the
 * routing mark, 0 for none; interface may be NULL. */
int sdw_address_source(const struct sdw_address *dst, const char *interface, uint32_t mark,
                       struct sdw_address *source, struct sdw_err *err);

#endif
