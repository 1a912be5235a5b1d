/* Looking at every byte of a store, and taking out what is damaged. */
#ifndef SDW_STORE_CHECK_H
#define SDW_STORE_CHECK_H

#include "io/tool.h"

/* Emits a `part` record for each file, and `end`. Every sum is computed, every chunk decoded and
 * compared with its statistics. A torn end of the log is what a crash leaves, and no damage. 0 when
 * all is good, SDW_ENO when something is damaged, or was before it was repaired (store/repair.h).
 * Without repair it changes nothing. */
int sdw_store_check(struct sdw_ctx *ctx, const char *path, bool repair);

#endif
