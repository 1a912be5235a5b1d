#include "shell/shell.h"
#include "shell/builtin.h"
#include "shell/jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

void sdw_shell_init(struct sdw_shell *shell, struct sdw_ctx *ctx, const struct sdw_command *subs)
{
    *shell = (struct sdw_shell){.ctx = ctx, .in_fd = -1};
    sdw_tools_init(&shell->tools, subs);
    sdw_tools_export_path(&shell->tools);
}

void sdw_shell_release(struct sdw_shell *shell)
{
    sdw_tools_release(&shell->tools);
    sdw_pipeline_release(&shell->pipeline);
    sdw_buf_release(&shell->last);
    sdw_buf_release(&shell->out);
}

/* An sdw_command_of for sdw_pipeline_parse; arg is a struct sdw_tools. */
static const char *command_of(void *arg, struct sdw_str word)
{
    const struct sdw_tool_entry *tool = sdw_tools_find(arg, word);
    return tool ? tool->command : NULL;
}

static int stop_signal(void *arg)
{
    return sdw_stop_signal(arg);
}

/* Only pipelines of more than one stage need to be told which stage failed. */
static void name_failure(const struct sdw_shell *shell, const struct sdw_job *job, size_t stage)
{
    struct sdw_str text = shell->pipeline.stage[stage].text;
    for (; text.n && text.p[0] == ' '; text.n--)
        text.p++;
    while (text.n && text.p[text.n - 1] == ' ')
        text.n--;
    if (job->n > 1)
        sdw_note(shell->ctx, "exit status %d of: %.*s", shell->status, (int)text.n, text.p);
}

/* Whether Ctrl-C on a terminal reaches our process group, and so whatever is in it. */
static bool on_terminal(void)
{
    int fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);
    bool foreground = fd >= 0 && tcgetpgrp(fd) == getpgrp();
    if (fd >= 0)
        close(fd);
    return foreground;
}

static int run_foreground(struct sdw_shell *shell, struct sdw_err *err)
{
    const struct sdw_job_place place = {.own_group = shell->interactive || !on_terminal(),
                                        .foreground = shell->interactive,
                                        .in_fd = shell->in_fd,
                                        .out_fd = -1};
    const struct sdw_pipeline *pipeline = &shell->pipeline;
    struct sdw_job job;
    size_t stage = 0;
    int r = sdw_job_start(&job, pipeline->stage, pipeline->stages, &place, err);
    int waited = shell->interactive
                     ? sdw_job_wait_foreground(&job, r < 0 ? NULL : err)
                     : sdw_job_wait(&job, shell->ctx->stop_fd, stop_signal, shell->ctx, err);
    shell->status = sdw_job_status(&job, &stage);
    if (shell->status && r == 0)
        name_failure(shell, &job, stage);
    sdw_job_release(&job);
    return r < 0 ? r : waited < 0 ? waited : 1;
}

static int run_background(struct sdw_shell *shell, struct sdw_err *err)
{
    int link[2], nothing;
    if (!shell->jobs)
        return sdw_err_set(err, SDW_EUSAGE, "a final & is only understood at the prompt");
    if (sdw_jobs_full(shell->jobs))
        return sdw_err_set(err, SDW_EUSAGE, "%d pipelines run in the background: stop one first",
                           SDW_JOBS_MAX);
    if (pipe2(link, O_CLOEXEC) < 0)
        return sdw_err_sys(err, "cannot make a pipe");
    nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    const struct sdw_job_place place = {
        .own_group = true, .in_fd = nothing, .out_fd = link[1], .format = "table"};
    struct sdw_job job;
    int r = sdw_job_start(&job, shell->pipeline.stage, shell->pipeline.stages, &place, err);
    close(link[1]);
    if (nothing >= 0)
        close(nothing);
    int number = sdw_jobs_add(shell->jobs, &job, link[0], sdw_buf_view(&shell->last));
    sdw_note(shell->ctx, "[%d] runs in the background; stop %d ends it", number, number);
    shell->status = 0;
    return r < 0 ? r : 1;
}

int sdw_shell_line(struct sdw_shell *shell, struct sdw_str line, struct sdw_err *err)
{
    struct sdw_pipeline *pipeline = &shell->pipeline;
    int r = sdw_pipeline_parse(pipeline, line, command_of, &shell->tools, err);
    if (r <= 0)
        return r;
    const struct sdw_builtin *builtin = sdw_builtin_of(&pipeline->words, line);
    if (builtin)
        return sdw_builtin_run(builtin, shell, line, err);
    sdw_buf_clear(&shell->last);
    sdw_buf_str(&shell->last, sdw_buf_view(&pipeline->text));
    sdw_flush(shell->ctx);
    return pipeline->background ? run_background(shell, err) : run_foreground(shell, err);
}
