/*
 * The table for people: aligned columns, the header once for each run of records of one type.
 * Rows wait until the tool flushes (before it blocks) or TABLE_ROWS of them are there; widths are
 * taken from these and only grow afterwards, so that a slow stream stays aligned. On a terminal
 * too narrow for all columns, those without room in the row stand below it, indented, each with
 * its name: nothing is left out but what a record does not have.
 */
#include "io/emit_back.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/num.h"
#include "io/emit_cell.h"
#include "io/horizons.h"

enum { TABLE_ROWS = 100, HEADER_LINES = 3, GAP = 2, INDENT = 4 };

enum paint { PLAIN, BOLD, RED, GREEN, YELLOW };

struct column {
    size_t width;
    bool text;  /* left-aligned: some cell was no number */
    bool below; /* without room in the row */
};

struct table {
    struct sdw_emit_setup setup;
    char *type; /* of the rows that wait, and of the header above them; NULL before the first */
    struct sdw_cell_columns columns;
    struct column *column;
    bool header_due;
    size_t rows;
    struct sdw_buf cells; /* rows * columns texts, each with its NUL */
    struct sdw_buf line;
};

static void *table_make(const struct sdw_emit_setup *setup)
{
    struct table *table = sdw_xalloc(sizeof *table);
    table->setup = *setup;
    return table;
}

static void table_free(void *state)
{
    struct table *table = state;
    free(table->type);
    sdw_cell_columns_release(&table->columns);
    free(table->column);
    sdw_buf_release(&table->cells);
    sdw_buf_release(&table->line);
    free(table);
}

/* Columns that UTF-8 text takes, one a code point. */
static size_t text_width(const char *text, size_t n)
{
    size_t width = 0;
    for (size_t i = 0; i < n; i++)
        width += ((unsigned char)text[i] & 0xc0) != 0x80;
    return width;
}

/* How many lines the key takes when it is broken behind '_' into pieces of at most `width`;
 * appends line `wanted` to out (when not NULL). */
static size_t break_key(const char *key, size_t width, size_t wanted, struct sdw_buf *out)
{
    size_t lines = 0, used = 0;
    while (*key) {
        size_t atom = strcspn(key, "_");
        atom += key[atom] == '_';
        if (used && used + atom > width) {
            lines++;
            used = 0;
        }
        if (out && lines == wanted)
            sdw_buf_add(out, key, atom);
        used += atom;
        key += atom;
    }
    return lines + 1;
}

static size_t longest_atom(const char *key)
{
    size_t longest = 0;
    while (*key) {
        size_t atom = strcspn(key, "_");
        atom += key[atom] == '_';
        longest = atom > longest ? atom : longest;
        key += atom;
    }
    return longest;
}

static const char *header_text(const struct table *table, size_t i)
{
    return i == 0 ? "time" : table->columns.column[i].key;
}

/* Widen each column to its cells, and to a header of at most HEADER_LINES lines. */
static void set_widths(struct table *table)
{
    const char *cell = table->cells.p;
    for (size_t row = 0; row < table->rows; row++)
        for (size_t i = 0; i < table->columns.n; i++) {
            size_t n = strlen(cell), width = text_width(cell, n);
            if (width > table->column[i].width)
                table->column[i].width = width;
            cell += n + 1;
        }
    for (size_t i = 0; i < table->columns.n && table->header_due; i++) {
        const char *key = header_text(table, i);
        size_t least = longest_atom(key), *width = &table->column[i].width;
        if (*width < least)
            *width = least;
        while (break_key(key, *width, 0, NULL) > HEADER_LINES)
            ++*width;
    }
}

static size_t terminal_width(void)
{
    struct winsize size;
    bool known = isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0;
    return known && size.ws_col ? size.ws_col : SIZE_MAX;
}

/* Choose the columns that have room in the row; true when they are others than before. */
static bool lay_out(struct table *table)
{
    size_t room = terminal_width(), used = 0;
    bool changed = false;
    for (size_t i = 0; i < table->columns.n; i++) {
        struct column *column = &table->column[i];
        size_t end = used + (i ? GAP : 0) + column->width;
        bool below = i && end > room;
        changed |= below != column->below;
        column->below = below;
        used = below ? used : end;
    }
    return changed;
}

static enum paint paint_of(const char *cell)
{
    static const struct {
        const char *word;
        enum paint paint;
    } words[] = {
        {"bottleneck", RED},
        {"tight", RED},
        {"dead", RED},
        {"failed", RED},
        {"blocked", RED},
        {"missing", RED},
        {"no", RED},
        {"clear", GREEN},
        {"ok", GREEN},
        {"yes", GREEN},
        {"primary", GREEN},
        {"recovery", GREEN},
        {"void", YELLOW},
        {"limited", YELLOW},
        {"inconclusive", YELLOW},
        {"armed", YELLOW},
        {"shifting", YELLOW},
        {"shifted", YELLOW},
        {"hold", YELLOW},
        {"frozen", YELLOW},
        {"returning", YELLOW},
        {"degradation", YELLOW},
        {"prediction", YELLOW},
    };
    for (size_t i = 0; i < SDW_LEN(words); i++)
        if (strcasecmp(cell, words[i].word) == 0)
            return words[i].paint;
    return PLAIN;
}

static void paint(struct table *table, enum paint paint, const char *text, size_t bytes)
{
    static const char *const codes[] = {[PLAIN] = "",
                                        [BOLD] = "\33[1m",
                                        [RED] = "\33[31m",
                                        [GREEN] = "\33[32m",
                                        [YELLOW] = "\33[33m"};
    bool paints = table->setup.color && paint != PLAIN && bytes;
    if (paints)
        sdw_buf_text(&table->line, codes[paint]);
    sdw_buf_add(&table->line, text, bytes);
    if (paints)
        sdw_buf_text(&table->line, "\33[0m");
}

static void put_blanks(struct table *table, size_t n)
{
    while (n--)
        sdw_buf_char(&table->line, ' ');
}

/* One cell of a row, behind the gap to the one before it and padded to its column. */
static void put_cell(struct table *table, size_t i, const char *cell, enum paint how)
{
    const struct column *column = &table->column[i];
    size_t bytes = strlen(cell), width = text_width(cell, bytes);
    size_t pad = column->width > width ? column->width - width : 0;
    put_blanks(table, (i ? GAP : 0) + (column->text ? 0 : pad));
    paint(table, how, cell, bytes);
    put_blanks(table, column->text ? pad : 0);
}

static void end_line(struct table *table)
{
    while (table->line.n && table->line.p[table->line.n - 1] == ' ')
        table->line.n--;
    sdw_buf_char(&table->line, '\n');
}

static void put_header(struct table *table)
{
    size_t lines = 1;
    struct sdw_buf piece = {0};
    for (size_t i = 0; i < table->columns.n; i++) {
        size_t n = break_key(header_text(table, i), table->column[i].width, 0, NULL);
        lines = n > lines && !table->column[i].below ? n : lines;
    }
    for (size_t row = 0; row < lines; row++) {
        for (size_t i = 0; i < table->columns.n; i++) {
            const char *key = header_text(table, i);
            size_t above = lines - break_key(key, table->column[i].width, 0, NULL);
            if (table->column[i].below)
                continue;
            sdw_buf_clear(&piece);
            sdw_buf_text(&piece, "");
            if (row >= above)
                break_key(key, table->column[i].width, row - above, &piece);
            put_cell(table, i, piece.p ? piece.p : "", BOLD);
        }
        end_line(table);
    }
    sdw_buf_release(&piece);
}

/* Text that goes on in further lines, broken at blanks, where it is longer than the line. */
static void put_wrapped(struct table *table, const char *text, enum paint how, size_t room,
                        size_t *used)
{
    while (*text) {
        size_t bytes = strcspn(text + 1, " ") + 1, width = text_width(text, bytes);
        if (*used + width > room && *used > INDENT) {
            end_line(table);
            put_blanks(table, INDENT);
            *used = INDENT;
            text += *text == ' ';
            continue;
        }
        paint(table, how, text, bytes);
        *used += width;
        text += bytes;
    }
}

/* The cells without room in the row, from the first cell of the row; returns the next row's. */
static const char *put_below(struct table *table, const char *cell)
{
    size_t room = terminal_width(), used = 0;
    for (size_t i = 0; i < table->columns.n; i++) {
        size_t bytes = strlen(cell);
        if (table->column[i].below && strcmp(cell, "-") != 0) {
            const char *key = header_text(table, i);
            size_t width = strlen(key) + 1 + text_width(cell, bytes);
            if (used && used + GAP + width > room) {
                end_line(table);
                used = 0;
            }
            put_blanks(table, GAP);
            paint(table, BOLD, key, strlen(key));
            put_blanks(table, 1);
            used += GAP + strlen(key) + 1;
            put_wrapped(table, cell, paint_of(cell), room, &used);
        }
        cell += bytes + 1;
    }
    if (used)
        end_line(table);
    return cell;
}

static int table_flush(void *state, struct sdw_err *err)
{
    struct table *table = state;
    if (!table->rows)
        return 0;
    set_widths(table);
    bool changed = lay_out(table);
    sdw_buf_clear(&table->line);
    if (changed || table->header_due)
        put_header(table);
    table->header_due = false;
    const char *row = table->cells.p;
    while (table->rows > 0) {
        const char *cell = row;
        for (size_t i = 0; i < table->columns.n; i++) {
            if (!table->column[i].below)
                put_cell(table, i, cell, paint_of(cell));
            cell += strlen(cell) + 1;
        }
        end_line(table);
        row = put_below(table, row);
        table->rows--;
    }
    sdw_buf_clear(&table->cells);
    return sdw_out_add(table->setup.out, sdw_buf_view(&table->line), err);
}

/* Begin rows of another type: its columns, and its header when rows come. */
static int begin_type(struct table *table, struct sdw_str type, struct sdw_str line,
                      struct sdw_err *err)
{
    int rc = table_flush(table, err);
    if (rc == 0 && table->type)
        rc = sdw_out_add(table->setup.out, sdw_str_of("\n"), err);
    free(table->type);
    sdw_cell_columns_release(&table->columns);
    free(table->column);
    table->type = sdw_xstrndup(type.n ? type.p : "", type.n);
    sdw_cell_columns_add(&table->columns, type, line, table->setup.column_of);
    table->column = sdw_xalloc(table->columns.n * sizeof *table->column);
    table->column[0].text = true;
    table->header_due = true;
    return rc;
}

/* The time of day of a ts, to the millisecond; the date is for machines. */
static void put_time(const struct sdw_member *ts, struct sdw_buf *out)
{
    int64_t us;
    struct tm tm;
    if (!ts->key.p || !sdw_num_int(ts->value, &us) || us < 0) {
        sdw_cell_text(ts, out);
        return;
    }
    time_t seconds = (time_t)(us / 1000000);
    if (!localtime_r(&seconds, &tm))
        return;
    sdw_buf_printf(out, "%02d:%02d:%02d.%03d", tm.tm_hour, tm.tm_min, tm.tm_sec,
                   (int)(us % 1000000 / 1000));
}

/* "mid [lo, hi]"; an unknown end is a dash. */
static void put_range(const struct sdw_member *member, struct sdw_buf *out)
{
    struct sdw_member part[3];
    if (!sdw_cell_range(member, part))
        return;
    size_t before = out->n;
    sdw_cell_text(&part[1], out);
    sdw_buf_text(out, out->n == before ? "- [" : " [");
    for (size_t i = 0; i < 3; i += 2) {
        before = out->n;
        sdw_cell_text(&part[i], out);
        if (out->n == before)
            sdw_buf_char(out, '-');
        sdw_buf_text(out, i ? "]" : ", ");
    }
}

/* Append the cell and its NUL; control bytes must not reach a terminal. */
static void add_cell(struct table *table, size_t i)
{
    const struct sdw_member *member = &table->columns.member[i];
    struct sdw_buf *cells = &table->cells;
    size_t from = cells->n;
    static void (*const put[])(const struct sdw_member *, struct sdw_buf *) = {
        [SDW_COLUMN_PLAIN] = sdw_cell_text,
        [SDW_COLUMN_RANGE] = put_range,
        [SDW_COLUMN_HORIZONS] = sdw_horizons_text,
    };
    if (i == 0)
        put_time(member, cells);
    else
        put[table->columns.column[i].shape](member, cells);
    if (member->key.p && member->kind != SDW_SCAN_NUMBER && member->kind != SDW_SCAN_NULL)
        table->column[i].text = true;
    if (cells->n == from)
        sdw_buf_char(cells, '-');
    for (; from < cells->n; from++)
        if ((unsigned char)cells->p[from] < ' ' || cells->p[from] == 127)
            cells->p[from] = '?';
    sdw_buf_char(cells, '\0');
}

static int table_put(void *state, struct sdw_str line, struct sdw_err *err)
{
    struct table *table = state;
    struct sdw_str type = sdw_scan_type(line);
    if (!table->type || !sdw_str_is((struct sdw_str){type.n ? type.p : "", type.n}, table->type)) {
        int rc = begin_type(table, type, line, err);
        if (rc < 0)
            return rc;
    }
    int rc = sdw_cell_find(&table->columns, line, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < table->columns.n; i++)
        add_cell(table, i);
    table->rows++;
    return table->rows < TABLE_ROWS ? 0 : table_flush(table, err);
}

const struct sdw_emit_back sdw_emit_table = {table_make, table_free, table_put, table_flush};
