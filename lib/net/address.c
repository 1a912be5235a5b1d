#include "net/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <stdio.h>
#include <unistd.h>

socklen_t sdw_address_len(const struct sdw_address *address)
{
    return address->any.sa_family == AF_INET6 ? sizeof address->v6 : sizeof address->v4;
}

uint16_t sdw_address_port(const struct sdw_address *address)
{
    return ntohs(address->any.sa_family == AF_INET6 ? address->v6.sin6_port : address->v4.sin_port);
}

void sdw_address_set_port(struct sdw_address *address, uint16_t port)
{
    if (address->any.sa_family == AF_INET6)
        address->v6.sin6_port = htons(port);
    else
        address->v4.sin_port = htons(port);
}

const uint8_t *sdw_address_bytes(const struct sdw_address *address, size_t *n)
{
    switch (address->any.sa_family) {
    case AF_INET:
        *n = sizeof address->v4.sin_addr;
        return (const uint8_t *)&address->v4.sin_addr;
    case AF_INET6:
        *n = sizeof address->v6.sin6_addr;
        return (const uint8_t *)&address->v6.sin6_addr;
    default:
        *n = 0;
        return NULL;
    }
}

struct sdw_address sdw_address_of(const uint8_t *bytes, size_t n, uint16_t port)
{
    struct sdw_address address = {0};
    if (n == sizeof address.v4.sin_addr) {
        address.v4.sin_family = AF_INET;
        memcpy(&address.v4.sin_addr, bytes, n);
    } else if (n == sizeof address.v6.sin6_addr) {
        address.v6.sin6_family = AF_INET6;
        memcpy(&address.v6.sin6_addr, bytes, n);
    } else {
        return address;
    }
    sdw_address_set_port(&address, port);
    return address;
}

struct sdw_address sdw_address_any(int family, uint16_t port)
{
    static const uint8_t zeros[sizeof(struct in6_addr)];
    return sdw_address_of(
        zeros, family == AF_INET6 ? sizeof(struct in6_addr) : sizeof(struct in_addr), port);
}

bool sdw_address_same_host(const struct sdw_address *a, const struct sdw_address *b)
{
    size_t na, nb;
    const uint8_t *pa = sdw_address_bytes(a, &na), *pb = sdw_address_bytes(b, &nb);
    return na != 0 && na == nb && memcmp(pa, pb, na) == 0;
}

bool sdw_address_same(const struct sdw_address *a, const struct sdw_address *b)
{
    return sdw_address_same_host(a, b) && sdw_address_port(a) == sdw_address_port(b);
}

bool sdw_address_is_group(const struct sdw_address *address)
{
    size_t n;
    const uint8_t *bytes = sdw_address_bytes(address, &n);
    return n == 4 ? bytes[0] >= 224 : n && bytes[0] == 0xff;
}

const char *sdw_address_text(const struct sdw_address *address, char out[SDW_ADDRESS_TEXT])
{
    size_t n;
    const uint8_t *bytes = sdw_address_bytes(address, &n);
    out[0] = '\0';
    if (!bytes || !inet_ntop(address->any.sa_family, bytes, out, SDW_ADDRESS_TEXT))
        return out;
    char name[IF_NAMESIZE];
    if (address->any.sa_family == AF_INET6 && address->v6.sin6_scope_id &&
        if_indextoname(address->v6.sin6_scope_id, name)) {
        size_t used = strlen(out);
        (void)snprintf(out + used, SDW_ADDRESS_TEXT - used, "%%%s", name);
    }
    return out;
}

static int lookup(const char *host, uint16_t port, int family, int flags, struct sdw_address *out)
{
    struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_DGRAM, .ai_flags = flags};
    struct addrinfo *found = NULL;
    int status = getaddrinfo(host, NULL, &hints, &found);
    if (status)
        return status;
    *out = (struct sdw_address){0};
    memcpy(out, found->ai_addr, found->ai_addrlen);
    sdw_address_set_port(out, port);
    freeaddrinfo(found);
    return 0;
}

bool sdw_address_parse(const char *text, uint16_t port, struct sdw_address *out)
{
    return lookup(text, port, AF_UNSPEC, AI_NUMERICHOST, out) == 0;
}

int sdw_address_resolve(const char *host, uint16_t port, int family, struct sdw_address *out,
                        struct sdw_err *err)
{
    int status = lookup(host, port, family, 0, out);
    if (status == 0)
        return 0;
    return sdw_err_set(err, status == EAI_SYSTEM || status == EAI_AGAIN ? SDW_ESYS : SDW_ENO,
                       "%s: %s", host, gai_strerror(status));
}

int sdw_address_source(const struct sdw_address *dst, const char *interface, uint32_t mark,
                       struct sdw_address *source, struct sdw_err *err)
{
    char text[SDW_ADDRESS_TEXT];
    struct sdw_address to = *dst;
    socklen_t len = sizeof *source;
    int fd = socket(to.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return sdw_err_sys(err, "socket");
    int code = 0;
    if (sdw_address_port(&to) == 0)
        sdw_address_set_port(&to, 9); /* connect(2) wants one; nothing is sent */
    *source = (struct sdw_address){0};
    if (interface && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface,
                                (socklen_t)strlen(interface) + 1) < 0)
        code = sdw_err_sys(err, "interface %s", interface);
    else if (mark && setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof mark) < 0)
        code = sdw_err_sys(err, "routing mark %u", mark);
    else if (connect(fd, &to.any, sdw_address_len(&to)) < 0)
        code =
            sdw_err_set(err, errno == ENETUNREACH || errno == EHOSTUNREACH ? SDW_ENO : SDW_ESYS,
                        "no way to %s from here: %s", sdw_address_text(dst, text), strerror(errno));
    else if (getsockname(fd, &source->any, &len) < 0)
        code = sdw_err_sys(err, "source address towards %s", sdw_address_text(dst, text));
    else
        sdw_address_set_port(source, 0);
    close(fd);
    return code;
}
