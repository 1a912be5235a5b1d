#include "io/out.h"
#include "core/buf.h"
#include "core/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    OUT_BUFFER = 64 * 1024,
    PIPE_CHUNK = 4096,   /* PIPE_BUF: what POLLOUT on a pipe promises room for */
    STOP_GRACE_MS = 1000 /* to finish a record that is half written when asked to stop */
};

struct sdw_out {
    int fd, stop_fd;
    bool may_stall; /* a pipe, socket or terminal: writing may block for ever */
    struct sdw_buf pending;
};

struct sdw_out *sdw_out_new(int fd, int stop_fd)
{
    struct sdw_out *out = sdw_xalloc(sizeof *out);
    struct stat st;
    out->fd = fd;
    out->stop_fd = stop_fd;
    /* A character device that is no terminal (/dev/null, /dev/full) takes what it is given. */
    out->may_stall =
        fstat(fd, &st) == 0 && !S_ISREG(st.st_mode) && !(S_ISCHR(st.st_mode) && !isatty(fd));
    return out;
}

void sdw_out_free(struct sdw_out *out)
{
    if (!out)
        return;
    sdw_buf_release(&out->pending);
    free(out);
}

/* Wait for room. Once asked to stop, a record that is not begun is not written any more; one
 * that is gets STOP_GRACE_MS to be finished. */
static int wait_writable(struct sdw_out *out, bool at_boundary, struct sdw_err *err)
{
    struct pollfd fds[2] = {{.fd = out->fd, .events = POLLOUT},
                            {.fd = out->stop_fd, .events = POLLIN}};
    int n;
    do
        n = poll(fds, 2, -1);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return sdw_err_sys(err, "standard output: poll");
    if (fds[0].revents)
        return 0;
    if (at_boundary)
        return sdw_err_set(err, SDW_ESTOP, "stopped while the output was full");
    do
        n = poll(fds, 1, STOP_GRACE_MS);
    while (n < 0 && errno == EINTR);
    return n > 0 ? 0 : sdw_err_set(err, SDW_ESTOP, "stopped while the output was stalled");
}

static int write_all(struct sdw_out *out, const char *p, size_t n, struct sdw_err *err)
{
    size_t done = 0;
    while (done < n) {
        size_t part = n - done;
        if (out->may_stall) {
            bool at_boundary = done == 0 || p[done - 1] == '\n';
            int code = wait_writable(out, at_boundary, err);
            if (code < 0)
                return code;
            if (part > PIPE_CHUNK)
                part = PIPE_CHUNK;
        }
        ssize_t wrote = write(out->fd, p + done, part);
        if (wrote < 0) {
            if (errno == EINTR || errno == EAGAIN)
                continue;
            return sdw_err_sys(err, "cannot write standard output");
        }
        done += (size_t)wrote;
    }
    return 0;
}

int sdw_out_flush(struct sdw_out *out, struct sdw_err *err)
{
    size_t n = out->pending.n;
    out->pending.n = 0;
    return n ? write_all(out, out->pending.p, n, err) : 0;
}

/* Write what is pending when n more bytes would be too many. */
static int make_room(struct sdw_out *out, size_t n, struct sdw_err *err)
{
    return out->pending.n && out->pending.n + n > OUT_BUFFER ? sdw_out_flush(out, err) : 0;
}

int sdw_out_add(struct sdw_out *out, struct sdw_str bytes, struct sdw_err *err)
{
    int code = make_room(out, bytes.n, err);
    if (code == 0)
        sdw_buf_str(&out->pending, bytes);
    return code;
}

int sdw_out_line(struct sdw_out *out, struct sdw_str record, struct sdw_err *err)
{
    int code = make_room(out, record.n + 1, err);
    if (code == 0) {
        sdw_buf_reserve(&out->pending, record.n + 1);
        sdw_buf_str(&out->pending, record);
        sdw_buf_char(&out->pending, '\n');
    }
    return code;
}
