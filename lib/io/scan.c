#include "io/scan.h"
#include "core/utf8.h"
#include "io/scan_stop.h"

static const char *skip_space(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n'))
        p++;
    return p;
}

/* p is behind the opening quote; returns behind the closing one, NULL when there is none. */
static const char *skip_escaped(const char *p, const char *end)
{
    for (;;) {
        p = sdw_string_stop(p, end);
        if (p >= end)
            return NULL;
        if (*p == '"')
            return p + 1;
        if (*p != '\\' || p + 1 >= end)
            return NULL;
        p += 2;
    }
}

static inline const char *skip_string(const char *p, const char *end)
{
    const char *stop = sdw_string_stop(p, end);
    return stop < end && *stop == '"' ? stop + 1 : skip_escaped(stop, end);
}

static bool is_word(const char *p, const char *end, const char *word, size_t n)
{
    return (size_t)(end - p) >= n && memcmp(p, word, n) == 0;
}

static inline const char *skip_digits(const char *p, const char *end)
{
    const char *from = p;
    while (p < end && *p >= '0' && *p <= '9')
        p++;
    return p == from ? NULL : p;
}

/* A number by the grammar of RFC 8259, section 6. */
static inline const char *skip_number(const char *p, const char *end)
{
    if (*p == '-')
        p++;
    if (p < end && *p == '0')
        p++;
    else if (!(p = skip_digits(p, end)))
        return NULL;
    if (p < end && *p == '.' && !(p = skip_digits(p + 1, end)))
        return NULL;
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < end && (*p == '+' || *p == '-'))
            p++;
        return skip_digits(p, end);
    }
    return p;
}

static const char *skip_scalar(const char *p, const char *end, enum sdw_scan_kind *kind)
{
    switch (*p) {
    case '"':
        *kind = SDW_SCAN_STRING;
        return skip_string(p + 1, end);
    case 't':
        *kind = SDW_SCAN_TRUE;
        return is_word(p, end, "true", 4) ? p + 4 : NULL;
    case 'f':
        *kind = SDW_SCAN_FALSE;
        return is_word(p, end, "false", 5) ? p + 5 : NULL;
    case 'n':
        *kind = SDW_SCAN_NULL;
        return is_word(p, end, "null", 4) ? p + 4 : NULL;
    default:
        *kind = SDW_SCAN_NUMBER;
        return skip_number(p, end);
    }
}

/* The key and colon of a nested member: behind them and any space, or NULL. */
static const char *skip_nested_key(const char *p, const char *end)
{
    if (*p != '"' || !(p = skip_string(p + 1, end)))
        return NULL;
    p = skip_space(p, end);
    return p < end && *p == ':' ? skip_space(p + 1, end) : NULL;
}

/* p is at the opening bracket of a nested object or array; returns behind its partner. */
static const char *skip_nest(const char *p, const char *end)
{
    char close[SDW_NESTING_MAX]; /* the record itself is one level */
    size_t depth = 0;
    bool want_value = true, may_close = true;
    enum sdw_scan_kind kind;
    close[depth++] = *p++ == '{' ? '}' : ']';
    while (p && (p = skip_space(p, end)) < end) {
        if (*p == close[depth - 1]) {
            if (want_value && !may_close)
                return NULL;
            p++;
            if (--depth == 0)
                return p;
            want_value = false;
            continue;
        }
        if (!want_value) {
            if (*p++ != ',')
                return NULL;
            want_value = true;
            may_close = false;
            continue;
        }
        if (close[depth - 1] == '}' && (!(p = skip_nested_key(p, end)) || p >= end))
            return NULL;
        may_close = *p == '{' || *p == '[';
        if (!may_close) {
            p = skip_scalar(p, end, &kind);
            want_value = false;
        } else if (depth == SDW_NESTING_MAX - 1) {
            return NULL;
        } else {
            close[depth++] = *p++ == '{' ? '}' : ']';
        }
    }
    return NULL;
}

/* Behind the value at p, and its kind; NULL when it is none. Strings and numbers, the most by far,
 * come first. */
static inline const char *skip_value(const char *p, const char *end, enum sdw_scan_kind *kind)
{
    if (p >= end)
        return NULL;
    if (*p == '"') {
        *kind = SDW_SCAN_STRING;
        return skip_string(p + 1, end);
    }
    if (*p >= '0' && *p <= '9') {
        *kind = SDW_SCAN_NUMBER;
        return skip_number(p, end);
    }
    if (*p != '{' && *p != '[')
        return skip_scalar(p, end, kind);
    *kind = *p == '{' ? SDW_SCAN_OBJECT : SDW_SCAN_ARRAY;
    return skip_nest(p, end);
}

static int not_json(struct sdw_err *err, const char *what)
{
    return sdw_err_set(err, SDW_EINPUT, "not JSON: %s", what);
}

int sdw_scan_begin(struct sdw_scan *scan, struct sdw_str text, struct sdw_err *err)
{
    const char *end = text.p + text.n, *p = skip_space(text.p, end);
    if (p >= end || (*p != '{' && *p != '['))
        return not_json(err, "expected an object");
    *scan = (struct sdw_scan){.p = p + 1, .end = end, .array = *p == '[', .first = true};
    return 0;
}

static int scan_end(struct sdw_scan *scan, struct sdw_err *err)
{
    scan->p = skip_space(scan->p + 1, scan->end);
    if (scan->p != scan->end)
        return not_json(err, "something follows the end of the object");
    return 0;
}

/* The key and the colon of a member. */
static inline int scan_key(struct sdw_scan *scan, struct sdw_member *member, bool *escaped,
                           struct sdw_err *err)
{
    const char *p = scan->p, *end = scan->end;
    if (p >= end || *p != '"')
        return not_json(err, "expected a key in quotes");
    const char *after = sdw_string_stop(p + 1, end);
    *escaped = after < end && *after == '\\';
    after = *escaped ? skip_escaped(after, end) : after < end && *after == '"' ? after + 1 : NULL;
    if (!after)
        return not_json(err, "a key does not end");
    member->key = (struct sdw_str){p + 1, (size_t)(after - p) - 2};
    p = after;
    if (p < end && *p != ':')
        p = skip_space(p, end);
    if (p >= end || *p != ':')
        return not_json(err, "expected a colon after a key");
    scan->p = p + 1;
    return 0;
}

/* escaped: whether the key was written with escapes. */
static inline int scan_member(struct sdw_scan *scan, struct sdw_member *member, bool *escaped,
                              struct sdw_err *err)
{
    const char *end = scan->end;
    const char close = scan->array ? ']' : '}';
    if (scan->p < end && (*scan->p == ' ' || *scan->p == '\t'))
        scan->p = skip_space(scan->p, end);
    if (scan->p >= end)
        return not_json(err, "the line ends inside the object");
    if (*scan->p == close && scan->first)
        return scan_end(scan, err);
    if (!scan->first) {
        if (*scan->p == close)
            return scan_end(scan, err);
        if (*scan->p != ',')
            return not_json(err, "expected a comma between members");
        scan->p = skip_space(scan->p + 1, end);
    }
    scan->first = false;
    member->key = (struct sdw_str){0};
    if (!scan->array && scan_key(scan, member, escaped, err) < 0)
        return SDW_EINPUT;
    const char *value = scan->p;
    if (value < end && (*value == ' ' || *value == '\t'))
        value = skip_space(value, end);
    const char *after = skip_value(value, end, &member->kind);
    if (!after)
        return not_json(err, "a value is malformed, does not end or nests deeper than 32");
    member->value = (struct sdw_str){value, (size_t)(after - value)};
    scan->p = after < end && (*after == ' ' || *after == '\t') ? skip_space(after, end) : after;
    return 1;
}

int sdw_scan_next(struct sdw_scan *scan, struct sdw_member *member, struct sdw_err *err)
{
    bool escaped;
    return scan_member(scan, member, &escaped, err);
}

struct sdw_str sdw_scan_type(struct sdw_str line)
{
    static const char lead[] = "{\"type\":\"";
    const size_t n = sizeof lead - 1;
    if (line.n > n && memcmp(line.p, lead, n) == 0) {
        const char *from = line.p + n, *end = line.p + line.n, *p = sdw_string_stop(from, end);
        if (p < end && *p == '"')
            return (struct sdw_str){from, (size_t)(p - from)};
    }
    struct sdw_str key = sdw_str_of("type");
    struct sdw_member found = {0};
    if (sdw_scan_find(line, &key, 1, &found, NULL) < 0 || !found.key.p ||
        found.kind != SDW_SCAN_STRING)
        return (struct sdw_str){0};
    return (struct sdw_str){found.value.p + 1, found.value.n - 2};
}

/* Whether the raw key (between its quotes) stands for the wanted one. */
static inline bool key_is(struct sdw_str raw, bool escaped, struct sdw_str want)
{
    if (!escaped)
        return raw.n == want.n && memcmp(raw.p, want.p, want.n) == 0;
    return sdw_scan_equals((struct sdw_str){raw.p - 1, raw.n + 2}, want);
}

static void clear_found(struct sdw_member *found, size_t n)
{
    for (size_t i = 0; i < n; i++)
        found[i] = (struct sdw_member){0};
}

/* Behind the value at p of a line that ends in a bracket, which stops every run: no run needs to
 * look for the end of the line itself. */
static inline const char *compact_value(const char *p, const char *end, enum sdw_scan_kind *kind)
{
    if (*p == '"') {
        *kind = SDW_SCAN_STRING;
        return skip_string(p + 1, end);
    }
    if (*p >= '1' && *p <= '9') {
        const char *q = p + 1;
        while (*q >= '0' && *q <= '9')
            q++;
        if (*q == ',') {
            *kind = SDW_SCAN_NUMBER;
            return q;
        }
    }
    return skip_value(p, end, kind);
}

/* sdw_scan_find for lines as our own tools write them: no blanks between tokens, no escapes in
 * keys. False, without a verdict, for any other line. */
static bool find_compact(struct sdw_str line, const struct sdw_str *keys, size_t n,
                         struct sdw_member *found)
{
    const char *p = line.p + 1, *end = line.p + line.n;
    if (line.n < 2 || line.p[0] != '{' || end[-1] != '}')
        return false;
    clear_found(found, n);
    for (;; p++) {
        if (*p != '"')
            return false;
        const char *key = p + 1, *stop = sdw_string_stop(key, end);
        if (stop == end || *stop != '"' || stop[1] != ':')
            return false;
        enum sdw_scan_kind kind;
        const char *value = stop + 2;
        p = compact_value(value, end, &kind);
        if (!p || p >= end)
            return false;
        size_t length = (size_t)(stop - key);
        for (size_t i = 0; i < n; i++)
            if (length == keys[i].n && memcmp(key, keys[i].p, length) == 0) {
                found[i] = (struct sdw_member){{key, length}, {value, (size_t)(p - value)}, kind};
                break;
            }
        if (*p != ',')
            return *p == '}' && p + 1 == end;
    }
}

int sdw_scan_find(struct sdw_str line, const struct sdw_str *keys, size_t n,
                  struct sdw_member *found, struct sdw_err *err)
{
    struct sdw_scan scan = {0};
    struct sdw_member member = {0};
    bool escaped = false;
    int more;
    if (find_compact(line, keys, n, found))
        return 0;
    clear_found(found, n);
    if (sdw_scan_begin(&scan, line, err) < 0)
        return SDW_EINPUT;
    if (scan.array)
        return not_json(err, "expected an object");
    while ((more = scan_member(&scan, &member, &escaped, err)) > 0) {
        for (size_t i = 0; i < n; i++)
            if (key_is(member.key, escaped, keys[i])) {
                found[i] = member;
                break;
            }
    }
    return more;
}

/* Four hexadecimal digits, or -1. */
static int32_t hex4(const char *p)
{
    int32_t value = 0;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* A \u escape at p (behind the u), perhaps with its low surrogate; returns behind it or NULL. */
static const char *unescape_u(const char *p, const char *end, struct sdw_buf *out)
{
    if (end - p < 4)
        return NULL;
    int32_t c = hex4(p);
    p += 4;
    if (c <= 0 || (c >= 0xdc00 && c < 0xe000))
        return NULL;
    if (c >= 0xd800 && c < 0xdc00) {
        if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
            return NULL;
        int32_t low = hex4(p + 2);
        if (low < 0xdc00 || low >= 0xe000)
            return NULL;
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        p += 6;
    }
    char utf8[4];
    size_t n = sdw_utf8_put((uint32_t)c, utf8);
    sdw_buf_add(out, utf8, n);
    return p;
}

int sdw_scan_unescape(struct sdw_str value, struct sdw_buf *out, struct sdw_err *err)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *p = value.p + 1, *end = value.p + value.n - 1;
    while (p < end) {
        if (*p != '\\') {
            size_t n = sdw_utf8_length(p, (size_t)(end - p));
            if (n == 0)
                return sdw_err_set(err, SDW_EINPUT, "a string is not UTF-8");
            sdw_buf_add(out, p, n);
            p += n;
            continue;
        }
        const char *which = p + 1 < end && p[1] ? strchr(from, p[1]) : NULL;
        if (which) {
            sdw_buf_char(out, to[which - from]);
            p += 2;
        } else {
            p = p + 1 < end && p[1] == 'u' ? unescape_u(p + 2, end, out) : NULL;
            if (!p)
                return sdw_err_set(err, SDW_EINPUT,
                                   "a string has a bad escape, a lone surrogate or \\u0000");
        }
    }
    return 0;
}

bool sdw_scan_equals(struct sdw_str value, struct sdw_str text)
{
    if (!memchr(value.p, '\\', value.n))
        return value.n == text.n + 2 && memcmp(value.p + 1, text.p, text.n) == 0;
    struct sdw_buf plain = {0};
    bool same =
        sdw_scan_unescape(value, &plain, NULL) == 0 && sdw_str_same(sdw_buf_view(&plain), text);
    sdw_buf_release(&plain);
    return same;
}

void sdw_scan_splice(struct sdw_str line, struct sdw_str member, struct sdw_buf *out)
{
    size_t close = line.n;
    while (close > 0 && line.p[close - 1] != '}')
        close--;
    size_t last = close - 1;
    while (last > 0 && strchr(" \t\r\n", line.p[last - 1]))
        last--;
    sdw_buf_reserve(out, line.n + member.n + 1);
    sdw_buf_add(out, line.p, close - 1);
    if (line.p[last - 1] != '{')
        sdw_buf_char(out, ',');
    sdw_buf_str(out, member);
    sdw_buf_add(out, line.p + close - 1, line.n - close + 1);
}
