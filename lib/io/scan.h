/*
 * The lazy scanner: finds the members of one JSON object in a line without allocating and without
 * converting anything. What passes is JSON (RFC 8259) nested at most 32 deep, except that escapes
 * and UTF-8 inside strings are checked only when a string is unescaped.
 */
#ifndef SDW_IO_SCAN_H
#define SDW_IO_SCAN_H

#include "core/base.h"
#include "core/buf.h"
#include "core/err.h"

enum { SDW_NESTING_MAX = 32 };

enum sdw_scan_kind {
    SDW_SCAN_NUMBER,
    SDW_SCAN_STRING,
    SDW_SCAN_TRUE,
    SDW_SCAN_FALSE,
    SDW_SCAN_NULL,
    SDW_SCAN_ARRAY,
    SDW_SCAN_OBJECT,
};

/* One member: key without its quotes (still escaped), value as it stands (strings with quotes). */
struct sdw_member {
    struct sdw_str key, value;
    enum sdw_scan_kind kind;
};

/* A cursor over the members of an object, or (key empty) the elements of an array. */
struct sdw_scan {
    const char *p, *end;
    bool array, first;
};

int sdw_scan_begin(struct sdw_scan *scan, struct sdw_str text, struct sdw_err *err);
/* 1 and the member, 0 after the last (and the text ended well), SDW_EINPUT. */
int sdw_scan_next(struct sdw_scan *scan, struct sdw_member *member, struct sdw_err *err);

/* The value of `type` when it stands first in the line, as our own records have it; otherwise
 * the whole line is scanned. p is NULL when there is none. */
struct sdw_str sdw_scan_type(struct sdw_str line);

/* Find keys[n] in one pass over the whole line: found[i].key.p is NULL where absent; the last of
 * duplicates wins, as in jq. Keys written with escapes are recognised. */
int sdw_scan_find(struct sdw_str line, const struct sdw_str *keys, size_t n,
                  struct sdw_member *found, struct sdw_err *err);

/* Append the bytes a JSON string (with its quotes) stands for, as UTF-8. SDW_EINPUT for a lone
 * surrogate, a bad escape, invalid UTF-8 or \u0000. */
int sdw_scan_unescape(struct sdw_str value, struct sdw_buf *out, struct sdw_err *err);
/* True when the JSON string (with quotes) stands for exactly `text`. */
bool sdw_scan_equals(struct sdw_str value, struct sdw_str text);

/* Append to out the line with `member` (`"key":value`, no comma) added last, other bytes
 * untouched. The line must have passed sdw_scan_find or sdw_scan_next. */
void sdw_scan_splice(struct sdw_str line, struct sdw_str member, struct sdw_buf *out);

#endif
