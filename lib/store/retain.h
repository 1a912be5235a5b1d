/* How long a store keeps what: points (level 0) and rollups of a minute, an hour and a day. Part of
 * the store; 0 is for ever; counted back from its newest point. */
#ifndef SDW_STORE_RETAIN_H
#define SDW_STORE_RETAIN_H

#include "store/rollup.h"

/* text: what would be changed (NULL: nothing); errors as below. */
int sdw_store_retained(struct sdw_store *store, const char *const *text,
                       int64_t retain_us[SDW_LEVELS], struct sdw_err *err);
/* Change what text says: a duration, "forever", or NULL for as it was. SDW_EUSAGE for anything else
 * and for a time in which the next level could not be made. */
int sdw_store_retain(struct sdw_store *store, const char *const text[SDW_LEVELS],
                     struct sdw_err *err);

#endif
