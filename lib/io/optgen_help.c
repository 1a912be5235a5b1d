#include "io/optgen.h"
#include "io/optvalue.h"

#include <stdlib.h>

enum { INDENT = 2, HELP_COLUMN = 28, MIN_WIDTH = 40, DEFAULT_WIDTH = 80, MAX_WIDTH = 120 };

static size_t help_width(void)
{
    const char *columns = getenv("COLUMNS");
    long width = columns ? strtol(columns, NULL, 10) : DEFAULT_WIDTH;
    if (width < MIN_WIDTH)
        return DEFAULT_WIDTH;
    return width < MAX_WIDTH ? (size_t)width : MAX_WIDTH;
}

static void put_spaces(struct sdw_buf *out, size_t n)
{
    while (n--)
        sdw_buf_char(out, ' ');
}

/* Text broken at blanks to end before `width`; it begins at column `at`, later lines at indent. */
static void put_wrapped(struct sdw_buf *out, const char *text, size_t at, size_t indent,
                        size_t width)
{
    bool first = true;
    while (*text) {
        size_t n = strcspn(text, " ");
        if (!first && at + 1 + n > width) {
            sdw_buf_char(out, '\n');
            put_spaces(out, indent);
            at = indent;
        } else if (!first) {
            sdw_buf_char(out, ' ');
            at++;
        }
        sdw_buf_add(out, text, n);
        at += n;
        text += n;
        text += strspn(text, " ");
        first = false;
    }
    sdw_buf_char(out, '\n');
}

/* A left part, and its explanation in the column for it. */
static void put_pair(struct sdw_buf *out, const char *left, const char *text)
{
    size_t used = INDENT + strlen(left);
    put_spaces(out, INDENT);
    sdw_buf_text(out, left);
    if (used + 2 > HELP_COLUMN) {
        sdw_buf_char(out, '\n');
        used = 0;
    }
    put_spaces(out, HELP_COLUMN - used);
    put_wrapped(out, text, HELP_COLUMN, HELP_COLUMN, help_width());
}

static void put_option(struct sdw_buf *out, const struct sdw_option *option)
{
    struct sdw_buf left = {0}, text = {0};
    char least[32] = "";
    if (option->letter)
        sdw_buf_printf(&left, "-%c, --%s", option->letter, option->name);
    else
        sdw_buf_printf(&left, "    --%s", option->name);
    if (option->arg)
        sdw_buf_printf(&left, " %s", option->arg);
    sdw_buf_text(&text, option->help);
    for (size_t i = 0; option->values && option->values[i]; i++)
        sdw_buf_printf(&text, "%s%s", i ? ", " : ": ", option->values[i]);
    if (option->def)
        sdw_buf_printf(&text, " (default %s", option->def);
    if (sdw_opt_least(option, least))
        sdw_buf_printf(&text, "%sat least %s", option->def ? ", " : " (", least);
    sdw_buf_text(&text, option->def || least[0] ? ")" : "");
    put_pair(out, left.p, text.p);
    sdw_buf_release(&left);
    sdw_buf_release(&text);
}

static void put_options(struct sdw_buf *out, const char *title, const struct sdw_option *options)
{
    if (!options || !options->name)
        return;
    sdw_buf_printf(out, "\n%s:\n", title);
    for (; options->name; options++)
        if (options->help)
            put_option(out, options);
}

static void put_operands(struct sdw_buf *out, const struct sdw_operand *operands)
{
    if (!operands || !operands->name)
        return;
    sdw_buf_text(out, "\nOperands:\n");
    for (; operands->name; operands++)
        put_pair(out, operands->name, operands->help);
}

static void put_subs(struct sdw_buf *out, const struct sdw_tool *tool,
                     const struct sdw_command *subs)
{
    if (!subs || !subs->name)
        return;
    sdw_buf_text(out, "\nCommands:\n");
    for (; subs->name; subs++)
        put_pair(out, subs->name, subs->help);
    sdw_buf_printf(out, "%s COMMAND --help says more about one.\n", tool->name);
}

static void put_statuses(struct sdw_buf *out)
{
    sdw_buf_text(out, "\nExit status:\n");
    for (const struct sdw_exit_status *s = sdw_exit_statuses; s->status; s++)
        put_pair(out, s->status, s->meaning);
}

static void put_examples(struct sdw_buf *out, const struct sdw_example *examples)
{
    if (!examples || !examples->say)
        return;
    sdw_buf_text(out, "\nExamples:\n");
    for (; examples->say; examples++) {
        put_spaces(out, INDENT);
        put_wrapped(out, examples->say, INDENT, INDENT, help_width());
        sdw_buf_printf(out, "    %s\n", examples->command);
    }
}

void sdw_optgen_help(const struct sdw_tool *tool, const struct sdw_command *command,
                     struct sdw_buf *out)
{
    bool whole = command == tool->command;
    struct sdw_buf title = {0};
    if (whole)
        sdw_buf_printf(&title, "%s: %s", tool->name, tool->summary);
    else
        sdw_buf_printf(&title, "%s %s: %s", tool->name, command->name, command->help);
    put_wrapped(out, title.p, 0, INDENT, help_width());
    sdw_buf_release(&title);
    sdw_optgen_usage(tool, command, out);
    put_operands(out, command->operands);
    put_subs(out, tool, command->subs);
    put_options(out, "Options", command->options);
    put_options(out, "Options of every tool", sdw_common_options);
    if (whole) {
        put_statuses(out);
        put_examples(out, tool->examples);
    }
}
