/* One run at a time, for cron. */
#ifndef SDW_IO_LOCK_H
#define SDW_IO_LOCK_H

#include "core/base.h"
#include "core/err.h"

/* Take the lock of `path` (made when absent, never removed; released when the process ends).
 * Returns its descriptor; SDW_ENO when another process holds it; SDW_ESYS, SDW_EPERM. */
int sdw_lock_take(const char *path, struct sdw_err *err);

#endif
