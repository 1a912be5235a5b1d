/* A pipeline as an ordinary script of sh, for cron and for others. */
#ifndef SDW_SHELL_SAVE_H
#define SDW_SHELL_SAVE_H

#include "core/base.h"
#include "core/err.h"

/* Write it, executable, to name (in the current directory unless it has a slash); where it went
 * is written to path[size]. dir: where the tools lie (NULL: on PATH anyway). SDW_EUSAGE when the
 * file exists already, SDW_ESYS, SDW_EPERM. */
int sdw_save_script(const char *name, struct sdw_str pipeline, const char *dir, char *path,
                    size_t size, struct sdw_err *err);

#endif
