#include "sys/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* In the child: standard streams, then the program. 127 as in the shell when there is none. */
SDW_NORETURN static void become(const char *const *argv, int in, int out)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (dup2(in, 0) < 0 || dup2(null, 1) < 0 || dup2(out, 2) < 0)
        _exit(126);
    char **args = NULL;
    memcpy(&args, &argv, sizeof args); /* execvp takes it without const and changes nothing */
    execvp(argv[0], args);
    dprintf(2, "%s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

/* Feed the input and collect the end of what it says, both at once: neither side can block. */
static void exchange(int in, int out, struct sdw_str input, char *said, size_t size)
{
    size_t done = 0, held = 0;
    bool open = true;
    while (open) {
        struct pollfd fds[2] = {{out, POLLIN, 0}, {in, POLLOUT, 0}};
        if (poll(fds, in >= 0 ? 2 : 1, -1) < 0 && errno != EINTR)
            break;
        if (in >= 0 && fds[1].revents) {
            ssize_t n = done < input.n ? send(in, input.p + done, input.n - done, MSG_NOSIGNAL) : 0;
            done += n > 0 ? (size_t)n : 0;
            if (done == input.n || (n < 0 && errno != EINTR && errno != EAGAIN)) {
                close(in);
                in = -1;
            }
        }
        if (fds[0].revents) {
            if (held == size - 1) { /* keep the latter half */
                memmove(said, said + size / 2, held - size / 2);
                held -= size / 2;
            }
            ssize_t n = read(out, said + held, size - 1 - held);
            held += n > 0 ? (size_t)n : 0;
            open = n > 0 || (n < 0 && errno == EINTR);
        }
    }
    if (in >= 0)
        close(in);
    said[held] = '\0';
}

static const char *last_line(char *text)
{
    size_t n = strlen(text);
    while (n && (text[n - 1] == '\n' || text[n - 1] == ' '))
        text[--n] = '\0';
    char *newline = strrchr(text, '\n');
    return newline ? newline + 1 : text;
}

int sdw_child_run(const char *const *argv, struct sdw_str input, struct sdw_err *err)
{
    int in[2], out[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in) < 0)
        return sdw_err_sys(err, "%s: socketpair", argv[0]);
    if (pipe2(out, O_CLOEXEC) < 0) {
        close(in[0]);
        close(in[1]);
        return sdw_err_sys(err, "%s: pipe", argv[0]);
    }
    pid_t pid = fork();
    if (pid == 0)
        become(argv, in[1], out[1]);
    close(in[1]);
    close(out[1]);
    char said[512] = "";
    if (pid > 0)
        exchange(in[0], out[0], input, said, sizeof said);
    else
        close(in[0]);
    close(out[0]);
    if (pid < 0)
        return sdw_err_sys(err, "%s: fork", argv[0]);
    int status;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    const char *line = last_line(said);
    return sdw_err_set(err, SDW_ESYS, "%s failed: %s", argv[0], line[0] ? line : "no message");
}
