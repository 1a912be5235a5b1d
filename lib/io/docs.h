/*
 * JSON documents one after the other, as programs print them: one a line or over many lines, back
 * to back, or as the elements of one great array. Each comes out as soon as its last byte is in, on
 * one line, with the usual defects of hand-made JSON mended: a comma too many or one missing, and
 * nan, -nan, inf or Infinity where a number should be (they become null).
 *
 * What comes out may still be no JSON: the caller's parser judges it.
 */
#ifndef SDW_IO_DOCS_H
#define SDW_IO_DOCS_H

#include "core/base.h"
#include "core/buf.h"
#include "core/err.h"

enum { SDW_DOC_MAX = 64 << 20 }; /* bytes of one document */

/* Zero-initialise, release once. */
struct sdw_docs {
    struct sdw_buf in; /* given and not yet looked at, from `at` */
    size_t at;
    struct sdw_buf doc; /* the document under way */
    struct sdw_buf word;
    uint64_t line, first; /* lines ended so far; that the document began on, from 1 */
    unsigned depth;
    bool list;     /* inside the great array */
    bool quoted;   /* inside a string */
    bool escaped;  /* behind a backslash */
    bool value;    /* the last thing was a whole value: a comma belongs before the next */
    bool skipping; /* to the end of a line that is no JSON */
};

void sdw_docs_release(struct sdw_docs *docs);
void sdw_docs_feed(struct sdw_docs *docs, struct sdw_str bytes);

/* The next whole object or array. 1 and a view valid until the next call, 0 when more bytes are
 * needed, SDW_EINPUT (with the line) for a line that is none of both or a document that is too
 * long: reading may go on. */
int sdw_docs_next(struct sdw_docs *docs, struct sdw_str *doc, struct sdw_err *err);
/* After the last byte: SDW_EINPUT when a document was begun and not ended. */
int sdw_docs_end(const struct sdw_docs *docs, struct sdw_err *err);
/* The line that the document last returned began on. */
uint64_t sdw_docs_line(const struct sdw_docs *docs);

#endif
