/* The man page, in mdoc(7). Lines @SECTION@ are where man/page.awk puts what is written by hand. */
#include "io/optgen.h"

#include "io/optconf.h"
#include "io/optvalue.h"

/* Text on lines of its own: no blank lines, no line that looks like a request. */
static void put_text(struct sdw_buf *out, const char *text)
{
    bool begins = true;
    for (; *text; text++) {
        if (begins && (*text == '.' || *text == '\''))
            sdw_buf_text(out, "\\&");
        if (*text == '\\')
            sdw_buf_text(out, "\\e");
        else
            sdw_buf_char(out, *text);
        begins = *text == '\n';
    }
}

static void put_section(struct sdw_buf *out, const char *title)
{
    sdw_buf_printf(out, ".Sh %s\n", title);
}

static void put_synopsis_options(struct sdw_buf *out, const struct sdw_option *options)
{
    for (; options && options->name; options++) {
        if (!options->help)
            continue;
        if (options->letter)
            sdw_buf_printf(out, ".Op Fl %c", options->letter);
        else
            sdw_buf_printf(out, ".Op Fl -%s", options->name);
        if (options->arg)
            sdw_buf_printf(out, " Ar %s", options->arg);
        sdw_buf_char(out, '\n');
    }
}

static void put_operands(struct sdw_buf *out, const struct sdw_operand *operands)
{
    for (; operands && operands->name; operands++)
        sdw_buf_printf(out, "%s %s%s\n", operands->optional ? ".Op Ar" : ".Ar", operands->name,
                       operands->many ? " ..." : "");
}

static void put_synopsis(struct sdw_buf *out, const struct sdw_tool *tool)
{
    const struct sdw_command *command = tool->command;
    put_section(out, "SYNOPSIS");
    if (command->run || !command->subs) {
        sdw_buf_text(out, ".Nm\n");
        put_synopsis_options(out, command->options);
        put_operands(out, command->operands);
    }
    for (const struct sdw_command *sub = command->subs; sub && sub->name; sub++) {
        sdw_buf_printf(out, ".Nm\n.Cm %s\n", sub->name);
        put_synopsis_options(out, sub->options);
        put_operands(out, sub->operands);
    }
}

/* What the option does, its values and its default, as one sentence. */
static void put_explanation(struct sdw_buf *out, const struct sdw_option *option)
{
    struct sdw_buf text = {0};
    char least[32];
    sdw_buf_text(&text, option->help);
    if (text.p[0] >= 'a' && text.p[0] <= 'z')
        text.p[0] = (char)(text.p[0] - 'a' + 'A');
    put_text(out, text.p);
    sdw_buf_release(&text);
    for (size_t i = 0; option->values && option->values[i]; i++)
        sdw_buf_printf(out, "%s%s", i ? ", " : ":\n", option->values[i]);
    sdw_buf_text(out, ".\n");
    if (option->kind == SDW_OPT_ACT)
        sdw_buf_text(out,
                     "It counts on the command line only, not in the environment or a file.\n");
    if (option->def && option->def[0])
        sdw_buf_printf(out, "The default is\n.Ql %s .\n", option->def);
    if (sdw_opt_least(option, least))
        sdw_buf_printf(out, "The least is\n.Ql %s .\n", least);
}

static void put_options(struct sdw_buf *out, const struct sdw_option *options)
{
    if (!options || !options->name)
        return;
    sdw_buf_text(out, ".Bl -tag -width Ds\n");
    for (; options->name; options++) {
        if (!options->help)
            continue;
        sdw_buf_text(out, ".It ");
        if (options->letter)
            sdw_buf_printf(out, "Fl %c , ", options->letter);
        sdw_buf_printf(out, "Fl -%s", options->name);
        if (options->arg)
            sdw_buf_printf(out, " Ar %s", options->arg);
        sdw_buf_char(out, '\n');
        put_explanation(out, options);
    }
    sdw_buf_text(out, ".El\n");
}

static void put_operand_list(struct sdw_buf *out, const struct sdw_operand *operands)
{
    if (!operands || !operands->name)
        return;
    sdw_buf_text(out, ".Bl -tag -width Ds\n");
    for (; operands->name; operands++) {
        sdw_buf_printf(out, ".It Ar %s\n", operands->name);
        put_text(out, operands->help);
        sdw_buf_text(out, ".\n");
    }
    sdw_buf_text(out, ".El\n");
}

static void put_commands(struct sdw_buf *out, const struct sdw_command *subs)
{
    if (!subs || !subs->name)
        return;
    put_section(out, "COMMANDS");
    sdw_buf_text(out, ".Bl -tag -width Ds\n");
    for (; subs->name; subs++) {
        sdw_buf_printf(out, ".It Cm %s\n", subs->name);
        put_text(out, subs->help);
        sdw_buf_text(out, ".\n");
        put_operand_list(out, subs->operands);
        put_options(out, subs->options);
    }
    sdw_buf_text(out, ".El\n");
}

static void put_all_options(struct sdw_buf *out, const struct sdw_tool *tool)
{
    put_section(out, "OPTIONS");
    put_operand_list(out, tool->command->operands);
    put_options(out, tool->command->options);
    if (tool->command->options || tool->command->operands)
        sdw_buf_text(out, ".Pp\n");
    sdw_buf_text(out, "Options of every tool:\n");
    put_options(out, sdw_common_options);
    sdw_buf_text(out, ".Pp\n"
                      "Durations are written\n.Ql 250ms , 15m , 1h ;\n"
                      "rates\n.Ql 500k , 10M , 2.5Gbit\n"
                      "(bit/s, decimal); sizes\n.Ql 1500 , 3M , 64Ki\n"
                      "(bytes); shares\n.Ql 5%\nor\n.Ql 0.05 .\n");
}

static void put_environment(struct sdw_buf *out)
{
    put_section(out, "ENVIRONMENT");
    sdw_buf_text(out,
                 ".Bl -tag -width Ds\n"
                 ".It Ev SHADOW_OPTION\n"
                 "The value of the option of that name, such as\n"
                 ".Ev SHADOW_FORMAT\n"
                 "for\n.Fl -format .\n"
                 "A flag on the command line wins over the environment, and this over the files.\n"
                 ".It Ev NO_COLOR\n"
                 "When not empty, no colour unless\n.Fl -color Cm always .\n"
                 "@ENVIRONMENT@\n"
                 ".El\n");
    put_section(out, "FILES");
    sdw_buf_printf(out,
                   ".Bl -tag -width Ds\n"
                   ".It Pa $XDG_CONFIG_HOME/shadow-tools/config\n"
                   "Values of options, one a line:\n"
                   ".Ql option = value ,\n"
                   "or\n.Ql tool.option = value\n"
                   "for one tool alone.\n"
                   ".It Pa %s\n"
                   "The same for the whole machine; the user's file wins over it.\n"
                   "@FILES@\n"
                   ".El\n",
                   SDW_SYSTEM_CONFIG);
}

static void put_statuses(struct sdw_buf *out)
{
    put_section(out, "EXIT STATUS");
    sdw_buf_text(out, ".Bl -tag -width 128+n -compact\n");
    for (const struct sdw_exit_status *s = sdw_exit_statuses; s->status; s++)
        sdw_buf_printf(out, ".It %s\n%s\n", s->status, s->meaning);
    sdw_buf_text(out, ".El\n");
}

static void put_examples(struct sdw_buf *out, const struct sdw_example *examples)
{
    if (!examples || !examples->say)
        return;
    put_section(out, "EXAMPLES");
    for (bool first = true; examples->say; examples++, first = false) {
        if (!first)
            sdw_buf_text(out, ".Pp\n");
        put_text(out, examples->say);
        sdw_buf_text(out, ":\n.Bd -literal -offset indent\n");
        put_text(out, examples->command);
        sdw_buf_text(out, "\n.Ed\n");
    }
}

void sdw_optgen_mdoc(const struct sdw_tool *tool, const struct sdw_command *command,
                     struct sdw_buf *out)
{
    (void)command;
    sdw_buf_text(out, ".Dd @DATE@\n.Dt ");
    for (const char *p = tool->name; *p; p++)
        sdw_buf_char(out, *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p);
    sdw_buf_text(out, " 1\n.Os\n");
    put_section(out, "NAME");
    sdw_buf_printf(out, ".Nm %s\n.Nd %s\n", tool->name, tool->summary);
    put_synopsis(out, tool);
    put_section(out, "DESCRIPTION");
    sdw_buf_text(out, "@DESCRIPTION@\n");
    put_commands(out, tool->command->subs);
    put_all_options(out, tool);
    sdw_buf_text(out, "@OTHER SECTIONS@\n");
    put_environment(out);
    put_statuses(out);
    put_examples(out, tool->examples);
    sdw_buf_text(out, "@LAST SECTIONS@\n");
}
