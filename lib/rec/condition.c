#include "rec/condition.h"
#include "core/mem.h"
#include "core/num.h"

#include <stdlib.h>

/* Longer operators first, so that <= is not read as < followed by =. */
static const struct {
    const char *text;
    enum sdw_condition_op op;
} operators[] = {
    {"!=", SDW_NOT_EQUAL}, {"!~", SDW_NOT_LIKE}, {"<=", SDW_AT_MOST},
    {">=", SDW_AT_LEAST},  {"==", SDW_EQUAL},    {"=", SDW_EQUAL},
    {"<", SDW_LESS},       {">", SDW_GREATER},   {"~", SDW_LIKE},
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

static char *skip_space(char *p)
{
    while (is_space(*p))
        p++;
    return p;
}

/* Reads one step of the key at *p; leaves *p behind it. */
static int parse_step(struct sdw_condition *c, char **p, struct sdw_err *err)
{
    struct sdw_str step;
    if (**p == '"') {
        step.p = *p + 1;
        step.n = strcspn(step.p, "\"");
        if (!step.p[step.n])
            return sdw_err_set(err, SDW_EUSAGE, "condition '%s': a quote is not closed", c->source);
        *p += step.n + 2;
    } else {
        step.p = *p;
        step.n = strcspn(*p, ".=!<>~ \t");
        *p += step.n;
    }
    if (step.n == 0)
        return sdw_err_set(err, SDW_EUSAGE,
                           "condition '%s': no key; write KEY OP VALUE, such as 'rtt_us>2ms'",
                           c->source);
    if (c->steps == SDW_CONDITION_STEPS)
        return sdw_err_set(err, SDW_EUSAGE, "condition '%s': the key has more than %d steps",
                           c->source, SDW_CONDITION_STEPS);
    c->step[c->steps++] = step;
    return 0;
}

static int parse_key(struct sdw_condition *c, char **p, struct sdw_err *err)
{
    int r = parse_step(c, p, err);
    while (r == 0 && **p == '.') {
        ++*p;
        r = parse_step(c, p, err);
    }
    *p = skip_space(*p);
    return r;
}

static bool ends_with(struct sdw_str text, const char *end)
{
    size_t n = strlen(end);
    return text.n >= n && memcmp(text.p + text.n - n, end, n) == 0;
}

static bool duration_value(const char *text, double *value)
{
    int64_t us;
    bool good = sdw_parse_duration(text, &us);
    *value = good ? (double)us : 0;
    return good;
}

static bool bytes_value(const char *text, double *value)
{
    int64_t bytes;
    bool good = sdw_parse_bytes(text, &bytes);
    *value = good ? (double)bytes : 0;
    return good;
}

static const struct unit {
    const char *suffix, *what;
    bool (*parse)(const char *text, double *value);
} units[] = {
    {"_us", "a duration such as 250ms", duration_value},
    {"_bps", "a rate such as 10M", sdw_parse_rate},
    {"_bytes", "a size such as 64Ki", bytes_value},
    {"_share", "a share such as 5%", sdw_parse_share},
};

/* The unit that a step of the key ends in; NULL when none does. */
static const struct unit *key_unit(const struct sdw_condition *c)
{
    for (size_t s = c->steps; s-- > 0;)
        for (size_t u = 0; u < SDW_LEN(units); u++)
            if (ends_with(c->step[s], units[u].suffix))
                return &units[u];
    return NULL;
}

static bool is_ordering(enum sdw_condition_op op)
{
    return op == SDW_LESS || op == SDW_AT_MOST || op == SDW_GREATER || op == SDW_AT_LEAST;
}

static bool parse_word(struct sdw_condition *c, const char *value)
{
    static const struct {
        const char *text;
        enum sdw_scan_kind kind;
    } words[] = {{"null", SDW_SCAN_NULL}, {"true", SDW_SCAN_TRUE}, {"false", SDW_SCAN_FALSE}};
    for (size_t i = 0; i < SDW_LEN(words); i++)
        if (strcmp(value, words[i].text) == 0) {
            c->want = SDW_WANT_WORD;
            c->word = words[i].kind;
            return true;
        }
    return false;
}

static int parse_pattern(struct sdw_condition *c, struct sdw_err *err)
{
    c->want = SDW_WANT_TEXT;
    c->has_regex = strpbrk(c->text.p, "\\[](){}.*+?^$|") != NULL;
    if (!c->has_regex)
        return 0;
    int r = regcomp(&c->regex, c->text.p, REG_EXTENDED | REG_NOSUB);
    if (r == 0)
        return 0;
    char why[128];
    regerror(r, &c->regex, why, sizeof why);
    c->has_regex = false;
    return sdw_err_set(err, SDW_EUSAGE, "condition '%s': bad regular expression: %s", c->source,
                       why);
}

static int parse_value(struct sdw_condition *c, char *value, struct sdw_err *err)
{
    size_t n = strlen(value);
    while (n && is_space(value[n - 1]))
        value[--n] = '\0';
    bool quoted = n >= 2 && value[0] == '"' && value[n - 1] == '"';
    if (quoted) {
        value[n - 1] = '\0';
        value++;
        n -= 2;
    }
    c->text = (struct sdw_str){value, n};
    if (c->op == SDW_LIKE || c->op == SDW_NOT_LIKE)
        return parse_pattern(c, err);
    c->want = SDW_WANT_TEXT;
    if (quoted)
        return 0;
    if (sdw_num_real(c->text, &c->number)) {
        c->want = SDW_WANT_NUMBER;
        return 0;
    }
    const struct unit *unit = key_unit(c);
    if (unit && unit->parse(value, &c->number)) {
        c->want = SDW_WANT_NUMBER;
        return 0;
    }
    if (is_ordering(c->op) && unit)
        return sdw_err_set(err, SDW_EUSAGE, "condition '%s': '%s' is neither a number nor %s",
                           c->source, value, unit->what);
    if (is_ordering(c->op) && n == 0)
        return sdw_err_set(err, SDW_EUSAGE, "condition '%s': the value is missing", c->source);
    if (parse_word(c, value) && is_ordering(c->op))
        return sdw_err_set(err, SDW_EUSAGE,
                           "condition '%s': %s has no order; use = or !=", c->source, value);
    return 0;
}

int sdw_condition_init(struct sdw_condition *condition, const char *source, struct sdw_err *err)
{
    *condition = (struct sdw_condition){.source = sdw_xstrdup(source), .op = SDW_IS_THERE};
    char *p = skip_space(condition->source);
    int r = parse_key(condition, &p, err);
    if (r < 0 || !*p)
        return r;
    for (size_t i = 0; i < SDW_LEN(operators); i++) {
        size_t n = strlen(operators[i].text);
        if (strncmp(p, operators[i].text, n) == 0) {
            condition->op = operators[i].op;
            return parse_value(condition, skip_space(p + n), err);
        }
    }
    return sdw_err_set(err, SDW_EUSAGE,
                       "condition '%s': after the key comes one of = != < <= > >= ~ !~", source);
}

void sdw_condition_release(struct sdw_condition *condition)
{
    if (condition->has_regex)
        regfree(&condition->regex);
    free(condition->source);
    *condition = (struct sdw_condition){0};
}

/* Whether an order (negative, 0, positive) is one that the operator asks for. */
static bool order_meets(enum sdw_condition_op op, int order)
{
    static const bool meets[][3] = {
        [SDW_IS_THERE] = {true, true, true},   [SDW_EQUAL] = {false, true, false},
        [SDW_NOT_EQUAL] = {true, false, true}, [SDW_LESS] = {true, false, false},
        [SDW_AT_MOST] = {true, true, false},   [SDW_GREATER] = {false, false, true},
        [SDW_AT_LEAST] = {false, true, true},  [SDW_LIKE] = {false, true, false},
        [SDW_NOT_LIKE] = {true, false, true},
    };
    return meets[op][(order > 0) - (order < 0) + 1];
}

static bool is_negative(enum sdw_condition_op op)
{
    return op == SDW_NOT_EQUAL || op == SDW_NOT_LIKE;
}

static bool pattern_found(const struct sdw_condition *c, struct sdw_str text,
                          struct sdw_buf *scratch)
{
    if (!c->has_regex)
        return memmem(text.p, text.n, c->text.p, c->text.n) != NULL;
    if (text.p != scratch->p) { /* regexec wants a NUL behind the text */
        sdw_buf_clear(scratch);
        sdw_buf_str(scratch, text);
    }
    return regexec(&c->regex, scratch->p, 0, NULL, 0) == 0;
}

static int text_order(struct sdw_str a, struct sdw_str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n ? memcmp(a.p, b.p, n) : 0;
    return order ? order : (a.n > b.n) - (a.n < b.n);
}

static int text_holds(const struct sdw_condition *c, struct sdw_str value, struct sdw_buf *scratch,
                      struct sdw_err *err)
{
    struct sdw_str text = {value.p + 1, value.n - 2};
    if (c->op == SDW_EQUAL && text.n == c->text.n && memcmp(text.p, c->text.p, text.n) == 0 &&
        !memchr(text.p, '\\', text.n))
        return 1;
    if (memchr(text.p, '\\', text.n)) {
        sdw_buf_clear(scratch);
        int r = sdw_scan_unescape(value, scratch, err);
        if (r < 0)
            return r;
        text = sdw_buf_view(scratch);
    }
    if (c->op == SDW_LIKE || c->op == SDW_NOT_LIKE)
        return pattern_found(c, text, scratch) == (c->op == SDW_LIKE);
    return order_meets(c->op, text_order(text, c->text));
}

static int number_holds(const struct sdw_condition *c, struct sdw_str value, struct sdw_err *err)
{
    double number;
    if (!sdw_num_real(value, &number))
        return sdw_err_set(err, SDW_EINPUT, "'%.*s' is not a number",
                           (int)(value.n < 40 ? value.n : 40), value.p);
    return order_meets(c->op, (number > c->number) - (number < c->number));
}

int sdw_condition_holds(const struct sdw_condition *condition, const struct sdw_member *value,
                        struct sdw_buf *scratch, struct sdw_err *err)
{
    enum sdw_scan_kind kind = value ? value->kind : SDW_SCAN_NULL;
    if (condition->op == SDW_IS_THERE)
        return kind != SDW_SCAN_NULL && kind != SDW_SCAN_FALSE;
    if (condition->want == SDW_WANT_WORD)
        return (kind == condition->word) != is_negative(condition->op);
    if (condition->want == SDW_WANT_NUMBER && kind == SDW_SCAN_NUMBER)
        return number_holds(condition, value->value, err);
    /* Digits may be text in the record: a path id can be made of decimal digits only. */
    bool text = condition->want == SDW_WANT_TEXT || !is_ordering(condition->op);
    if (text && kind == SDW_SCAN_STRING)
        return text_holds(condition, value->value, scratch, err);
    return is_negative(condition->op);
}
