#include "store/catalog.h"
#include "core/mem.h"

#include <sqlite3.h>
#include <stdlib.h>

enum { VERSION = 1, BUSY_MS = 10000 };

struct sdw_catalog {
    sqlite3 *db;
    sqlite3_stmt *add;
    bool open; /* a transaction is */
};

static const char schema[] =
    "CREATE TABLE series(id INTEGER PRIMARY KEY, name TEXT NOT NULL, labels TEXT NOT NULL,"
    " UNIQUE(name, labels));"
    "CREATE TABLE segment(id INTEGER PRIMARY KEY, level INTEGER NOT NULL, from_us INTEGER NOT NULL,"
    " to_us INTEGER NOT NULL, points INTEGER NOT NULL, bytes INTEGER NOT NULL);"
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
    "INSERT INTO meta VALUES('version', 1), ('first_log', 1), ('next_segment', 1);";

/* Only a full disk and damage have a meaning of their own; the rest is the system's. */
static int failed(const struct sdw_catalog *catalog, const char *what, struct sdw_err *err)
{
    int code = sqlite3_errcode(catalog->db);
    bool damage = code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
    return sdw_err_set(err, damage ? SDW_EINPUT : SDW_ESYS, "%s the catalogue: %s", what,
                       sqlite3_errmsg(catalog->db));
}

static int run(struct sdw_catalog *catalog, const char *sql, struct sdw_err *err)
{
    return sqlite3_exec(catalog->db, sql, NULL, NULL, NULL) == SQLITE_OK
               ? 0
               : failed(catalog, "cannot write", err);
}

static int begin(struct sdw_catalog *catalog, struct sdw_err *err)
{
    int code = catalog->open ? 0 : run(catalog, "BEGIN IMMEDIATE", err);
    catalog->open = catalog->open || code == 0;
    return code;
}

int sdw_catalog_commit(struct sdw_catalog *catalog, struct sdw_err *err)
{
    int code = catalog->open ? run(catalog, "COMMIT", err) : 0;
    if (code < 0)
        sqlite3_exec(catalog->db, "ROLLBACK", NULL, NULL, NULL);
    catalog->open = false;
    return code;
}

static int prepare(struct sdw_catalog *catalog, const char *sql, sqlite3_stmt **out,
                   struct sdw_err *err)
{
    return sqlite3_prepare_v2(catalog->db, sql, -1, out, NULL) == SQLITE_OK
               ? 0
               : failed(catalog, "cannot read", err);
}

static int number_of(struct sdw_catalog *catalog, const char *sql, int64_t *number,
                     struct sdw_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int code = prepare(catalog, sql, &stmt, err);
    if (code == 0 && sqlite3_step(stmt) == SQLITE_ROW)
        *number = sqlite3_column_int64(stmt, 0);
    else if (code == 0)
        code = failed(catalog, "cannot read", err);
    sqlite3_finalize(stmt);
    return code;
}

/* A file without tables is what a crash or a full disk left of the making of a store. */
static int prepare_new(struct sdw_catalog *catalog, bool create, struct sdw_err *err)
{
    int64_t version = 0, tables = 0;
    int code = number_of(catalog, "SELECT count(*) FROM sqlite_master", &tables, err);
    if (code == 0 && tables == 0 && !create)
        return sdw_err_set(err, SDW_EUSAGE, "the catalogue is empty: the store was never made");
    if (code == 0 && tables == 0) {
        code = begin(catalog, err);
        if (code == 0)
            code = run(catalog, schema, err);
        if (code == 0)
            code = sdw_catalog_commit(catalog, err);
    }
    if (code == 0)
        code = sdw_catalog_get(catalog, "version", &version, err);
    if (code == 0 && version != VERSION)
        code = sdw_err_set(err, SDW_EUSAGE, "the catalogue is of version %lld, not %d",
                           (long long)version, VERSION);
    return code;
}

int sdw_catalog_open(struct sdw_catalog **out, const char *path, bool write, bool create,
                     struct sdw_err *err)
{
    struct sdw_catalog *catalog = sdw_xalloc(sizeof *catalog);
    int flags = SQLITE_OPEN_READWRITE | (create ? SQLITE_OPEN_CREATE : 0);
    int code = 0;
    *out = catalog;
    if (sqlite3_open_v2(path, &catalog->db, flags, NULL) != SQLITE_OK && !write)
        sqlite3_close(catalog->db), /* a reader without the right to write */
            sqlite3_open_v2(path, &catalog->db, SQLITE_OPEN_READONLY, NULL);
    if (sqlite3_errcode(catalog->db) != SQLITE_OK)
        code = failed(catalog, "cannot open", err);
    sqlite3_busy_timeout(catalog->db, BUSY_MS);
    if (code == 0 && write)
        code = run(catalog, "PRAGMA synchronous = EXTRA", err);
    if (code == 0)
        code = prepare_new(catalog, create, err);
    if (code < 0) {
        sdw_catalog_close(catalog);
        *out = NULL;
    }
    return code;
}

void sdw_catalog_close(struct sdw_catalog *catalog)
{
    if (!catalog)
        return;
    sqlite3_finalize(catalog->add);
    sqlite3_close(catalog->db);
    free(catalog);
}

int sdw_catalog_get(struct sdw_catalog *catalog, const char *key, int64_t *value,
                    struct sdw_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int code = prepare(catalog, "SELECT value FROM meta WHERE key = ?", &stmt, err);
    if (code == 0) {
        sqlite3_bind_text(stmt, 1, key, -1, SQLITE_STATIC);
        int got = sqlite3_step(stmt);
        if (got == SQLITE_ROW)
            *value = sqlite3_column_int64(stmt, 0);
        else if (got != SQLITE_DONE)
            code = failed(catalog, "cannot read", err);
    }
    sqlite3_finalize(stmt);
    return code;
}

int sdw_catalog_set(struct sdw_catalog *catalog, const char *key, int64_t value,
                    struct sdw_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int code = begin(catalog, err);
    if (code == 0)
        code = prepare(catalog, "INSERT OR REPLACE INTO meta VALUES(?, ?)", &stmt, err);
    if (code == 0) {
        sqlite3_bind_text(stmt, 1, key, -1, SQLITE_STATIC);
        sqlite3_bind_int64(stmt, 2, value);
        if (sqlite3_step(stmt) != SQLITE_DONE)
            code = failed(catalog, "cannot write", err);
    }
    sqlite3_finalize(stmt);
    return code;
}

void sdw_manifest_release(struct sdw_manifest *manifest)
{
    free(manifest->segment);
    *manifest = (struct sdw_manifest){0};
}

static int read_segments(struct sdw_catalog *catalog, struct sdw_manifest *out, struct sdw_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int got = SQLITE_DONE;
    int code =
        prepare(catalog, "SELECT id, level, from_us, to_us, points, bytes FROM segment ORDER BY id",
                &stmt, err);
    while (code == 0 && (got = sqlite3_step(stmt)) == SQLITE_ROW) {
        SDW_GROW(out->segment, out->cap, out->n + 1);
        out->segment[out->n++] = (struct sdw_catalog_segment){
            .id = (uint32_t)sqlite3_column_int64(stmt, 0),
            .level = (uint32_t)sqlite3_column_int64(stmt, 1),
            .from_us = sqlite3_column_int64(stmt, 2),
            .to_us = sqlite3_column_int64(stmt, 3),
            .points = (uint64_t)sqlite3_column_int64(stmt, 4),
            .bytes = (uint64_t)sqlite3_column_int64(stmt, 5),
        };
    }
    if (code == 0 && got != SQLITE_DONE)
        code = failed(catalog, "cannot read", err);
    sqlite3_finalize(stmt);
    return code;
}

int sdw_catalog_manifest(struct sdw_catalog *catalog, struct sdw_manifest *out, struct sdw_err *err)
{
    int64_t first_log = 1, next = 1;
    int64_t any_series = 0;
    *out = (struct sdw_manifest){0};
    bool own = !catalog->open; /* one transaction, so that all is of one moment */
    int code = own ? run(catalog, "BEGIN", err) : 0;
    if (code == 0)
        code = sdw_catalog_get(catalog, "first_log", &first_log, err);
    if (code == 0)
        code = sdw_catalog_get(catalog, "next_segment", &next, err);
    if (code == 0)
        code = number_of(catalog, "SELECT EXISTS(SELECT 1 FROM series)", &any_series, err);
    if (code == 0)
        code = read_segments(catalog, out, err);
    if (own)
        sqlite3_exec(catalog->db, "COMMIT", NULL, NULL, NULL);
    out->any_series = any_series;
    out->first_log = (uint64_t)first_log;
    out->next_segment = (uint32_t)next;
    return code;
}

static struct sdw_str text_of(sqlite3_stmt *stmt, int column)
{
    const unsigned char *text = sqlite3_column_text(stmt, column);
    return (struct sdw_str){(const char *)text, (size_t)sqlite3_column_bytes(stmt, column)};
}

int sdw_catalog_each(struct sdw_catalog *catalog, const char *name,
                     int (*each)(uint32_t id, struct sdw_str name, struct sdw_str labels,
                                 void *arg),
                     void *arg, struct sdw_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int got = SQLITE_DONE;
    int code = prepare(catalog,
                       name ? "SELECT id, name, labels FROM series WHERE name = ? ORDER BY id"
                            : "SELECT id, name, labels FROM series ORDER BY id",
                       &stmt, err);
    if (code == 0 && name)
        sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
    while (code == 0 && (got = sqlite3_step(stmt)) == SQLITE_ROW)
        code =
            each((uint32_t)sqlite3_column_int64(stmt, 0), text_of(stmt, 1), text_of(stmt, 2), arg);
    if (code == 0 && got != SQLITE_DONE)
        code = failed(catalog, "cannot read", err);
    sqlite3_finalize(stmt);
    return code < 0 ? code : 0;
}

int sdw_catalog_add(struct sdw_catalog *catalog, struct sdw_str name, struct sdw_str labels,
                    uint32_t *id, struct sdw_err *err)
{
    int code = begin(catalog, err);
    if (code == 0 && !catalog->add)
        code =
            prepare(catalog, "INSERT INTO series(name, labels) VALUES(?, ?)", &catalog->add, err);
    if (code < 0)
        return code;
    sqlite3_bind_text(catalog->add, 1, name.p, (int)name.n, SQLITE_STATIC);
    sqlite3_bind_text(catalog->add, 2, labels.p, (int)labels.n, SQLITE_STATIC);
    if (sqlite3_step(catalog->add) != SQLITE_DONE)
        code = failed(catalog, "cannot write", err);
    *id = (uint32_t)sqlite3_last_insert_rowid(catalog->db);
    sqlite3_reset(catalog->add);
    return code;
}

static int add_segment(struct sdw_catalog *catalog, sqlite3_stmt *stmt,
                       const struct sdw_catalog_segment *s, struct sdw_err *err)
{
    const int64_t value[] = {s->id,    s->level,           s->from_us,
                             s->to_us, (int64_t)s->points, (int64_t)s->bytes};
    for (int i = 0; i < (int)SDW_LEN(value); i++)
        sqlite3_bind_int64(stmt, i + 1, value[i]);
    int code = sqlite3_step(stmt) == SQLITE_DONE ? 0 : failed(catalog, "cannot write", err);
    sqlite3_reset(stmt);
    return code;
}

static int change_segments(struct sdw_catalog *catalog, const struct sdw_catalog_change *change,
                           struct sdw_err *err)
{
    sqlite3_stmt *add = NULL, *remove = NULL;
    uint32_t next = 0;
    int code = prepare(catalog, "INSERT INTO segment VALUES(?, ?, ?, ?, ?, ?)", &add, err);
    for (size_t i = 0; code == 0 && i < change->n_add; i++) {
        code = add_segment(catalog, add, &change->add[i], err);
        next = change->add[i].id >= next ? change->add[i].id + 1 : next;
    }
    if (code == 0)
        code = prepare(catalog, "DELETE FROM segment WHERE id = ?", &remove, err);
    for (size_t i = 0; code == 0 && i < change->n_remove; i++) {
        sqlite3_bind_int64(remove, 1, change->remove[i]);
        if (sqlite3_step(remove) != SQLITE_DONE)
            code = failed(catalog, "cannot write", err);
        sqlite3_reset(remove);
    }
    sqlite3_finalize(add);
    sqlite3_finalize(remove);
    if (code == 0 && next)
        code = sdw_catalog_set(catalog, "next_segment", next, err);
    return code;
}

int sdw_catalog_change(struct sdw_catalog *catalog, const struct sdw_catalog_change *change,
                       struct sdw_err *err)
{
    int code = begin(catalog, err);
    if (code == 0)
        code = change_segments(catalog, change, err);
    if (code == 0)
        code = sdw_catalog_set(catalog, "first_log", (int64_t)change->first_log, err);
    if (code == 0)
        return sdw_catalog_commit(catalog, err);
    sqlite3_exec(catalog->db, "ROLLBACK", NULL, NULL, NULL);
    catalog->open = false;
    return code;
}

int sdw_catalog_check(struct sdw_catalog *catalog, struct sdw_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int code = prepare(catalog, "PRAGMA integrity_check(1)", &stmt, err);
    if (code == 0 && sqlite3_step(stmt) != SQLITE_ROW)
        code = failed(catalog, "cannot read", err);
    if (code == 0 && !sdw_str_is(text_of(stmt, 0), "ok"))
        code = sdw_err_set(err, SDW_EINPUT, "the catalogue is damaged: %s",
                           (const char *)sqlite3_column_text(stmt, 0));
    sqlite3_finalize(stmt);
    return code;
}
