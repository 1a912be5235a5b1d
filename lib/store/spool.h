/* A directory of batches that wait to be sent, oldest first. They survive the process. */
#ifndef SDW_STORE_SPOOL_H
#define SDW_STORE_SPOOL_H

#include "core/base.h"
#include "core/err.h"
#include "store/file.h"

struct sdw_spool_batch {
    uint64_t number;
    uint32_t points;
    int64_t bytes;
};

struct sdw_spool {
    int dir;
    const char *path, *kind; /* kind: ending of the files' names */
    int64_t bytes, max_bytes;
    struct sdw_spool_batch *batch; /* [first, n) wait */
    size_t first, n, cap;
    size_t others; /* batches of other kinds: they are left alone */
};

/* Makes the directory when it is not there. SDW_ESYS when another process uses it. path and kind
 * are borrowed. */
int sdw_spool_open(struct sdw_spool *spool, const char *path, const char *kind, int64_t max_bytes,
                   struct sdw_err *err);
void sdw_spool_close(struct sdw_spool *spool);
size_t sdw_spool_waiting(const struct sdw_spool *spool);
/* Keep a batch; it is on disk when this returns. When the spool is full the oldest ones go: their
 * points are added to *dropped. */
int sdw_spool_put(struct sdw_spool *spool, struct sdw_str body, uint32_t points, uint64_t *dropped,
                  struct sdw_err *err);
/* The oldest: map its file, and take it away once it has been sent. */
int sdw_spool_oldest(const struct sdw_spool *spool, struct sdw_file *file, uint32_t *points,
                     struct sdw_err *err);
void sdw_spool_drop(struct sdw_spool *spool);

#endif
