/*
 * The shell of shadow: it only runs the tools. A line is a builtin or a pipeline that sh could
 * run as well, so what is learned at the prompt works in scripts and cron.
 */
#ifndef SDW_SHELL_SHELL_H
#define SDW_SHELL_SHELL_H

#include "core/base.h"
#include "core/buf.h"
#include "core/err.h"
#include "io/tool.h"
#include "shell/pipeline.h"
#include "shell/tools.h"

struct sdw_jobs;

struct sdw_shell {
    struct sdw_ctx *ctx;
    struct sdw_tools tools;
    struct sdw_pipeline pipeline; /* of the line being run */
    struct sdw_buf last;          /* the last pipeline, as sh understands it */
    struct sdw_buf out;           /* what builtins print */
    int status;                   /* exit status of the last line */
    int in_fd;                    /* standard input of what it runs; -1: its own */
    bool interactive;
    bool leaving;          /* exit was typed */
    struct sdw_jobs *jobs; /* what runs in the background; NULL: nothing may */
};

/* subs: the sub-commands of shadow. Makes the tools findable through PATH. */
void sdw_shell_init(struct sdw_shell *shell, struct sdw_ctx *ctx, const struct sdw_command *subs);
void sdw_shell_release(struct sdw_shell *shell);

/* Run one line. Returns 1 when it was run (its exit status is in shell->status), 0 when there was
 * nothing to run, SDW_EUSAGE when it cannot be understood, SDW_ESYS. */
int sdw_shell_line(struct sdw_shell *shell, struct sdw_str line, struct sdw_err *err);

#endif
