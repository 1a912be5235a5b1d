/*
 * A state file that a tool writes again and again while it works, and at the end. It is written by
 * the clock, not by the time of records: a month that is replayed in a minute is no reason to write
 * it thousands of times. Where it cannot be written in mid-run, as on a full disk, the tool goes
 * on.
 */
#ifndef SDW_IO_SAVER_H
#define SDW_IO_SAVER_H

#include "io/checkpoint.h"
#include "io/tool.h"

struct sdw_saver {
    struct sdw_checkpoint what;
    const char *path;           /* the file; NULL: no state is kept */
    int64_t every_us, saved_ns; /* monotonic, when it was written last, or tried to be */
    int64_t unsaved;            /* times that it could not be written in mid-run */
};

/* The time between two states is counted from now. */
struct sdw_saver sdw_saver_of(const struct sdw_checkpoint *what, const char *path,
                              int64_t every_us);

bool sdw_saver_due(const struct sdw_saver *saver);

/* Replace the file. Errors as of sdw_checkpoint_write. */
int sdw_saver_write(struct sdw_saver *saver, struct sdw_str body, struct sdw_err *err);

/* The same in mid-run: a failure is warned of once and counted, and another try is due after
 * every_us. */
void sdw_saver_try(struct sdw_saver *saver, const struct sdw_ctx *ctx, struct sdw_str body);

#endif
