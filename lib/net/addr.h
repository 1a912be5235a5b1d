/* Internet addresses: one value for IPv4 and IPv6, as text and as a socket address. */
#ifndef SDW_NET_ADDR_H
#define SDW_NET_ADDR_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "core/base.h"
#include "core/err.h"

enum { SDW_ADDR_TEXT = 64 }; /* room for an IPv6 address with its scope, and the NUL */

struct sdw_addr {
    int family; /* AF_INET, AF_INET6, or 0: no address */
    uint8_t bytes[16];
    uint32_t scope; /* interface of a link-local IPv6 address */
};

bool sdw_addr_same(const struct sdw_addr *a, const struct sdw_addr *b);
/* Numbers only: "192.0.2.1", "2001:db8::1", "fe80::1%eth0". */
bool sdw_addr_parse(const char *text, struct sdw_addr *out);
/* A number or a name; family AF_INET, AF_INET6 or 0 (what the system prefers). SDW_EUSAGE. */
int sdw_addr_resolve(const char *text, int family, struct sdw_addr *out, struct sdw_err *err);
/* Returns out; "" for no address. */
const char *sdw_addr_show(const struct sdw_addr *addr, char out[SDW_ADDR_TEXT]);

/* To and from socket addresses; port in host order. to returns the length. A mapped IPv4 address
 * (::ffff:a.b.c.d) comes back as IPv4. */
socklen_t sdw_addr_to_socket(const struct sdw_addr *addr, uint16_t port,
                             struct sockaddr_storage *out);
void sdw_addr_from_socket(const struct sockaddr *from, struct sdw_addr *addr, uint16_t *port);

/* Bytes of the IP header without options: 20 or 40. */
static inline uint16_t sdw_addr_header(const struct sdw_addr *addr)
{
    return addr->family == AF_INET6 ? 40 : 20;
}

#endif
