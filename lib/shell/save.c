#include "shell/save.h"
#include "core/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static void quoted(struct sdw_buf *out, const char *text)
{
    sdw_buf_char(out, '\'');
    for (; *text; text++)
        if (*text == '\'')
            sdw_buf_text(out, "'\\''");
        else
            sdw_buf_char(out, *text);
    sdw_buf_char(out, '\'');
}

static void put_script(struct sdw_str pipeline, const char *dir, struct sdw_buf *out)
{
    sdw_buf_text(out, "#!/bin/sh\n"
                      "# A pipeline of shadow; needs nothing of the shell it was typed in.\n");
    if (dir) {
        sdw_buf_text(out, "PATH=");
        quoted(out, dir);
        sdw_buf_text(out, ":\"${PATH:-/usr/bin:/bin}\"\n");
    }
    sdw_buf_text(out, "# The status of any stage counts, where this sh can tell.\n"
                      "if (set -o pipefail) 2>/dev/null; then set -o pipefail; fi\n");
    sdw_buf_str(out, pipeline);
    sdw_buf_char(out, '\n');
}

static int write_all(int fd, struct sdw_str text)
{
    while (text.n) {
        ssize_t n = write(fd, text.p, text.n);
        if (n < 0 && errno != EINTR)
            return -1;
        if (n > 0) {
            text.p += n;
            text.n -= (size_t)n;
        }
    }
    return 0;
}

int sdw_save_script(const char *name, struct sdw_str pipeline, const char *dir, char *path,
                    size_t size, struct sdw_err *err)
{
    if (!*name)
        return sdw_err_set(err, SDW_EUSAGE, "save: the name is empty");
    int n = snprintf(path, size, "%s%s", strchr(name, '/') ? "" : "./", name);
    if (n < 0 || (size_t)n >= size)
        return sdw_err_set(err, SDW_EUSAGE, "save: the name is too long");
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0777);
    if (fd < 0 && errno == EEXIST)
        return sdw_err_set(err, SDW_EUSAGE, "save: %s exists: remove it or take another name",
                           path);
    if (fd < 0)
        return sdw_err_sys(err, "save: %s", path);
    struct sdw_buf text = {0};
    put_script(pipeline, dir, &text);
    int r = write_all(fd, sdw_buf_view(&text)) < 0 ? sdw_err_sys(err, "save: %s", path) : 0;
    sdw_buf_release(&text);
    if (close(fd) < 0 && r == 0)
        r = sdw_err_sys(err, "save: %s", path);
    if (r < 0)
        unlink(path);
    return r;
}
