/* Options from hostile places: the input's first byte chooses between a command line (words
 * separated by newlines) and a configuration file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/optconf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct config {
    bool flag;
    int64_t integer, duration, bytes;
    double real, rate, share;
    const char *text;
    int word;
    struct sdw_list list;
};

#define AT(member) offsetof(struct config, member)

static int run(struct sdw_ctx *ctx, void *config)
{
    (void)ctx;
    (void)config;
    return 0;
}

static const char *const words[] = {"one", "two", NULL};
static const struct sdw_option options[] = {
    {"flag", 'f', SDW_OPT_FLAG, AT(flag), NULL, "x", NULL, 0, 0, NULL, NULL},
    {"integer", 'i', SDW_OPT_INT, AT(integer), "N", "x", "3", -5, 100, NULL, NULL},
    {"duration", 'd', SDW_OPT_DURATION, AT(duration), "T", "x", "1s", 0, 0, NULL, NULL},
    {"bytes", 'b', SDW_OPT_BYTES, AT(bytes), "B", "x", NULL, 0, 0, NULL, NULL},
    {"real", 0, SDW_OPT_REAL, AT(real), "X", "x", NULL, 0, 0, NULL, NULL},
    {"rate", 'r', SDW_OPT_RATE, AT(rate), "R", "x", NULL, 0, 0, NULL, NULL},
    {"share", 0, SDW_OPT_SHARE, AT(share), "S", "x", NULL, 0, 0, NULL, NULL},
    {"text", 't', SDW_OPT_TEXT, AT(text), "T", "x", NULL, 0, 0, NULL, NULL},
    {"word", 'w', SDW_OPT_ENUM, AT(word), "W", "x", "two", 0, 0, words, NULL},
    {"list", 'l', SDW_OPT_LIST, AT(list), "L", "x", "a,b", 0, 0, NULL, NULL},
    {0},
};
static const struct sdw_operand operands[] = {{"REST", "x", true, true, NULL}, {0}};
static const struct sdw_operand command_line[] = {{"COMMAND", "x", false, true, "command"}, {0}};
static const struct sdw_command subs[] = {{"exec", "x", options, command_line, run, NULL, NULL},
                                          {"list", "x", NULL, NULL, run, NULL, NULL},
                                          {0}};
static const struct sdw_command command = {"shadow-fuzz", "x", options, operands, run, subs, NULL};
static const struct sdw_tool tool = {.name = "shadow-fuzz",
                                     .summary = "x",
                                     .command = &command,
                                     .config_size = sizeof(struct config)};

static void take_command_line(char *text)
{
    char *argv[66] = {(char[]){"shadow-fuzz"}};
    int argc = 1, first = 0;
    struct config config;
    struct sdw_common common;
    struct sdw_err err = {0};
    const struct sdw_command *chosen = NULL;
    for (char *word; argc < 65 && (word = strsep(&text, "\n"));)
        argv[argc++] = word;
    int rc = sdw_opt_parse(&tool, argc, argv, &chosen, &config, &common, &first, &err);
    if ((rc < 0) != (err.text[0] != '\0') || (rc == 0 && (first < 1 || first > argc)))
        abort();
    for (size_t i = 0; rc == 0 && i < config.list.n; i++)
        if (!config.list.item[i])
            abort();
    sdw_opt_release(&common);
}

static void take_file(const char *text, size_t n)
{
    char path[64];
    struct config config = {0};
    struct sdw_opt_refs refs = {0};
    struct sdw_arena arena = {0};
    struct sdw_err err = {0};
    snprintf(path, sizeof path, "/tmp/sdw-fuzz-opt-%d", (int)getpid());
    FILE *file = fopen(path, "wb");
    if (!file)
        return;
    fwrite(text, 1, n, file);
    fclose(file);
    sdw_opt_refs_add(&refs, options, &config);
    sdw_optconf_file(&tool, &refs, path, SDW_LAYER_USER, &arena, &err);
    unlink(path);
    free(refs.ref);
    sdw_arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    unsetenv("HOME");
    unsetenv("XDG_CONFIG_HOME");
    char *text = malloc(size);
    if (!text)
        return 0;
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    if (data[0] == 'f')
        take_file(text, size - 1);
    else
        take_command_line(text);
    free(text);
    return 0;
}
