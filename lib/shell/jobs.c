#include "shell/jobs.h"
#include "core/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READ_SIZE = 16 * 1024, PART_MAX = 64 * 1024 };

bool sdw_jobs_full(const struct sdw_jobs *jobs)
{
    return jobs->n == SDW_JOBS_MAX;
}

int sdw_jobs_add(struct sdw_jobs *jobs, const struct sdw_job *job, int fd, struct sdw_str text)
{
    int number = ++jobs->next;
    fcntl(fd, F_SETFL, O_NONBLOCK);
    jobs->entry[jobs->n++] = (struct sdw_jobs_entry){
        .number = number, .job = *job, .fd = fd, .text = sdw_xstrndup(text.p, text.n)};
    return number;
}

static void release_entry(struct sdw_jobs_entry *entry)
{
    close(entry->fd);
    sdw_job_release(&entry->job);
    sdw_buf_release(&entry->part);
    free(entry->text);
}

void sdw_jobs_release(struct sdw_jobs *jobs)
{
    for (size_t i = 0; i < jobs->n; i++) {
        sdw_job_signal(&jobs->entry[i].job, SIGTERM);
        release_entry(&jobs->entry[i]);
    }
    jobs->n = 0;
}

void sdw_jobs_poll(const struct sdw_jobs *jobs, struct pollfd *fds)
{
    for (size_t i = 0; i < jobs->n; i++)
        fds[i] = (struct pollfd){.fd = jobs->entry[i].fd, .events = POLLIN};
}

/* Move the whole lines of part to out; all of it when nothing follows. */
static void take_lines(struct sdw_buf *part, bool all, struct sdw_buf *out)
{
    const char *newline = part->n ? memrchr(part->p, '\n', part->n) : NULL;
    size_t n = all || part->n > PART_MAX ? part->n : newline ? (size_t)(newline - part->p) + 1 : 0;
    if (n == 0)
        return;
    sdw_buf_add(out, part->p, n);
    if (part->p[n - 1] != '\n')
        sdw_buf_char(out, '\n');
    memmove(part->p, part->p + n, part->n - n);
    part->n -= n;
}

/* Its pipe is closed: all stages have ended or are about to. */
static void say_ended(struct sdw_jobs_entry *entry, struct sdw_buf *out)
{
    while (!sdw_job_ended(&entry->job)) {
        siginfo_t info;
        if (waitid(P_PGID, (id_t)entry->job.group, &info, WEXITED | WNOWAIT) < 0 && errno != EINTR)
            break;
    }
    int status = sdw_job_status(&entry->job, NULL);
    sdw_buf_printf(out, "[%d] ended, exit status %d: %s\n", entry->number, status, entry->text);
}

bool sdw_jobs_read(struct sdw_jobs *jobs, size_t i, struct sdw_buf *out)
{
    struct sdw_jobs_entry *entry = &jobs->entry[i];
    sdw_buf_reserve(&entry->part, READ_SIZE);
    ssize_t n = read(entry->fd, entry->part.p + entry->part.n, READ_SIZE);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    entry->part.n += n > 0 ? (size_t)n : 0;
    take_lines(&entry->part, n <= 0, out);
    if (n > 0)
        return false;
    say_ended(entry, out);
    release_entry(entry);
    jobs->n--;
    memmove(entry, entry + 1, (jobs->n - i) * sizeof *entry);
    return true;
}

void sdw_jobs_list(const struct sdw_jobs *jobs, struct sdw_buf *out)
{
    for (size_t i = 0; i < jobs->n; i++)
        sdw_buf_printf(out, "[%d] %s\n", jobs->entry[i].number, jobs->entry[i].text);
    if (jobs->n == 0)
        sdw_buf_text(out, "nothing runs in the background\n");
}

int sdw_jobs_stop(struct sdw_jobs *jobs, int number, struct sdw_err *err)
{
    for (size_t i = jobs->n; i-- > 0;)
        if (number == 0 || jobs->entry[i].number == number) {
            sdw_job_signal(&jobs->entry[i].job, SIGTERM);
            return 0;
        }
    return sdw_err_set(err, SDW_EUSAGE,
                       number ? "stop: there is no job %d" : "stop: nothing runs in the background",
                       number);
}
