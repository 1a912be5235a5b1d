/*
 * Pipelines that run in the background of the prompt. Their output comes back through pipes, so
 * that the shell can print it above the line that is being typed.
 */
#ifndef SDW_SHELL_JOBS_H
#define SDW_SHELL_JOBS_H

#include "core/base.h"
#include "core/buf.h"
#include "core/err.h"
#include "shell/job.h"

#include <poll.h>

enum { SDW_JOBS_MAX = 16 };

struct sdw_jobs {
    struct sdw_jobs_entry {
        int number;
        struct sdw_job job;
        int fd;              /* what it prints */
        struct sdw_buf part; /* of a line */
        char *text;
    } entry[SDW_JOBS_MAX];
    size_t n;
    int next; /* number for the next one */
};

bool sdw_jobs_full(const struct sdw_jobs *jobs);
/* Takes over the job and the descriptor. Returns its number. */
int sdw_jobs_add(struct sdw_jobs *jobs, const struct sdw_job *job, int fd, struct sdw_str text);
/* Ends them all (SIGTERM). */
void sdw_jobs_release(struct sdw_jobs *jobs);

/* Fill fds[n], the number of jobs, for poll(2). */
void sdw_jobs_poll(const struct sdw_jobs *jobs, struct pollfd *fds);
/* Append the whole lines that job i has printed by now, and when it has ended a line that says so
 * (the job is then gone: returns true). */
bool sdw_jobs_read(struct sdw_jobs *jobs, size_t i, struct sdw_buf *out);

void sdw_jobs_list(const struct sdw_jobs *jobs, struct sdw_buf *out);
/* number 0: the latest. SDW_EUSAGE when there is none. */
int sdw_jobs_stop(struct sdw_jobs *jobs, int number, struct sdw_err *err);

#endif
