/*
 * The record engine. A record type is one table: from it come decoding, checking, encoding, the
 * columns of tables, shadow-records(5) and the JSON Schema.
 *
 * Struct members by kind:
 *   INT     int64_t, absent = SDW_NO_INT          REAL, MODEL  double, absent = NAN
 *   STR     struct sdw_str, absent p = NULL       BOOL         int8_t 0/1, absent = -1
 *   RANGE   struct sdw_range, absent = NANs       RAW          struct sdw_str of JSON, absent NULL
 * Every record struct starts with `int64_t ts` (microseconds since the epoch).
 */
#ifndef SDW_REC_REC_H
#define SDW_REC_REC_H

#include "core/base.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/mem.h"
#include "io/emit.h"
#include "io/tool.h"

#define SDW_NO_INT INT64_MIN

enum sdw_kind {
    SDW_INT,
    SDW_REAL,  /* measured: shortest exact form */
    SDW_MODEL, /* a model's result: 6 significant digits */
    SDW_STR,
    SDW_BOOL,
    SDW_RANGE, /* {"lo":..,"mid":..,"hi":..}, 6 digits */
    SDW_RAW,   /* an array or object, kept as JSON and decoded by hand */
};

struct sdw_range {
    double lo, mid, hi;
};

enum {
    SDW_F_REQUIRED = 1, /* a record without it is bad */
    SDW_F_NULL = 2,     /* written as null when absent (otherwise left out) */
    SDW_F_COLUMN = 4,   /* shown in tables */
    SDW_F_HORIZONS = 8, /* raw: what is foreseen for each horizon */
};

struct sdw_field {
    const char *key; /* NULL ends the table */
    enum sdw_kind kind;
    size_t offset;
    unsigned flags;
    double min, max;           /* allowed numbers; both 0: any */
    const char *const *values; /* allowed strings, NULL-ended; NULL: any */
    const char *unit;          /* "us", "bit/s", "share"...; NULL: none */
    const char *help;
    const char *lead; /* the key as it stands in front of a value: ,"key": */
    size_t lead_n;
};

struct sdw_schema {
    const char *type;
    const char *help;
    size_t size;
    const struct sdw_field *fields; /* without type, v and ts */
};

/* All types, NULL-ended; and one by name (NULL: unknown). */
extern const struct sdw_schema *const sdw_schemas[];
const struct sdw_schema *sdw_schema_find(struct sdw_str type);

/* Set every member to "absent" (ts to SDW_NO_INT). */
void sdw_rec_init(const struct sdw_schema *schema, void *rec);

/* Decode a line. Strings are views into the line, or into the arena when they had escapes.
 * SDW_EINPUT with the field for: missing required, wrong kind, out of range, not one of values,
 * a type or v that differs. Unknown keys are ignored: pass the line on to keep them. */
int sdw_rec_decode(const struct sdw_schema *schema, struct sdw_str line, struct sdw_arena *arena,
                   void *rec, struct sdw_err *err);

/* Append the record as one line, without a newline: type, v, ts first, then table order. */
void sdw_rec_encode(const struct sdw_schema *schema, const void *rec, struct sdw_buf *out);

/* Encode and emit through the tool's emitter; counts it. */
int sdw_rec_put(struct sdw_ctx *ctx, const struct sdw_schema *schema, const void *rec);

/* Every tool's last record: {"type":"end",...,"tool":..,"reason":..,"counts":{...}}. counts is a
 * JSON object or NULL. ts: the last record time seen (analysis) or the wall clock (measuring). */
int sdw_rec_end(struct sdw_ctx *ctx, int64_t ts, const char *reason, const char *counts);

/* JSON Schema (draft 2020-12) of one type, and columns for the emitters. */
void sdw_schema_json(const struct sdw_schema *schema, struct sdw_buf *out);
const char *sdw_schema_column(struct sdw_str type, size_t i,
                              enum sdw_column_shape *shape); /* sdw_column_of */

#endif
