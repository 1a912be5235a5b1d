/* Running another program to its end: for the few things only that program does well. */
#ifndef SDW_SYS_CHILD_H
#define SDW_SYS_CHILD_H

#include "core/base.h"
#include "core/err.h"

/* Run argv[0] (looked up in PATH; argv is NULL-ended) with `input` on its standard input and
 * wait. Standard output goes to /dev/null. Returns 0 when it exits with 0; otherwise SDW_ESYS
 * with the last line that it wrote to standard error. */
int sdw_child_run(const char *const *argv, struct sdw_str input, struct sdw_err *err);

#endif
