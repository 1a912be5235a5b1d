#include "store/selector.h"
#include "core/buf.h"
#include "io/jsonw.h"
#include "store/expression.h"

#include <fnmatch.h>
#include <stdlib.h>

enum op { EQUAL, UNEQUAL, LIKE, UNLIKE, GLOB };
static const char *const op_text[] = {"=", "!=", "=~", "!~"};

struct sdw_matcher {
    struct sdw_str key;
    const char *value;
    enum op op;
    struct sdw_expression *expression; /* of LIKE and UNLIKE */
};

/* Where the parser is. */
struct parse {
    struct sdw_selector *to;
    const char *start, *p, *end;
    struct sdw_err *err;
};

static int wrong(struct parse *parse, const char *what)
{
    return sdw_err_set(parse->err, SDW_EUSAGE, "selector, character %zu: %s",
                       (size_t)(parse->p - parse->start) + 1, what);
}

static void skip_space(struct parse *parse)
{
    while (parse->p < parse->end && strchr(" \t\n", *parse->p) && *parse->p)
        parse->p++;
}

static bool take(struct parse *parse, const char *text)
{
    size_t n = strlen(text);
    if ((size_t)(parse->end - parse->p) < n || memcmp(parse->p, text, n) != 0)
        return false;
    parse->p += n;
    return true;
}

static char *keep(struct parse *parse, const char *p, size_t n)
{
    char *copy = sdw_arena_alloc(&parse->to->memory, n + 1);
    if (n)
        memcpy(copy, p, n);
    copy[n] = '\0';
    return copy;
}

/* A string in double or single quotes; a backslash takes the next character as it is, or stands
 * for a line feed or tab. */
static int parse_string(struct parse *parse, const char **out)
{
    char quote = parse->p < parse->end ? *parse->p : '\0';
    if (quote != '"' && quote != '\'')
        return wrong(parse, "a string in quotes is expected");
    char *text = sdw_arena_alloc(&parse->to->memory, (size_t)(parse->end - parse->p) + 1);
    size_t n = 0;
    for (parse->p++; parse->p < parse->end && *parse->p != quote; parse->p++) {
        char c = *parse->p;
        if (c == '\\' && parse->p + 1 < parse->end) {
            c = *++parse->p;
            c = c == 'n' ? '\n' : c == 't' ? '\t' : c;
        }
        if (c == '\0')
            return wrong(parse, "a NUL is in the string");
        text[n++] = c;
    }
    text[n] = '\0';
    *out = text;
    return take(parse, quote == '"' ? "\"" : "'") ? 0 : wrong(parse, "the string has no end");
}

static int compile(struct parse *parse, struct sdw_matcher *matcher)
{
    char why[128];
    matcher->expression = sdw_expression_new(matcher->value, why, sizeof why);
    return matcher->expression ? 0 : wrong(parse, why);
}

static int add(struct parse *parse, struct sdw_str key, enum op op, const char *value)
{
    struct sdw_selector *to = parse->to;
    if (to->n == SDW_MATCHERS_MAX)
        return wrong(parse, "too many conditions");
    to->matcher[to->n] = (struct sdw_matcher){.key = key, .op = op, .value = value};
    struct sdw_matcher *matcher = &to->matcher[to->n++];
    return op == LIKE || op == UNLIKE ? compile(parse, matcher) : 0;
}

static bool is_key(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == ':' || c == '-';
}

static int parse_matcher(struct parse *parse)
{
    const char *start = parse->p;
    while (parse->p < parse->end && is_key(*parse->p))
        parse->p++;
    struct sdw_str key = {keep(parse, start, (size_t)(parse->p - start)),
                          (size_t)(parse->p - start)};
    if (key.n == 0)
        return wrong(parse, "the name of a label is expected");
    skip_space(parse);
    for (size_t op = SDW_LEN(op_text); op-- > 0;) {
        const char *value = NULL;
        if (!take(parse, op_text[op]))
            continue;
        skip_space(parse);
        int code = parse_string(parse, &value);
        return code == 0 ? add(parse, key, (enum op)op, value) : code;
    }
    return wrong(parse, "one of = != =~ !~ is expected");
}

static int parse_matchers(struct parse *parse)
{
    int code = 0;
    for (skip_space(parse); code == 0 && !take(parse, "}");) {
        code = parse_matcher(parse);
        skip_space(parse);
        if (code == 0 && !take(parse, ",") && (parse->p == parse->end || *parse->p != '}'))
            code = wrong(parse, "a comma or } is expected");
        skip_space(parse);
    }
    return code;
}

static int parse_name(struct parse *parse)
{
    const char *start = parse->p;
    while (parse->p < parse->end && !strchr("{}[]()\" \t\n,", *parse->p))
        parse->p++;
    size_t n = (size_t)(parse->p - start);
    if (n == 0)
        return 0;
    char *name = keep(parse, start, n);
    if (strpbrk(name, "*?"))
        return add(parse, sdw_str_of("__name__"), GLOB, name);
    parse->to->name = name;
    return 0;
}

int sdw_selector_parse(struct sdw_selector *selector, struct sdw_str text, size_t *used,
                       struct sdw_err *err)
{
    struct parse parse = {selector, text.p, text.p, text.p + text.n, err};
    *selector = (struct sdw_selector){0};
    selector->matcher =
        sdw_arena_alloc(&selector->memory, SDW_MATCHERS_MAX * sizeof *selector->matcher);
    skip_space(&parse);
    int code = parse_name(&parse);
    skip_space(&parse);
    bool braces = code == 0 && take(&parse, "{");
    if (braces)
        code = parse_matchers(&parse);
    if (code == 0 && !selector->name && selector->n == 0)
        code = wrong(&parse, "a name or a condition is expected");
    skip_space(&parse);
    if (used)
        *used = (size_t)(parse.p - text.p);
    else if (code == 0 && parse.p < parse.end)
        code = wrong(&parse, "nothing more is expected");
    return code;
}

void sdw_selector_release(struct sdw_selector *selector)
{
    for (size_t i = 0; i < selector->n; i++)
        sdw_expression_free(selector->matcher[i].expression);
    sdw_arena_release(&selector->memory);
    *selector = (struct sdw_selector){0};
}

/* 1, 0, or SDW_EUSAGE when an expression takes too long. */
static int holds(const struct sdw_matcher *matcher, struct sdw_str value)
{
    char text[SDW_LABEL_BYTES + 1]; /* no store has longer ones */
    if (matcher->op == EQUAL || matcher->op == UNEQUAL)
        return sdw_str_is(value, matcher->value) == (matcher->op == EQUAL);
    if (value.n >= sizeof text)
        return matcher->op == UNLIKE;
    if (matcher->op == GLOB) {
        memcpy(text, value.p, value.n);
        text[value.n] = '\0';
        return fnmatch(matcher->value, text, 0) == 0;
    }
    int fits = sdw_expression_fits(matcher->expression, value);
    return fits < 0 ? fits : fits == (matcher->op == LIKE);
}

int sdw_selector_matches(const struct sdw_selector *selector, struct sdw_str name,
                         const struct sdw_labels *labels, struct sdw_err *err)
{
    if (selector->name && !sdw_str_is(name, selector->name))
        return 0;
    int held = 1;
    for (size_t i = 0; held == 1 && i < selector->n; i++) {
        const struct sdw_matcher *matcher = &selector->matcher[i];
        bool by_name = sdw_str_is(matcher->key, "__name__");
        held = holds(matcher, by_name ? name : sdw_labels_get(labels, matcher->key));
        if (held < 0)
            held = sdw_err_set(err, held, "selector: %s takes too long to compare", matcher->value);
    }
    return held;
}

/* --- for an engine ------------------------------------------------------------------------- */

/* A pattern of * and ? as a regular expression (RE2). A backslash takes the next character as it
 * is; a lone * is any name, and no name is empty. */
static void put_glob(struct sdw_buf *out, const char *glob)
{
    if (strcmp(glob, "*") == 0) {
        sdw_buf_text(out, ".+");
        return;
    }
    for (const char *p = glob; *p; p++) {
        if (*p == '*' || *p == '?') {
            sdw_buf_text(out, *p == '*' ? ".*" : ".");
            continue;
        }
        p += *p == '\\' && p[1];
        if (strchr("\\.+*?()|[]{}^$", *p))
            sdw_buf_char(out, '\\');
        sdw_buf_char(out, *p);
    }
}

static void put_condition(struct sdw_buf *out, const char *key, const char *op, const char *value)
{
    sdw_buf_printf(out, "%s%s", key, op);
    sdw_json_quote(out, sdw_str_of(value));
    sdw_buf_char(out, ',');
}

static bool engine_has(struct sdw_str key)
{
    for (size_t i = 0; i < key.n; i++)
        if (strchr(".:-", key.p[i]) || (i == 0 && key.p[i] >= '0' && key.p[i] <= '9'))
            return false;
    return true;
}

static void put_matcher(struct sdw_buf *out, const char *key, const struct sdw_matcher *matcher)
{
    if (matcher->op != GLOB) {
        put_condition(out, key, op_text[matcher->op], matcher->value);
        return;
    }
    struct sdw_buf expression = {0};
    put_glob(&expression, matcher->value);
    put_condition(out, key, "=~", expression.p);
    sdw_buf_release(&expression);
}

int sdw_selector_write(const struct sdw_selector *selector, const char *name_key, const char *name,
                       struct sdw_buf *out, struct sdw_err *err)
{
    sdw_buf_char(out, '{');
    if (name)
        put_condition(out, name_key, "=", name);
    else if (selector->name)
        put_condition(out, name_key, "=", selector->name);
    for (size_t i = 0; i < selector->n; i++) {
        const struct sdw_matcher *matcher = &selector->matcher[i];
        bool by_name = sdw_str_is(matcher->key, "__name__");
        if (!engine_has(matcher->key))
            return sdw_err_set(err, SDW_EUSAGE, "an engine has no label %s", matcher->key.p);
        if (!by_name || !name)
            put_matcher(out, by_name ? name_key : matcher->key.p, matcher);
    }
    /* Engines want one condition that is not met by an absent label. */
    put_condition(out, "__name__", "!=", "");
    sdw_buf_char(out, '}');
    return 0;
}
