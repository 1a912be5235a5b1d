/* Taking the damaged parts out of a store. */
#ifndef SDW_STORE_REPAIR_H
#define SDW_STORE_REPAIR_H

#include "io/tool.h"

struct sdw_repaired {
    uint64_t parts;  /* files that were damaged */
    uint64_t points; /* that are lost with them, but for those of logs: nobody knows how many */
    uint64_t logs;   /* of the parts */
    uint64_t rows;   /* that were made again from what they stood for */
};

/* Puts what is damaged aside, into the folder `quarantine` of the store, where nothing is ever
 * removed: chunks in a segment of their own, whole segments whose index cannot be read, and copies
 * of logs. The rest goes on without them. Emits a `part` record for each file put aside, and a
 * `hole` record for each piece of a series that is lost. Rollups that are missing are made again
 * where what they stood for is still there, before it grows too old.
 *
 * At any moment a crash leaves the store as it was or repaired; a full disk (SDW_ESYS) as it was.
 * SDW_EINPUT when the catalogue is damaged: nothing else has the names of the series. */
int sdw_store_repair(struct sdw_ctx *ctx, const char *path, struct sdw_repaired *done);

#endif
