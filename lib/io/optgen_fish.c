#include "io/optgen_complete.h"

/* The beginning of each line: which tool, and under which sub-command. */
static void put_start(struct sdw_buf *out, const struct sdw_tool *tool, const char *condition)
{
    sdw_buf_printf(out, "complete -c %s", tool->name);
    if (condition)
        sdw_buf_printf(out, " -n '%s'", condition);
}

static void put_help(struct sdw_buf *out, const char *help)
{
    sdw_buf_text(out, " -d '");
    for (; *help; help++) {
        if (*help == '\'' || *help == '\\')
            sdw_buf_char(out, '\\');
        sdw_buf_char(out, *help);
    }
    sdw_buf_text(out, "'\n");
}

static void put_options(struct sdw_buf *out, const struct sdw_tool *tool, const char *condition,
                        const struct sdw_option *options)
{
    for (; options && options->name; options++) {
        const struct sdw_completer *completer = sdw_completer_find(options->complete);
        if (!options->help)
            continue;
        put_start(out, tool, condition);
        if (options->letter)
            sdw_buf_printf(out, " -s %c", options->letter);
        sdw_buf_printf(out, " -l %s", options->name);
        if (options->values) {
            sdw_buf_text(out, " -x -a '");
            sdw_complete_values(out, options);
            sdw_buf_char(out, '\'');
        } else if (completer) {
            sdw_buf_printf(out, " -r %s", completer->fish);
        } else if (options->kind != SDW_OPT_FLAG) {
            sdw_buf_text(out, " -x");
        }
        put_help(out, options->help);
    }
}

static void put_operands(struct sdw_buf *out, const struct sdw_tool *tool, const char *condition,
                         const struct sdw_operand *operands)
{
    for (; operands && operands->name; operands++) {
        const struct sdw_completer *completer = sdw_completer_find(operands->complete);
        if (!completer)
            continue;
        put_start(out, tool, condition);
        sdw_buf_printf(out, " %s", completer->fish);
        put_help(out, operands->help);
    }
}

void sdw_optgen_fish(const struct sdw_tool *tool, const struct sdw_command *command,
                     struct sdw_buf *out)
{
    const struct sdw_command *root = tool->command;
    const char *at_root = root->subs ? "__fish_use_subcommand" : NULL;
    (void)command;
    sdw_buf_printf(out, "# fish completion of %s, generated from its command table\n", tool->name);
    sdw_buf_printf(out, "complete -c %s -f\n", tool->name);
    put_options(out, tool, at_root, root->options);
    put_options(out, tool, NULL, sdw_common_options);
    put_operands(out, tool, at_root, root->operands);
    for (const struct sdw_command *sub = root->subs; sub && sub->name; sub++) {
        struct sdw_buf condition = {0};
        put_start(out, tool, at_root);
        sdw_buf_printf(out, " -a %s", sub->name);
        put_help(out, sub->help);
        sdw_buf_printf(&condition, "__fish_seen_subcommand_from %s", sub->name);
        put_options(out, tool, condition.p, sub->options);
        put_operands(out, tool, condition.p, sub->operands);
        sdw_buf_release(&condition);
    }
}
