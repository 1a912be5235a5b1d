#include "shell/job.h"
#include "core/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum { CANNOT_RUN = 126 };

static void default_signals(bool interactive)
{
    static const int ours[] = {SIGINT,  SIGQUIT, SIGTERM, SIGHUP,
                               SIGALRM, SIGPIPE, SIGTTIN, SIGTTOU};
    struct sigaction act = {.sa_handler = SIG_DFL};
    sigset_t none;
    for (size_t i = 0; i < SDW_LEN(ours); i++)
        sigaction(ours[i], &act, NULL);
    act.sa_handler = interactive ? SIG_IGN : SIG_DFL;
    sigaction(SIGTSTP, &act, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void move_fd(int from, int to)
{
    if (from >= 0 && from != to)
        dup2(from, to);
}

/* In the child; does not come back. */
static SDW_NORETURN void run_stage(const char *command, pid_t group, int in, int out, bool last,
                                   const struct sdw_job_place *place)
{
    if (place->own_group)
        setpgid(0, group);
    if (place->foreground)
        tcsetpgrp(STDIN_FILENO, group ? group : getpid());
    move_fd(in, STDIN_FILENO);
    move_fd(out, STDOUT_FILENO);
    if (place->out_fd >= 0)
        dup2(place->out_fd, STDERR_FILENO);
    if (last && place->format)
        setenv("SHADOW_FORMAT", place->format, 1);
    default_signals(place->foreground);
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(CANNOT_RUN);
}

static int start_stage(struct sdw_job *job, const struct sdw_stage *stage, int in, int out,
                       bool last, const struct sdw_job_place *place, struct sdw_err *err)
{
    struct sdw_buf command = {0}; /* a tool takes the place of its sh, to get our signals itself */
    sdw_buf_text(&command, stage->is_tool ? "exec " : "");
    sdw_buf_str(&command, stage->text);
    pid_t pid = fork();
    if (pid == 0)
        run_stage(command.p, job->group, in, out, last, place);
    int r = pid < 0 ? sdw_err_sys(err, "cannot start '%.60s'", command.p) : 0;
    sdw_buf_release(&command);
    if (r < 0)
        return r;
    if (place->own_group) {
        if (!job->group)
            job->group = pid;
        setpgid(pid, job->group); /* both sides do it: whoever comes first */
    }
    job->stage[job->n++].pid = pid;
    job->left++;
    return 0;
}

int sdw_job_start(struct sdw_job *job, const struct sdw_stage *stages, size_t n,
                  const struct sdw_job_place *place, struct sdw_err *err)
{
    int r = 0, in = place->in_fd;
    *job = (struct sdw_job){.stage = sdw_xalloc(n * sizeof *job->stage)};
    for (size_t i = 0; i < n && r == 0; i++) {
        bool last = i + 1 == n;
        int link[2] = {-1, place->out_fd};
        if (!last && pipe2(link, O_CLOEXEC) < 0) {
            r = sdw_err_sys(err, "cannot make a pipe");
            break;
        }
        r = start_stage(job, &stages[i], in, link[1], last, place, err);
        if (in != place->in_fd)
            close(in);
        if (!last)
            close(link[1]);
        in = last ? place->in_fd : link[0];
    }
    if (in != place->in_fd)
        close(in);
    if (r < 0)
        sdw_job_signal(job, SIGTERM);
    else if (place->foreground)
        tcsetpgrp(STDIN_FILENO, job->group);
    return r;
}

void sdw_job_release(struct sdw_job *job)
{
    free(job->stage);
    *job = (struct sdw_job){0};
}

void sdw_job_signal(const struct sdw_job *job, int signal)
{
    if (job->group) {
        kill(-job->group, signal);
        return;
    }
    for (size_t i = 0; i < job->n; i++)
        if (job->stage[i].pid)
            kill(job->stage[i].pid, signal);
}

static void note_end(struct sdw_job *job, size_t i, int status)
{
    job->stage[i].pid = 0;
    job->stage[i].status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    job->left--;
}

bool sdw_job_ended(struct sdw_job *job)
{
    for (size_t i = 0; i < job->n; i++) {
        int status;
        if (job->stage[i].pid && waitpid(job->stage[i].pid, &status, WNOHANG) > 0)
            note_end(job, i, status);
    }
    return job->left == 0;
}

/* Wait until stage i has ended or the shell is asked to stop (*stop_fd, set to -1 then). */
static int wait_stage(struct sdw_job *job, size_t i, int *stop_fd, struct sdw_err *err)
{
    int fd = pidfd_open(job->stage[i].pid, 0), status;
    if (fd < 0)
        return sdw_err_sys(err, "cannot wait for a program");
    struct pollfd fds[2] = {{.fd = fd, .events = POLLIN}, {.fd = *stop_fd, .events = POLLIN}};
    int n;
    do
        n = poll(fds, 2, -1);
    while (n < 0 && errno == EINTR);
    close(fd);
    if (fds[1].revents)
        *stop_fd = -1;
    else if (waitpid(job->stage[i].pid, &status, 0) > 0)
        note_end(job, i, status);
    return 0;
}

int sdw_job_wait(struct sdw_job *job, int stop_fd, int (*signal_of)(void *arg), void *arg,
                 struct sdw_err *err)
{
    for (size_t i = 0; i < job->n; i++) {
        while (job->stage[i].pid) {
            int before = stop_fd;
            int r = wait_stage(job, i, &stop_fd, err);
            if (r < 0)
                return r;
            if (before != stop_fd)
                sdw_job_signal(job, signal_of(arg));
        }
    }
    return 0;
}

int sdw_job_wait_foreground(struct sdw_job *job, struct sdw_err *err)
{
    struct termios modes;
    bool have_modes = tcgetattr(STDIN_FILENO, &modes) == 0;
    int r = 0;
    while (job->left && r == 0) {
        int status;
        pid_t pid = waitpid(-job->group, &status, WUNTRACED);
        if (pid < 0 && errno != EINTR)
            r = sdw_err_sys(err, "cannot wait for a program");
        if (pid > 0 && WIFSTOPPED(status)) { /* nothing here could continue it */
            kill(-job->group, SIGCONT);
            continue;
        }
        for (size_t i = 0; pid > 0 && i < job->n; i++)
            if (job->stage[i].pid == pid)
                note_end(job, i, status);
    }
    tcsetpgrp(STDIN_FILENO, getpgrp());
    if (have_modes)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &modes);
    return r;
}

int sdw_job_status(const struct sdw_job *job, size_t *stage)
{
    for (size_t i = job->n; i-- > 0;) {
        int status = job->stage[i].status;
        bool good = status == 0 || (i + 1 < job->n && status == 128 + SIGPIPE);
        if (!good) {
            if (stage)
                *stage = i;
            return status;
        }
    }
    return 0;
}
