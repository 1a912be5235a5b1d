/* How long records take through a pipeline: pipe_delay COUNT INTERVAL_MS COMMAND. Writes COUNT
 * records, one every INTERVAL_MS, to the pipeline that sh makes of COMMAND and prints the median
 * time, in microseconds, until each came out. */
#include "core/clock.h"
#include "core/num.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COUNT_MAX = 10000, WARM_UP = 5 };

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Starts the pipeline; its ends are left in *to and *from. */
static pid_t start(const char *command, int *to, int *from)
{
    int in[2], out[2];
    if (pipe(in) < 0 || pipe(out) < 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0) {
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        close(in[0]);
        close(in[1]);
        close(out[0]);
        close(out[1]);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(126);
    }
    close(in[0]);
    close(out[1]);
    *to = in[1];
    *from = out[0];
    return pid;
}

/* Reads until a newline. False at the end. */
static bool read_record(int fd)
{
    char bytes[4096];
    for (;;) {
        ssize_t n = read(fd, bytes, sizeof bytes);
        if (n <= 0)
            return false;
        if (bytes[n - 1] == '\n')
            return true;
    }
}

static bool measure(int to, int from, int64_t *delay_ns, int64_t count, int64_t interval_ms)
{
    int64_t next = sdw_mono_ns();
    for (int64_t i = -WARM_UP; i < count; i++) {
        char record[200];
        int n = snprintf(record, sizeof record,
                         "{\"type\":\"note\",\"v\":1,\"ts\":%lld,\"seq\":%lld,\"addr\":\"%s\"}\n",
                         (long long)sdw_wall_us(), (long long)i, i % 2 ? "10.9.0.2" : "fd09::2");
        next += interval_ms * 1000000;
        sdw_sleep_until(next, 0);
        int64_t before = sdw_mono_ns();
        if (write(to, record, (size_t)n) != n || !read_record(from))
            return false;
        if (i >= 0)
            delay_ns[i] = sdw_mono_ns() - before;
    }
    return true;
}

int main(int argc, char **argv)
{
    static int64_t delay_ns[COUNT_MAX];
    int64_t count, interval_ms;
    int to, from;
    if (argc != 4 || !sdw_num_int(sdw_str_of(argv[1]), &count) ||
        !sdw_num_int(sdw_str_of(argv[2]), &interval_ms) || count < 1 || count > COUNT_MAX) {
        fputs("usage: pipe_delay COUNT INTERVAL_MS COMMAND\n", stderr);
        return 2;
    }
    pid_t pid = start(argv[3], &to, &from);
    if (pid < 0 || !measure(to, from, delay_ns, count, interval_ms)) {
        fputs("pipe_delay: the pipeline gave no answer\n", stderr);
        return 4;
    }
    close(to);
    waitpid(pid, NULL, 0);
    qsort(delay_ns, (size_t)count, sizeof *delay_ns, by_size);
    printf("%.1f\n", (double)delay_ns[count / 2] / 1000);
    return 0;
}
