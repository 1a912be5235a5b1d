#include "io/backlog.h"
#include "core/mem.h"

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

enum { PIPE_CHUNK = 4096 }; /* PIPE_BUF: what POLLOUT on a pipe promises room for */

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

int sdw_backlog_drain(struct sdw_backlog *backlog, struct sdw_ctx *ctx)
{
    int code = 0;
    while (code == 0 && !sdw_backlog_empty(backlog)) {
        struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
        size_t n = 0;
        if (poll(&out, 1, 0) <= 0)
            return 0;
        do
            code = emit_one(backlog, ctx, &n);
        while (code == 0 && !sdw_backlog_empty(backlog) && n + next_length(backlog) < PIPE_CHUNK);
        if (code == 0)
            code = sdw_flush(ctx);
    }
    return code;
}

int sdw_backlog_flush(struct sdw_backlog *backlog, struct sdw_ctx *ctx)
{
    int code = 0;
    size_t n = 0;
    while (code == 0 && !sdw_backlog_empty(backlog))
        code = emit_one(backlog, ctx, &n);
    return code == 0 ? sdw_flush(ctx) : code;
}
