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

/* What a table or csv shows of a record type: its columns are keys of the record. A path such as
 * "available_bps.mid" reaches into an object. */
struct sdw_columns {
    const char *type;
    const char *const *keys; /* NULL at the end */
};

struct sdw_emitter;

/* types: the record types to let through (NULL-ended; NULL: all). columns: for table and csv
 * (NULL-ended by type NULL). table: AUTO means table on a terminal and NDJSON elsewhere; a table
 * shows main_type unless `types` says otherwise. color: whether the table may use colour.
 * The emitter borrows out, types and columns. */
struct sdw_emitter *sdw_emitter_new(struct sdw_out *out, enum sdw_format format,
                                    const char *main_type, const char *const *types,
                                    const struct sdw_columns *columns, bool color);
void sdw_emitter_free(struct sdw_emitter *emitter);

/* line: one record, no newline at its end. */
int sdw_emit(struct sdw_emitter *emitter, struct sdw_str line, struct sdw_err *err);
/* Write what is pending: before blocking and at the end. */
int sdw_emit_flush(struct sdw_emitter *emitter, struct sdw_err *err);

#endif
