/* shadow: runs the tools, alone or in pipelines typed at its prompt, and filter, records, doctor.
 */
#include "core/clock.h"
#include "io/tool.h"
#include "rec/filter.h"
#include "rec/rec.h"
#include "rec/self.h"
#include "shell/batch.h"
#include "shell/prompt.h"
#include "shell/shell.h"
#include "shell/tools.h"
#include "sys/doctor.h"

#include <stdio.h>
#include <unistd.h>

struct config {
    const char *command, *file;
    bool keep_going;
    bool schema, mdoc;
};

static const struct sdw_command shadow_command;

static int run_filter(struct sdw_ctx *ctx, void *unused)
{
    (void)unused;
    struct sdw_str line;
    struct sdw_filter *filter =
        sdw_filter_new((const char *const *)ctx->operands, ctx->n_operands, &ctx->err);
    if (!filter)
        return SDW_EUSAGE;
    sdw_read_records(ctx);
    int r;
    while ((r = sdw_next_unchecked(ctx, &line)) > 0) {
        struct sdw_err err;
        r = sdw_filter_match(filter, line, &err);
        if (r < 0)
            r = sdw_bad_line(ctx, &err);
        else if (r > 0)
            r = sdw_put(ctx, line);
        if (r < 0)
            break;
    }
    sdw_filter_free(filter);
    return r;
}

static int put_text(struct sdw_ctx *ctx, struct sdw_buf *text)
{
    int r = sdw_out_add(ctx->out, sdw_buf_view(text), &ctx->err);
    sdw_buf_release(text);
    return r;
}

static int run_records(struct sdw_ctx *ctx, void *config)
{
    const struct config *cfg = config;
    const struct sdw_schema *schema = NULL;
    struct sdw_buf text = {0};
    if (ctx->n_operands) {
        schema = sdw_schema_find(sdw_str_of(ctx->operands[0]));
        if (!schema)
            return sdw_err_set(&ctx->err, SDW_EUSAGE,
                               "no record type is called '%.60s'; shadow records lists them",
                               ctx->operands[0]);
    }
    if (cfg->mdoc) {
        sdw_rec_mdoc(&text);
        return put_text(ctx, &text);
    }
    if (cfg->schema) {
        if (schema)
            sdw_schema_json(schema, &text);
        else
            sdw_rec_schema_all(&text);
        sdw_buf_char(&text, '\n');
        return put_text(ctx, &text);
    }
    int64_t now = sdw_wall_us();
    return schema ? sdw_rec_list_fields(ctx, now, schema) : sdw_rec_list(ctx, now);
}

static int run_doctor(struct sdw_ctx *ctx, void *unused)
{
    int count[] = {[SDW_HEALTH_OK] = 0, [SDW_HEALTH_LIMITED] = 0, [SDW_HEALTH_MISSING] = 0};
    bool missing = false;
    int r = 0;
    char counts[96];
    (void)unused;
    for (size_t i = 0; i < sdw_doctor_count() && r >= 0; i++) {
        struct sdw_examination found;
        sdw_doctor_examine(i, &found);
        struct sdw_check check = {.ts = sdw_wall_us(),
                                  .check = sdw_str_of(found.name),
                                  .state = sdw_str_of(sdw_health_name(found.health)),
                                  .essential = found.essential,
                                  .found = sdw_str_of(found.found),
                                  .remedy = sdw_str_of(found.remedy)};
        count[found.health]++;
        missing |= found.essential && found.health == SDW_HEALTH_MISSING;
        r = sdw_rec_put(ctx, &sdw_check_schema, &check);
    }
    snprintf(counts, sizeof counts, "{\"ok\":%d,\"limited\":%d,\"missing\":%d}",
             count[SDW_HEALTH_OK], count[SDW_HEALTH_LIMITED], count[SDW_HEALTH_MISSING]);
    if (r >= 0)
        r = sdw_rec_end(ctx, sdw_wall_us(), "done", counts);
    if (r >= 0 && missing)
        return sdw_err_set(&ctx->err, SDW_ENO, "something essential is missing");
    return r;
}

static int run_shell(struct sdw_ctx *ctx, const struct config *cfg)
{
    struct sdw_shell shell;
    int r;
    sdw_shell_init(&shell, ctx, shadow_command.subs);
    if (cfg->command)
        r = sdw_batch_text(&shell, cfg->command, "-c", cfg->keep_going, &ctx->err);
    else if (cfg->file)
        r = sdw_batch_file(&shell, cfg->file, cfg->keep_going, &ctx->err);
    else if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
        r = sdw_prompt_run(&shell, &ctx->err);
    else
        r = sdw_batch_fd(&shell, STDIN_FILENO, "standard input", cfg->keep_going, &ctx->err);
    ctx->status = shell.status;
    sdw_shell_release(&shell);
    return r;
}

static int run_shadow(struct sdw_ctx *ctx, void *config)
{
    const struct config *cfg = config;
    if (cfg->command && cfg->file)
        return sdw_err_set(&ctx->err, SDW_EUSAGE, "--command and --file exclude each other");
    if (!ctx->n_operands)
        return run_shell(ctx, cfg);
    if (cfg->command || cfg->file)
        return sdw_err_set(&ctx->err, SDW_EUSAGE, "unexpected operand '%.60s'", ctx->operands[0]);
    struct sdw_tools tools;
    sdw_tools_init(&tools, NULL);
    int r = sdw_tools_exec(&tools, ctx->operands, &ctx->err);
    sdw_tools_release(&tools);
    return r;
}

static const struct sdw_option shell_options[] = {
    {"command", 'c', SDW_OPT_TEXT, offsetof(struct config, command), "TEXT",
     "run these lines instead of reading them", NULL, 0, 0, NULL, NULL},
    {"file", 'f', SDW_OPT_TEXT, offsetof(struct config, file), "FILE", "run the lines of a file",
     NULL, 0, 0, NULL, "file"},
    {"keep-going", 'k', SDW_OPT_FLAG, offsetof(struct config, keep_going), NULL,
     "do not stop at the first line that fails", NULL, 0, 0, NULL, NULL},
    {0},
};

static const struct sdw_option records_options[] = {
    {"schema", 0, SDW_OPT_FLAG, offsetof(struct config, schema), NULL,
     "print JSON Schema (draft 2020-12)", NULL, 0, 0, NULL, NULL},
    {"mdoc", 0, SDW_OPT_FLAG, offsetof(struct config, mdoc), NULL, NULL, NULL, 0, 0, NULL, NULL},
    {0},
};

static const struct sdw_operand filter_operands[] = {
    {"CONDITION", "KEY, or KEY OP VALUE where OP is one of = != < <= > >= ~ !~", true, true,
     "field"},
    {0},
};

static const struct sdw_operand records_operands[] = {
    {"TYPE", "list the fields of this record type", true, false, "type"},
    {0},
};

static const struct sdw_operand shadow_operands[] = {
    {"TOOL", "run this tool, with what follows as its command line", true, true, "tool"},
    {0},
};

static const struct sdw_command subs[] = {
    {"filter", "pass the records that meet all conditions, byte for byte", NULL, filter_operands,
     run_filter, NULL, NULL},
    {"records", "list the record types, or the fields of one", records_options, records_operands,
     run_records, NULL, NULL},
    {"doctor", "say what this machine allows, and which command would allow more", NULL, NULL,
     run_doctor, NULL, "check"},
    {0},
};

static const struct sdw_command shadow_command = {
    "shadow", "runs the tools", shell_options, shadow_operands, run_shadow, subs, NULL};

static const struct sdw_example examples[] = {
    {"The slow hops of a recorded run:", "shadow filter type=hop 'rtt_p50_us>20ms' <run.ndjson",
     NULL},
    {"A pipeline without the prefixes:", "shadow -c 'filter type=hop <run.ndjson | jq -c .addr'",
     NULL},
    {"What stands in the way of the tools here:",
     "shadow doctor | jq -r 'select(.remedy) | .remedy'", NULL},
    {"What a record type holds:", "shadow records verdict", NULL},
    {0},
};

static const struct sdw_tool tool = {.name = "shadow",
                                     .summary = "run the tools alone, in pipelines or at a prompt",
                                     .command = &shadow_command,
                                     .config_size = sizeof(struct config),
                                     .column_of = sdw_schema_column,
                                     .examples = examples};

int main(int argc, char **argv)
{
    return sdw_main(&tool, argc, argv);
}
