/*
 * The time-series store: a directory with a write-ahead log (wal-N), segments of chunks (seg-N),
 * a catalogue (catalog.sqlite) and a lock. One process writes, any number read at the same time.
 *
 * A point is durable when commit has returned; it then survives a crash at any moment. Each series
 * takes points in time order, and up to window_us out of order; a point of the same time replaces
 * the one before, anything older is late and refused.
 */
#ifndef SDW_STORE_STORE_H
#define SDW_STORE_STORE_H

#include "core/base.h"
#include "core/err.h"
#include "core/map.h"
#include "store/catalog.h"
#include "store/head.h"
#include "store/segment.h"
#include "store/wal.h"

struct sdw_store_settings {
    bool write;        /* otherwise it is only read */
    bool create;       /* make it when it is not there */
    int64_t window_us; /* how far out of order points may come; 0: as before, 10 minutes at first */
    int64_t log_bytes; /* size at which the log is turned into a segment; 0: 64 MiB */
};

/* Of what was given to this process's store. */
struct sdw_store_counts {
    uint64_t points;   /* taken */
    uint64_t replaced; /* took the place of a point of the same time */
    uint64_t late;     /* refused */
};

struct sdw_store {
    struct sdw_store_settings settings;
    char *path;
    int dir, lock;
    struct sdw_catalog *catalog;
    struct sdw_manifest manifest;
    struct sdw_segment *segment; /* of the manifest, in its order */
    size_t n_segments;
    struct sdw_err damage; /* of a segment that cannot be read; code 0: there is none */
    struct sdw_head head;
    uint64_t log;      /* number of the last log */
    int64_t log_bytes; /* its size when it was read */
    struct sdw_wal wal;
    struct sdw_wal_found found; /* in all logs when it was opened */
    bool log_missing;           /* the first of them was, with whatever it had */
    struct sdw_map series;      /* name and labels -> number; of a writer */
    struct sdw_store_counts counts;
    int64_t newest_us; /* of all points; INT64_MIN when there are none */
    bool failed;       /* a commit failed: nothing more is taken */
};

/* Open, recovering from a crash. SDW_ESYS when another process writes it, SDW_EUSAGE when the
 * directory is no store, SDW_EINPUT when its catalogue cannot be read. Segments that are
 * missing or cannot be read are left out and noted in `damage`, and logs in `found` and
 * `log_missing`. */
int sdw_store_open(struct sdw_store *store, const char *path,
                   const struct sdw_store_settings *settings, struct sdw_err *err);
/* Whether points of logs are lost: which, nobody knows. */
bool sdw_store_lacks_log(const struct sdw_store *store);
/* Whether a reader has all that is durable now. */
bool sdw_store_is_current(const struct sdw_store *store);
/* What was not committed is given up. */
void sdw_store_close(struct sdw_store *store);

/* The number of a series, made when it is new. labels: canonical (store/labels.h). */
int sdw_store_series(struct sdw_store *store, struct sdw_str name, struct sdw_str labels,
                     uint32_t *id, struct sdw_err *err);
/* Take a point: value must be finite and the time within +-2^53 (SDW_EINPUT). Late ones are
 * counted and left. */
int sdw_store_append(struct sdw_store *store, const struct sdw_point *point, struct sdw_err *err);
/* Make all that was taken durable. */
int sdw_store_commit(struct sdw_store *store, struct sdw_err *err);
/* Turn the log into a segment when it has reached its size (or force). Loses nothing when it fails
 * or is killed. Call it after a commit. */
int sdw_store_flush(struct sdw_store *store, bool force, struct sdw_err *err);

/* For the parts of the store: names of logs; map files again after the segments changed. */
enum { SDW_LOG_NAME = 32 };
const char *sdw_store_log_name(uint64_t number, char out[SDW_LOG_NAME]);
int sdw_store_reload(struct sdw_store *store, struct sdw_err *err);

#endif
