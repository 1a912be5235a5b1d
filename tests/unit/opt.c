#include "tap.h"

#include <stdlib.h>
#include <unistd.h>

#include "io/opt.h"
#include "io/optconf.h"
#include "io/optgen.h"

struct config {
    bool watch, apply;
    int64_t count, period_us, pause_us, budget;
    double gain, rate_bps, share;
    const char *name;
    int mode;
    struct sdw_list hops;
};

#define AT(member) offsetof(struct config, member)

static const char *const modes[] = {"chirp", "lockin", NULL};
static const struct sdw_option options[] = {
    {"watch", 'w', SDW_OPT_FLAG, AT(watch), NULL, "go on for ever", NULL, 0, 0, NULL, NULL},
    {"apply", 0, SDW_OPT_ACT, AT(apply), NULL, "change something", NULL, 0, 0, NULL, NULL},
    {"count", 'c', SDW_OPT_INT, AT(count), "N", "stop after N", "3", 1, 100, NULL, NULL},
    {"period", 'p', SDW_OPT_DURATION, AT(period_us), "DURATION", "time", "250ms", 0, 0, NULL, NULL},
    {"budget", 0, SDW_OPT_BYTES, AT(budget), "BYTES", "bytes", NULL, 0, 0, NULL, NULL},
    {"gain", 0, SDW_OPT_REAL, AT(gain), "X", "gain", NULL, 0.5, 0, NULL, NULL},
    {"max-rate", 'r', SDW_OPT_RATE, AT(rate_bps), "RATE", "rate", NULL, 0, 0, NULL, NULL},
    {"share", 0, SDW_OPT_SHARE, AT(share), "SHARE", "share", NULL, 0.005, 0, NULL, NULL},
    {"pause", 0, SDW_OPT_DURATION, AT(pause_us), "DURATION", "pause", "1s", 5e4, 0, NULL, NULL},
    {"name", 'n', SDW_OPT_TEXT, AT(name), "NAME", "name", NULL, 0, 0, NULL, NULL},
    {"mode", 'm', SDW_OPT_ENUM, AT(mode), "MODE", "mode", "lockin", 0, 0, modes, NULL},
    {"hops", 0, SDW_OPT_LIST, AT(hops), "HOP,...", "hops", "1,2", 0, 0, NULL, NULL},
    {0},
};
static const struct sdw_operand dests[] = {
    {"DEST", "where to", false, true, "host"},
    {0},
};
static int run(struct sdw_ctx *ctx, void *config)
{
    (void)ctx;
    (void)config;
    return 0;
}
static const struct sdw_command command = {"shadow-try", "tries", options, dests, run, NULL, NULL};
static const struct sdw_tool tool = {.name = "shadow-try",
                                     .summary = "try options",
                                     .command = &command,
                                     .config_size = sizeof(struct config)};

static const struct sdw_option up_options[] = {
    {"seed", 's', SDW_OPT_INT, AT(count), "N", "seed", NULL, 0, 0, NULL, NULL},
    {0},
};
static const struct sdw_operand up_operands[] = {{"FILE", "what", false, false, "file"}, {0}};
static const struct sdw_operand exec_operands[] = {
    {"NODE", "where", false, false, NULL}, {"COMMAND", "what", false, true, "command"}, {0}};
static const struct sdw_command subs[] = {
    {"up", "build", up_options, up_operands, run, NULL, NULL},
    {"exec", "run", NULL, exec_operands, run, NULL, NULL},
    {0},
};
static const struct sdw_command lab_command = {"shadow-many", "many", options, NULL,
                                               NULL,          subs,   NULL};
static const struct sdw_tool lab = {.name = "shadow-many",
                                    .summary = "many commands",
                                    .command = &lab_command,
                                    .config_size = sizeof(struct config)};

static struct config config;
static struct sdw_common common;
static struct sdw_err err;
static const struct sdw_command *chosen;
static int first;
static char *words[32];
static int n_words;

/* Parse a command line of words separated by blanks. */
static int parse(const struct sdw_tool *of, const char *line)
{
    static char text[512];
    snprintf(text, sizeof text, "%s", line);
    n_words = 0;
    sdw_opt_release(&common);
    memset(&err, 0, sizeof err);
    for (char *p = text, *word; (word = strsep(&p, " "));)
        words[n_words++] = word;
    words[n_words] = NULL;
    return sdw_opt_parse(of, n_words, words, &chosen, &config, &common, &first, &err);
}

static void values(void)
{
    ok(parse(&tool, "shadow-try a b") == 0, "a command line of operands alone is accepted");
    ok(config.count == 3 && config.period_us == 250000 && config.mode == 1 && config.hops.n == 2,
       "defaults are set from the table");
    ok(first == 1 && n_words - first == 2, "the operands are what is left");
    ok(parse(&tool, "shadow-try a -wc7 --period=15m --budget 64Ki --gain 2.5 -r 2.5Gbit "
                    "--share 5% --name x --mode chirp --hops 3 --hops 4,5 b") == 0,
       "every kind of value is taken, bundled and with =");
    ok(config.watch && config.count == 7 && config.period_us == 900000000 &&
           config.budget == 65536 && config.mode == 0,
       "flags, integers, durations, sizes and words have their values");
    is_near(config.gain, 2.5, 0, "a real has its value");
    is_near(config.rate_bps, 2.5e9, 0, "a rate is in bit/s");
    is_near(config.share, 0.05, 1e-15, "a share is a fraction");
    is_text(config.name, "x", "a text is taken as it stands");
    ok(config.hops.n == 3 && strcmp(config.hops.item[0], "3") == 0 &&
           strcmp(config.hops.item[2], "5") == 0 && !config.hops.item[3],
       "a list grows over repeats, drops its default and ends in NULL");
    ok(n_words - first == 2 && strcmp(words[first], "a") == 0 && strcmp(words[first + 1], "b") == 0,
       "options may stand between operands");
    ok(parse(&tool, "shadow-try -- -w") == 0 && !config.watch && strcmp(words[first], "-w") == 0,
       "what follows -- is an operand");
    ok(parse(&tool, "shadow-try --per 1s a") == 0 && config.period_us == 1000000,
       "an unambiguous beginning of a name is enough");
}

static void refuse(const char *line, const char *message, const char *behaviour)
{
    char text[600];
    snprintf(text, sizeof text, "shadow-try %s", line);
    int rc = parse(&tool, text);
    is_text(rc == SDW_EUSAGE ? err.text : "(accepted)", message, "%s", behaviour);
}

static void errors(void)
{
    refuse("--rate 1M a", "unknown option --rate (see --help)", "an unknown option is named");
    refuse("--mox-rate 1M a", "unknown option --mox-rate: did you mean --max-rate?",
           "a misspelt option gets a suggestion");
    refuse("-x a", "unknown option -x (see --help)", "an unknown letter is named");
    refuse("-wx a", "unknown option -x (see --help)", "an unknown letter in a bundle is named");
    refuse("--v a", "--v is ambiguous: --version, --verbose",
           "an ambiguous beginning is explained");
    refuse("a --count", "--count: its N is missing", "a missing value is named");
    refuse("a -c", "--count: its N is missing", "a missing value of a letter is named");
    refuse("--watch=1 a", "--watch takes no value", "a flag with a value is refused");
    refuse("--count 0 a", "--count: '0' is not valid: an integer from 1 to 100 is expected",
           "a number out of range is refused with its range");
    refuse("--count 1.5 a", "--count: '1.5' is not valid: an integer from 1 to 100 is expected",
           "a fraction for an integer is refused");
    refuse("--count nan a", "--count: 'nan' is not valid: an integer from 1 to 100 is expected",
           "NaN for an integer is refused");
    refuse("--gain nan a", "--gain: 'nan' is not valid: a number of at least 0.5 is expected",
           "NaN for a number is refused");
    refuse("--period 10parsec a",
           "--period: '10parsec' is not valid: a duration such as 250ms, 15m or 1h is expected",
           "a wrong unit of time is refused");
    refuse("--period -1s a",
           "--period: '-1s' is not valid: a duration such as 250ms, 15m or 1h is expected",
           "a negative duration is refused");
    refuse("--max-rate 10MB a",
           "--max-rate: '10MB' is not valid: a rate such as 500k, 10M or 2.5Gbit is expected",
           "a wrong unit of rate is refused");
    refuse("--budget 1e99 a",
           "--budget: '1e99' is not valid: a size such as 1500, 64Ki or 3M is expected",
           "a huge size is refused");
    refuse("--share 120% a",
           "--share: '120%' is not valid: a share such as 5% or 0.05 of at least 0.5% is expected",
           "a share above one is refused");
    refuse("--share 0 a",
           "--share: '0' is not valid: a share such as 5% or 0.05 of at least 0.5% is expected",
           "so is one below the least");
    refuse(
        "--pause 49999us a",
        "--pause: '49999us' is not valid: a duration such as 250ms, 15m or 1h of at least 50ms is "
        "expected",
        "a duration below the least is refused with the least");
    ok(parse(&tool, "shadow-try --pause 50ms --share 0.5% a") == 0 && config.pause_us == 50000,
       "the least itself is taken");
    refuse("--mode warp a", "--mode: 'warp' is not valid: one of chirp, lockin is expected",
           "a word that is none of the values is refused with the values");
    refuse("-w", "DEST is missing: where to", "a missing operand is named");
}

static void commands(void)
{
    ok(parse(&lab, "shadow-many up --seed 4 file") == 0 && chosen == &subs[0] &&
           config.count == 4 && strcmp(words[first], "file") == 0,
       "a sub-command has its own options and operands");
    ok(parse(&lab, "shadow-many -q up file") == 0 && common.quiet,
       "common options may stand before the sub-command");
    ok(parse(&lab, "shadow-many exec -q r1 ping -c 3 --count=2") == 0 && common.quiet &&
           n_words - first == 5 && strcmp(words[first + 2], "-c") == 0,
       "options behind a command operand belong to that command");
    ok(parse(&lab, "shadow-many down") == SDW_EUSAGE, "an unknown sub-command is refused");
    is_text(err.text, "unknown command 'down': one of up, exec is expected",
            "and those there are are named");
    ok(parse(&lab, "shadow-many") == SDW_EUSAGE &&
           strcmp(err.text, "a command is expected: up, exec") == 0,
       "a missing sub-command is refused");
    ok(parse(&lab, "shadow-many --watch up file") == SDW_EUSAGE,
       "an option of the tool itself does not go with a sub-command");
    ok(parse(&lab, "shadow-many up a b") == SDW_EUSAGE &&
           strcmp(err.text, "unexpected operand 'b' (see --help)") == 0,
       "an operand too many is named");
    ok(parse(&lab, "shadow-many up --help") == 0 && common.help && chosen == &subs[0],
       "--help works without the operands");
}

static void put_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    if (!file)
        return;
    fputs(text, file);
    fclose(file);
}

static void layers(const char *dir)
{
    char config_dir[256], path[300], text[600];
    snprintf(config_dir, sizeof config_dir, "mkdir -p %s/shadow-tools", dir);
    if (system(config_dir) != 0)
        return;
    snprintf(path, sizeof path, "%s/shadow-tools/config", dir);
    setenv("XDG_CONFIG_HOME", dir, 1);
    put_file(path, "# mine\n\ncount = 5\n  try.period=2s  \r\nprobe.count = 9\nno-such = 1\n"
                   "watch = yes\nhops = 7,8\n");
    ok(parse(&tool, "shadow-try a") == 0 && config.count == 5 && config.period_us == 2000000 &&
           config.watch && config.hops.n == 2 && strcmp(config.hops.item[0], "7") == 0,
       "the user's configuration is over the defaults; other tools' lines are skipped");
    setenv("SHADOW_COUNT", "6", 1);
    ok(parse(&tool, "shadow-try a") == 0 && config.count == 6,
       "the environment is over the configuration");
    ok(parse(&tool, "shadow-try -c 8 a") == 0 && config.count == 8,
       "the command line is over the environment");
    setenv("SHADOW_COUNT", "", 1);
    ok(parse(&tool, "shadow-try a") == 0 && config.count == 5, "an empty variable is no value");
    setenv("SHADOW_COUNT", "many", 1);
    ok(parse(&tool, "shadow-try -c 8 a") == SDW_EUSAGE && strstr(err.text, "SHADOW_COUNT: 'many'"),
       "a bad variable is refused by its name, even when a flag wins");
    unsetenv("SHADOW_COUNT");
    setenv("SHADOW_APPLY", "1", 1);
    ok(parse(&tool, "shadow-try a") == 0 && !config.apply,
       "the environment does not turn on what changes something");
    ok(parse(&tool, "shadow-try --apply a") == 0 && config.apply, "the command line does");
    unsetenv("SHADOW_APPLY");
    put_file(path, "apply = yes\n");
    snprintf(text, sizeof text, "%s:1: 'apply' goes on the command line only", path);
    ok(parse(&tool, "shadow-try a") == SDW_EUSAGE && !config.apply, "a file may not try to either");
    is_text(err.text, text, "and is told so");
    put_file(path, "count = 5\ntry.cuont = 5\n");
    snprintf(text, sizeof text, "%s:2: shadow-try has no option 'cuont' (see shadow-try --help)",
             path);
    ok(parse(&tool, "shadow-try a") == SDW_EUSAGE, "an unknown option in our own line is refused");
    is_text(err.text, text, "with file and line");
    put_file(path, "count\n");
    ok(parse(&tool, "shadow-try a") == SDW_EUSAGE, "a line without = is refused");
    put_file(path, "help = true\n");
    ok(parse(&tool, "shadow-try a") == SDW_EUSAGE, "--help cannot be configured");
    ok(parse(&tool, "shadow-try --help") == 0, "--help works with a broken configuration");
    unlink(path);
    ok(parse(&tool, "shadow-try a") == 0 && config.count == 3, "no configuration is no error");
}

static void help(void)
{
    struct sdw_buf out = {0};
    ok(sdw_opt_generate(&tool, &command, "help", &out, NULL) == 0 && strstr(out.p, "--max-rate") &&
           strstr(out.p, "default 250ms)") && strstr(out.p, "(default 1s, at least 50ms)") &&
           !strstr(out.p, "--generate"),
       "help lists options with defaults, and not the hidden one");
    sdw_buf_clear(&out);
    ok(sdw_opt_generate(&tool, &command, "usage", &out, NULL) == 0 &&
           strstr(out.p, "usage: shadow-try [OPTION]... DEST...\n"),
       "usage is one line a command");
    ok(sdw_opt_generate(&tool, &command, "pdf", &out, &err) == SDW_EUSAGE,
       "an unknown form is refused");
    sdw_buf_release(&out);
}

int main(void)
{
    char dir[] = "/tmp/sdw-opt-XXXXXX";
    if (!mkdtemp(dir))
        return 1;
    setenv("XDG_CONFIG_HOME", dir, 1);
    values();
    errors();
    commands();
    layers(dir);
    help();
    sdw_opt_release(&common);
    char remove[64];
    snprintf(remove, sizeof remove, "rm -r %s", dir);
    return system(remove) != 0 || tap_done();
}
