#include "store/serve.h"
#include "core/clock.h"
#include "core/mem.h"
#include "rec/end.h"
#include "store/prom.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CLIENTS = 32, LISTENERS = 2, READ_SIZE = 65536, IDLE_S = 30 };

struct client {
    int fd; /* -1: none */
    struct sdw_buf in, out;
    size_t sent;
    bool close_after;
    int64_t seen_ns;
};

struct server {
    struct sdw_ctx *ctx;
    const char *path;
    struct sdw_store store;
    bool open;
    int listener[LISTENERS]; /* -1: none */
    struct client client[CLIENTS];
    struct sdw_arena arena;
    struct sdw_buf body;
};

/* --- sockets ------------------------------------------------------------------------------- */

static int listen_at(const struct sockaddr *address, socklen_t size)
{
    int one = 1;
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (address->sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    if (bind(fd, address, size) == 0 && listen(fd, CLIENTS) == 0)
        return fd;
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

/* IPv4 must work; IPv6, on the same port, where the machine has it. */
static int open_listeners(struct server *server, uint16_t port)
{
    struct sockaddr_in four = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    socklen_t size = sizeof four;
    server->listener[0] = listen_at((struct sockaddr *)&four, sizeof four);
    if (server->listener[0] < 0 ||
        getsockname(server->listener[0], (struct sockaddr *)&four, &size) < 0)
        return sdw_err_sys(&server->ctx->err, "cannot listen on 127.0.0.1 port %u", port);
    six.sin6_port = four.sin_port;
    server->listener[1] = listen_at((struct sockaddr *)&six, sizeof six);
    sdw_note(server->ctx, "listening on http://127.0.0.1:%u", ntohs(four.sin_port));
    return 0;
}

static void drop_client(struct client *client)
{
    if (client->fd >= 0)
        close(client->fd);
    sdw_buf_release(&client->in);
    sdw_buf_release(&client->out);
    *client = (struct client){.fd = -1};
}

static void accept_client(struct server *server, int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct client *oldest = &server->client[0];
    for (size_t i = 0; fd >= 0 && i < CLIENTS; i++) {
        struct client *client = &server->client[i];
        if (client->fd < 0) {
            oldest = client;
            break;
        }
        if (client->seen_ns < oldest->seen_ns)
            oldest = client;
    }
    if (fd < 0)
        return;
    drop_client(oldest); /* the one that has been silent for longest, when all are taken */
    oldest->fd = fd;
    oldest->seen_ns = sdw_mono_ns();
}

/* --- answering ----------------------------------------------------------------------------- */

/* What is durable now: the store is opened again when its log has changed. */
static int refresh(struct server *server, struct sdw_err *err)
{
    struct sdw_store_settings settings = {0};
    if (server->open && sdw_store_is_current(&server->store))
        return 0;
    if (server->open)
        sdw_store_close(&server->store);
    int code = sdw_store_open(&server->store, server->path, &settings, err);
    server->open = code == 0;
    return code;
}

/* Requests that another site made a browser send bear that site's name. */
static bool is_local(struct sdw_str host)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
    if (host.n == 0)
        return true;
    for (size_t i = 0; i < SDW_LEN(names); i++) {
        size_t n = strlen(names[i]);
        if (host.n >= n && memcmp(host.p, names[i], n) == 0 && (host.n == n || host.p[n] == ':'))
            return true;
    }
    return false;
}

static const char *reason_of(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {{200, "OK"},
                   {400, "Bad Request"},
                   {403, "Forbidden"},
                   {404, "Not Found"},
                   {405, "Method Not Allowed"},
                   {411, "Length Required"},
                   {413, "Content Too Large"},
                   {431, "Request Header Fields Too Large"}};
    for (size_t i = 0; i < SDW_LEN(reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Internal Server Error";
}

static void put_response(struct client *client, int status, struct sdw_str body)
{
    sdw_buf_printf(&client->out,
                   "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
                   "Connection: %s\r\n\r\n",
                   status, reason_of(status), body.n, client->close_after ? "close" : "keep-alive");
    sdw_buf_str(&client->out, body);
}

static int answer(struct server *server, const struct sdw_request *request)
{
    struct sdw_err err;
    if (!is_local(request->host))
        return 403;
    if (!sdw_str_is(request->method, "GET") && !sdw_str_is(request->method, "POST"))
        return 405;
    if (refresh(server, &err) < 0) {
        sdw_warn(server->ctx, "%s", err.text);
        return 500;
    }
    return sdw_prom_answer(&server->store, request, sdw_wall_us(), &server->body);
}

/* Answer the first request when it is there whole. The next one has to wait until the answer was
 * taken: small questions may have large answers. */
static void answer_client(struct server *server, struct client *client)
{
    struct sdw_request request;
    sdw_arena_reset(&server->arena);
    long n = sdw_request_parse(sdw_buf_view(&client->in), &server->arena, &request);
    if (n == 0)
        return;
    client->close_after = n < 0 || !request.keep_alive;
    sdw_buf_clear(&server->body);
    int status = n < 0 ? (int)-n : answer(server, &request);
    put_response(client, status, sdw_buf_view(&server->body));
    size_t used = n > 0 ? (size_t)n : client->in.n;
    memmove(client->in.p, client->in.p + used, client->in.n - used);
    client->in.n -= used;
}

/* --- the loop ------------------------------------------------------------------------------ */

static void read_client(struct server *server, struct client *client)
{
    sdw_buf_reserve(&client->in, READ_SIZE);
    ssize_t n = recv(client->fd, client->in.p + client->in.n, READ_SIZE, 0);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        drop_client(client);
        return;
    }
    client->in.n += n > 0 ? (size_t)n : 0;
    client->seen_ns = sdw_mono_ns();
    answer_client(server, client);
}

static void write_client(struct client *client)
{
    ssize_t n =
        send(client->fd, client->out.p + client->sent, client->out.n - client->sent, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR) {
        drop_client(client);
        return;
    }
    client->sent += n > 0 ? (size_t)n : 0;
    client->seen_ns = sdw_mono_ns();
    if (client->sent < client->out.n)
        return;
    sdw_buf_release(&client->out); /* it may have been large */
    client->sent = 0;
    if (client->close_after)
        drop_client(client);
}

/* While an answer waits to be taken, nothing more is read from that client. */
static void serve_client(struct server *server, struct client *client, short events)
{
    if (client->fd >= 0 && client->out.n == 0 && (events & (POLLIN | POLLHUP | POLLERR)))
        read_client(server, client);
    if (client->fd >= 0 && client->out.n > 0)
        write_client(client);
    if (client->fd >= 0 && client->out.n == 0 && client->in.n > 0)
        answer_client(server, client);
    int64_t idle_ns = INT64_C(1000000000) * IDLE_S;
    if (client->fd >= 0 && sdw_mono_ns() - client->seen_ns > idle_ns)
        drop_client(client);
}

static int loop(struct server *server)
{
    enum { ALL = 1 + LISTENERS + CLIENTS };
    struct pollfd polled[ALL];
    while (!sdw_stop_signal(server->ctx)) {
        polled[0] = (struct pollfd){server->ctx->stop_fd, POLLIN, 0};
        for (size_t i = 0; i < LISTENERS; i++)
            polled[1 + i] = (struct pollfd){server->listener[i], POLLIN, 0};
        for (size_t i = 0; i < CLIENTS; i++) {
            const struct client *client = &server->client[i];
            polled[1 + LISTENERS + i] =
                (struct pollfd){client->fd, client->out.n ? POLLOUT : POLLIN, 0};
        }
        if (poll(polled, ALL, IDLE_S * 1000 / 2) < 0 && errno != EINTR)
            return sdw_err_sys(&server->ctx->err, "poll");
        for (size_t i = 0; i < CLIENTS; i++)
            if (polled[1 + LISTENERS + i].fd >= 0)
                serve_client(server, &server->client[i], polled[1 + LISTENERS + i].revents);
        for (size_t i = 0; i < LISTENERS; i++)
            if (polled[1 + i].revents & POLLIN)
                accept_client(server, server->listener[i]);
    }
    return 0;
}

int sdw_store_serve(struct sdw_ctx *ctx, const char *path, uint16_t port)
{
    struct server *server = sdw_xalloc(sizeof *server);
    server->ctx = ctx;
    server->path = path;
    for (size_t i = 0; i < CLIENTS; i++)
        server->client[i].fd = -1;
    server->listener[0] = server->listener[1] = -1;
    int code = refresh(server, &ctx->err);
    if (code == 0)
        code = open_listeners(server, port);
    if (code == 0)
        code = loop(server);
    for (size_t i = 0; i < CLIENTS; i++)
        drop_client(&server->client[i]);
    for (size_t i = 0; i < LISTENERS; i++)
        if (server->listener[i] >= 0)
            close(server->listener[i]);
    if (server->open)
        sdw_store_close(&server->store);
    sdw_arena_release(&server->arena);
    sdw_buf_release(&server->body);
    free(server);
    return code < 0 ? code : sdw_rec_end(ctx, sdw_wall_us(), "signal", NULL);
}
