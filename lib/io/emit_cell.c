#include "io/emit_cell.h"

#include <stdlib.h>

#include "core/mem.h"

static bool has_column(const struct sdw_cell_columns *columns, struct sdw_str key)
{
    for (size_t i = 0; i < columns->n; i++)
        if (sdw_str_is(key, columns->column[i].key))
            return true;
    return false;
}

static void add_column(struct sdw_cell_columns *columns, struct sdw_str key,
                       enum sdw_column_shape shape)
{
    if (has_column(columns, key))
        return;
    SDW_GROW(columns->column, columns->cap, columns->n + 1);
    columns->column[columns->n++] = (struct sdw_cell_column){sdw_xstrndup(key.p, key.n), shape};
}

/* The scalar members of a record whose type no table knows. */
static void add_members(struct sdw_cell_columns *columns, struct sdw_str line)
{
    struct sdw_scan scan;
    struct sdw_member member;
    if (sdw_scan_begin(&scan, line, NULL) < 0)
        return;
    while (sdw_scan_next(&scan, &member, NULL) > 0)
        if (member.kind != SDW_SCAN_ARRAY && member.kind != SDW_SCAN_OBJECT &&
            !sdw_str_is(member.key, "type") && !sdw_str_is(member.key, "v"))
            add_column(columns, member.key, SDW_COLUMN_PLAIN);
}

void sdw_cell_columns_add(struct sdw_cell_columns *columns, struct sdw_str type,
                          struct sdw_str line, sdw_column_of *column_of)
{
    enum sdw_column_shape shape = SDW_COLUMN_PLAIN;
    const char *key = column_of ? column_of(type, 0, &shape) : NULL;
    add_column(columns, sdw_str_of("ts"), SDW_COLUMN_PLAIN);
    if (!key)
        add_members(columns, line);
    for (size_t i = 1; key; i++) {
        add_column(columns, sdw_str_of(key), shape);
        key = column_of(type, i, &shape);
    }
    columns->keys = sdw_xrealloc(columns->keys, columns->n, sizeof *columns->keys);
    columns->member = sdw_xrealloc(columns->member, columns->n, sizeof *columns->member);
    for (size_t i = 0; i < columns->n; i++)
        columns->keys[i] = sdw_str_of(columns->column[i].key);
}

void sdw_cell_columns_release(struct sdw_cell_columns *columns)
{
    for (size_t i = 0; i < columns->n; i++)
        free(columns->column[i].key);
    free(columns->column);
    free(columns->keys);
    free(columns->member);
    *columns = (struct sdw_cell_columns){0};
}

int sdw_cell_find(struct sdw_cell_columns *columns, struct sdw_str line, struct sdw_err *err)
{
    return sdw_scan_find(line, columns->keys, columns->n, columns->member, err);
}

bool sdw_cell_range(const struct sdw_member *member, struct sdw_member parts[3])
{
    const struct sdw_str keys[3] = {{"lo", 2}, {"mid", 3}, {"hi", 2}};
    memset(parts, 0, 3 * sizeof *parts);
    return member->key.p && member->kind == SDW_SCAN_OBJECT &&
           sdw_scan_find(member->value, keys, 3, parts, NULL) == 0;
}

void sdw_cell_text(const struct sdw_member *member, struct sdw_buf *out)
{
    if (!member->key.p || member->kind == SDW_SCAN_NULL)
        return;
    if (member->kind != SDW_SCAN_STRING)
        sdw_buf_str(out, member->value);
    else if (!memchr(member->value.p, '\\', member->value.n))
        sdw_buf_add(out, member->value.p + 1, member->value.n - 2);
    else {
        size_t before = out->n;
        if (sdw_scan_unescape(member->value, out, NULL) < 0) {
            out->n = before;
            sdw_buf_str(out, member->value);
        }
    }
}
