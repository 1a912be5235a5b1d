/*
 * What the shell knows of a tool's command line: its option table, which the tool itself prints
 * (--generate json) when it is first asked for.
 */
#ifndef SDW_SHELL_SPEC_H
#define SDW_SHELL_SPEC_H

#include "core/base.h"
#include "core/buf.h"
#include "io/json.h"
#include "shell/tools.h"

/* One line of the tool's or sub-command's own summary; "" when it cannot be had. Borrowed. */
const char *sdw_spec_summary(struct sdw_tool_entry *tool);

/* The table of the command that the words (arguments after the tool's name, n of them) have led
 * to: the tool's own, or a sub-command's. NULL when the tool does not say. */
const struct sdw_json *sdw_spec_command(struct sdw_tool_entry *tool, const struct sdw_str *words,
                                        size_t n);

/* The option that a word such as "--max-rate" or "-c" names, in the command's own table or among
 * the common ones; NULL when there is none. */
const struct sdw_json *sdw_spec_option(const struct sdw_tool_entry *tool,
                                       const struct sdw_json *command, struct sdw_str word);

/* Calls each(arg, option) for the command's options, then for the common ones. */
void sdw_spec_each_option(const struct sdw_tool_entry *tool, const struct sdw_json *command,
                          void (*each)(void *arg, const struct sdw_json *option), void *arg);

/* Append for people what can come next: sub-commands, operands and those options whose name
 * begins with `begin` ("" for all). */
void sdw_spec_describe(struct sdw_tool_entry *tool, const struct sdw_json *command,
                       struct sdw_str begin, struct sdw_buf *out);

#endif
