#include "io/line.h"
#include "core/mem.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

enum { READ_SIZE = 256 * 1024 };

struct sdw_reader {
    int fd, stop_fd;
    const char *name;
    int (*before_block)(void *arg);
    void *arg;
    char *data; /* bytes [from, to) are not yet returned; [from, seen) hold no newline */
    size_t from, seen, to, cap;
    uint64_t line;
    bool ended, skipping;
};

struct sdw_reader *sdw_reader_new(int fd, const char *name)
{
    struct sdw_reader *r = sdw_xalloc(sizeof *r);
    r->fd = fd;
    r->stop_fd = -1;
    r->name = name;
    r->cap = READ_SIZE;
    r->data = sdw_xalloc(r->cap);
    return r;
}

void sdw_reader_free(struct sdw_reader *r)
{
    if (!r)
        return;
    free(r->data);
    free(r);
}

void sdw_reader_hook(struct sdw_reader *r, int (*before_block)(void *arg), void *arg, int stop_fd)
{
    r->before_block = before_block;
    r->arg = arg;
    r->stop_fd = stop_fd;
}

int sdw_reader_fd(const struct sdw_reader *r)
{
    return r->fd;
}

uint64_t sdw_reader_line(const struct sdw_reader *r)
{
    return r->line;
}

static void make_room(struct sdw_reader *r)
{
    if (r->from > 0) {
        memmove(r->data, r->data + r->from, r->to - r->from);
        r->to -= r->from;
        r->seen -= r->from;
        r->from = 0;
    }
    if (r->to == r->cap) {
        r->cap *= 2;
        r->data = sdw_xrealloc(r->data, r->cap, 1);
    }
}

/* Wait until there is something to read or a reason to stop. 0, SDW_EAGAIN, SDW_ESTOP, ... */
static int wait_readable(struct sdw_reader *r, bool may_block, struct sdw_err *err)
{
    struct pollfd fds[2] = {{.fd = r->stop_fd, .events = POLLIN}, {.fd = r->fd, .events = POLLIN}};
    int n = poll(fds, 2, 0);
    if (n == 0 || (n > 0 && !fds[0].revents && !fds[1].revents)) {
        if (!may_block)
            return SDW_EAGAIN;
        int code = r->before_block ? r->before_block(r->arg) : 0;
        if (code < 0)
            return code;
        do
            n = poll(fds, 2, -1);
        while (n < 0 && errno == EINTR);
    }
    if (n < 0)
        return sdw_err_sys(err, "%s: poll", r->name);
    return fds[0].revents ? SDW_ESTOP : 0;
}

/* Read once more: 1 read something, 0 end, negative. */
static int fill(struct sdw_reader *r, bool may_block, struct sdw_err *err)
{
    int code = wait_readable(r, may_block, err);
    if (code < 0)
        return code;
    make_room(r);
    ssize_t got = read(r->fd, r->data + r->to, r->cap - r->to);
    if (got < 0) {
        if (errno == EINTR || errno == EAGAIN)
            return 1;
        return sdw_err_sys(err, "%s", r->name);
    }
    r->to += (size_t)got;
    return got > 0;
}

static struct sdw_str trimmed(const struct sdw_reader *r, const char *p, size_t n)
{
    if (r->line == 1 && n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) {
        p += 3;
        n -= 3;
    }
    if (n && p[n - 1] == '\r')
        n--;
    return (struct sdw_str){p, n};
}

static bool is_blank(struct sdw_str line)
{
    for (size_t i = 0; i < line.n; i++)
        if (line.p[i] != ' ' && line.p[i] != '\t')
            return false;
    return true;
}

/* Take what is buffered: 1 a line, 0 more is needed, SDW_EINPUT an overlong line has ended. */
static int take(struct sdw_reader *r, struct sdw_str *line, struct sdw_err *err)
{
    while (r->from < r->to) {
        const char *start = r->data + r->from;
        const char *newline = memchr(r->data + r->seen, '\n', r->to - r->seen);
        if (!newline && !(r->ended && !r->skipping)) {
            r->seen = r->to;
            if (r->to - r->from > SDW_LINE_MAX) { /* forget it, but find its end */
                r->skipping = true;
                r->from = r->seen = r->to = 0;
            }
            return 0;
        }
        size_t n = newline ? (size_t)(newline - start) : r->to - r->from;
        r->from += n + (newline != NULL);
        r->seen = r->from;
        r->line++;
        if (r->skipping || n > SDW_LINE_MAX) {
            r->skipping = false;
            sdw_err_set(err, SDW_EINPUT, "the line is longer than %d bytes", SDW_LINE_MAX);
            if (err)
                err->line = r->line;
            return SDW_EINPUT;
        }
        *line = trimmed(r, start, n);
        if (!is_blank(*line))
            return 1;
    }
    return 0;
}

static int next_line(struct sdw_reader *r, bool may_block, struct sdw_str *line,
                     struct sdw_err *err)
{
    for (;;) {
        int got = take(r, line, err);
        if (got != 0 || r->ended) {
            if (got == 0 && r->skipping) {
                r->skipping = false;
                return sdw_err_set(err, SDW_EINPUT, "the last line is longer than %d bytes",
                                   SDW_LINE_MAX);
            }
            return got;
        }
        int code = fill(r, may_block, err);
        if (code < 0)
            return code;
        r->ended = code == 0;
    }
}

int sdw_reader_next(struct sdw_reader *r, struct sdw_str *line, struct sdw_err *err)
{
    return next_line(r, true, line, err);
}

int sdw_reader_poll(struct sdw_reader *r, struct sdw_str *line, struct sdw_err *err)
{
    return next_line(r, false, line, err);
}
