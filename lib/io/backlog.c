#include "io/backlog.h"
#include "core/mem.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
    PIPE_CHUNK = 4096,   /* PIPE_BUF: what POLLOUT on a pipe promises room for */
    STOP_GRACE_MS = 1000 /* for a reader to take something once asked to stop */
};

/* In front of each record. */
struct head {
    uint64_t order;
    size_t n;
};

/* A ring of bytes. */
struct ring {
    char *bytes;
    size_t size, first, used;
};

struct sdw_backlog {
    struct ring keep, drop;
    uint64_t order, dropped;
    struct sdw_buf record;
};

static void ring_write(struct ring *ring, const void *from, size_t n)
{
    size_t at = (ring->first + ring->used) % ring->size;
    size_t part = n < ring->size - at ? n : ring->size - at;
    memcpy(ring->bytes + at, from, part);
    memcpy(ring->bytes, (const char *)from + part, n - part);
    ring->used += n;
}

/* Copy n bytes from the front; they stay. */
static void ring_peek(const struct ring *ring, size_t skip, void *to, size_t n)
{
    size_t at = (ring->first + skip) % ring->size;
    size_t part = n < ring->size - at ? n : ring->size - at;
    memcpy(to, ring->bytes + at, part);
    memcpy((char *)to + part, ring->bytes, n - part);
}

static void ring_skip(struct ring *ring, size_t n)
{
    ring->used -= n;
    ring->first = ring->used ? (ring->first + n) % ring->size : 0;
}

static struct head ring_head(const struct ring *ring)
{
    struct head head = {.order = UINT64_MAX};
    if (ring->used)
        ring_peek(ring, 0, &head, sizeof head);
    return head;
}

struct sdw_backlog *sdw_backlog_new(size_t keep_bytes, size_t drop_bytes)
{
    struct sdw_backlog *backlog = sdw_xalloc(sizeof *backlog);
    backlog->keep = (struct ring){.bytes = sdw_xalloc(keep_bytes), .size = keep_bytes};
    backlog->drop = (struct ring){.bytes = sdw_xalloc(drop_bytes), .size = drop_bytes};
    return backlog;
}

void sdw_backlog_free(struct sdw_backlog *backlog)
{
    if (!backlog)
        return;
    free(backlog->keep.bytes);
    free(backlog->drop.bytes);
    sdw_buf_release(&backlog->record);
    free(backlog);
}

void sdw_backlog_add(struct sdw_backlog *backlog, struct sdw_str record, bool may_drop)
{
    struct ring *ring = may_drop ? &backlog->drop : &backlog->keep;
    struct head head = {.order = backlog->order++, .n = record.n};
    size_t need = sizeof head + record.n;
    while (may_drop && need <= ring->size && need > ring->size - ring->used) {
        ring_skip(ring, sizeof head + ring_head(ring).n);
        backlog->dropped++;
    }
    if (need > ring->size - ring->used) {
        backlog->dropped++;
        return;
    }
    ring_write(ring, &head, sizeof head);
    ring_write(ring, record.p, record.n);
}

bool sdw_backlog_empty(const struct sdw_backlog *backlog)
{
    return backlog->keep.used == 0 && backlog->drop.used == 0;
}

uint64_t sdw_backlog_dropped(const struct sdw_backlog *backlog)
{
    return backlog->dropped;
}

/* Emit the oldest record; *n grows by its length. */
static int emit_one(struct sdw_backlog *backlog, struct sdw_ctx *ctx, size_t *n)
{
    struct head keep = ring_head(&backlog->keep), drop = ring_head(&backlog->drop);
    struct ring *ring = keep.order < drop.order ? &backlog->keep : &backlog->drop;
    size_t length = keep.order < drop.order ? keep.n : drop.n;
    sdw_buf_clear(&backlog->record);
    sdw_buf_reserve(&backlog->record, length);
    ring_peek(ring, sizeof keep, backlog->record.p, length);
    ring_skip(ring, sizeof keep + length);
    *n += length + 1;
    return sdw_put(ctx, (struct sdw_str){backlog->record.p, length});
}

/* Length of the oldest record. */
static size_t next_length(const struct sdw_backlog *backlog)
{
    struct head keep = ring_head(&backlog->keep), drop = ring_head(&backlog->drop);
    return keep.order < drop.order ? keep.n : drop.n;
}

/* Emit as many records as the reader certainly takes at once, given that it takes any. */
static int emit_some(struct sdw_backlog *backlog, struct sdw_ctx *ctx)
{
    size_t n = 0;
    int code = 0;
    do
        code = emit_one(backlog, ctx, &n);
    while (code == 0 && !sdw_backlog_empty(backlog) && n + next_length(backlog) < PIPE_CHUNK);
    return code == 0 ? sdw_flush(ctx) : code;
}

bool sdw_backlog_fits(const struct sdw_backlog *backlog)
{
    return next_length(backlog) < PIPE_CHUNK;
}

/* Whether the reader takes the oldest record at once: what is longer than a pipe promises room for
 * waits until the pipe is empty. */
static bool reader_takes(const struct sdw_backlog *backlog)
{
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
    int unread = 0;
    if (poll(&out, 1, 0) <= 0)
        return false;
    return sdw_backlog_fits(backlog) || ioctl(STDOUT_FILENO, FIONREAD, &unread) < 0 || unread == 0;
}

int sdw_backlog_drain(struct sdw_backlog *backlog, struct sdw_ctx *ctx)
{
    int code = 0;
    while (code == 0 && !sdw_backlog_empty(backlog)) {
        if (!reader_takes(backlog))
            return 0;
        code = emit_some(backlog, ctx);
    }
    return code;
}

/* Wait until the reader takes something; once asked to stop, not for longer than the grace. */
static bool wait_for_reader(struct sdw_ctx *ctx)
{
    struct pollfd fds[2] = {{.fd = STDOUT_FILENO, .events = POLLOUT},
                            {.fd = ctx->stop_fd, .events = POLLIN}};
    bool stopped = false;
    for (;;) {
        int n = poll(fds, stopped ? 1 : 2, stopped ? STOP_GRACE_MS : -1);
        if (n < 0 && errno != EINTR)
            return false;
        if (n > 0 && fds[0].revents)
            return true;
        if (n == 0 && stopped)
            return false;
        stopped = stopped || (n > 0 && fds[1].revents);
    }
}

int sdw_backlog_flush(struct sdw_backlog *backlog, struct sdw_ctx *ctx)
{
    int code = 0;
    while (code == 0 && wait_for_reader(ctx)) {
        if (sdw_backlog_empty(backlog))
            return 0;
        code = emit_some(backlog, ctx);
    }
    return code < 0 ? code : sdw_err_set(&ctx->err, SDW_ESTOP, "the reader does not read");
}
