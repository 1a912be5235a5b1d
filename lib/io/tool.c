#include "io/tool.h"
#include "io/lock.h"
#include "io/optgen.h"
#include "io/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <unistd.h>

static const int stop_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGALRM};

static void say(const struct sdw_ctx *ctx, const char *fmt, va_list ap)
{
    char text[1024];
    vsnprintf(text, sizeof text, fmt, ap);
    fprintf(stderr, "%s: %s\n", ctx->tool->name, text);
}

void sdw_warn(const struct sdw_ctx *ctx, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    say(ctx, fmt, ap);
    va_end(ap);
}

void sdw_note(const struct sdw_ctx *ctx, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (!ctx->common.quiet)
        say(ctx, fmt, ap);
    va_end(ap);
}

void sdw_detail(const struct sdw_ctx *ctx, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (ctx->common.verbose)
        say(ctx, fmt, ap);
    va_end(ap);
}

int sdw_stop_signal(struct sdw_ctx *ctx)
{
    /* Only look: the signal stays pending, so the descriptor stays readable for the reader and
     * the writer too. */
    sigset_t pending;
    if (ctx->signal == 0 && sigpending(&pending) == 0)
        for (size_t i = 0; i < SDW_LEN(stop_signals); i++)
            if (sigismember(&pending, stop_signals[i]))
                ctx->signal = stop_signals[i];
    return ctx->signal;
}

int sdw_put(struct sdw_ctx *ctx, struct sdw_str line)
{
    ctx->records_out++;
    return sdw_emit(ctx->emitter, line, &ctx->err);
}

int sdw_flush(struct sdw_ctx *ctx)
{
    return sdw_emit_flush(ctx->emitter, &ctx->err);
}

static int flush_before_block(void *arg)
{
    return sdw_flush(arg);
}

int sdw_bad_line(struct sdw_ctx *ctx, const struct sdw_err *err)
{
    char text[512];
    struct sdw_err at = *err;
    if (!at.line)
        at.line = sdw_reader_line(ctx->in);
    ctx->bad_lines++;
    if (ctx->common.strict) {
        ctx->err = at;
        return SDW_EINPUT;
    }
    sdw_warn(ctx, "%s", sdw_err_line(&at, text, sizeof text));
    return 0;
}

static int next_line(struct sdw_ctx *ctx, struct sdw_str *line, bool check)
{
    for (;;) {
        struct sdw_err err; /* filled only when something is wrong: this runs once a line */
        err.code = 0;
        int got = sdw_reader_next(ctx->in, line, &err);
        if (got == SDW_ESTOP)
            return 0;
        if (got > 0) {
            ctx->lines_in++;
            got = check ? sdw_scan_find(*line, NULL, 0, NULL, &err) : 0;
            if (got == 0)
                return 1;
        }
        if (got == 0)
            return 0;
        if (got != SDW_EINPUT) {
            if (err.code) /* otherwise the hook failed, and its message is in ctx->err */
                ctx->err = err;
            return got;
        }
        if (sdw_bad_line(ctx, &err) < 0)
            return SDW_EINPUT;
    }
}

int sdw_next(struct sdw_ctx *ctx, struct sdw_str *line)
{
    return next_line(ctx, line, true);
}

int sdw_next_unchecked(struct sdw_ctx *ctx, struct sdw_str *line)
{
    return next_line(ctx, line, false);
}

/* Signals that ask to stop are read from a descriptor; SIGPIPE is what a shell would have it,
 * whatever the parent left us. */
static int set_up_signals(struct sdw_ctx *ctx)
{
    sigset_t stop, pipe_only;
    sigemptyset(&stop);
    for (size_t i = 0; i < SDW_LEN(stop_signals); i++)
        sigaddset(&stop, stop_signals[i]);
    sigprocmask(SIG_BLOCK, &stop, NULL);
    ctx->stop_fd = signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
    if (ctx->stop_fd < 0)
        return sdw_err_sys(&ctx->err, "signalfd");
    struct sigaction act = {.sa_handler = ctx->tool->acts ? SIG_IGN : SIG_DFL};
    sigaction(SIGPIPE, &act, NULL);
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    sigprocmask(SIG_UNBLOCK, &pipe_only, NULL);
    return 0;
}

static int start_deadline(struct sdw_ctx *ctx)
{
    int64_t us = ctx->common.deadline_us;
    struct itimerval when = {.it_value = {.tv_sec = us / 1000000, .tv_usec = us % 1000000}};
    if (us > 0 && setitimer(ITIMER_REAL, &when, NULL) < 0)
        return sdw_err_sys(&ctx->err, "deadline");
    return 0;
}

void sdw_read_records(struct sdw_ctx *ctx)
{
    ctx->in = sdw_reader_new(STDIN_FILENO, "standard input");
    sdw_reader_hook(ctx->in, flush_before_block, ctx, ctx->stop_fd);
}

/* The record type that a table shows. */
static const char *main_type(const struct sdw_tool *tool, const struct sdw_command *command,
                             const void *config)
{
    if (command->main_type)
        return command->main_type;
    return tool->main_type_of ? tool->main_type_of(config) : tool->main_type;
}

static int set_up_output(struct sdw_ctx *ctx, const struct sdw_command *command, const void *config)
{
    const struct sdw_common *common = &ctx->common;
    const struct sdw_tool *tool = ctx->tool;
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    bool plain = (no_color && no_color[0]) || (term && strcmp(term, "dumb") == 0);
    bool color = common->color == 1 || (common->color == 0 && !plain && isatty(STDOUT_FILENO));
    ctx->out = sdw_out_new(STDOUT_FILENO, ctx->stop_fd);
    ctx->emitter =
        sdw_emitter_new(ctx->out, (enum sdw_format)common->format, main_type(tool, command, config),
                        common->types.n ? common->types.item : NULL, tool->column_of, color);
    if (tool->reads_records)
        sdw_read_records(ctx);
    return common->lock ? sdw_lock_take(common->lock, &ctx->err) : 0;
}

static int print_generated(struct sdw_ctx *ctx, const struct sdw_command *command, const char *what)
{
    int code = sdw_opt_generate(ctx->tool, command, what, &ctx->scratch, &ctx->err);
    struct sdw_out *out = sdw_out_new(STDOUT_FILENO, -1);
    if (code == 0)
        code = sdw_out_add(out, sdw_buf_view(&ctx->scratch), &ctx->err);
    if (code == 0)
        code = sdw_out_flush(out, &ctx->err);
    sdw_out_free(out);
    return code;
}

static int run_command(struct sdw_ctx *ctx, const struct sdw_command *command, void *config)
{
    int code = set_up_signals(ctx);
    if (code == 0)
        code = set_up_output(ctx, command, config);
    if (code >= 0)
        code = start_deadline(ctx);
    if (code == 0)
        code = command->run(ctx, config);
    if (ctx->emitter) {
        struct sdw_err flush_err = {0};
        int flushed = sdw_emit_flush(ctx->emitter, &flush_err);
        if (flushed < 0 && (code >= 0 || code == SDW_ENO)) { /* "no" was not told */
            code = flushed;
            ctx->err = flush_err;
        }
    }
    if (code == 0 && ctx->bad_lines)
        return sdw_err_set(&ctx->err, SDW_EINPUT, "%llu bad input line%s skipped",
                           (unsigned long long)ctx->bad_lines, ctx->bad_lines == 1 ? "" : "s");
    return code;
}

/* The exit status, with one line on standard error when there is something to say. */
static int conclude(struct sdw_ctx *ctx, int code)
{
    char text[512];
    int signal = ctx->stop_fd >= 0 ? sdw_stop_signal(ctx) : 0;
    if (code < 0 && code != SDW_ESTOP && ctx->err.text[0])
        sdw_warn(ctx, "%s", sdw_err_line(&ctx->err, text, sizeof text));
    if (signal == SIGALRM) {
        sdw_warn(ctx, "deadline reached");
        return 4;
    }
    if (signal)
        return 128 + signal;
    return code == 0 ? ctx->status : sdw_err_exit_status(code);
}

static int dispatch(struct sdw_ctx *ctx, int argc, char **argv, void *config)
{
    const struct sdw_command *command = ctx->tool->command;
    int first = argc;
    if (argc == 1 && ctx->tool->reads_records && isatty(STDIN_FILENO)) {
        sdw_opt_generate(ctx->tool, command, "usage", &ctx->scratch, &ctx->err);
        fputs(ctx->scratch.p, stderr);
        return SDW_EUSAGE;
    }
    int code =
        sdw_opt_parse(ctx->tool, argc, argv, &command, config, &ctx->common, &first, &ctx->err);
    if (code == 0 && ctx->common.help)
        code = print_generated(ctx, command, "help");
    else if (code == 0 && ctx->common.generate)
        code = print_generated(ctx, command, ctx->common.generate);
    else if (code == 0 && ctx->common.version)
        code = printf("%s %s\n", ctx->tool->name, SDW_VERSION) < 0 || fflush(stdout) != 0
                   ? sdw_err_sys(&ctx->err, "cannot write standard output")
                   : 0;
    else if (code == 0) {
        ctx->operands = argv + first;
        ctx->n_operands = (size_t)(argc - first);
        code = run_command(ctx, command, config);
    }
    sdw_opt_release(&ctx->common);
    return code;
}

/* A standard descriptor that the parent had closed must not become that of a file opened here. What
 * takes its place can be read or written in the wrong direction only: its use is an error. */
static bool hold_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 &&
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            return false;
    return true;
}

int sdw_main(const struct sdw_tool *tool, int argc, char **argv)
{
    if (!hold_standard_descriptors())
        return sdw_err_exit_status(SDW_ESYS); /* and nowhere to say so */
    struct sdw_ctx ctx = {.tool = tool, .stop_fd = -1};
    void *config = calloc(1, tool->config_size ? tool->config_size : 1);
    int code = config ? dispatch(&ctx, argc, argv, config) : SDW_ESYS;
    int status = conclude(&ctx, code);
    sdw_emitter_free(ctx.emitter);
    sdw_out_free(ctx.out);
    sdw_reader_free(ctx.in);
    sdw_buf_release(&ctx.scratch);
    free(config);
    if (ctx.stop_fd >= 0)
        close(ctx.stop_fd);
    return status;
}
