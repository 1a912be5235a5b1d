#include "net/listener.h"
#include "core/mem.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
    BATCH = 32,
    DATAGRAM = 65536,
    ROUNDS = 64,        /* batches taken before others get their turn */
    RECEIVE = 16 << 20, /* bytes that may wait in the kernel */
};

struct sdw_listener {
    int fd;
    size_t n;
    struct sdw_socket socket[2];
    struct sdw_inbox *inbox;
};

static int add(struct sdw_listener *listener, const struct sdw_address *local, struct sdw_err *err)
{
    struct sdw_socket_options options = {.receive_bytes = RECEIVE};
    struct sdw_socket *socket = &listener->socket[listener->n];
    int code = sdw_socket_open(socket, local, &options, err);
    if (code < 0)
        return code;
    listener->n++;
    struct epoll_event event = {.events = EPOLLIN};
    return epoll_ctl(listener->fd, EPOLL_CTL_ADD, socket->fd, &event) < 0
               ? sdw_err_sys(err, "epoll")
               : 0;
}

static int add_any(struct sdw_listener *listener, uint16_t port, struct sdw_err *err)
{
    struct sdw_address any = sdw_address_any(AF_INET, port);
    int code4 = add(listener, &any, err);
    if (code4 == 0) { /* port 0: the same free port for both */
        (void)sdw_socket_local(&listener->socket[0], &any, NULL);
        port = sdw_address_port(&any);
    }
    any = sdw_address_any(AF_INET6, port);
    int code6 = add(listener, &any, code4 < 0 ? err : NULL);
    return code4 < 0 ? code6 : 0;
}

struct sdw_listener *sdw_listener_new(const struct sdw_address *local, size_t n, uint16_t port,
                                      struct sdw_err *err)
{
    struct sdw_listener *listener = sdw_xalloc(sizeof *listener);
    int code = 0;
    listener->inbox = sdw_inbox_new(BATCH, DATAGRAM);
    listener->fd = epoll_create1(EPOLL_CLOEXEC);
    if (listener->fd < 0)
        code = sdw_err_sys(err, "epoll");
    for (size_t i = 0; code == 0 && i < n; i++)
        code = add(listener, &local[i], err);
    if (code == 0 && n == 0)
        code = add_any(listener, port, err);
    if (code == 0)
        return listener;
    sdw_listener_free(listener);
    return NULL;
}

void sdw_listener_free(struct sdw_listener *listener)
{
    if (!listener)
        return;
    for (size_t i = 0; i < listener->n; i++)
        sdw_socket_close(&listener->socket[i]);
    if (listener->fd >= 0)
        close(listener->fd);
    sdw_inbox_free(listener->inbox);
    free(listener);
}

int sdw_listener_fd(const struct sdw_listener *listener)
{
    return listener->fd;
}

size_t sdw_listener_sockets(const struct sdw_listener *listener)
{
    return listener->n;
}

struct sdw_address sdw_listener_local(const struct sdw_listener *listener, size_t i)
{
    struct sdw_address local = {0};
    (void)sdw_socket_local(&listener->socket[i], &local, NULL);
    return local;
}

int sdw_listener_take(struct sdw_listener *listener,
                      int (*each)(const struct sdw_incoming *datagram, void *arg), void *arg,
                      struct sdw_err *err)
{
    for (size_t i = 0; i < listener->n; i++) {
        int n = BATCH, code = 0;
        for (int round = 0; n == BATCH && round < ROUNDS; round++) {
            n = sdw_socket_receive(&listener->socket[i], listener->inbox, err);
            for (int k = 0; code == 0 && k < n; k++)
                code = each(sdw_inbox_at(listener->inbox, (size_t)k), arg);
            if (n < 0 || code < 0)
                return n < 0 ? n : code;
        }
    }
    return 0;
}

uint64_t sdw_listener_dropped(const struct sdw_listener *listener)
{
    uint64_t dropped = 0;
    for (size_t i = 0; i < listener->n; i++)
        dropped += listener->socket[i].dropped;
    return dropped;
}
