/* The interactive side of the shell: readline, and nothing but it. */
#ifndef SDW_SHELL_PROMPT_H
#define SDW_SHELL_PROMPT_H

#include "shell/shell.h"

/* Read lines from the terminal and run them until the user leaves or a signal asks to stop. The
 * exit status of the last line is left in shell->status. */
int sdw_prompt_run(struct sdw_shell *shell, struct sdw_err *err);

#endif
