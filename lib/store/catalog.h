/*
 * The catalogue: an SQLite database of the series with their labels, and of the segments that
 * count. A change of segments is one transaction, so that after a crash either the old ones or the
 * new ones are there.
 */
#ifndef SDW_STORE_CATALOG_H
#define SDW_STORE_CATALOG_H

#include "core/base.h"
#include "core/err.h"

struct sdw_catalog;

/* A segment that counts. */
struct sdw_catalog_segment {
    uint32_t id, level;
    int64_t from_us, to_us;
    uint64_t points, bytes;
};

/* What is on disk at one moment. */
struct sdw_manifest {
    uint64_t first_log; /* number of the oldest log that counts */
    bool any_series;    /* then that log was made */
    uint32_t next_segment;
    struct sdw_catalog_segment *segment; /* by id */
    size_t n, cap;
};
void sdw_manifest_release(struct sdw_manifest *manifest);

/* SDW_EUSAGE when there is none, or an empty one, and create is false, or it is of a version not
 * known. */
int sdw_catalog_open(struct sdw_catalog **out, const char *path, bool write, bool create,
                     struct sdw_err *err);
void sdw_catalog_close(struct sdw_catalog *catalog);

int sdw_catalog_manifest(struct sdw_catalog *catalog, struct sdw_manifest *out,
                         struct sdw_err *err);

/* Calls each for every series, by number, or (name not NULL) for those of that name. A negative
 * return ends it. */
int sdw_catalog_each(struct sdw_catalog *catalog, const char *name,
                     int (*each)(uint32_t id, struct sdw_str name, struct sdw_str labels,
                                 void *arg),
                     void *arg, struct sdw_err *err);
/* Add a series (labels in canonical form). It is there for good after the next commit. */
int sdw_catalog_add(struct sdw_catalog *catalog, struct sdw_str name, struct sdw_str labels,
                    uint32_t *id, struct sdw_err *err);
int sdw_catalog_commit(struct sdw_catalog *catalog, struct sdw_err *err);

/* At once: segments come and go (ids), and logs before first_log no longer count. */
struct sdw_catalog_change {
    const struct sdw_catalog_segment *add;
    size_t n_add;
    const uint32_t *remove;
    size_t n_remove;
    uint64_t first_log;
};
int sdw_catalog_change(struct sdw_catalog *catalog, const struct sdw_catalog_change *change,
                       struct sdw_err *err);

/* Numbers that belong to the store as a whole. *value is left alone when there is none. */
int sdw_catalog_get(struct sdw_catalog *catalog, const char *key, int64_t *value,
                    struct sdw_err *err);
int sdw_catalog_set(struct sdw_catalog *catalog, const char *key, int64_t value,
                    struct sdw_err *err);

/* SQLite's own check: 0, or SDW_EINPUT with what it found. */
int sdw_catalog_check(struct sdw_catalog *catalog, struct sdw_err *err);

#endif
