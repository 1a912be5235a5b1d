/*
 * Emitters: the one way records leave a tool. A tool hands over complete record lines; the back
 * end (ndjson, table, csv) decides what becomes of them. No function prints both text and JSON.
 */
#ifndef SDW_IO_EMIT_H
#define SDW_IO_EMIT_H

#include "core/base.h"
#include "core/err.h"
#include "io/out.h"

enum sdw_format { SDW_FORMAT_AUTO, SDW_FORMAT_NDJSON, SDW_FORMAT_TABLE, SDW_FORMAT_CSV };

/* How a value is shown. */
enum sdw_column_shape {
    SDW_COLUMN_PLAIN,    /* as it stands */
    SDW_COLUMN_RANGE,    /* an object of lo, mid and hi: three columns of a csv */
    SDW_COLUMN_HORIZONS, /* an array of what is foreseen for each horizon: a table says it short */
};

/* What a table or csv shows of a record type: its i-th column, a key of the record, NULL after the
 * last (and for unknown types, whose columns are the keys of the first record); and its shape. */
typedef const char *sdw_column_of(struct sdw_str type, size_t i, enum sdw_column_shape *shape);

struct sdw_emitter;

/* types: the record types to let through (NULL-ended; NULL: all). column_of: what tables and csv
 * show; NULL: nothing but NDJSON can be written. AUTO means a table on a terminal and NDJSON
 * elsewhere; a table shows main_type unless `types` says otherwise. color: whether the table may
 * use colour. The emitter borrows out and types. */
struct sdw_emitter *sdw_emitter_new(struct sdw_out *out, enum sdw_format format,
                                    const char *main_type, const char *const *types,
                                    sdw_column_of *column_of, bool color);
void sdw_emitter_free(struct sdw_emitter *emitter);

/* line: one record, no newline at its end. */
int sdw_emit(struct sdw_emitter *emitter, struct sdw_str line, struct sdw_err *err);
/* Write what is pending: before blocking and at the end. */
int sdw_emit_flush(struct sdw_emitter *emitter, struct sdw_err *err);

#endif
