/*
 * A tunnel of the prober's own beside those of users: a VXLAN device in a network namespace that
 * has no name. What is measured inside goes the whole way of a tunnelled packet; all of its outer
 * packets have one 5-tuple, which is known, so that the routers below can be asked on it.
 *
 * The kernel removes device and namespace with the last descriptor: nothing is left of it, also
 * when the process is killed.
 */
#ifndef SDW_NET_TUNNEL_H
#define SDW_NET_TUNNEL_H

#include "core/base.h"
#include "core/err.h"
#include "net/address.h"

enum { SDW_TUNNEL_TEXT = 176 };

struct sdw_tunnel_config {
    const char *remote;    /* outer address of the far end */
    const char *inner;     /* address and prefix length of this end inside, "192.168.9.1/24" */
    const char *source;    /* outer address of this end; NULL: as routed */
    const char *interface; /* to send by; NULL: as routed */
    int64_t vni;           /* 1..2^24-1 */
    int64_t port;          /* UDP port of the far end */
    int64_t source_port;   /* outer source port; 0: drawn */
    bool marked;           /* a routing mark was asked for, which there is none for */
};

struct sdw_tunnel {
    int inside, outside;        /* namespaces */
    int interface;              /* index of the one that is sent by; 0: as routed */
    char name[SDW_TUNNEL_TEXT]; /* "vxlan/VNI/REMOTE": for records */
    char flow[SDW_TUNNEL_TEXT]; /* the outer 5-tuple, as net/flow.h reads it */
};

/* SDW_EUSAGE for what is no address, SDW_EPERM without rights, SDW_ESYS with the kernel's words. On
 * failure there is nothing to close. */
int sdw_tunnel_open(struct sdw_tunnel *tunnel, const struct sdw_tunnel_config *config,
                    struct sdw_err *err);
/* Why this address, as the calling thread's namespace has it, cannot be the far end: it is a group
 * or this end. NULL: it may be. */
const char *sdw_tunnel_no_end(const struct sdw_address *address);
/* Sockets that are opened between the two belong inside. */
int sdw_tunnel_enter(const struct sdw_tunnel *tunnel, struct sdw_err *err);
int sdw_tunnel_leave(const struct sdw_tunnel *tunnel, struct sdw_err *err);
void sdw_tunnel_close(struct sdw_tunnel *tunnel);

#endif
