#include "io/optgen.h"
#include "io/optvalue.h"

#include "io/jsonw.h"

static const char *kind_name(enum sdw_opt_kind kind)
{
    static const char *const names[] = {
        [SDW_OPT_FLAG] = "flag", [SDW_OPT_ACT] = "flag",    [SDW_OPT_INT] = "int",
        [SDW_OPT_REAL] = "real", [SDW_OPT_TEXT] = "text",   [SDW_OPT_DURATION] = "duration",
        [SDW_OPT_RATE] = "rate", [SDW_OPT_BYTES] = "bytes", [SDW_OPT_SHARE] = "share",
        [SDW_OPT_ENUM] = "enum", [SDW_OPT_LIST] = "list",
    };
    return names[kind];
}

static void put_text(struct sdw_jsonw *w, const char *key, const char *text)
{
    if (text)
        sdw_jsonw_text(w, key, text);
}

static void put_options(struct sdw_jsonw *w, const char *key, const struct sdw_option *options)
{
    char least[32];
    sdw_jsonw_array(w, key);
    for (const struct sdw_option *o = options; o && o->name; o++) {
        if (!o->help)
            continue;
        sdw_jsonw_object(w, NULL);
        sdw_jsonw_text(w, "name", o->name);
        if (o->letter)
            sdw_jsonw_str(w, "letter", (struct sdw_str){&o->letter, 1});
        sdw_jsonw_text(w, "kind", kind_name(o->kind));
        put_text(w, "arg", o->arg);
        put_text(w, "help", o->help);
        put_text(w, "default", o->def);
        put_text(w, "least", sdw_opt_least(o, least) ? least : NULL);
        if (o->values) {
            sdw_jsonw_array(w, "values");
            for (const char *const *value = o->values; *value; value++)
                sdw_jsonw_text(w, NULL, *value);
            sdw_jsonw_end(w);
        }
        put_text(w, "complete", o->complete);
        sdw_jsonw_end(w);
    }
    sdw_jsonw_end(w);
}

static void put_operands(struct sdw_jsonw *w, const struct sdw_operand *operands)
{
    sdw_jsonw_array(w, "operands");
    for (const struct sdw_operand *o = operands; o && o->name; o++) {
        sdw_jsonw_object(w, NULL);
        sdw_jsonw_text(w, "name", o->name);
        sdw_jsonw_text(w, "help", o->help);
        sdw_jsonw_bool(w, "optional", o->optional);
        sdw_jsonw_bool(w, "many", o->many);
        put_text(w, "complete", o->complete);
        sdw_jsonw_end(w);
    }
    sdw_jsonw_end(w);
}

static void put_command(struct sdw_jsonw *w, const struct sdw_command *command)
{
    put_options(w, "options", command->options);
    put_operands(w, command->operands);
    sdw_jsonw_bool(w, "runs", command->run != NULL);
    if (!command->subs)
        return;
    sdw_jsonw_array(w, "commands");
    for (const struct sdw_command *sub = command->subs; sub->name; sub++) {
        sdw_jsonw_object(w, NULL);
        sdw_jsonw_text(w, "name", sub->name);
        sdw_jsonw_text(w, "help", sub->help);
        put_command(w, sub);
        sdw_jsonw_end(w);
    }
    sdw_jsonw_end(w);
}

static void put_examples(struct sdw_jsonw *w, const struct sdw_example *examples)
{
    sdw_jsonw_array(w, "examples");
    for (const struct sdw_example *e = examples; e && e->say; e++) {
        sdw_jsonw_object(w, NULL);
        sdw_jsonw_text(w, "say", e->say);
        sdw_jsonw_text(w, "command", e->command);
        put_text(w, "needs", e->needs);
        sdw_jsonw_end(w);
    }
    sdw_jsonw_end(w);
}

void sdw_optgen_json(const struct sdw_tool *tool, const struct sdw_command *command,
                     struct sdw_buf *out)
{
    struct sdw_jsonw w = sdw_jsonw(out);
    (void)command;
    sdw_jsonw_object(&w, NULL);
    sdw_jsonw_text(&w, "tool", tool->name);
    sdw_jsonw_text(&w, "summary", tool->summary);
    put_text(&w, "main_type", tool->main_type);
    sdw_jsonw_bool(&w, "reads_records", tool->reads_records);
    sdw_jsonw_bool(&w, "acts", tool->acts);
    put_command(&w, tool->command);
    put_options(&w, "common", sdw_common_options);
    put_examples(&w, tool->examples);
    sdw_jsonw_end(&w);
    sdw_buf_char(out, '\n');
}
