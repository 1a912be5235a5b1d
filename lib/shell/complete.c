#include "shell/complete.h"
#include "core/mem.h"
#include "rec/rec.h"
#include "shell/builtin.h"
#include "shell/spec.h"
#include "shell/words.h"

#include <dirent.h>
#include <stdlib.h>

/* What is known of the place to complete. */
struct place {
    struct sdw_completion *to;
    struct sdw_tools *tools;
    struct sdw_str line;
    struct sdw_str fragment; /* to complete */
    struct sdw_str word;     /* the shell word that it ends, empty between words */
    struct sdw_words words;
    size_t before;  /* words before that one */
    size_t command; /* index of the stage's command; SIZE_MAX: it is being typed */
    bool file;      /* the operand of a redirection */
    sdw_hosts_seen *hosts;
};

static struct sdw_str text_of(const struct place *at, size_t i)
{
    const struct sdw_word *word = &at->words.word[i];
    return (struct sdw_str){at->line.p + word->at, word->n};
}

static void offer(struct place *at, struct sdw_str text)
{
    struct sdw_completion *to = at->to;
    if (text.n < at->fragment.n || memcmp(text.p, at->fragment.p, at->fragment.n) != 0)
        return;
    for (size_t i = 0; i < to->n; i++)
        if (sdw_str_is(text, to->candidate[i]))
            return;
    SDW_GROW(to->candidate, to->cap, to->n + 1);
    to->candidate[to->n++] = sdw_xstrndup(text.p, text.n);
}

static void offer_text(struct place *at, const char *text)
{
    if (text)
        offer(at, sdw_str_of(text));
}

static void offer_strings(struct place *at, const struct sdw_json *array, const char *key)
{
    for (size_t i = 0; array && i < sdw_json_len(array); i++) {
        const struct sdw_json *one = sdw_json_at(array, i);
        offer_text(at, sdw_json_text(key ? sdw_json_get(one, key) : one));
    }
}

static void offer_commands(struct place *at)
{
    for (size_t i = 0; i < at->tools->n; i++)
        offer_text(at, at->tools->entry[i].name);
    if (at->before == 0)
        for (const struct sdw_builtin *b = sdw_builtins; b->name; b++)
            offer_text(at, b->name);
    offer_text(at, "jq");
}

static void offer_types(struct place *at)
{
    for (const struct sdw_schema *const *s = sdw_schemas; *s; s++)
        offer_text(at, (*s)->type);
}

/* Field names, with what stands before them. */
static void offer_fields(struct place *at, const char *before)
{
    struct sdw_buf name = {0};
    static const char *const heads[] = {"type", "ts"};
    for (size_t i = 0; i < SDW_LEN(heads); i++) {
        sdw_buf_clear(&name);
        sdw_buf_printf(&name, "%s%s", before, heads[i]);
        offer(at, sdw_buf_view(&name));
    }
    for (const struct sdw_schema *const *s = sdw_schemas; *s; s++)
        for (const struct sdw_field *f = (*s)->fields; f->key; f++) {
            sdw_buf_clear(&name);
            sdw_buf_printf(&name, "%s%s", before, f->key);
            offer(at, sdw_buf_view(&name));
        }
    sdw_buf_release(&name);
    at->to->unended = true;
}

/* The strings that fields called `key` may have. */
static void offer_field_values(struct place *at, struct sdw_str key)
{
    if (sdw_str_is(key, "type"))
        offer_types(at);
    for (const struct sdw_schema *const *s = sdw_schemas; *s; s++)
        for (const struct sdw_field *f = (*s)->fields; f->key; f++)
            for (const char *const *v = f->values; v && *v && sdw_str_is(key, f->key); v++)
                offer_text(at, *v);
}

static bool offer_host(void *arg, const char *host)
{
    offer_text(arg, host);
    return true;
}

static void offer_interfaces(struct place *at)
{
    DIR *listing = opendir("/sys/class/net");
    for (struct dirent *one; listing && (one = readdir(listing));)
        if (one->d_name[0] != '.')
            offer_text(at, one->d_name);
    if (listing)
        closedir(listing);
}

static void offer_hosts(struct place *at)
{
    if (at->hosts)
        at->hosts(offer_host, at);
}

static void offer_condition(struct place *at)
{
    size_t key = 0;
    while (key < at->word.n && !strchr("=!<>~", at->word.p[key]))
        key++;
    if (key < at->word.n)
        offer_field_values(at, (struct sdw_str){at->word.p, key});
    else
        offer_fields(at, "");
}

static void offer_tool_names(struct place *at)
{
    for (size_t i = 0; i < at->tools->n; i++)
        offer_text(at, at->tools->entry[i].name);
}

/* What a table means by its "complete" word. */
static void offer_kind(struct place *at, const char *kind)
{
    static const struct {
        const char *kind;
        void (*offer)(struct place *at);
    } kinds[] = {
        {"host", offer_hosts},      {"interface", offer_interfaces}, {"type", offer_types},
        {"field", offer_condition}, {"tool", offer_tool_names},      {"command", offer_commands},
    };
    for (size_t i = 0; kind && i < SDW_LEN(kinds); i++)
        if (strcmp(kind, kinds[i].kind) == 0) {
            kinds[i].offer(at);
            return;
        }
    at->to->files = !kind || strcmp(kind, "file") == 0 || strcmp(kind, "dir") == 0;
}

static void offer_value(struct place *at, const struct sdw_json *option)
{
    const struct sdw_json *values = sdw_json_get(option, "values");
    const char *kind = sdw_json_text(sdw_json_get(option, "complete"));
    if (values)
        offer_strings(at, values, NULL);
    else if (kind)
        offer_kind(at, kind);
}

/* The option whose value is being typed; NULL when none is. */
static const struct sdw_json *option_of_value(const struct place *at)
{
    const struct sdw_completion *to = at->to;
    const char *equals = at->word.n ? memchr(at->word.p, '=', at->word.n) : NULL;
    if (equals && at->word.p[0] == '-')
        return sdw_spec_option(to->tool, to->command,
                               (struct sdw_str){at->word.p, (size_t)(equals - at->word.p)});
    if (at->before <= at->command + 1)
        return NULL;
    const struct sdw_json *option =
        sdw_spec_option(to->tool, to->command, text_of(at, at->before - 1));
    return option && sdw_json_text(sdw_json_get(option, "arg")) ? option : NULL;
}

static void offer_option(void *arg, const struct sdw_json *option)
{
    struct sdw_buf name = {0};
    sdw_buf_printf(&name, "--%s", sdw_json_text(sdw_json_get(option, "name")));
    offer(arg, sdw_buf_view(&name));
    sdw_buf_release(&name);
}

static void offer_operand(struct place *at)
{
    const struct sdw_json *operands = sdw_json_get(at->to->command, "operands");
    size_t n = operands ? sdw_json_len(operands) : 0, given = 0;
    for (size_t i = at->command + 1; i < at->before; i++)
        given += at->words.word[i].kind == SDW_WORD && at->line.p[at->words.word[i].at] != '-';
    offer_strings(at, sdw_json_get(at->to->command, "commands"), "name");
    if (n)
        offer_kind(at, sdw_json_text(sdw_json_get(sdw_json_at(operands, given < n ? given : n - 1),
                                                  "complete")));
}

static void offer_arguments(struct place *at)
{
    const struct sdw_json *option = option_of_value(at);
    if (option)
        offer_value(at, option);
    else if (at->word.n && at->word.p[0] == '-')
        sdw_spec_each_option(at->to->tool, at->to->command, offer_option, at);
    else
        offer_operand(at);
}

/* In a program of jq: .field, or the text that a field is compared with. */
static void offer_jq(struct place *at)
{
    struct sdw_str before = {at->line.p, at->line.n - at->fragment.n};
    if (before.n && before.p[before.n - 1] == '"') {
        size_t end = before.n - 1, from;
        while (end && strchr("=! ", before.p[end - 1]))
            end--;
        for (from = end; from && before.p[from - 1] != '.' && before.p[from - 1] != ' ';)
            from--;
        offer_field_values(at, (struct sdw_str){before.p + from, end - from});
    } else if (at->fragment.n && at->fragment.p[0] == '.') {
        offer_fields(at, ".");
    } else {
        at->to->files = true;
    }
}

/* Fill in the place; false where nothing can be said. */
static bool find_place(struct place *at)
{
    sdw_words_split(&at->words, at->line);
    if (at->words.comment)
        return false;
    size_t n = at->words.n;
    bool typing = n && at->words.word[n - 1].kind == SDW_WORD &&
                  at->words.word[n - 1].at + at->words.word[n - 1].n == at->line.n;
    at->before = typing ? n - 1 : n;
    at->word = typing ? text_of(at, n - 1) : (struct sdw_str){at->line.p + at->line.n, 0};
    at->command = SIZE_MAX;
    at->file = (typing && at->words.word[n - 1].redirect) ||
               (!typing && n && at->words.word[n - 1].kind == SDW_REDIRECT);
    for (size_t i = 0; i < at->before; i++) {
        if (at->words.word[i].command)
            at->command = i;
        else if (at->words.word[i].kind > SDW_HEREDOC)
            at->command = SIZE_MAX;
    }
    return true;
}

/* The tool and the (sub-)command whose arguments stand at the place. */
static void find_tool(struct place *at)
{
    struct sdw_str words[32];
    size_t n = 0;
    at->to->tool = sdw_tools_find(at->tools, text_of(at, at->command));
    for (size_t i = at->command + 1; i < at->before && n < SDW_LEN(words); i++)
        words[n++] = text_of(at, i);
    if (at->to->tool)
        at->to->command = sdw_spec_command(at->to->tool, words, n);
}

void sdw_complete(struct sdw_completion *completion, struct sdw_tools *tools, struct sdw_str line,
                  size_t fragment, sdw_hosts_seen *hosts)
{
    *completion = (struct sdw_completion){0};
    struct place at = {.to = completion, .tools = tools, .line = line, .hosts = hosts};
    at.fragment = (struct sdw_str){line.p + line.n - fragment, fragment};
    if (find_place(&at)) {
        if (at.file)
            completion->files = true;
        else if (at.command == SIZE_MAX)
            offer_commands(&at);
        else if (find_tool(&at), completion->tool && completion->command)
            offer_arguments(&at);
        else if (sdw_str_is(text_of(&at, at.command), "jq"))
            offer_jq(&at);
        else
            completion->files = true;
    }
    sdw_words_release(&at.words);
}

void sdw_completion_release(struct sdw_completion *completion)
{
    for (size_t i = 0; i < completion->n; i++)
        free(completion->candidate[i]);
    free(completion->candidate);
    *completion = (struct sdw_completion){0};
}

static void explain_commands(struct sdw_tools *tools, struct sdw_str begin, struct sdw_buf *out)
{
    for (size_t i = 0; i < tools->n; i++)
        if (strncmp(tools->entry[i].name, begin.p, begin.n) == 0)
            sdw_buf_printf(out, "  %-12s %s\n", tools->entry[i].name,
                           sdw_spec_summary(&tools->entry[i]));
    for (const struct sdw_builtin *b = sdw_builtins; b->name; b++)
        if (strncmp(b->name, begin.p, begin.n) == 0)
            sdw_buf_printf(out, "  %-12s %s\n", b->name, b->help);
}

static void explain_option(const struct sdw_json *option, struct sdw_buf *out)
{
    const char *arg = sdw_json_text(sdw_json_get(option, "arg"));
    const char *help = sdw_json_text(sdw_json_get(option, "help"));
    const char *kind = sdw_json_text(sdw_json_get(option, "kind"));
    const struct sdw_json *values = sdw_json_get(option, "values");
    sdw_buf_printf(out, "  %-12s %s", arg ? arg : "", help ? help : "");
    if (values)
        for (size_t i = 0; i < sdw_json_len(values); i++)
            sdw_buf_printf(out, "%s%s", i ? ", " : ": ", sdw_json_text(sdw_json_at(values, i)));
    else if (kind)
        sdw_buf_printf(out, " (%s)", kind);
    sdw_buf_char(out, '\n');
}

bool sdw_complete_explain(struct sdw_tools *tools, struct sdw_str line, struct sdw_buf *out)
{
    struct sdw_completion completion = {0};
    struct place at = {.to = &completion, .tools = tools, .line = line};
    bool explained = find_place(&at) && at.words.end == SDW_ENDS_WELL && !at.file;
    bool option = at.word.n && at.word.p[0] == '-';
    if (explained && at.command == SIZE_MAX) {
        explain_commands(tools, at.word, out);
    } else if (explained && (option || at.word.n == 0)) {
        find_tool(&at);
        const struct sdw_json *value =
            completion.tool && completion.command ? option_of_value(&at) : NULL;
        if (value)
            explain_option(value, out);
        else if (completion.tool)
            sdw_spec_describe(completion.tool, completion.command, at.word, out);
        else
            explained = false;
    } else {
        explained = false;
    }
    sdw_words_release(&at.words);
    return explained;
}
