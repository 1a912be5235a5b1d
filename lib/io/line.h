/*
 * Reading lines, flushing before blocking: just before a read that would block, the reader calls
 * the hook its owner gave it (which flushes the output). A slow stream is instant, a fast one
 * stays buffered, and no --line-buffered is needed.
 */
#ifndef SDW_IO_LINE_H
#define SDW_IO_LINE_H

#include "core/base.h"
#include "core/err.h"

enum { SDW_LINE_MAX = 1024 * 1024 };

struct sdw_reader;

/* Reads fd, which stays the caller's; name is for messages ("standard input", a path). */
struct sdw_reader *sdw_reader_new(int fd, const char *name);
void sdw_reader_free(struct sdw_reader *reader);

/* before_block runs before every read that may block; a negative return ends the reading with it.
 * stop_fd (or -1) becomes readable when reading must end: sdw_reader_next then returns
 * SDW_ESTOP. */
void sdw_reader_hook(struct sdw_reader *reader, int (*before_block)(void *arg), void *arg,
                     int stop_fd);

/* The next line that is not blank, without its CR, LF and (on the first) UTF-8 byte order mark.
 * Returns 1 and a view valid until the next call; 0 at the end; SDW_EINPUT for a line longer than
 * SDW_LINE_MAX or (err.line set) a last line without a newline that is not complete JSON is
 * still returned as a line: the caller judges it. An overlong line is skipped: reading may go
 * on. SDW_ESYS when read(2) fails; SDW_ESTOP when asked to stop. */
int sdw_reader_next(struct sdw_reader *reader, struct sdw_str *line, struct sdw_err *err);
/* The same, but returns SDW_EAGAIN instead of blocking; for tools that poll several things. */
int sdw_reader_poll(struct sdw_reader *reader, struct sdw_str *line, struct sdw_err *err);
int sdw_reader_fd(const struct sdw_reader *reader);
uint64_t sdw_reader_line(const struct sdw_reader *reader); /* number of the line last returned */

#endif
