#include "io/optgen_complete.h"

/* In a description of _arguments: brackets and colons are its own syntax. */
static void put_help(struct sdw_buf *out, const char *text)
{
    sdw_complete_quote(out, text, "[]:\\");
}

/* ":NAME:ACTION"; nothing: the action where there is nothing to complete with. */
static void put_action(struct sdw_buf *out, const char *name, const char *complete,
                       const char *nothing)
{
    const struct sdw_completer *completer = sdw_completer_find(complete);
    sdw_buf_char(out, ':');
    put_help(out, name);
    sdw_buf_char(out, ':');
    sdw_complete_quote(out, completer ? completer->zsh : nothing, ":");
}

static void put_option(struct sdw_buf *out, const struct sdw_option *option)
{
    bool flag = sdw_opt_is_flag(option);
    bool repeats = option->kind == SDW_OPT_LIST;
    sdw_buf_text(out, " \\\n        '");
    if (repeats)
        sdw_buf_char(out, '*');
    else if (option->letter)
        sdw_buf_printf(out, "(-%c --%s)", option->letter, option->name);
    if (option->letter)
        sdw_buf_printf(out, "'{-%c%s,--%s%s}'[", option->letter, flag ? "" : "+", option->name,
                       flag ? "" : "=");
    else
        sdw_buf_printf(out, "--%s%s[", option->name, flag ? "" : "=");
    put_help(out, option->help);
    sdw_buf_char(out, ']');
    if (option->values) {
        sdw_buf_char(out, ':');
        put_help(out, option->arg);
        sdw_buf_text(out, ":(");
        sdw_complete_values(out, option);
        sdw_buf_char(out, ')');
    } else if (!flag) {
        put_action(out, option->arg, option->complete, " ");
    }
    sdw_buf_char(out, '\'');
}

static void put_options(struct sdw_buf *out, const struct sdw_option *options)
{
    for (; options && options->name; options++)
        if (options->help)
            put_option(out, options);
}

static void put_operands(struct sdw_buf *out, const struct sdw_operand *operands)
{
    for (; operands && operands->name; operands++) {
        bool command = operands->complete && strcmp(operands->complete, "command") == 0;
        sdw_buf_printf(out, " \\\n        '%s%s", operands->many ? "*" : "", command ? "::" : "");
        if (!operands->many && operands->optional)
            sdw_buf_char(out, ':');
        put_action(out, operands->name, operands->complete, "()"); /* " " would hide options */
        sdw_buf_char(out, '\'');
    }
}

static void put_arguments(struct sdw_buf *out, const struct sdw_command *command)
{
    sdw_buf_text(out, "    _arguments -s -S");
    put_options(out, command->options);
    put_options(out, sdw_common_options);
    put_operands(out, command->operands);
    sdw_buf_char(out, '\n');
}

/* What the first word may be: a sub-command, or a tool. */
static void put_choices(struct sdw_buf *out, const struct sdw_tool *tool)
{
    sdw_buf_text(out, "    local -a choices=(\n");
    for (const struct sdw_command *sub = tool->command->subs; sub->name; sub++) {
        sdw_buf_printf(out, "        '%s:", sub->name);
        sdw_complete_quote(out, sub->help, ":\\");
        sdw_buf_text(out, "'\n");
    }
    sdw_buf_text(out, "    )\n");
    if (sdw_complete_runs_tools(tool))
        sdw_buf_printf(out, "    choices+=%s\n", sdw_completer_find("tool")->zsh);
}

/* With sub-commands the first word chooses what completes the rest. */
static void put_commands(struct sdw_buf *out, const struct sdw_tool *tool)
{
    const struct sdw_command *root = tool->command;
    sdw_buf_text(out, "    local context curcontext=\"$curcontext\" state line\n"
                      "    typeset -A opt_args\n");
    put_choices(out, tool);
    sdw_buf_text(out, "    _arguments -C -s -S -A '-*'");
    put_options(out, root->options);
    put_options(out, sdw_common_options);
    sdw_buf_text(out, " \\\n        '1:command:->command' \\\n"
                      "        '*::argument:->argument'\n"
                      "    [[ $state == command ]] && _describe command choices\n"
                      "    [[ $state == argument ]] || return\n"
                      "    case $line[1] in\n");
    for (const struct sdw_command *sub = root->subs; sub->name; sub++) {
        sdw_buf_printf(out, "    (%s)\n", sub->name);
        put_arguments(out, sub);
        sdw_buf_text(out, "    ;;\n");
    }
    if (sdw_complete_runs_tools(tool))
        sdw_buf_text(out, "    (*)\n"
                          "    words[1]=shadow-$words[1]\n"
                          "    _normal\n"
                          "    ;;\n");
    sdw_buf_text(out, "    esac\n");
}

void sdw_optgen_zsh(const struct sdw_tool *tool, const struct sdw_command *command,
                    struct sdw_buf *out)
{
    (void)command;
    sdw_buf_printf(out, "#compdef %s\n# generated from its command table\n_", tool->name);
    sdw_complete_function(out, tool);
    sdw_buf_text(out, "()\n{\n");
    if (tool->command->subs)
        put_commands(out, tool);
    else
        put_arguments(out, tool->command);
    sdw_buf_text(out, "}\n_");
    sdw_complete_function(out, tool);
    sdw_buf_text(out, " \"$@\"\n");
}
