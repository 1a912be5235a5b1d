/* Datagrams that come to one UDP port, of both families, with what the kernel dropped of them. */
#ifndef SDW_NET_LISTENER_H
#define SDW_NET_LISTENER_H

#include "net/address.h"
#include "net/socket.h"

struct sdw_listener;

/* Listen on these addresses (their port included; n at most 2), or (n 0) on `port` of both
 * families, of which one suffices. NULL, and err, when it cannot. */
struct sdw_listener *sdw_listener_new(const struct sdw_address *local, size_t n, uint16_t port,
                                      struct sdw_err *err);
void sdw_listener_free(struct sdw_listener *listener);    /* NULL is fine */
int sdw_listener_fd(const struct sdw_listener *listener); /* readable when a datagram is there */
size_t sdw_listener_sockets(const struct sdw_listener *listener);
/* The address and port of one of them. */
struct sdw_address sdw_listener_local(const struct sdw_listener *listener, size_t i);

/* Take some of what has arrived. Never blocks. 0, or negative: on failure, or what each said. */
int sdw_listener_take(struct sdw_listener *listener,
                      int (*each)(const struct sdw_incoming *datagram, void *arg), void *arg,
                      struct sdw_err *err);
/* Datagrams that the kernel has dropped so far because they were not taken in time. */
uint64_t sdw_listener_dropped(const struct sdw_listener *listener);

#endif
