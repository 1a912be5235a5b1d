/* Files of a store: looking at one whole, writing all that was given. */
#ifndef SDW_STORE_FILE_H
#define SDW_STORE_FILE_H

#include "core/base.h"
#include "core/err.h"

/* A file in memory; p is NULL when it is empty. */
struct sdw_file {
    const uint8_t *p;
    size_t n;
};

/* SDW_ENO when there is none of that name (with a message all the same). */
int sdw_file_map(struct sdw_file *file, int dir, const char *name, struct sdw_err *err);
void sdw_file_unmap(struct sdw_file *file);
/* 0, or -1 with errno. */
int sdw_file_write(int fd, const void *bytes, size_t n);
/* Make a file of that name, or replace it: it is on disk, whole, when this returns 0. -1 with
 * errno: nothing has changed. */
int sdw_file_store(int dir, const char *name, const struct sdw_file *file);

#endif
