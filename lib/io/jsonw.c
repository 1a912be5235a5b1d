#include "io/jsonw.h"
#include "core/num.h"
#include "core/utf8.h"

#include <assert.h>

struct sdw_jsonw sdw_jsonw(struct sdw_buf *buf)
{
    return (struct sdw_jsonw){.buf = buf};
}

/* Comma and key in front of a value. */
static void lead(struct sdw_jsonw *w, const char *key)
{
    uint64_t bit = UINT64_C(1) << w->depth;
    assert(w->depth == 0 || !key == !!(w->array & bit));
    if (w->used & bit)
        sdw_buf_char(w->buf, ',');
    w->used |= bit;
    if (key) {
        sdw_json_quote(w->buf, sdw_str_of(key));
        sdw_buf_char(w->buf, ':');
    }
}

static void open_level(struct sdw_jsonw *w, const char *key, bool array)
{
    lead(w, key);
    assert(w->depth < 63);
    w->depth++;
    uint64_t bit = UINT64_C(1) << w->depth;
    w->used &= ~bit;
    w->array = array ? w->array | bit : w->array & ~bit;
    sdw_buf_char(w->buf, array ? '[' : '{');
}

void sdw_jsonw_object(struct sdw_jsonw *w, const char *key)
{
    open_level(w, key, false);
}

void sdw_jsonw_array(struct sdw_jsonw *w, const char *key)
{
    open_level(w, key, true);
}

void sdw_jsonw_end(struct sdw_jsonw *w)
{
    assert(w->depth > 0);
    sdw_buf_char(w->buf, w->array & (UINT64_C(1) << w->depth) ? ']' : '}');
    w->depth--;
}

void sdw_jsonw_int(struct sdw_jsonw *w, const char *key, int64_t value)
{
    lead(w, key);
    sdw_buf_int(w->buf, value);
}

void sdw_jsonw_real(struct sdw_jsonw *w, const char *key, double value)
{
    lead(w, key);
    sdw_buf_real(w->buf, value);
}

void sdw_jsonw_model(struct sdw_jsonw *w, const char *key, double value)
{
    lead(w, key);
    sdw_buf_model(w->buf, value);
}

void sdw_jsonw_bool(struct sdw_jsonw *w, const char *key, bool value)
{
    lead(w, key);
    sdw_buf_text(w->buf, value ? "true" : "false");
}

void sdw_jsonw_text(struct sdw_jsonw *w, const char *key, const char *text)
{
    sdw_jsonw_str(w, key, sdw_str_of(text));
}

void sdw_jsonw_str(struct sdw_jsonw *w, const char *key, struct sdw_str text)
{
    lead(w, key);
    if (text.p)
        sdw_json_quote(w->buf, text);
    else
        sdw_buf_text(w->buf, "null");
}

void sdw_jsonw_null(struct sdw_jsonw *w, const char *key)
{
    lead(w, key);
    sdw_buf_text(w->buf, "null");
}

void sdw_jsonw_raw(struct sdw_jsonw *w, const char *key, struct sdw_str json)
{
    lead(w, key);
    sdw_buf_str(w->buf, json);
}

/* Append one character of a string that cannot stand there as it is. */
static void quote_special(struct sdw_buf *buf, char c)
{
    static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
    const char *which = c ? strchr(from, c) : NULL;
    if (which) {
        sdw_buf_char(buf, '\\');
        sdw_buf_char(buf, to[which - from]);
    } else {
        sdw_buf_printf(buf, "\\u%04x", (unsigned)(unsigned char)c);
    }
}

/* Whether a character stands for itself in a string. */
static bool is_plain(unsigned char c)
{
    return c >= ' ' && c < 0x80 && c != '"' && c != '\\';
}

void sdw_json_quote(struct sdw_buf *buf, struct sdw_str text)
{
    sdw_buf_reserve(buf, text.n + 2);
    sdw_buf_char(buf, '"');
    for (size_t i = 0, n; i < text.n; i += n) {
        size_t run = i;
        while (run < text.n && is_plain((unsigned char)text.p[run]))
            run++;
        n = run - i;
        if (n) {
            sdw_buf_add(buf, text.p + i, n);
            continue;
        }
        if ((unsigned char)text.p[i] < 0x80) {
            quote_special(buf, text.p[i]);
            n = 1;
        } else if ((n = sdw_utf8_length(text.p + i, text.n - i)) > 0) {
            sdw_buf_add(buf, text.p + i, n);
        } else {
            sdw_buf_text(buf, "\xef\xbf\xbd");
            n = 1;
        }
    }
    sdw_buf_char(buf, '"');
}
