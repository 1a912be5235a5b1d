#include "io/wholefile.h"
#include "core/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int sdw_whole_read(const char *path, size_t most, struct sdw_buf *out, struct sdw_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : sdw_err_sys(err, "%s", path);
    size_t before = out->n;
    ssize_t n;
    do {
        sdw_buf_reserve(out, 65536);
        n = read(fd, out->p + out->n, 65536);
        if (n > 0)
            out->n += (size_t)n;
    } while (n > 0 && out->n - before <= most);
    int code = n < 0 ? sdw_err_sys(err, "%s", path) : 1;
    if (n > 0)
        code = sdw_err_set(err, SDW_EINPUT, "%s: more than %zu bytes", path, most);
    if (out->p)
        out->p[out->n] = '\0';
    close(fd);
    return code;
}

static bool write_all(int fd, struct sdw_str bytes)
{
    while (bytes.n > 0) {
        ssize_t n = write(fd, bytes.p, bytes.n);
        if (n < 0 && errno != EINTR)
            return false;
        if (n > 0)
            bytes = (struct sdw_str){bytes.p + n, bytes.n - (size_t)n};
    }
    return true;
}

/* The folder of a path, as a descriptor to sync. */
static int open_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) : 0;
    char *folder = n > 0 ? sdw_xstrndup(path, n) : sdw_xstrdup(slash ? "/" : ".");
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(folder);
    return fd;
}

static int open_draft(const char *path, struct sdw_buf *draft)
{
    sdw_buf_text(draft, path);
    sdw_buf_text(draft, ".new");
    return open(draft->p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

int sdw_whole_writable(const char *path, struct sdw_err *err)
{
    struct sdw_buf draft = {0};
    int fd = open_draft(path, &draft), code = fd < 0 ? sdw_err_sys(err, "%s", path) : 0;
    if (fd >= 0) {
        unlink(draft.p);
        close(fd);
    }
    sdw_buf_release(&draft);
    return code;
}

int sdw_whole_replace(const char *path, struct sdw_str bytes, struct sdw_err *err)
{
    struct sdw_buf draft = {0};
    int code = 0, folder = open_folder(path), fd = open_draft(path, &draft);
    if (fd < 0 || !write_all(fd, bytes) || fsync(fd) < 0 || rename(draft.p, path) < 0 ||
        folder < 0 || fsync(folder) < 0)
        code = sdw_err_sys(err, "%s", path);
    if (fd >= 0)
        close(fd);
    if (code != 0 && fd >= 0)
        unlink(draft.p); /* on a full disk it would keep the place that others need */
    if (folder >= 0)
        close(folder);
    sdw_buf_release(&draft);
    return code;
}
