#include "io/optgen.h"

const struct sdw_exit_status sdw_exit_statuses[] = {
    {"0", "done"},
    {"1", "the answer is no: a threshold was crossed, a host was not reached, a guard held"},
    {"2", "the command line or a configuration file was wrong"},
    {"3", "some input was bad; the rest was processed"},
    {"4", "the system failed, or refused for want of rights"},
    {"128+n", "ended by signal n"},
    {NULL, NULL},
};

static void put_operands(const struct sdw_command *command, struct sdw_buf *out)
{
    for (const struct sdw_operand *o = command->operands; o && o->name; o++)
        sdw_buf_printf(out, o->optional ? " [%s%s]" : " %s%s", o->name, o->many ? "..." : "");
}

static void put_command(const struct sdw_tool *tool, const struct sdw_command *command,
                        struct sdw_buf *out)
{
    sdw_buf_text(out, tool->name);
    if (command != tool->command)
        sdw_buf_printf(out, " %s", command->name);
    sdw_buf_text(out, " [OPTION]...");
    put_operands(command, out);
}

static void put_line(const struct sdw_tool *tool, const struct sdw_command *command,
                     const char **lead, struct sdw_buf *out)
{
    sdw_buf_text(out, *lead);
    put_command(tool, command, out);
    sdw_buf_char(out, '\n');
    *lead = "       ";
}

void sdw_optgen_usage(const struct sdw_tool *tool, const struct sdw_command *command,
                      struct sdw_buf *out)
{
    const char *lead = "usage: ";
    if (command->run || !command->subs)
        put_line(tool, command, &lead, out);
    for (const struct sdw_command *sub = command->subs; sub && sub->name; sub++)
        put_line(tool, sub, &lead, out);
}

static void put_short_usage(const struct sdw_tool *tool, const struct sdw_command *command,
                            struct sdw_buf *out)
{
    sdw_optgen_usage(tool, command, out);
    sdw_buf_printf(out, "%s --help says more.\n", tool->name);
}

static void put_synopsis(const struct sdw_tool *tool, const struct sdw_command *command,
                         struct sdw_buf *out)
{
    (void)command;
    sdw_optgen_usage(tool, tool->command, out);
}

int sdw_opt_generate(const struct sdw_tool *tool, const struct sdw_command *command,
                     const char *what, struct sdw_buf *out, struct sdw_err *err)
{
    static const struct {
        const char *what;
        sdw_optgen *put;
    } kinds[] = {{"help", sdw_optgen_help}, {"usage", put_short_usage}, {"synopsis", put_synopsis},
                 {"mdoc", sdw_optgen_mdoc}, {"bash", sdw_optgen_bash},  {"zsh", sdw_optgen_zsh},
                 {"fish", sdw_optgen_fish}, {"json", sdw_optgen_json}};
    for (size_t i = 0; i < SDW_LEN(kinds); i++)
        if (strcmp(what, kinds[i].what) == 0) {
            kinds[i].put(tool, command, out);
            return 0;
        }
    return sdw_err_set(err, SDW_EUSAGE,
                       "--generate: '%.40s' is not one of help, usage, synopsis, mdoc, bash, zsh, "
                       "fish, json",
                       what);
}
