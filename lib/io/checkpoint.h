/*
 * A checkpoint: what a tool knows, in one file that is replaced as a whole, with a head that says
 * what wrote it, in which version and on what kind of machine, and a checksum over the rest.
 *
 * The body is the tool's own bytes, in its machine's layout; `layout` is a number that differs
 * when that layout does (sizes of its structs, settings it depends on).
 */
#ifndef SDW_IO_CHECKPOINT_H
#define SDW_IO_CHECKPOINT_H

#include "core/buf.h"
#include "core/err.h"

struct sdw_checkpoint {
    const char *tool; /* up to 23 characters */
    uint32_t version;
    uint64_t layout;
};

/* Replace the file. body is the whole content. */
int sdw_checkpoint_write(const char *path, const struct sdw_checkpoint *what, struct sdw_str body,
                         struct sdw_err *err);

/* Read the file into text; *body is a view into it. 1; 0 when there is no such file; SDW_EINPUT
 * with a message for a file that is not a checkpoint of this tool, of another version, another
 * machine or other settings, cut short or damaged; SDW_ESYS or SDW_EPERM
 * also where it could not be replaced later, so that this is known before the work begins. */
int sdw_checkpoint_read(const char *path, const struct sdw_checkpoint *what, struct sdw_buf *text,
                        struct sdw_str *body, struct sdw_err *err);

/* The same for bytes that are in memory already; path is for the messages. 1 or SDW_EINPUT. */
int sdw_checkpoint_open(struct sdw_str text, const char *path, const struct sdw_checkpoint *what,
                        struct sdw_str *body, struct sdw_err *err);

#endif
