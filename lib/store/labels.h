/* The labels of a series: an object of strings, in canonical form (keys in byte order, no spaces),
 * so that equal labels are equal bytes. No labels: an empty text. */
#ifndef SDW_STORE_LABELS_H
#define SDW_STORE_LABELS_H

#include "core/base.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/mem.h"

/* Labels of a series; and of one as an engine has it, which counts its names among them: __name__,
 * and what it was called before it was exported. */
enum { SDW_LABELS_MAX = 64, SDW_LABELS_ROOM = SDW_LABELS_MAX + 2 };
/* Bytes of a name of a series or a value of a label, with which all selectors work. */
enum { SDW_LABEL_BYTES = 1023 };

struct sdw_label {
    struct sdw_str key, value;
};

struct sdw_labels {
    size_t n;
    struct sdw_label label[SDW_LABELS_ROOM]; /* by key */
};

/* Parse an object as it stands in a record; what it points to lives in the line or the arena.
 * Numbers and booleans count as their text; null and empty values as no label. SDW_EINPUT for
 * nested values and more than SDW_LABELS_ROOM labels. */
int sdw_labels_parse(struct sdw_str json, struct sdw_arena *arena, struct sdw_labels *out,
                     struct sdw_err *err);
void sdw_labels_write(const struct sdw_labels *labels, struct sdw_buf *out);
/* SDW_EINPUT when one of them is longer than SDW_LABEL_BYTES, or there are more than
 * SDW_LABELS_MAX. */
int sdw_labels_check(const struct sdw_labels *labels, struct sdw_err *err);
/* The value of a label; empty (p not NULL) when there is none. */
struct sdw_str sdw_labels_get(const struct sdw_labels *labels, struct sdw_str key);

#endif
