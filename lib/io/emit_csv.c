/* RFC 4180: one header, then a record a line. Several types share one header: their columns
 * together, behind a column `type`. */
#include "io/emit_back.h"

#include <stdlib.h>

#include "core/mem.h"
#include "io/emit_cell.h"

struct csv {
    struct sdw_emit_setup setup;
    struct sdw_cell_columns columns;
    char *type; /* the only one shown, unless several are; NULL before the header */
    bool several;
    struct sdw_buf row, cell;
};

static void *csv_make(const struct sdw_emit_setup *setup)
{
    struct csv *csv = sdw_xalloc(sizeof *csv);
    csv->setup = *setup;
    csv->several = setup->types && setup->types[0] && setup->types[1];
    return csv;
}

static void csv_free(void *state)
{
    struct csv *csv = state;
    sdw_cell_columns_release(&csv->columns);
    sdw_buf_release(&csv->row);
    sdw_buf_release(&csv->cell);
    free(csv->type);
    free(csv);
}

/* Append csv->cell to the row, quoted where RFC 4180 asks for it. */
static void put_cell(struct csv *csv, bool first)
{
    struct sdw_str cell = sdw_buf_view(&csv->cell);
    bool quote = false;
    for (size_t i = 0; i < cell.n && !quote; i++)
        quote = strchr(",\"\r\n", cell.p[i]) != NULL;
    if (!first)
        sdw_buf_char(&csv->row, ',');
    if (quote)
        sdw_buf_char(&csv->row, '"');
    for (size_t i = 0; i < cell.n; i++) {
        if (cell.p[i] == '"')
            sdw_buf_char(&csv->row, '"');
        sdw_buf_char(&csv->row, cell.p[i]);
    }
    if (quote)
        sdw_buf_char(&csv->row, '"');
    sdw_buf_clear(&csv->cell);
}

static void put_header(struct csv *csv)
{
    static const char *const parts[] = {"lo", "mid", "hi"};
    if (csv->several) {
        sdw_buf_text(&csv->cell, "type");
        put_cell(csv, true);
    }
    for (size_t i = 0; i < csv->columns.n; i++) {
        const struct sdw_cell_column *column = &csv->columns.column[i];
        bool range = column->shape == SDW_COLUMN_RANGE;
        for (size_t part = 0; part < (range ? 3 : 1); part++) {
            sdw_buf_text(&csv->cell, column->key);
            if (range)
                sdw_buf_printf(&csv->cell, ".%s", parts[part]);
            put_cell(csv, i == 0 && !csv->several);
        }
    }
    sdw_buf_text(&csv->row, "\r\n");
}

static void begin(struct csv *csv, struct sdw_str type, struct sdw_str line)
{
    const char *const *types = csv->setup.types;
    if (csv->several)
        for (; *types; types++)
            sdw_cell_columns_add(&csv->columns, sdw_str_of(*types),
                                 sdw_str_is(type, *types) ? line : sdw_str_of("{}"),
                                 csv->setup.column_of);
    else
        sdw_cell_columns_add(&csv->columns, type, line, csv->setup.column_of);
    csv->type = sdw_xstrndup(type.n ? type.p : "", type.n);
    put_header(csv);
}

static void put_row(struct csv *csv, struct sdw_str type)
{
    if (csv->several) {
        sdw_buf_str(&csv->cell, type);
        put_cell(csv, true);
    }
    for (size_t i = 0; i < csv->columns.n; i++) {
        const struct sdw_member *member = &csv->columns.member[i];
        struct sdw_member parts[3];
        if (csv->columns.column[i].shape == SDW_COLUMN_RANGE) {
            sdw_cell_range(member, parts);
            for (size_t part = 0; part < 3; part++) {
                sdw_cell_text(&parts[part], &csv->cell);
                put_cell(csv, false);
            }
        } else {
            sdw_cell_text(member, &csv->cell);
            put_cell(csv, i == 0 && !csv->several);
        }
    }
    sdw_buf_text(&csv->row, "\r\n");
}

static int csv_put(void *state, struct sdw_str line, struct sdw_err *err)
{
    struct csv *csv = state;
    struct sdw_str type = sdw_scan_type(line);
    sdw_buf_clear(&csv->row);
    if (!csv->type)
        begin(csv, type, line);
    if (!csv->several && !sdw_str_is((struct sdw_str){type.n ? type.p : "", type.n}, csv->type))
        return 0;
    int rc = sdw_cell_find(&csv->columns, line, err);
    if (rc < 0)
        return rc;
    put_row(csv, type);
    return sdw_out_add(csv->setup.out, sdw_buf_view(&csv->row), err);
}

static int csv_flush(void *state, struct sdw_err *err)
{
    (void)state;
    (void)err;
    return 0;
}

const struct sdw_emit_back sdw_emit_csv = {csv_make, csv_free, csv_put, csv_flush};
