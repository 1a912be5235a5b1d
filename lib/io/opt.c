#include "io/opt.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/buf.h"
#include "io/optconf.h"
#include "io/optvalue.h"

#define AT(member) offsetof(struct sdw_common, member)

static const char *const formats[] = {"auto", "ndjson", "table", "csv", NULL};
static const char *const colors[] = {"auto", "always", "never", NULL};

const struct sdw_option sdw_common_options[] = {
    {"help", 'h', SDW_OPT_FLAG, AT(help), NULL, "print this help", NULL, 0, 0, NULL, NULL},
    {"version", 'V', SDW_OPT_FLAG, AT(version), NULL, "print the version", NULL, 0, 0, NULL, NULL},
    {"quiet", 'q', SDW_OPT_FLAG, AT(quiet), NULL, "print errors only on standard error", NULL, 0, 0,
     NULL, NULL},
    {"verbose", 'v', SDW_OPT_FLAG, AT(verbose), NULL, "print more on standard error", NULL, 0, 0,
     NULL, NULL},
    {"format", 0, SDW_OPT_ENUM, AT(format), "FORMAT",
     "output format; auto is a table on a terminal and ndjson elsewhere", "auto", 0, 0, formats,
     NULL},
    {"color", 0, SDW_OPT_ENUM, AT(color), "WHEN",
     "colour the table; auto is on a terminal unless NO_COLOR is set", "auto", 0, 0, colors, NULL},
    {"only", 'o', SDW_OPT_LIST, AT(types), "TYPE,...", "print only records of these types", NULL, 0,
     0, NULL, "type"},
    {"strict", 0, SDW_OPT_FLAG, AT(strict), NULL, "stop at the first bad input line", NULL, 0, 0,
     NULL, NULL},
    {"lock", 0, SDW_OPT_TEXT, AT(lock), "FILE",
     "hold a lock on this file; exit with 1 at once when another process holds it", NULL, 0, 0,
     NULL, "file"},
    {"deadline", 0, SDW_OPT_DURATION, AT(deadline_us), "DURATION", "stop after this time", NULL, 0,
     0, NULL, NULL},
    {"generate", 0, SDW_OPT_TEXT, AT(generate), "WHAT", NULL, NULL, 0, 0, NULL, NULL},
    {0},
};

/* What getopt_long returns for option i of the command. */
enum { LONG_BASE = 256 };

/* The state of one parse. */
struct parse {
    const struct sdw_tool *tool;
    const struct sdw_command *command;
    struct sdw_common *common;
    struct sdw_opt_refs refs; /* of the command: common options first */
    size_t n_common;
    struct option *longs;
    char shorts[3 + 2 * 64 + 1];
    char **argv;
    int argc;
    struct sdw_err *err;
};

bool sdw_opt_is_flag(const struct sdw_option *option)
{
    return option->kind == SDW_OPT_FLAG || option->kind == SDW_OPT_ACT;
}

bool sdw_operands_take_command_line(const struct sdw_operand *operands)
{
    for (; operands && operands->name; operands++)
        if (operands->complete &&
            (strcmp(operands->complete, "command") == 0 || strcmp(operands->complete, "tool") == 0))
            return true;
    return false;
}

/* getopt's tables for the options in refs. in_order: stop at the first operand. */
static void make_tables(struct parse *parse, bool in_order)
{
    size_t used = 0;
    parse->longs = sdw_xrealloc(parse->longs, parse->refs.n + 1, sizeof *parse->longs);
    if (in_order)
        parse->shorts[used++] = '+';
    parse->shorts[used++] = ':';
    for (size_t i = 0; i < parse->refs.n; i++) {
        const struct sdw_option *option = parse->refs.ref[i].option;
        bool flag = sdw_opt_is_flag(option);
        parse->longs[i] = (struct option){option->name, flag ? no_argument : required_argument,
                                          NULL, LONG_BASE + (int)i};
        if (option->letter && used + 3 < sizeof parse->shorts) {
            parse->shorts[used++] = option->letter;
            if (!flag)
                parse->shorts[used++] = ':';
        }
    }
    parse->shorts[used] = '\0';
    parse->longs[parse->refs.n] = (struct option){0};
}

static struct sdw_opt_ref *ref_of(const struct parse *parse, int value)
{
    if (value >= LONG_BASE)
        return &parse->refs.ref[value - LONG_BASE];
    for (size_t i = 0; i < parse->refs.n; i++)
        if (parse->refs.ref[i].option->letter == value)
            return &parse->refs.ref[i];
    return NULL;
}

/* The distance between two words in insertions, deletions and replacements (Levenshtein). */
static size_t edit_distance(const char *a, size_t n, const char *b)
{
    size_t row[65], m = strlen(b);
    if (m > 64)
        return m;
    for (size_t j = 0; j <= m; j++)
        row[j] = j;
    for (size_t i = 0; i < n; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < m; j++) {
            size_t best = diagonal + (a[i] != b[j]);
            diagonal = row[j + 1];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j + 1] + 1 < best)
                best = row[j + 1] + 1;
            row[j + 1] = best;
        }
    }
    return row[m];
}

static int unknown_long(const struct parse *parse, const char *word)
{
    const char *name = word + 2, *nearest = NULL;
    size_t n = strcspn(name, "="), least = n < 6 ? 2 : 3;
    struct sdw_buf matches = {0};
    for (size_t i = 0; i < parse->refs.n; i++) {
        const struct sdw_option *option = parse->refs.ref[i].option;
        if (!option->help)
            continue;
        if (n && strncmp(option->name, name, n) == 0)
            sdw_buf_printf(&matches, "%s--%s", matches.n ? ", " : "", option->name);
        size_t distance = edit_distance(name, n, option->name);
        if (distance < least) {
            least = distance;
            nearest = option->name;
        }
    }
    int shown = n > 60 ? 62 : (int)n + 2;
    if (matches.n)
        sdw_err_set(parse->err, SDW_EUSAGE, "%.*s is ambiguous: %.300s", shown, word, matches.p);
    else if (nearest)
        sdw_err_set(parse->err, SDW_EUSAGE, "unknown option %.*s: did you mean --%s?", shown, word,
                    nearest);
    else
        sdw_err_set(parse->err, SDW_EUSAGE, "unknown option %.*s (see --help)", shown, word);
    sdw_buf_release(&matches);
    return SDW_EUSAGE;
}

/* What is wrong with the word that getopt stumbled over. */
static int bad_option(const struct parse *parse, int returned, int value, const char *word)
{
    const struct sdw_opt_ref *ref = value ? ref_of(parse, value) : NULL;
    if (!ref && value)
        return sdw_err_set(parse->err, SDW_EUSAGE, "unknown option -%c (see --help)", value);
    if (!ref)
        return unknown_long(parse, word);
    if (returned == ':')
        return sdw_err_set(parse->err, SDW_EUSAGE, "--%s: its %s is missing", ref->option->name,
                           ref->option->arg ? ref->option->arg : "value");
    return sdw_err_set(parse->err, SDW_EUSAGE, "--%s takes no value", ref->option->name);
}

static int take_options(struct parse *parse, bool in_order)
{
    make_tables(parse, in_order);
    opterr = 0;
    optind = 0; /* makes glibc start afresh, and look at the first byte of shorts again */
    for (;;) {
        int value = getopt_long(parse->argc, parse->argv, parse->shorts, parse->longs, NULL);
        if (value == -1)
            return 0;
        struct sdw_opt_ref *ref = value == '?' || value == ':' ? NULL : ref_of(parse, value);
        if (!ref)
            return bad_option(parse, value, optopt, parse->argv[optind - 1]);
        char where[80];
        snprintf(where, sizeof where, "--%s", ref->option->name);
        int rc = sdw_opt_set(ref, SDW_LAYER_COMMAND_LINE, optarg, &parse->common->memory, where,
                             parse->err);
        if (rc < 0)
            return rc;
    }
}

static bool asks_for_text(const struct sdw_common *common)
{
    return common->help || common->version || common->generate;
}

static const struct sdw_command *find_sub(const struct sdw_command *command, const char *name)
{
    for (const struct sdw_command *sub = command->subs; sub && sub->name; sub++)
        if (strcmp(sub->name, name) == 0)
            return sub;
    return NULL;
}

static int bad_sub(const struct parse *parse, const char *word)
{
    struct sdw_buf names = {0};
    for (const struct sdw_command *sub = parse->command->subs; sub->name; sub++)
        sdw_buf_printf(&names, "%s%s", names.n ? ", " : "", sub->name);
    if (word)
        sdw_err_set(parse->err, SDW_EUSAGE, "unknown command '%.60s': one of %s is expected", word,
                    names.p);
    else
        sdw_err_set(parse->err, SDW_EUSAGE, "a command is expected: %s", names.p);
    sdw_buf_release(&names);
    return SDW_EUSAGE;
}

/* Go down to a sub-command: its own options replace those of the command above. */
static int enter_sub(struct parse *parse, const struct sdw_command *sub, void *config)
{
    for (size_t i = parse->n_common; i < parse->refs.n; i++)
        if (parse->refs.ref[i].layer != SDW_LAYER_NONE)
            return sdw_err_set(
                parse->err, SDW_EUSAGE, "--%s is no option of '%s': see %s %s --help",
                parse->refs.ref[i].option->name, sub->name, parse->tool->name, sub->name);
    parse->refs.n = parse->n_common;
    sdw_opt_refs_add(&parse->refs, sub->options, config);
    parse->command = sub;
    parse->argv += optind;
    parse->argc -= optind;
    return 0;
}

/* Take the options of argv, going down through sub-commands. */
static int walk(struct parse *parse, void *config)
{
    for (;;) {
        const struct sdw_command *command = parse->command;
        int rc =
            take_options(parse, command->subs || sdw_operands_take_command_line(command->operands));
        if (rc < 0 || !command->subs || parse->common->help)
            return rc;
        const char *word = optind < parse->argc ? parse->argv[optind] : NULL;
        const struct sdw_command *sub = word ? find_sub(command, word) : NULL;
        if (sub) {
            rc = enter_sub(parse, sub, config);
            if (rc < 0)
                return rc;
            continue;
        }
        if (asks_for_text(parse->common))
            return 0;
        if (!command->run || (word && !command->operands))
            return bad_sub(parse, word);
        if (!word || sdw_operands_take_command_line(command->operands))
            return 0;
        /* An operand of the command itself: options may follow it. */
        return take_options(parse, false);
    }
}

static int check_operands(const struct parse *parse)
{
    int n = parse->argc - optind;
    bool many = false;
    for (const struct sdw_operand *o = parse->command->operands; o && o->name; o++, n--) {
        if (n <= 0 && !o->optional)
            return sdw_err_set(parse->err, SDW_EUSAGE, "%s is missing: %s", o->name, o->help);
        many |= o->many;
    }
    if (n > 0 && !many)
        return sdw_err_set(parse->err, SDW_EUSAGE, "unexpected operand '%.60s' (see --help)",
                           parse->argv[parse->argc - n]);
    return 0;
}

static int set_defaults(struct parse *parse)
{
    for (size_t i = 0; i < parse->refs.n; i++) {
        const struct sdw_option *option = parse->refs.ref[i].option;
        if (!option->def)
            continue;
        char where[80];
        snprintf(where, sizeof where, "the default of --%s", option->name);
        int rc = sdw_opt_set(&parse->refs.ref[i], SDW_LAYER_DEFAULT, option->def,
                             &parse->common->memory, where, parse->err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int sdw_opt_parse(const struct sdw_tool *tool, int argc, char **argv,
                  const struct sdw_command **command, void *config, struct sdw_common *common,
                  int *first_operand, struct sdw_err *err)
{
    struct parse parse = {.tool = tool,
                          .command = tool->command,
                          .common = common,
                          .argv = argv,
                          .argc = argc,
                          .err = err};
    memset(common, 0, sizeof *common);
    if (tool->config_size)
        memset(config, 0, tool->config_size);
    sdw_opt_refs_add(&parse.refs, sdw_common_options, common);
    parse.n_common = parse.refs.n;
    sdw_opt_refs_add(&parse.refs, tool->command->options, config);

    int rc = walk(&parse, config);
    if (rc == 0)
        rc = set_defaults(&parse);
    if (rc == 0 && !asks_for_text(common)) {
        rc = check_operands(&parse);
        if (rc == 0)
            rc = sdw_optconf_all(tool, &parse.refs, &common->memory, err);
    }
    *command = parse.command;
    *first_operand = argc - (parse.argc - optind);
    free(parse.refs.ref);
    free(parse.longs);
    return rc;
}

void sdw_opt_release(struct sdw_common *common)
{
    sdw_arena_release(&common->memory);
}
