/*
 * Lines from a file, a pipe or an argument instead of a prompt: no banner, no history, stops at
 * the first failure and says where.
 */
#ifndef SDW_SHELL_BATCH_H
#define SDW_SHELL_BATCH_H

#include "shell/shell.h"

/* Run lines. A line that ends in a backslash goes on in the next. name is for messages; keep_going:
 * do not stop at a failure. The status to end with is left in shell->status (the last failure's;
 * 0: none). Returns 0, or negative when the lines could not be read or understood. */
int sdw_batch_text(struct sdw_shell *shell, const char *text, const char *name, bool keep_going,
                   struct sdw_err *err);
/* fd is read to its end; when it is standard input, what is run gets an empty one instead. */
int sdw_batch_fd(struct sdw_shell *shell, int fd, const char *name, bool keep_going,
                 struct sdw_err *err);
/* SDW_ESYS or SDW_EPERM when the file cannot be opened. */
int sdw_batch_file(struct sdw_shell *shell, const char *path, bool keep_going, struct sdw_err *err);

#endif
