/*
 * A UDP socket for measuring: kernel receive stamps, transmit stamps on demand, TTL and TOS of
 * every packet both ways, the destination a packet was sent to, and the ICMP errors it caused
 * (IP_RECVERR). None of it needs rights.
 *
 * All stamps are CLOCK_REALTIME in ns since the Unix epoch, taken by the kernel: on transmit when
 * the packet goes to the driver, on receive when it leaves it.
 */
#ifndef SDW_NET_SOCKET_H
#define SDW_NET_SOCKET_H

#include "net/address.h"

struct sdw_socket {
    int fd; /* non-blocking; -1 when closed */
    int family;
    bool raw; /* echo: a raw socket, which takes checksums as they are and gives IPv4 headers */
    uint32_t next_stamp_id; /* id of the next transmit stamp asked for */
    uint64_t dropped;       /* datagrams the kernel dropped for want of room (SO_RXQ_OVFL) */
    uint32_t overflow;      /* the kernel's running counter, as last seen */
};

struct sdw_socket_options {
    const char *interface; /* bind to this device; NULL: any */
    uint32_t mark;         /* routing mark; 0: none (setting one needs rights) */
    int receive_bytes;     /* receive buffer; 0: the system's default */
    bool errors;           /* queue ICMP errors for sdw_socket_events */
    bool echo;             /* ICMP echo instead of UDP: a ping socket, or (with rights) a raw one */
};

/* Binds to local (port 0: any; its family decides that of the socket). */
int sdw_socket_open(struct sdw_socket *socket, const struct sdw_address *local,
                    const struct sdw_socket_options *options, struct sdw_err *err);
void sdw_socket_close(struct sdw_socket *socket);
/* The address and port that it is bound to. */
int sdw_socket_local(const struct sdw_socket *socket, struct sdw_address *local,
                     struct sdw_err *err);

/* One datagram to send. */
struct sdw_outgoing {
    const struct sdw_address *to;
    const struct sdw_address *from; /* send from this address; NULL: the kernel chooses */
    unsigned interface;             /* with from: leave by this interface; 0: by the route */
    int ttl;                        /* 1..255; 0: the system's default */
    int tos;                        /* whole octet, DSCP and ECN; -1: the default */
    bool stamp;                     /* ask for a transmit stamp */
    const void *bytes;
    size_t n;
};

/* Send one. *stamp_id (may be NULL) is the id its transmit stamp will carry. An ICMP error pending
 * on the socket does not fail the send. SDW_EAGAIN when the send buffer is full; SDW_ENO when there
 * is no way to the destination from here; SDW_ESYS, SDW_EPERM otherwise. */
int sdw_socket_send(struct sdw_socket *socket, const struct sdw_outgoing *out, uint32_t *stamp_id,
                    struct sdw_err *err);

/* One datagram received. */
struct sdw_incoming {
    struct sdw_address from;
    struct sdw_address to; /* the address it was sent to, port 0; none when not known */
    bool unicast;          /* false: sent to a multicast or broadcast address */
    unsigned interface;    /* index of the interface it came in by; 0: not known */
    int ttl;               /* as it arrived; -1: not known */
    int tos;               /* whole octet; -1: not known */
    int64_t received_ns;   /* kernel stamp, or (stamped false) when it was read */
    bool stamped;          /* the kernel starts to stamp only some ms after a first socket asks */
    const uint8_t *bytes;
    size_t n;
    bool truncated; /* it was longer than the inbox has room for */
};

/* Room for a batch of datagrams. */
struct sdw_inbox;
struct sdw_inbox *sdw_inbox_new(size_t datagrams, size_t bytes_each);
void sdw_inbox_free(struct sdw_inbox *inbox);
/* Take at most this many at a time from now on (0: as many as it holds). */
void sdw_inbox_limit(struct sdw_inbox *inbox, size_t datagrams);
/* Valid until the next receive into the same inbox. */
const struct sdw_incoming *sdw_inbox_at(const struct sdw_inbox *inbox, size_t i);

/* Take what has arrived, at most what the inbox holds. Never blocks. Returns how many; 0: none. */
int sdw_socket_receive(struct sdw_socket *socket, struct sdw_inbox *inbox, struct sdw_err *err);

enum sdw_socket_event_kind {
    SDW_SOCKET_SENT,  /* a transmit stamp */
    SDW_SOCKET_ICMP,  /* an ICMP or ICMPv6 error about a datagram of ours */
    SDW_SOCKET_LOCAL, /* this host refused it (no route, too big) */
};

enum { SDW_QUOTE_MAX = 128 };

struct sdw_socket_event {
    enum sdw_socket_event_kind kind;
    int64_t stamp_ns;  /* SENT: when it was sent; others: arrival, as received_ns above */
    uint32_t stamp_id; /* SENT */
    int error;         /* ICMP, LOCAL: the errno it means */
    uint8_t icmp_type, icmp_code;
    uint32_t mtu;                 /* of a too-big error; 0 otherwise */
    struct sdw_address offender;  /* ICMP: who sent it; port 0 */
    struct sdw_address to;        /* where our datagram was going */
    uint8_t quote[SDW_QUOTE_MAX]; /* our UDP payload, as far as it was quoted */
    size_t quote_n;
};

/* The next event of the error queue: 1, 0 when there is none, negative on failure. Never blocks.
 * poll(2) says POLLERR when there is one. */
int sdw_socket_events(struct sdw_socket *socket, struct sdw_socket_event *event,
                      struct sdw_err *err);

#endif
