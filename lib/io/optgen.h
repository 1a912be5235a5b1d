/* What the command table generates: help, pages, completions. */
#ifndef SDW_IO_OPTGEN_H
#define SDW_IO_OPTGEN_H

#include "core/buf.h"
#include "io/opt.h"

/* Append what is asked for: help (--help), usage (the short one), mdoc (the generated sections of
 * the page), bash, zsh, fish (completions) or json (the table itself). command is the one that
 * help is about (the tool's own for the rest). Returns 0, or SDW_EUSAGE for an unknown word. */
int sdw_opt_generate(const struct sdw_tool *tool, const struct sdw_command *command,
                     const char *what, struct sdw_buf *out, struct sdw_err *err);

/* The exit statuses that all tools share, as "0" -> "done". NULL-ended pairs. */
struct sdw_exit_status {
    const char *status, *meaning;
};
extern const struct sdw_exit_status sdw_exit_statuses[];

#endif
