/*
 * Writing JSON. The writer keeps the nesting, so that callers cannot misplace a comma. It appends
 * to the caller's buffer and cannot fail; unbalanced use is a programming error (assert).
 *
 *     struct sdw_jsonw w = sdw_jsonw(buf);
 *     sdw_jsonw_object(&w, NULL);
 *     sdw_jsonw_text(&w, "tool", "probe");
 *     sdw_jsonw_array(&w, "hops");  sdw_jsonw_int(&w, NULL, 1);  sdw_jsonw_end(&w);
 *     sdw_jsonw_end(&w);
 */
#ifndef SDW_IO_JSONW_H
#define SDW_IO_JSONW_H

#include "core/base.h"
#include "core/buf.h"

struct sdw_jsonw {
    struct sdw_buf *buf;
    unsigned depth;
    uint64_t used, array; /* bit d: level d has a member already; level d is an array */
};

struct sdw_jsonw sdw_jsonw(struct sdw_buf *buf);
/* key is NULL inside arrays and at the top. */
void sdw_jsonw_object(struct sdw_jsonw *w, const char *key);
void sdw_jsonw_array(struct sdw_jsonw *w, const char *key);
void sdw_jsonw_end(struct sdw_jsonw *w);
void sdw_jsonw_int(struct sdw_jsonw *w, const char *key, int64_t value);
void sdw_jsonw_real(struct sdw_jsonw *w, const char *key, double value);  /* shortest */
void sdw_jsonw_model(struct sdw_jsonw *w, const char *key, double value); /* 6 digits */
void sdw_jsonw_bool(struct sdw_jsonw *w, const char *key, bool value);
void sdw_jsonw_text(struct sdw_jsonw *w, const char *key, const char *text); /* NULL: null */
void sdw_jsonw_str(struct sdw_jsonw *w, const char *key, struct sdw_str text);
void sdw_jsonw_null(struct sdw_jsonw *w, const char *key);
void sdw_jsonw_raw(struct sdw_jsonw *w, const char *key, struct sdw_str json);

/* Append a JSON string with quotes; bytes that are not UTF-8 become U+FFFD. */
void sdw_json_quote(struct sdw_buf *buf, struct sdw_str text);

#endif
