/*
 * What a tool runs in: sdw_main parses the command line, sets up signals, output and cron's
 * helpers (--lock, --deadline), calls the command and turns what it returns into an exit status.
 *
 *     int main(int argc, char **argv) { return sdw_main(&tool, argc, argv); }
 */
#ifndef SDW_IO_TOOL_H
#define SDW_IO_TOOL_H

#include "core/base.h"
#include "core/buf.h"
#include "core/err.h"
#include "io/emit.h"
#include "io/line.h"
#include "io/opt.h"

struct sdw_ctx {
    const struct sdw_tool *tool;
    struct sdw_common common;
    struct sdw_emitter *emitter;
    struct sdw_out *out;
    struct sdw_reader *in; /* standard input; made by sdw_main for tools that read records */
    char **operands;
    size_t n_operands;
    int stop_fd; /* readable once SIGINT, SIGTERM, SIGHUP or the deadline asked to stop. These
                  * signals stay blocked: a child must unblock them before it executes */
    int signal;  /* what asked, once sdw_stop_signal has seen it; SIGALRM is the deadline */
    int status;  /* to exit with when the command returns 0: that of a program it ran */
    uint64_t bad_lines, lines_in, records_out;
    struct sdw_err err; /* what the command returns negative about */
    struct sdw_buf scratch;
};

int sdw_main(const struct sdw_tool *tool, int argc, char **argv);

/* Messages to standard error, prefixed with the tool's name. note needs no -q, detail needs -v. */
void sdw_warn(const struct sdw_ctx *ctx, const char *fmt, ...) SDW_PRINTF(2, 3);
void sdw_note(const struct sdw_ctx *ctx, const char *fmt, ...) SDW_PRINTF(2, 3);
void sdw_detail(const struct sdw_ctx *ctx, const char *fmt, ...) SDW_PRINTF(2, 3);

/* The signal that asked to stop (0: none). Does not block. */
int sdw_stop_signal(struct sdw_ctx *ctx);

/* Make ctx->in: for a command that reads records while its tool as a whole does not. */
void sdw_read_records(struct sdw_ctx *ctx);
/* The next record line of standard input. Bad lines (overlong, not an object) are reported with
 * their number, counted and skipped (--strict: returned as SDW_EINPUT). Returns 1, 0 at the end
 * or when asked to stop, negative on failure (message in ctx->err). */
int sdw_next(struct sdw_ctx *ctx, struct sdw_str *line);
/* The same without the check that the line is an object: for a caller that scans the line anyway
 * and reports a bad one with sdw_bad_line. */
int sdw_next_unchecked(struct sdw_ctx *ctx, struct sdw_str *line);
/* Report what is wrong with the current line: counts it, warns with line and field. Returns 0, or
 * SDW_EINPUT under --strict. */
int sdw_bad_line(struct sdw_ctx *ctx, const struct sdw_err *err);
/* Emit one record line; on failure the message is in ctx->err. */
int sdw_put(struct sdw_ctx *ctx, struct sdw_str line);
int sdw_flush(struct sdw_ctx *ctx);

#endif
