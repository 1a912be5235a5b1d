/* What the shell does itself, because a program could not: one table of commands. */
#ifndef SDW_SHELL_BUILTIN_H
#define SDW_SHELL_BUILTIN_H

#include "shell/shell.h"
#include "shell/words.h"

struct sdw_builtin {
    const char *name;    /* NULL ends the table */
    const char *operand; /* "NAME", "[DIR]", or "" */
    const char *help;
    bool needs_operand, takes_operand;
    /* operand: without its quotes; empty when there is none. 0, or a negative sdw_code. */
    int (*run)(struct sdw_shell *shell, const char *operand, struct sdw_err *err);
};
extern const struct sdw_builtin sdw_builtins[];

/* The builtin that a line calls; NULL when its first word is none or it is not a plain line. */
const struct sdw_builtin *sdw_builtin_of(const struct sdw_words *words, struct sdw_str line);

/* As sdw_shell_line. */
int sdw_builtin_run(const struct sdw_builtin *builtin, struct sdw_shell *shell, struct sdw_str line,
                    struct sdw_err *err);

#endif
