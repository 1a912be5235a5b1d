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
        } else if (!sdw_opt_is_flag(options)) {
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

/* A function that prints the command line of the tool that is run, and fails where there is none
 * yet; that line's own completion completes it. */
static void put_delegate(struct sdw_buf *out, const struct sdw_tool *tool)
{
    const struct sdw_command *root = tool->command;
    struct sdw_buf name = {0};
    sdw_buf_text(&name, "__");
    sdw_complete_function(&name, tool);
    sdw_buf_text(&name, "_tool_line");
    sdw_buf_printf(out,
                   "function %s\n"
                   "    set -l words (commandline -opc)\n"
                   "    set -e words[1]\n"
                   "    while string match -q -- '-*' \"$words[1]\"\n"
                   "        contains -- $words[1] ",
                   name.p);
    sdw_complete_valued(out, root, " ");
    sdw_buf_text(out, "; and set -e words[1]\n"
                      "        set -e words[1]\n"
                      "    end\n"
                      "    set -q words[1]; and not contains -- $words[1] ");
    sdw_complete_subs(out, root->subs, " ");
    sdw_buf_text(out, "; or return 1\n"
                      "    echo shadow-(string join -- ' ' (string escape -- $words)) "
                      "(commandline -ct)\n"
                      "end\n");
    sdw_buf_printf(out, "complete -c %s -n '%s >/dev/null' -a '(complete -C (%s))'\n", tool->name,
                   name.p, name.p);
    sdw_buf_release(&name);
}

void sdw_optgen_fish(const struct sdw_tool *tool, const struct sdw_command *command,
                     struct sdw_buf *out)
{
    const struct sdw_command *root = tool->command;
    const char *at_root = root->subs ? "__fish_use_subcommand" : NULL;
    (void)command;
    sdw_buf_printf(out, "# fish completion of %s, generated from its command table\n", tool->name);
    sdw_buf_printf(out, "complete -c %s -f\n", tool->name);
    if (sdw_complete_runs_tools(tool))
        put_delegate(out, tool);
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
