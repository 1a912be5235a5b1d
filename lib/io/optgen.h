/*
 * What is generated from a tool's command table: help, man page, completions, JSON. The hidden
 * option --generate prints it; `make generated` keeps man/ and completions/ up to date.
 */
#ifndef SDW_IO_OPTGEN_H
#define SDW_IO_OPTGEN_H

#include "core/base.h"
#include "core/buf.h"
#include "core/err.h"
#include "io/opt.h"

/* Append what is asked for: help (--help), usage (the short one), synopsis (one line a command),
 * mdoc (the man page, with lines @SECTION@ where the hand-written sections of man/TOOL.1.in go:
 * man/page.awk), bash, zsh, fish (completions) or json (the table itself). command is the one
 * that help and usage are about. Returns 0, or SDW_EUSAGE for an unknown word. */
int sdw_opt_generate(const struct sdw_tool *tool, const struct sdw_command *command,
                     const char *what, struct sdw_buf *out, struct sdw_err *err);

/* The exit statuses that all tools share, as "0" -> "done". NULL-ended pairs. */
struct sdw_exit_status {
    const char *status, *meaning;
};
extern const struct sdw_exit_status sdw_exit_statuses[];

/* The back ends of sdw_opt_generate. Only help and usage look at command. Usage is a line a
 * command, "usage: shadow-lab up [OPTION]... FILE". */
typedef void sdw_optgen(const struct sdw_tool *tool, const struct sdw_command *command,
                        struct sdw_buf *out);
sdw_optgen sdw_optgen_usage, sdw_optgen_help, sdw_optgen_mdoc, sdw_optgen_bash, sdw_optgen_zsh,
    sdw_optgen_fish, sdw_optgen_json;

#endif
