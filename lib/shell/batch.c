#include "shell/batch.h"

#include <fcntl.h>
#include <unistd.h>

/* A batch on its way: the line being put together and the first line it came from. */
struct batch {
    struct sdw_shell *shell;
    const char *name;
    bool keep_going;
    struct sdw_buf line;
    uint64_t at;
    int failure; /* status of the last line that failed */
};

/* 0: go on; 1: stop here; negative: the line cannot be understood. */
static int run_line(struct batch *b, struct sdw_err *err)
{
    struct sdw_shell *shell = b->shell;
    shell->status = 0;
    int r = sdw_shell_line(shell, sdw_buf_view(&b->line), err);
    if (r < 0) {
        struct sdw_err inner = *err;
        r = sdw_err_set(err, r, "%s:%llu: %s", b->name, (unsigned long long)b->at, inner.text);
    } else if (shell->status && shell->leaving) {
        b->failure = shell->status;
    } else if (shell->status) {
        b->failure = shell->status;
        sdw_note(shell->ctx, "%s:%llu: exit status %d: %.200s", b->name, (unsigned long long)b->at,
                 shell->status, b->line.p);
    }
    if (r < 0 && b->keep_going) {
        b->failure = sdw_err_exit_status(r);
        sdw_warn(shell->ctx, "%s", err->text);
        r = 0;
    }
    sdw_buf_clear(&b->line);
    if (r < 0)
        return r;
    return shell->leaving || sdw_stop_signal(shell->ctx) || (shell->status && !b->keep_going);
}

/* One physical line, number at; returns as run_line. */
static int take_line(struct batch *b, struct sdw_str text, uint64_t at, struct sdw_err *err)
{
    size_t slashes = 0;
    if (b->line.n == 0)
        b->at = at;
    while (slashes < text.n && text.p[text.n - 1 - slashes] == '\\')
        slashes++;
    if (slashes % 2) {
        sdw_buf_add(&b->line, text.p, text.n - 1);
        sdw_buf_char(&b->line, ' ');
        return 0;
    }
    sdw_buf_str(&b->line, text);
    return run_line(b, err);
}

static int finish(struct batch *b, int r, struct sdw_err *err)
{
    if (r == 0 && b->line.n)
        r = run_line(b, err);
    sdw_buf_release(&b->line);
    b->shell->status = b->failure;
    return r < 0 ? r : 0;
}

int sdw_batch_text(struct sdw_shell *shell, const char *text, const char *name, bool keep_going,
                   struct sdw_err *err)
{
    struct batch b = {.shell = shell, .name = name, .keep_going = keep_going};
    int r = 0;
    for (uint64_t at = 1; *text && r == 0; at++) {
        size_t n = strcspn(text, "\n");
        r = take_line(&b, (struct sdw_str){text, n}, at, err);
        text += n + (text[n] == '\n');
    }
    return finish(&b, r, err);
}

int sdw_batch_fd(struct sdw_shell *shell, int fd, const char *name, bool keep_going,
                 struct sdw_err *err)
{
    struct batch b = {.shell = shell, .name = name, .keep_going = keep_going};
    struct sdw_reader *reader = sdw_reader_new(fd, name);
    struct sdw_str line;
    int r = 0, got;
    sdw_reader_hook(reader, NULL, NULL, shell->ctx->stop_fd);
    if (fd == STDIN_FILENO)
        shell->in_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    while (r == 0 && (got = sdw_reader_next(reader, &line, err)) != 0) {
        if (got == SDW_ESTOP)
            break;
        r = got < 0 ? got : take_line(&b, line, sdw_reader_line(reader), err);
    }
    r = finish(&b, r, err);
    sdw_reader_free(reader);
    if (shell->in_fd >= 0)
        close(shell->in_fd);
    shell->in_fd = -1;
    return r;
}

int sdw_batch_file(struct sdw_shell *shell, const char *path, bool keep_going, struct sdw_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return sdw_err_sys(err, "%s", path);
    int r = sdw_batch_fd(shell, fd, path, keep_going, err);
    close(fd);
    return r;
}
