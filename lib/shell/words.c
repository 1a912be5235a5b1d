#include "shell/words.h"
#include "core/mem.h"

#include <stdlib.h>

struct cutter {
    struct sdw_str line;
    size_t i;
    enum sdw_words_end end;
};

static char peek(const struct cutter *c, size_t ahead)
{
    return c->i + ahead < c->line.n ? c->line.p[c->i + ahead] : '\0';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static void skip_substitution(struct cutter *c);

/* c stands behind the opening quote; leaves it behind the closing one. */
static void skip_double_quote(struct cutter *c)
{
    while (c->i < c->line.n) {
        char now = c->line.p[c->i];
        if (now == '"') {
            c->i++;
            return;
        }
        if (now == '\\')
            c->i += 2;
        else if (now == '`' || (now == '$' && peek(c, 1) == '('))
            skip_substitution(c);
        else
            c->i++;
    }
    if (c->end == SDW_ENDS_WELL)
        c->end = SDW_ENDS_IN_DOUBLE_QUOTE;
}

static void skip_until(struct cutter *c, char close, enum sdw_words_end otherwise)
{
    while (c->i < c->line.n && c->line.p[c->i] != close)
        c->i += close == '`' && c->line.p[c->i] == '\\' ? 2 : 1;
    if (c->i >= c->line.n)
        c->end = otherwise;
    else
        c->i++;
}

/* One character of a word, or all of a quoted part. */
static void skip_part(struct cutter *c)
{
    char now = c->line.p[c->i];
    if (now == '\\') {
        if (c->i + 1 >= c->line.n)
            c->end = SDW_ENDS_IN_BACKSLASH;
        c->i += 2;
    } else if (now == '\'') {
        c->i++;
        skip_until(c, '\'', SDW_ENDS_IN_SINGLE_QUOTE);
    } else if (now == '"') {
        c->i++;
        skip_double_quote(c);
    } else if (now == '`' || (now == '$' && peek(c, 1) == '(')) {
        skip_substitution(c);
    } else {
        c->i++;
    }
}

/* c stands on ` or $(; leaves it behind the end of the substitution. */
static void skip_substitution(struct cutter *c)
{
    if (c->line.p[c->i] == '`') {
        c->i++;
        skip_until(c, '`', SDW_ENDS_IN_SUBSTITUTION);
        return;
    }
    c->i += 2;
    for (size_t open = 1; c->i < c->line.n;) {
        char now = c->line.p[c->i];
        if (now == '$' && peek(c, 1) == '(') {
            open++;
            c->i += 2;
            continue;
        }
        open += now == '(';
        if (now == ')' && --open == 0) {
            c->i++;
            return;
        }
        skip_part(c);
    }
    if (c->end == SDW_ENDS_WELL)
        c->end = SDW_ENDS_IN_SUBSTITUTION;
}

/* Operators, longest first. */
static const struct {
    const char *text;
    enum sdw_word_kind kind;
} operators[] = {
    {"<<", SDW_HEREDOC},  {"&&", SDW_CONTROL},  {"||", SDW_CONTROL},  {"|&", SDW_CONTROL},
    {">>", SDW_REDIRECT}, {">&", SDW_REDIRECT}, {"<&", SDW_REDIRECT}, {">|", SDW_REDIRECT},
    {"<>", SDW_REDIRECT}, {"|", SDW_PIPE},      {"&", SDW_AMP},       {";", SDW_CONTROL},
    {"(", SDW_CONTROL},   {")", SDW_CONTROL},   {"\n", SDW_CONTROL},  {"<", SDW_REDIRECT},
    {">", SDW_REDIRECT},
};

/* Length and kind of the operator at c; 0 when there is none. */
static size_t operator_at(const struct cutter *c, enum sdw_word_kind *kind)
{
    for (size_t o = 0; o < SDW_LEN(operators); o++) {
        size_t n = strlen(operators[o].text);
        if (c->line.n - c->i >= n && memcmp(c->line.p + c->i, operators[o].text, n) == 0) {
            *kind = operators[o].kind;
            return n;
        }
    }
    return 0;
}

static bool all_digits(struct sdw_str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
    return text.n > 0;
}

static bool is_assignment(struct sdw_str text)
{
    size_t i = 0;
    while (i < text.n && (text.p[i] == '_' || (text.p[i] >= 'a' && text.p[i] <= 'z') ||
                          (text.p[i] >= 'A' && text.p[i] <= 'Z') ||
                          (i > 0 && text.p[i] >= '0' && text.p[i] <= '9')))
        i++;
    return i > 0 && i < text.n && text.p[i] == '=';
}

static bool is_keyword(struct sdw_str text)
{
    static const char *const keywords[] = {"if",    "then", "else", "elif", "fi", "do",
                                           "done",  "case", "esac", "for",  "in", "while",
                                           "until", "!",    "{",    "}"};
    for (size_t k = 0; k < SDW_LEN(keywords); k++)
        if (sdw_str_is(text, keywords[k]))
            return true;
    return false;
}

/* What is known of the place where the next word stands. */
struct place {
    bool command;  /* a command is still to be named */
    bool redirect; /* a redirection wants its operand */
};

static void note_word(struct sdw_words *words, struct sdw_str line, struct sdw_word word,
                      struct place *place)
{
    struct sdw_str text = {line.p + word.at, word.n};
    if (word.kind == SDW_REDIRECT || word.kind == SDW_HEREDOC) {
        place->redirect = true;
    } else if (word.kind != SDW_WORD) {
        *place = (struct place){.command = true};
    } else if (place->redirect) {
        word.redirect = true;
        place->redirect = false;
    } else if (place->command && is_keyword(text)) {
        word.keyword = true;
    } else if (place->command && !is_assignment(text)) {
        word.command = true;
        place->command = false;
    }
    SDW_GROW(words->word, words->cap, words->n + 1);
    words->word[words->n++] = word;
}

void sdw_words_split(struct sdw_words *words, struct sdw_str line)
{
    struct cutter c = {.line = line};
    struct place place = {.command = true};
    words->n = 0;
    words->comment = false;
    while (c.i < line.n) {
        struct sdw_word word = {.at = c.i, .kind = SDW_WORD};
        if (is_blank(line.p[c.i])) {
            c.i++;
            continue;
        }
        if (line.p[c.i] == '#') {
            words->comment = true;
            break;
        }
        word.n = operator_at(&c, &word.kind);
        c.i += word.n;
        enum sdw_word_kind after = SDW_WORD;
        while (word.kind == SDW_WORD && c.i < line.n && !is_blank(line.p[c.i]) &&
               operator_at(&c, &after) == 0)
            skip_part(&c);
        if (c.i > line.n)
            c.i = line.n;
        word.n = c.i - word.at;
        bool descriptor = word.kind == SDW_WORD && after == SDW_REDIRECT &&
                          all_digits((struct sdw_str){line.p + word.at, word.n});
        if (descriptor) {
            enum sdw_word_kind kind = SDW_REDIRECT;
            c.i += operator_at(&c, &kind);
            word.kind = kind;
            word.n = c.i - word.at;
        }
        note_word(words, line, word, &place);
    }
    words->end = c.end;
}

void sdw_words_release(struct sdw_words *words)
{
    free(words->word);
    *words = (struct sdw_words){0};
}

void sdw_word_plain(struct sdw_str word, struct sdw_buf *out)
{
    char quote = '\0';
    for (size_t i = 0; i < word.n; i++) {
        char c = word.p[i];
        if (c == quote) {
            quote = '\0';
        } else if (!quote && (c == '\'' || c == '"')) {
            quote = c;
        } else if (c == '\\' && quote != '\'' && i + 1 < word.n) {
            char next = word.p[++i];
            if (quote == '"' && !strchr("\"\\$`", next))
                sdw_buf_char(out, c);
            sdw_buf_char(out, next);
        } else {
            sdw_buf_char(out, c);
        }
    }
}
