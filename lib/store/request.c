#include "store/request.h"
#include "core/num.h"

#include <strings.h>

enum { HEAD_MAX = 16384 };

static int hex(char c)
{
    const char *digits = "0123456789abcdef0123456789ABCDEF", *at = c ? strchr(digits, c) : NULL;
    return at ? (int)((at - digits) % 16) : -1;
}

/* %XX and, in forms, + for a blank. */
static struct sdw_str decode(struct sdw_str text, bool form, struct sdw_arena *arena)
{
    char *out = sdw_arena_alloc(arena, text.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '%' && i + 2 < text.n && hex(text.p[i + 1]) >= 0 && hex(text.p[i + 2]) >= 0) {
            c = (char)(hex(text.p[i + 1]) * 16 + hex(text.p[i + 2]));
            i += 2;
        } else if (c == '+' && form) {
            c = ' ';
        }
        out[n++] = c;
    }
    out[n] = '\0';
    return (struct sdw_str){out, n};
}

/* The text up to a separator; what follows it stays in *rest. */
static struct sdw_str cut(struct sdw_str *rest, char separator)
{
    const char *at = rest->n ? memchr(rest->p, separator, rest->n) : NULL;
    struct sdw_str part = {rest->p, at ? (size_t)(at - rest->p) : rest->n};
    size_t skip = at ? part.n + 1 : part.n;
    *rest = (struct sdw_str){rest->p + skip, rest->n - skip};
    return part;
}

static void add_params(struct sdw_request *request, struct sdw_str form, struct sdw_arena *arena)
{
    while (form.n && request->n < SDW_REQUEST_PARAMS) {
        struct sdw_str value = cut(&form, '&'), key = cut(&value, '=');
        request->param[request->n].key = decode(key, true, arena);
        request->param[request->n++].value = decode(value, true, arena);
    }
}

static bool named(struct sdw_str line, const char *name, struct sdw_str *value)
{
    struct sdw_str key = cut(&line, ':');
    if (key.n != strlen(name) || strncasecmp(key.p, name, key.n) != 0)
        return false;
    while (line.n && (line.p[0] == ' ' || line.p[0] == '\t'))
        line.p++, line.n--;
    while (line.n && (line.p[line.n - 1] == ' ' || line.p[line.n - 1] == '\t'))
        line.n--;
    *value = line;
    return true;
}

/* What the headers say that matters here. */
struct headers {
    int64_t length;
    bool chunked, form;
};

static bool parse_headers(struct sdw_str head, struct sdw_request *request, struct headers *headers)
{
    *headers = (struct headers){0};
    while (head.n) {
        struct sdw_str line = cut(&head, '\n'), value;
        if (line.n && line.p[line.n - 1] == '\r')
            line.n--;
        if (named(line, "host", &value))
            request->host = value;
        else if (named(line, "connection", &value))
            request->keep_alive = !(value.n == 5 && strncasecmp(value.p, "close", 5) == 0);
        else if (named(line, "transfer-encoding", &value))
            headers->chunked = true;
        else if (named(line, "content-type", &value))
            headers->form =
                value.n >= 33 && strncasecmp(value.p, "application/x-www-form-urlencoded", 33) == 0;
        else if (named(line, "content-length", &value) &&
                 (!sdw_num_int(value, &headers->length) || headers->length < 0))
            return false;
    }
    return true;
}

static bool parse_first(struct sdw_str line, struct sdw_request *request, struct sdw_arena *arena)
{
    if (line.n && line.p[line.n - 1] == '\r')
        line.n--;
    request->method = cut(&line, ' ');
    struct sdw_str target = cut(&line, ' ');
    if (request->method.n == 0 || target.n == 0 || target.p[0] != '/' || line.n < 8 ||
        memcmp(line.p, "HTTP/1.", 7) != 0)
        return false;
    request->keep_alive = line.p[7] != '0';
    struct sdw_str path = cut(&target, '?');
    request->path = decode(path, false, arena);
    add_params(request, target, arena);
    return true;
}

long sdw_request_parse(struct sdw_str bytes, struct sdw_arena *arena, struct sdw_request *request)
{
    struct headers headers;
    size_t look = bytes.n < HEAD_MAX ? bytes.n : HEAD_MAX;
    const char *end = look ? memmem(bytes.p, look, "\r\n\r\n", 4) : NULL;
    *request = (struct sdw_request){0};
    if (!end)
        return bytes.n >= HEAD_MAX ? -431 : 0;
    size_t head = (size_t)(end - bytes.p) + 4;
    struct sdw_str rest = {bytes.p, head - 2}, first = cut(&rest, '\n');
    if (!parse_first(first, request, arena) || !parse_headers(rest, request, &headers))
        return -400;
    if (headers.chunked)
        return -411;
    if (headers.length > SDW_REQUEST_MAX)
        return -413;
    if ((int64_t)(bytes.n - head) < headers.length)
        return 0;
    if (headers.form)
        add_params(request, (struct sdw_str){bytes.p + head, (size_t)headers.length}, arena);
    return (long)head + (long)headers.length;
}

struct sdw_str sdw_request_param(const struct sdw_request *request, const char *key)
{
    for (size_t i = 0; i < request->n; i++)
        if (sdw_str_is(request->param[i].key, key))
            return request->param[i].value;
    return (struct sdw_str){0};
}
