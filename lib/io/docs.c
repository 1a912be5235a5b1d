#include "io/docs.h"

#include <strings.h>

void sdw_docs_release(struct sdw_docs *docs)
{
    sdw_buf_release(&docs->in);
    sdw_buf_release(&docs->doc);
    sdw_buf_release(&docs->word);
    *docs = (struct sdw_docs){0};
}

void sdw_docs_feed(struct sdw_docs *docs, struct sdw_str bytes)
{
    if (docs->at == docs->in.n)
        sdw_buf_clear(&docs->in);
    else if (docs->at > docs->in.n / 2) {
        memmove(docs->in.p, docs->in.p + docs->at, docs->in.n - docs->at);
        docs->in.n -= docs->at;
    } else {
        sdw_buf_str(&docs->in, bytes);
        return;
    }
    docs->at = 0;
    sdw_buf_str(&docs->in, bytes);
}

uint64_t sdw_docs_line(const struct sdw_docs *docs)
{
    return docs->first;
}

static int bad(struct sdw_err *err, uint64_t line, const char *what)
{
    sdw_err_set(err, SDW_EINPUT, "%s", what);
    if (err)
        err->line = line;
    return SDW_EINPUT;
}

/* A value begins: put the comma that belongs before it. */
static void before_value(struct sdw_docs *docs)
{
    if (docs->value)
        sdw_buf_char(&docs->doc, ',');
    docs->value = false;
}

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '+' || c == '.';
}

/* End a number or a literal; those that are no number become null. */
static void end_word(struct sdw_docs *docs)
{
    static const char *const none[] = {"nan", "inf", "infinity"};
    if (docs->word.n == 0)
        return;
    const char *word = docs->word.p + (docs->word.p[0] == '-' || docs->word.p[0] == '+');
    before_value(docs);
    bool known = false;
    for (size_t i = 0; i < SDW_LEN(none); i++)
        known |= strcasecmp(word, none[i]) == 0;
    if (known)
        sdw_buf_text(&docs->doc, "null");
    else
        sdw_buf_str(&docs->doc, sdw_buf_view(&docs->word));
    sdw_buf_clear(&docs->word);
    docs->value = true;
}

static void take_quoted(struct sdw_docs *docs, char c)
{
    sdw_buf_char(&docs->doc, c);
    if (docs->escaped) {
        docs->escaped = false;
    } else if (c == '\\') {
        docs->escaped = true;
    } else if (c == '"') {
        docs->quoted = false;
        docs->value = true;
    }
}

/* Between documents. SDW_EINPUT for what cannot begin one. */
static int take_outside(struct sdw_docs *docs, char c, struct sdw_err *err)
{
    bool open = c == '{' || (c == '[' && docs->list);
    if (open) {
        sdw_buf_clear(&docs->doc);
        docs->first = docs->line + 1;
        docs->value = false;
        docs->depth = 1;
        sdw_buf_char(&docs->doc, c);
    } else if (c == '[') {
        docs->list = true;
    } else if (c == ']' && docs->list) {
        docs->list = false;
    } else if (c != ' ' && c != '\t' && c != '\r' && c != '\n' && c != ',' && c != '\x1e') {
        docs->skipping = true;
        return bad(err, docs->line + 1, "not JSON: expected an object or an array");
    }
    return 0;
}

/* Inside a document, outside its strings. 1 when this byte ends it. */
static int take_inside(struct sdw_docs *docs, char c)
{
    if (is_word(c)) {
        sdw_buf_char(&docs->word, c);
        return 0;
    }
    end_word(docs);
    switch (c) {
    case '"':
        before_value(docs);
        docs->quoted = true;
        sdw_buf_char(&docs->doc, c);
        return 0;
    case '{':
    case '[':
        before_value(docs);
        docs->depth++;
        sdw_buf_char(&docs->doc, c);
        return 0;
    case '}':
    case ']':
        docs->depth--;
        docs->value = true;
        sdw_buf_char(&docs->doc, c);
        return docs->depth == 0;
    case ':':
        docs->value = false;
        sdw_buf_char(&docs->doc, c);
        return 0;
    case ',': /* put where one belongs */
    case ' ':
    case '\t':
    case '\r':
    case '\n':
        return 0;
    default:
        sdw_buf_char(&docs->doc, c);
        return 0;
    }
}

/* One byte. 1 when it ends a document, SDW_EINPUT when it is bad, else 0. */
static int take(struct sdw_docs *docs, char c, struct sdw_err *err)
{
    int code = 0;
    if (docs->skipping)
        docs->skipping = c != '\n';
    else if (docs->depth == 0)
        code = take_outside(docs, c, err);
    else if (docs->quoted)
        take_quoted(docs, c);
    else
        code = take_inside(docs, c);
    if (docs->doc.n + docs->word.n > SDW_DOC_MAX) {
        sdw_buf_clear(&docs->doc);
        sdw_buf_clear(&docs->word);
        docs->depth = 0;
        docs->quoted = docs->escaped = false;
        docs->skipping = c != '\n';
        code = bad(err, docs->first, "a document of more than 64 MiB");
    }
    docs->line += c == '\n';
    return code;
}

int sdw_docs_next(struct sdw_docs *docs, struct sdw_str *doc, struct sdw_err *err)
{
    while (docs->at < docs->in.n) {
        int code = take(docs, docs->in.p[docs->at++], err);
        if (code == 0)
            continue;
        *doc = sdw_buf_view(&docs->doc);
        return code;
    }
    return 0;
}

int sdw_docs_end(const struct sdw_docs *docs, struct sdw_err *err)
{
    if (docs->depth > 0)
        return bad(err, docs->first, "the last document is cut off");
    return 0;
}
