#include "io/optgen_complete.h"

/* A command that prints the record types, usable in all three shells. */
#define TYPES "shadow records 2>/dev/null | sed \"s/.*\\\"name\\\":\\\"//; s/\\\".*//\""

const struct sdw_completer *sdw_completer_find(const char *name)
{
    static const struct sdw_completer completers[] = {
        {"file", "-f", "_files", "-F"},
        {"dir", "-d", "_files -/", "-a '(__fish_complete_directories)'"},
        {"interface", "-W \"$(cd /sys/class/net 2>/dev/null && echo *)\"", "_net_interfaces",
         "-a '(ls /sys/class/net 2>/dev/null)'"},
        {"host", "-A hostname", "_hosts", "-a '(__fish_print_hostnames)'"},
        {"type", "-W \"$(" TYPES ")\"", "($(" TYPES "))", "-a '(" TYPES ")'"},
        {"tool", "-W \"$(compgen -c shadow- | sed s/^shadow-// | sort -u)\"",
         "(${${(M)${(k)commands}:#shadow-*}#shadow-})",
         "-a '(complete -C shadow- | string replace -rf \"^shadow-(\\\\S+).*\" \"\\$1\")'"},
        {"command", "-c", "_normal", "-a '(__fish_complete_command)'"},
    };
    for (size_t i = 0; name && i < SDW_LEN(completers); i++)
        if (strcmp(completers[i].name, name) == 0)
            return &completers[i];
    return NULL;
}

void sdw_complete_quote(struct sdw_buf *out, const char *text, const char *escape)
{
    for (; *text; text++) {
        if (strchr(escape, *text))
            sdw_buf_char(out, '\\');
        if (*text == '\'')
            sdw_buf_text(out, "'\\''");
        else
            sdw_buf_char(out, *text);
    }
}

void sdw_complete_values(struct sdw_buf *out, const struct sdw_option *option)
{
    for (size_t i = 0; option->values && option->values[i]; i++)
        sdw_buf_printf(out, "%s%s", i ? " " : "", option->values[i]);
}

void sdw_complete_subs(struct sdw_buf *out, const struct sdw_command *subs, const char *between)
{
    for (const struct sdw_command *sub = subs; sub && sub->name; sub++)
        sdw_buf_printf(out, "%s%s", sub == subs ? "" : between, sub->name);
}

void sdw_complete_valued(struct sdw_buf *out, const struct sdw_command *command,
                         const char *between)
{
    const struct sdw_option *const tables[] = {sdw_common_options, command->options};
    const char *before = "";
    for (size_t t = 0; t < SDW_LEN(tables); t++)
        for (const struct sdw_option *o = tables[t]; o && o->name; o++) {
            if (sdw_opt_is_flag(o) || !o->help)
                continue;
            sdw_buf_printf(out, "%s--%s", before, o->name);
            before = between;
            if (o->letter)
                sdw_buf_printf(out, "%s-%c", between, o->letter);
        }
}

bool sdw_complete_runs_tools(const struct sdw_tool *tool)
{
    const struct sdw_operand *operands = tool->command->operands;
    return operands && operands->complete && strcmp(operands->complete, "tool") == 0;
}

void sdw_complete_function(struct sdw_buf *out, const struct sdw_tool *tool)
{
    for (const char *p = tool->name; *p; p++)
        sdw_buf_char(out, *p == '-' ? '_' : *p);
}
