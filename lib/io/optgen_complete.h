/* What the completions of all three shells need. */
#ifndef SDW_IO_OPTGEN_COMPLETE_H
#define SDW_IO_OPTGEN_COMPLETE_H

#include "io/optgen.h"

/* How a value is completed, in each shell's own words. */
struct sdw_completer {
    const char *name; /* as in sdw_option.complete */
    const char *bash; /* arguments of compgen */
    const char *zsh;  /* the action of _arguments */
    const char *fish; /* arguments of complete */
};

/* NULL when there is nothing to complete with. */
const struct sdw_completer *sdw_completer_find(const char *name);

/* Append text for use between single quotes in a shell: ' becomes '\''. Each byte of `escape` gets
 * a backslash in front. */
void sdw_complete_quote(struct sdw_buf *out, const char *text, const char *escape);

/* Append the values of an option, separated by blanks. */
void sdw_complete_values(struct sdw_buf *out, const struct sdw_option *option);

/* The sub-commands' names, separated by `between`. subs may be NULL. */
void sdw_complete_subs(struct sdw_buf *out, const struct sdw_command *subs, const char *between);

/* The options in front of a command that take a value as a word of their own, separated by
 * `between`: "--only | -o". */
void sdw_complete_valued(struct sdw_buf *out, const struct sdw_command *command,
                         const char *between);

/* Whether the tool runs other tools: its command line goes on with that of shadow-WORD, which
 * completes the rest. */
bool sdw_complete_runs_tools(const struct sdw_tool *tool);

/* Append the tool's name as a shell function's: shadow_probe. */
void sdw_complete_function(struct sdw_buf *out, const struct sdw_tool *tool);

#endif
