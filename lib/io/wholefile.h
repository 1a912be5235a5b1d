/* Files that are read and written as a whole: tables of settings, checkpoints. */
#ifndef SDW_IO_WHOLEFILE_H
#define SDW_IO_WHOLEFILE_H

#include "core/buf.h"
#include "core/err.h"

/* Append the bytes of the file to out. 1; 0 when there is no such file; SDW_EINPUT when it has
 * more than `most` bytes; SDW_ESYS, SDW_EPERM. */
int sdw_whole_read(const char *path, size_t most, struct sdw_buf *out, struct sdw_err *err);

/* Put bytes in the place of the file, so that at any moment, and after a loss of power, the file
 * is either the old one or the new one: written beside it (PATH.new), synced, renamed over it, and
 * the folder synced. 0, or SDW_ESYS or SDW_EPERM with the old file untouched and
 * nothing left beside it. */
int sdw_whole_replace(const char *path, struct sdw_str bytes, struct sdw_err *err);

/* Whether sdw_whole_replace() may make its file beside PATH: 0, or SDW_ESYS or SDW_EPERM. */
int sdw_whole_writable(const char *path, struct sdw_err *err);

#endif
