/* What shadow says of itself and of the machine it runs on: record, field, check. */
#ifndef SDW_REC_SELF_H
#define SDW_REC_SELF_H

#include "rec/rec.h"

/* A record type. */
struct sdw_record {
    int64_t ts;
    struct sdw_str name, help;
    int64_t fields;
};

/* A field of a record type. */
struct sdw_record_field {
    int64_t ts;
    struct sdw_str record, key, kind, unit;
    int8_t required;
    double min, max;
    struct sdw_str values; /* RAW: array of strings */
    struct sdw_str help;
};

/* One thing that the tools need of the machine. */
struct sdw_check {
    int64_t ts;
    struct sdw_str check, state; /* state: ok limited missing */
    int8_t essential;
    struct sdw_str found, remedy; /* remedy: the command that would allow more */
};

extern const struct sdw_schema sdw_record_schema, sdw_field_schema, sdw_check_schema;

/* Emit a `record` for each type, or a `field` for each field of one. */
int sdw_rec_list(struct sdw_ctx *ctx, int64_t ts);
int sdw_rec_list_fields(struct sdw_ctx *ctx, int64_t ts, const struct sdw_schema *schema);

/* Append shadow-records(5): head, then a section a type, in mdoc. */
void sdw_rec_mdoc(struct sdw_buf *out);
/* Append one JSON Schema for all types: a record meets the one that its type names. */
void sdw_rec_schema_all(struct sdw_buf *out);

#endif
