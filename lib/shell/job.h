/*
 * A pipeline that runs: one sh a stage, so that each stage's exit status is known (a plain sh only
 * tells the last one's).
 */
#ifndef SDW_SHELL_JOB_H
#define SDW_SHELL_JOB_H

#include "core/base.h"
#include "core/err.h"
#include "shell/pipeline.h"

#include <sys/types.h>

struct sdw_job {
    pid_t group; /* process group, 0: the shell's own */
    size_t n, left;
    struct sdw_job_stage {
        pid_t pid; /* 0 once it has ended */
        int status;
    } * stage; /* [n] */
};

/* How a job is run. */
struct sdw_job_place {
    bool own_group;     /* a process group of its own: what job control needs */
    bool foreground;    /* gets the terminal, which standard input then is */
    int in_fd;          /* standard input of the first stage; -1: the shell's */
    int out_fd;         /* standard output of the last and errors of all; -1: the shell's */
    const char *format; /* SHADOW_FORMAT for the last stage; NULL: as inherited */
};

/* The job must be released, whatever is returned. */
int sdw_job_start(struct sdw_job *job, const struct sdw_stage *stages, size_t n,
                  const struct sdw_job_place *place, struct sdw_err *err);
void sdw_job_release(struct sdw_job *job); /* does not end it */

/* Wait until all stages have ended. stop_fd (-1: none) becomes readable when the shell is asked to
 * stop: signal_of(arg) then says by which signal, which is passed on to the stages. */
int sdw_job_wait(struct sdw_job *job, int stop_fd, int (*signal_of)(void *arg), void *arg,
                 struct sdw_err *err);
/* Wait for a foreground job and take the terminal back. */
int sdw_job_wait_foreground(struct sdw_job *job, struct sdw_err *err);
/* Look whether it has ended; does not wait. */
bool sdw_job_ended(struct sdw_job *job);
void sdw_job_signal(const struct sdw_job *job, int signal);

/* Exit status of the pipeline: the last one that is not 0, where a stage in front of another that
 * ended of SIGPIPE counts as good. *stage (if not NULL) is the index of that stage. */
int sdw_job_status(const struct sdw_job *job, size_t *stage);

#endif
