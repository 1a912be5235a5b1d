#include "shell/history.h"
#include "core/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <readline/history.h>

enum { LINES_KEPT = 5000 };

/* The directory that the file goes to; false when there is no home. */
static bool state_directory(struct sdw_buf *dir)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (state && state[0] == '/')
        sdw_buf_printf(dir, "%s/shadow-tools", state);
    else if (home && home[0] == '/')
        sdw_buf_printf(dir, "%s/.local/state/shadow-tools", home);
    return dir->n > 0;
}

static int make_directories(char *path, struct sdw_err *err)
{
    for (char *p = path + 1;; p++) {
        char here = *p;
        if (here != '/' && here != '\0')
            continue;
        *p = '\0';
        int r = mkdir(path, 0700) < 0 && errno != EEXIST ? -1 : 0;
        *p = here;
        if (r < 0)
            return sdw_err_sys(err, "history: cannot make %s", path);
        if (here == '\0')
            return 0;
    }
}

int sdw_history_init(struct sdw_history *history, struct sdw_err *err)
{
    struct sdw_buf path = {0};
    *history = (struct sdw_history){0};
    using_history();
    if (!state_directory(&path))
        return 0;
    int r = make_directories(path.p, err);
    sdw_buf_text(&path, "/history");
    int fd = r == 0 ? open(path.p, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
    if (r == 0 && (fd < 0 || fchmod(fd, 0600) < 0))
        r = sdw_err_sys(err, "history: %s", path.p);
    if (fd >= 0)
        close(fd);
    if (r < 0) {
        sdw_buf_release(&path);
        return r;
    }
    history->path = path.p;
    read_history(history->path);
    if (history_length > LINES_KEPT) {
        stifle_history(LINES_KEPT);
        history_truncate_file(history->path, LINES_KEPT);
    }
    return 0;
}

void sdw_history_release(struct sdw_history *history)
{
    free(history->path);
    *history = (struct sdw_history){0};
    clear_history();
}

int sdw_history_add(struct sdw_history *history, const char *line, struct sdw_err *err)
{
    HIST_ENTRY *last = history_length ? history_get(history_base + history_length - 1) : NULL;
    if (!*line || *line == ' ' || *line == '\t' || (last && strcmp(last->line, line) == 0))
        return 0;
    add_history(line);
    if (!history->path)
        return 0;
    int fd = open(history->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    struct sdw_buf text = {0};
    sdw_buf_printf(&text, "%s\n", line);
    bool written = fd >= 0 && write(fd, text.p, text.n) == (ssize_t)text.n;
    int r = written ? 0 : sdw_err_sys(err, "history: %s", history->path);
    sdw_buf_release(&text);
    if (fd >= 0)
        close(fd);
    return r;
}

void sdw_history_each(bool (*each)(void *arg, const char *line), void *arg)
{
    for (int i = history_base + history_length - 1; i >= history_base; i--) {
        HIST_ENTRY *entry = history_get(i);
        if (entry && !each(arg, entry->line))
            return;
    }
}
