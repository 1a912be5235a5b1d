/*
 * jansson, behind one file: configuration, plans' odd fields, anything nested. Not for the hot
 * path (io/scan.h is). Values are owned by the document; pointers live as long as it does.
 */
#ifndef SDW_IO_JSON_H
#define SDW_IO_JSON_H

#include "core/base.h"
#include "core/buf.h"
#include "core/err.h"

struct sdw_json; /* a value */

/* Parse text; free the result with sdw_json_free. NULL (and err with the line) when it is bad,
 * has duplicate keys or nests deeper than 32. */
struct sdw_json *sdw_json_parse(struct sdw_str text, struct sdw_err *err);
/* The same for what other programs write: of duplicate keys the last counts. */
struct sdw_json *sdw_json_parse_lenient(struct sdw_str text, struct sdw_err *err);
void sdw_json_free(struct sdw_json *root);

/* Borrowed members; NULL when absent or of another kind. */
struct sdw_json *sdw_json_get(const struct sdw_json *object, const char *key);
struct sdw_json *sdw_json_at(const struct sdw_json *array, size_t i);
size_t sdw_json_len(const struct sdw_json *array); /* elements of an array, members of an object */
const char *sdw_json_text(const struct sdw_json *value); /* NULL unless a string */
bool sdw_json_int(const struct sdw_json *value, int64_t *out);
bool sdw_json_real(const struct sdw_json *value, double *out); /* integers too */
bool sdw_json_is_object(const struct sdw_json *value);
bool sdw_json_is_array(const struct sdw_json *value);
/* Iterate an object's members: *iter starts NULL. */
bool sdw_json_member(const struct sdw_json *object, void **iter, const char **key,
                     struct sdw_json **value);

/* Append the value; reals in their shortest exact form. */
void sdw_json_write(const struct sdw_json *value, struct sdw_buf *out);

#endif
