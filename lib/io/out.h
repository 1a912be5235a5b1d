/*
 * Writing standard output: whole records, buffered, flushed when the owner asks (see io/line.h).
 * A record is written whole or not at all, on any signal that can be caught; a full disk or a
 * closed pipe is an error that is reported, never ignored.
 */
#ifndef SDW_IO_OUT_H
#define SDW_IO_OUT_H

#include "core/base.h"
#include "core/err.h"

struct sdw_out;

/* fd stays the caller's. stop_fd as in io/line.h. */
struct sdw_out *sdw_out_new(int fd, int stop_fd);
void sdw_out_free(struct sdw_out *out); /* does not flush */
/* Add one whole record (with its newline); may write what is buffered. SDW_ESYS on failure. */
int sdw_out_add(struct sdw_out *out, struct sdw_str bytes, struct sdw_err *err);
/* The same for a record without its newline, which is added. */
int sdw_out_line(struct sdw_out *out, struct sdw_str record, struct sdw_err *err);
int sdw_out_flush(struct sdw_out *out, struct sdw_err *err);

#endif
