/*
 * The TCP state of this machine's own sockets (sock_diag, INET_DIAG_INFO), of the network namespace
 * that the process is in: all connected ones at once, and each one that closes as it does.
 */
#ifndef SDW_SYS_SOCKDIAG_H
#define SDW_SYS_SOCKDIAG_H

#include <linux/tcp.h>

#include "core/base.h"
#include "core/err.h"

struct sdw_sockdiag {
    struct mnl_socket *ask, *events; /* events NULL: not asked for */
    unsigned seq;
    char *room;
    uint64_t lost; /* times that the kernel dropped events because nobody read them */
};

/* One socket. Ports in host order; addresses 4 or 16 bytes, the rest zero; an IPv4 connection of
 * an IPv6 socket counts as IPv4. */
struct sdw_sockdiag_socket {
    uint8_t version; /* 4 or 6 */
    bool listens;    /* accepts connections: it has no remote end */
    bool closed;     /* told by its end */
    uint8_t local[16], remote[16];
    uint16_t local_port, remote_port;
    uint64_t cookie;      /* unique as long as the machine runs */
    struct tcp_info info; /* what this kernel does not tell is zero */
};

/* SDW_ESYS or SDW_EPERM. events: whether to be told of sockets that close; to be read often. */
int sdw_sockdiag_open(struct sdw_sockdiag *diag, bool events, struct sdw_err *err);
void sdw_sockdiag_close(struct sdw_sockdiag *diag);
int sdw_sockdiag_fd(const struct sdw_sockdiag *diag); /* readable when a socket closed */

typedef int sdw_sockdiag_each(const struct sdw_sockdiag_socket *socket, void *arg);

/* Each socket of both families that is connected or listens (not those that only wait for time to
 * pass) goes to `each`, the listeners before the connections that they accepted; a negative return
 * ends, and is returned. */
int sdw_sockdiag_dump(struct sdw_sockdiag *diag, sdw_sockdiag_each *each, void *arg,
                      struct sdw_err *err);
/* The same of those that closed and were not told yet. Does not block. */
int sdw_sockdiag_closed(struct sdw_sockdiag *diag, sdw_sockdiag_each *each, void *arg,
                        struct sdw_err *err);

#endif
