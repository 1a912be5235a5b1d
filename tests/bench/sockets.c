/* sockets N COMMAND...: runs the command in a network namespace of its own that has N connected TCP
 * sockets (both ends of N/2 connections over the loopback), and exits with its status. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    SOCKETS_MOST = 200000,
    EACH = 4000, /* connections of a process: within the usual limit of open files */
};

static int fail(const char *what)
{
    perror(what);
    return 4;
}

static int loopback_up(void)
{
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int code = fd < 0 ? -1 : ioctl(fd, SIOCSIFFLAGS, &request);
    close(fd);
    return code;
}

/* An address for each holder, since its listener gives as many connections as there are ephemeral
 * ports. */
static int fill(unsigned holder, long connections)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(5000),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK + holder)};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) < 0 ||
        listen(listener, 16) < 0)
        return -1;
    for (long i = 0; i < connections; i++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
            accept4(listener, NULL, NULL, SOCK_CLOEXEC) < 0 || write(fd, "x", 1) != 1)
            return -1;
    }
    return 0;
}

/* A process that holds connections until its end of the pipe closes; says on it that it does. */
static pid_t hold(unsigned holder, long connections, int ready[2], int end[2])
{
    pid_t child = fork();
    char byte = 'x';
    if (child != 0)
        return child;
    close(ready[0]);
    close(end[1]);
    if (fill(holder, connections) < 0)
        _exit(fail("sockets"));
    _exit(write(ready[1], &byte, 1) == 1 && read(end[0], &byte, 1) == 0 ? 0 : 1);
}

static int run(char **command)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        execvp(command[0], command);
        _exit(fail(command[0]));
    }
    if (child < 0 || waitpid(child, &status, 0) < 0)
        return fail("run");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 4;
}

int main(int argc, char **argv)
{
    long n = argc > 2 ? strtol(argv[1], NULL, 10) : 0;
    int ready[2], end[2], status = 0;
    unsigned holders = 0;
    char byte;
    if (n < 2 || n > SOCKETS_MOST) {
        fprintf(stderr, "usage: sockets N COMMAND...\n");
        return 2;
    }
    if (unshare(CLONE_NEWNET) < 0 || loopback_up() < 0)
        return fail("a namespace");
    if (pipe2(ready, O_CLOEXEC) < 0 || pipe2(end, O_CLOEXEC) < 0)
        return fail("pipes");
    for (long left = n / 2; left > 0; left -= EACH, holders++)
        if (hold(holders, left < EACH ? left : EACH, ready, end) < 0)
            return fail("fork");
    close(ready[1]);
    close(end[0]);
    for (unsigned i = 0; i < holders && status == 0; i++)
        status = read(ready[0], &byte, 1) == 1 ? 0 : 4; /* at the end none will come */
    if (status == 0)
        status = run(argv + 2);
    close(end[1]);
    while (wait(NULL) > 0)
        continue;
    return status;
}
