#include "sys/sockdiag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit/tap.h"

/* A connection over the loopback of either family. */
struct connection {
    int listener, client, server;
    uint16_t client_port, server_port;
};

static int connect_to_self(struct connection *c, int family)
{
    struct sockaddr_storage address = {.ss_family = (sa_family_t)family};
    socklen_t n = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    if (family == AF_INET)
        ((struct sockaddr_in *)&address)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else
        ((struct sockaddr_in6 *)&address)->sin6_addr = in6addr_loopback;
    c->listener = socket(family, SOCK_STREAM, 0);
    c->client = socket(family, SOCK_STREAM, 0);
    if (bind(c->listener, (struct sockaddr *)&address, n) < 0 || listen(c->listener, 1) < 0 ||
        getsockname(c->listener, (struct sockaddr *)&address, &n) < 0 ||
        connect(c->client, (struct sockaddr *)&address, n) < 0)
        return -1;
    c->server_port = ntohs(((struct sockaddr_in *)&address)->sin_port);
    c->server = accept(c->listener, NULL, NULL);
    if (getsockname(c->client, (struct sockaddr *)&address, &n) < 0)
        return -1;
    c->client_port = ntohs(((struct sockaddr_in *)&address)->sin_port);
    return c->server < 0 ? -1 : 0;
}

static void hang_up(struct connection *c)
{
    close(c->client);
    close(c->server);
    close(c->listener);
}

struct wanted {
    const struct connection *connection;
    struct sdw_sockdiag_socket client; /* as it was told last */
    int clients, servers, listeners;
};

static int look(const struct sdw_sockdiag_socket *socket, void *arg)
{
    struct wanted *wanted = arg;
    const struct connection *c = wanted->connection;
    if (socket->local_port == c->client_port && socket->remote_port == c->server_port) {
        wanted->client = *socket;
        wanted->clients++;
    }
    wanted->servers +=
        socket->local_port == c->server_port && socket->remote_port == c->client_port;
    if (socket->listens && socket->local_port == c->server_port)
        wanted->listeners += wanted->servers == 0; /* told in front */
    return 0;
}

static void sees(int family, uint8_t version)
{
    struct sdw_sockdiag diag;
    struct sdw_err err = {0};
    struct connection c;
    char bytes[5000] = {0};
    if (connect_to_self(&c, family) < 0) {
        ok(1, "# SKIP no loopback of family %d: %s", family, strerror(errno));
        return;
    }
    ok(sdw_sockdiag_open(&diag, true, &err) == 0, "sock_diag opens");
    ok(write(c.client, bytes, sizeof bytes) == sizeof bytes &&
           recv(c.server, bytes, sizeof bytes, MSG_WAITALL) == sizeof bytes,
       "5000 bytes go over");
    struct wanted wanted = {.connection = &c};
    ok(sdw_sockdiag_dump(&diag, look, &wanted, &err) == 0, "all sockets are told");
    ok(wanted.clients == 1 && wanted.servers == 1, "both ends of a connection among them, once");
    ok(wanted.listeners == 1, "and the listener in front of what it accepted");
    ok(wanted.client.version == version, "with its family");
    ok(wanted.client.info.tcpi_bytes_acked >= sizeof bytes &&
           wanted.client.info.tcpi_bytes_acked <= sizeof bytes + 1,
       "and its counters");
    ok(wanted.client.info.tcpi_min_rtt > 0, "and round-trip time");
    uint64_t cookie = wanted.client.cookie;
    hang_up(&c);
    wanted.clients = 0;
    struct pollfd ready = {.fd = sdw_sockdiag_fd(&diag), .events = POLLIN};
    /* Each end is told as it goes; the deadline only keeps a failure from hanging. */
    while (!wanted.clients && poll(&ready, 1, 10000) > 0)
        if (sdw_sockdiag_closed(&diag, look, &wanted, &err) < 0)
            break;
    ok(wanted.clients == 1 && wanted.client.closed && wanted.client.cookie == cookie,
       "a socket that closes is told by its end");
    ok(wanted.client.info.tcpi_bytes_acked >= sizeof bytes, "with its last counters");
    sdw_sockdiag_close(&diag);
}

static int refuse(const struct sdw_sockdiag_socket *socket, void *arg)
{
    (void)socket;
    (void)arg;
    return SDW_ENO;
}

static void stops(void)
{
    struct sdw_sockdiag diag;
    struct sdw_err err = {0};
    struct connection c;
    if (connect_to_self(&c, AF_INET) < 0 || sdw_sockdiag_open(&diag, false, &err) < 0) {
        ok(0, "there is a connection to ask about");
        return;
    }
    ok(sdw_sockdiag_dump(&diag, refuse, NULL, &err) == SDW_ENO, "who had enough ends the dump");
    struct wanted wanted = {.connection = &c};
    ok(sdw_sockdiag_dump(&diag, look, &wanted, &err) == 0 && wanted.clients == 1,
       "and what was left of it does not disturb the next");
    ok(sdw_sockdiag_fd(&diag) == -1 && sdw_sockdiag_closed(&diag, look, &wanted, &err) == 0,
       "no events come that were not asked for");
    sdw_sockdiag_close(&diag);
    hang_up(&c);
}

int main(void)
{
    sees(AF_INET, 4);
    sees(AF_INET6, 6);
    stops();
    return tap_done();
}
