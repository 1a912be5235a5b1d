/* The columns of a record type and the cells of one record, for tables and csv. */
#ifndef SDW_IO_EMIT_CELL_H
#define SDW_IO_EMIT_CELL_H

#include "core/buf.h"
#include "io/emit.h"
#include "io/scan.h"

struct sdw_cell_column {
    char *key;
    enum sdw_column_shape shape;
};

/* The columns of one type; the first is always ts. Zero-initialise; release once. */
struct sdw_cell_columns {
    struct sdw_cell_column *column;
    size_t n, cap;
    struct sdw_str *keys;      /* views of the keys, for the scanner */
    struct sdw_member *member; /* room for the members found */
};

/* Add those of a type that column_of knows (or, when it knows none, the scalar members of line),
 * leaving out keys that are there already. */
void sdw_cell_columns_add(struct sdw_cell_columns *columns, struct sdw_str type,
                          struct sdw_str line, sdw_column_of *column_of);
void sdw_cell_columns_release(struct sdw_cell_columns *columns);

/* Find the members of a record: columns->member[i] for column i, key.p NULL where absent. */
int sdw_cell_find(struct sdw_cell_columns *columns, struct sdw_str line, struct sdw_err *err);

/* The parts of a range (absent ones have key.p NULL); false when the value is no object. */
bool sdw_cell_range(const struct sdw_member *member, struct sdw_member parts[3]);

/* Append the value as text: strings without quotes, anything else as it stands, nothing for an
 * absent or null one. */
void sdw_cell_text(const struct sdw_member *member, struct sdw_buf *out);

#endif
