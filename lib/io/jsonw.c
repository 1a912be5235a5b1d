#include "io/jsonw.h"
#include "core/num.h"
#include "core/utf8.h"

#include <assert.h>

struct sdw_jsonw sdw_jsonw(struct sdw_buf *buf)
{
    return (struct sdw_jsonw){.buf = buf};
}

/* Whether eight bytes can stand in a string as they are. May be wrong in saying no. */
static bool plain_eight(const char *p)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), high = ones << 7;
    uint64_t x;
    memcpy(&x, p, sizeof x);
    /* Taking one from a byte that is zero, or 32 from a control, sets its highest bit. */
    return !((x | ((x ^ ones * '"') - ones) | ((x ^ ones * '\\') - ones) | (x - ones * ' ')) &
             high);
}

/* How many bytes from i on can stand there as they are. */
static size_t plain_run(struct sdw_str text, size_t i)
{
    size_t run = i;
    while (text.n - run >= 8 && plain_eight(text.p + run))
        run += 8;
    while (run < text.n && (unsigned char)text.p[run] >= ' ' && text.p[run] != '"' &&
           text.p[run] != '\\' && (unsigned char)text.p[run] < 0x80)
        run++;
    return run - i;
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

void sdw_json_quote(struct sdw_buf *buf, struct sdw_str text)
{
    size_t plain = plain_run(text, 0);
    sdw_buf_reserve(buf, text.n + 2);
    if (plain == text.n && plain > 0) {
        buf->p[buf->n] = '"';
        memcpy(buf->p + buf->n + 1, text.p, plain);
        memcpy(buf->p + buf->n + 1 + plain, "\"", 2);
        buf->n += plain + 2;
        return;
    }
    sdw_buf_char(buf, '"');
    for (size_t i = 0, n; i < text.n; i += n) {
        n = plain_run(text, i);
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
