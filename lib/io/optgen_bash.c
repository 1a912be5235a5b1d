#include "io/optgen_complete.h"

/* The alternatives of a case branch: "up/--seed | up/-s", or any command. */
static void put_pattern(struct sdw_buf *out, const char *command, const struct sdw_option *option)
{
    sdw_buf_printf(out, "    %s/--%s", command, option->name);
    if (option->letter)
        sdw_buf_printf(out, " | %s/-%c", command, option->letter);
    sdw_buf_text(out, ")\n");
}

/* What to offer; then the function is done. */
static void put_offer(struct sdw_buf *out, const char *indent, const char *arguments, bool files)
{
    if (files)
        sdw_buf_printf(out, "%scompopt -o filenames 2>/dev/null\n", indent);
    sdw_buf_printf(out, "%smapfile -t COMPREPLY < <(compgen %s -- \"$cur\")\n", indent, arguments);
}

static bool is_path(const char *complete)
{
    return complete && (strcmp(complete, "file") == 0 || strcmp(complete, "dir") == 0);
}

/* A branch for each option that takes a value. */
static void put_values(struct sdw_buf *out, const char *command, const struct sdw_option *options)
{
    for (; options && options->name; options++) {
        const struct sdw_completer *completer = sdw_completer_find(options->complete);
        if (sdw_opt_is_flag(options) || !options->help)
            continue;
        put_pattern(out, command, options);
        if (options->values) {
            struct sdw_buf words = {0};
            sdw_buf_text(&words, "-W '");
            sdw_complete_values(&words, options);
            sdw_buf_text(&words, "'");
            put_offer(out, "        ", words.p, false);
            sdw_buf_release(&words);
        } else if (completer) {
            put_offer(out, "        ", completer->bash, is_path(options->complete));
        }
        sdw_buf_text(out, "        return\n        ;;\n");
    }
}

static void put_words(struct sdw_buf *out, const struct sdw_option *options)
{
    for (; options && options->name; options++) {
        if (!options->help)
            continue;
        if (options->letter)
            sdw_buf_printf(out, "-%c ", options->letter);
        sdw_buf_printf(out, "--%s ", options->name);
    }
}

/* The branch of one command: its options, its sub-commands and what its operands complete to. */
static void put_command(struct sdw_buf *out, const struct sdw_command *command, const char *name)
{
    sdw_buf_printf(out, "    '%s')\n        options='", name);
    put_words(out, command->options);
    sdw_buf_text(out, "'\n");
    if (command->subs) {
        sdw_buf_text(out, "        commands='");
        sdw_complete_subs(out, command->subs, " ");
        sdw_buf_text(out, "'\n");
    }
    const struct sdw_operand *operand = command->operands;
    const char *complete = operand ? operand->complete : NULL;
    for (; operand && operand->name; operand++)
        if (operand->complete && strcmp(operand->complete, "command") == 0)
            complete = operand->complete;
    const struct sdw_completer *completer = sdw_completer_find(complete);
    if (completer) {
        sdw_buf_text(out, "        if [[ $cur != -* ]]; then\n");
        put_offer(out, "            ", completer->bash, is_path(complete));
        sdw_buf_text(out, "        fi\n");
    }
    sdw_buf_text(out, "        ;;\n");
}

/* The first word that is no option: a sub-command, or a tool, which completes the rest itself. */
static void put_find_command(struct sdw_buf *out, const struct sdw_tool *tool)
{
    const struct sdw_command *root = tool->command;
    if (!root->subs)
        return;
    sdw_buf_text(out, "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
                      "        case ${COMP_WORDS[i]} in\n        ");
    sdw_complete_subs(out, root->subs, " | ");
    sdw_buf_text(out, ")\n            command=${COMP_WORDS[i]}\n            break\n"
                      "            ;;\n");
    if (sdw_complete_runs_tools(tool)) {
        sdw_buf_text(out, "        ");
        sdw_complete_valued(out, root, " | ");
        sdw_buf_text(out, ")\n            [[ ${COMP_WORDS[i + 1]} == '=' ]] && ((i++))\n"
                          "            ((i++))\n            ;;\n"
                          "        -*) ;;\n"
                          "        *)\n            _");
        sdw_complete_function(out, tool);
        sdw_buf_text(out, "_tool \"$i\"\n            return\n            ;;\n");
    }
    sdw_buf_text(out, "        esac\n    done\n");
}

/* A function that completes as the tool that word $1 names, by the file that lies beside. */
static void put_delegate(struct sdw_buf *out, const struct sdw_tool *tool)
{
    sdw_buf_char(out, '_');
    sdw_complete_function(out, tool);
    sdw_buf_text(out, "_tool()\n{\n"
                      "    local tool=shadow-${COMP_WORDS[$1]} file\n"
                      "    local COMP_CWORD=$((COMP_CWORD - $1))"
                      " COMP_WORDS=(\"$tool\" \"${COMP_WORDS[@]:$1 + 1}\")\n"
                      "    file=${BASH_SOURCE[0]%/*}/$tool\n"
                      "    if ! declare -F \"_${tool//-/_}\" >/dev/null && [[ -r $file ]]; then\n"
                      "        # shellcheck disable=SC1090\n"
                      "        source \"$file\"\n"
                      "    fi\n"
                      "    if declare -F \"_${tool//-/_}\" >/dev/null; then\n"
                      "        \"_${tool//-/_}\"\n"
                      "    fi\n}\n");
}

void sdw_optgen_bash(const struct sdw_tool *tool, const struct sdw_command *command,
                     struct sdw_buf *out)
{
    const struct sdw_command *root = tool->command;
    (void)command;
    sdw_buf_printf(out, "# bash completion of %s, generated from its command table\n", tool->name);
    sdw_buf_text(out, "# shellcheck shell=bash\n");
    if (sdw_complete_runs_tools(tool))
        put_delegate(out, tool);
    sdw_buf_char(out, '_');
    sdw_complete_function(out, tool);
    sdw_buf_printf(out,
                   "()\n{\n"
                   "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
                   "    local command='' commands='' options=''%s\n"
                   "    COMPREPLY=()\n"
                   "    if [[ $cur == '=' ]]; then\n"
                   "        cur=''\n"
                   "    elif [[ $prev == '=' ]]; then\n"
                   "        prev=${COMP_WORDS[COMP_CWORD - 2]}\n"
                   "    fi\n",
                   root->subs ? " i" : "");
    put_find_command(out, tool);
    sdw_buf_text(out, "    case $command/$prev in\n");
    put_values(out, "*", sdw_common_options);
    put_values(out, "", root->options);
    for (const struct sdw_command *sub = root->subs; sub && sub->name; sub++)
        put_values(out, sub->name, sub->options);
    sdw_buf_text(out, "    esac\n    case $command in\n");
    put_command(out, root, "");
    for (const struct sdw_command *sub = root->subs; sub && sub->name; sub++)
        put_command(out, sub, sub->name);
    sdw_buf_text(out, "    esac\n    if [[ $cur == -* ]]; then\n        options+='");
    put_words(out, sdw_common_options);
    sdw_buf_text(out, "'\n"
                      "        mapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$cur\")\n"
                      "    elif [[ $commands ]]; then\n"
                      "        mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -W "
                      "\"$commands\" -- \"$cur\")\n"
                      "    fi\n}\ncomplete -F _");
    sdw_complete_function(out, tool);
    sdw_buf_printf(out, " %s\n", tool->name);
}
