#include "shell/builtin.h"
#include "core/num.h"
#include "shell/jobs.h"
#include "shell/save.h"
#include "shell/spec.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int print_out(struct sdw_shell *shell, struct sdw_err *err)
{
    int r = sdw_out_add(shell->ctx->out, sdw_buf_view(&shell->out), err);
    sdw_buf_clear(&shell->out);
    return r < 0 ? r : sdw_out_flush(shell->ctx->out, err);
}

static int run_help(struct sdw_shell *shell, const char *operand, struct sdw_err *err)
{
    struct sdw_buf *out = &shell->out;
    if (*operand) {
        struct sdw_tool_entry *tool = sdw_tools_find(&shell->tools, sdw_str_of(operand));
        if (!tool)
            return sdw_err_set(err, SDW_EUSAGE, "help: no tool is called '%s'", operand);
        sdw_spec_describe(tool, sdw_spec_command(tool, NULL, 0), sdw_str_of(""), out);
        return print_out(shell, err);
    }
    sdw_buf_text(out, "Tools, to be joined with | and with any other program:\n");
    for (size_t i = 0; i < shell->tools.n; i++) {
        struct sdw_tool_entry *tool = &shell->tools.entry[i];
        sdw_buf_printf(out, "  %-14s %s\n", tool->name, sdw_spec_summary(tool));
    }
    sdw_buf_text(out, "Of the shell itself:\n");
    for (const struct sdw_builtin *b = sdw_builtins; b->name; b++) {
        char usage[32];
        snprintf(usage, sizeof usage, "%s %s", b->name, b->operand);
        sdw_buf_printf(out, "  %-14s %s\n", usage, b->help);
    }
    sdw_buf_text(out, "A final & runs a pipeline in the background. ? explains what can come "
                      "next; TAB completes it.\n");
    return print_out(shell, err);
}

static int run_save(struct sdw_shell *shell, const char *operand, struct sdw_err *err)
{
    if (!shell->last.n)
        return sdw_err_set(err, SDW_EUSAGE, "save: no pipeline has been run yet");
    char path[4096];
    int r = sdw_save_script(operand, sdw_buf_view(&shell->last), shell->tools.dir, path,
                            sizeof path, err);
    if (r < 0)
        return r;
    sdw_note(shell->ctx, "saved as %s", path);
    return 0;
}

static int run_cd(struct sdw_shell *shell, const char *operand, struct sdw_err *err)
{
    const char *home = getenv("HOME");
    struct sdw_buf path = {0};
    (void)shell;
    if (!*operand || (operand[0] == '~' && (!operand[1] || operand[1] == '/'))) {
        sdw_buf_text(&path, home ? home : "/");
        operand += *operand == '~';
    }
    sdw_buf_text(&path, operand);
    int r = chdir(path.p) < 0 ? sdw_err_sys(err, "cd: %s", path.p) : 0;
    sdw_buf_release(&path);
    return r;
}

static int run_jobs(struct sdw_shell *shell, const char *operand, struct sdw_err *err)
{
    (void)operand;
    if (!shell->jobs)
        return 0;
    sdw_jobs_list(shell->jobs, &shell->out);
    return print_out(shell, err);
}

static int run_stop(struct sdw_shell *shell, const char *operand, struct sdw_err *err)
{
    int64_t number = 0;
    if (*operand && (!sdw_num_int(sdw_str_of(operand), &number) || number < 1 || number > INT_MAX))
        return sdw_err_set(err, SDW_EUSAGE, "stop: '%s' is no number of a job", operand);
    return shell->jobs ? sdw_jobs_stop(shell->jobs, (int)number, err) : 0;
}

static int run_exit(struct sdw_shell *shell, const char *operand, struct sdw_err *err)
{
    int64_t status = shell->status;
    if (*operand && (!sdw_num_int(sdw_str_of(operand), &status) || status < 0 || status > 255))
        return sdw_err_set(err, SDW_EUSAGE, "exit: %s is no exit status (0 to 255)", operand);
    shell->leaving = true;
    shell->status = (int)status;
    return 0;
}

const struct sdw_builtin sdw_builtins[] = {
    {"help", "[TOOL]", "list the tools, or explain one", false, true, run_help},
    {"save", "NAME", "write the last pipeline as a script of sh", true, true, run_save},
    {"cd", "[DIR]", "change the directory", false, true, run_cd},
    {"jobs", "", "list what runs in the background", false, false, run_jobs},
    {"stop", "[N]", "end what runs in the background", false, true, run_stop},
    {"exit", "[STATUS]", "leave the shell; so does Ctrl-D", false, true, run_exit},
    {0},
};

const struct sdw_builtin *sdw_builtin_of(const struct sdw_words *words, struct sdw_str line)
{
    if (words->n == 0 || !words->word[0].command)
        return NULL;
    for (size_t i = 1; i < words->n; i++)
        if (words->word[i].kind != SDW_WORD)
            return NULL;
    struct sdw_str name = {line.p + words->word[0].at, words->word[0].n};
    for (const struct sdw_builtin *b = sdw_builtins; b->name; b++)
        if (sdw_str_is(name, b->name))
            return b;
    return NULL;
}

int sdw_builtin_run(const struct sdw_builtin *builtin, struct sdw_shell *shell, struct sdw_str line,
                    struct sdw_err *err)
{
    const struct sdw_words *words = &shell->pipeline.words;
    size_t operands = words->n - 1;
    struct sdw_buf operand = {0};
    sdw_buf_text(&operand, "");
    int r = 0;
    if (operands < (size_t)builtin->needs_operand)
        r = sdw_err_set(err, SDW_EUSAGE, "%s: %s is missing", builtin->name, builtin->operand);
    else if (operands > (size_t)builtin->takes_operand)
        r = sdw_err_set(err, SDW_EUSAGE, "%s takes %s", builtin->name,
                        builtin->takes_operand ? "one operand" : "no operand");
    else if (operands)
        sdw_word_plain((struct sdw_str){line.p + words->word[1].at, words->word[1].n}, &operand);
    if (r == 0)
        r = builtin->run(shell, operand.p, err);
    sdw_buf_release(&operand);
    if (r == 0 && !shell->leaving)
        shell->status = 0;
    return r < 0 ? r : 1;
}
