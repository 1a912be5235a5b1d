/*
 * The lines typed at the prompt, kept in $XDG_STATE_HOME/shadow-tools/history (readable by their
 * owner only). A line that begins with a blank is not kept, nor one that repeats the last.
 */
#ifndef SDW_SHELL_HISTORY_H
#define SDW_SHELL_HISTORY_H

#include "core/base.h"
#include "core/err.h"

struct sdw_history {
    char *path; /* NULL: nowhere to keep it (no home) */
};

/* Read what there is into readline's list. A failure leaves a history that is not kept. */
int sdw_history_init(struct sdw_history *history, struct sdw_err *err);
void sdw_history_release(struct sdw_history *history);

/* Add a line, to the list and the file at once. */
int sdw_history_add(struct sdw_history *history, const char *line, struct sdw_err *err);

/* Calls each(arg, line) for the lines, the latest first, until it returns false. */
void sdw_history_each(bool (*each)(void *arg, const char *line), void *arg);

#endif
