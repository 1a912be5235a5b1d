/*
 * The write-ahead log: points in the order in which they came, in frames that are whole or not
 * there. A file is a header and frames; a frame is magic, length, number, CRC-32C of number,
 * length and payload, payload. The frame that a crash tore is at the end, and its points were not
 * acknowledged. A bad frame that good ones follow is damage: it is skipped and reported.
 */
#ifndef SDW_STORE_WAL_H
#define SDW_STORE_WAL_H

#include "core/base.h"
#include "core/buf.h"
#include "core/err.h"
#include "store/file.h"

struct sdw_point {
    uint32_t series;
    int64_t ts_us;
    double value;
};

/* A file that is written. Zero-initialise; release in any case. */
struct sdw_wal {
    int fd;
    uint32_t frame; /* number of the next frame */
    int64_t size;   /* bytes that are known to be whole */
    struct sdw_buf pending;
    uint32_t last_series; /* what the differences of pending are to */
    int64_t last_ts_us;
};

/* What was found in a file. */
struct sdw_wal_found {
    uint64_t frames, points;
    int64_t whole;   /* bytes up to the end of the last good frame, or of a file that is no log */
    int64_t torn;    /* bytes after that: a frame that a crash left unfinished */
    int64_t damaged; /* of whole: bytes of bad frames that good ones follow, or of no log */
    uint32_t next;   /* number of the next frame */
};

/* Read all good frames of a file. A negative return of each ends it, and is returned. When neither
 * header nor frame is good all of it is damaged; an empty or cut header is an empty log. */
int sdw_wal_read(const struct sdw_file *file, int (*each)(const struct sdw_point *point, void *arg),
                 void *arg, struct sdw_wal_found *found);

/* Create the file (found NULL), or go on after the last good frame of an existing one, cutting off
 * what a crash left. */
int sdw_wal_open(struct sdw_wal *wal, int dir, const char *name, const struct sdw_wal_found *found,
                 struct sdw_err *err);
void sdw_wal_close(struct sdw_wal *wal);
/* Adds a point to the frame that is being made. */
void sdw_wal_add(struct sdw_wal *wal, const struct sdw_point *point);
/* Write the frame and wait until the disk has it. When that fails nothing of the frame is kept, and
 * the file is as it was before. Nothing pending: does nothing. */
int sdw_wal_commit(struct sdw_wal *wal, struct sdw_err *err);

#endif
