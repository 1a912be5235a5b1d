#include "io/tool.h"
#include "rec/rec.h"
#include "steer/loop.h"
#include "steer/status.h"

struct config {
    struct sdw_steer_options steer;
    const char *plan, *state;
    char state_default[256];
    int on_eof;
    bool dry_run, force, orphans;
    struct sdw_list shadow, probe, capacity;
};

static const char *const policies[] = {"excess", "seed", NULL};
static const char *const eof_words[] = {"hold", "undo", NULL};

#define AT(member) offsetof(struct config, member)
#define STATE                                                                                      \
    {                                                                                              \
        "state", 0, SDW_OPT_TEXT, AT(state), "DIR",                                                \
            "keep journal, lock and orders here (default: /var/lib/shadow-tools/steer)", NULL, 0,  \
            0, NULL, "dir"                                                                         \
    }
static const struct sdw_option run_options[] = {
    {"plan", 0, SDW_OPT_TEXT, AT(plan), "FILE", "the units that may be steered (see plan)", NULL, 0,
     0, NULL, "file"},
    {"apply", 0, SDW_OPT_ACT, AT(steer.apply), NULL,
     "change the kernel's routing (otherwise it is only said what would be done)", NULL, 0, 0, NULL,
     NULL},
    STATE,
    {"policy", 0, SDW_OPT_ENUM, AT(steer.policy), "NAME",
     "excess: move what is too much; seed: 10 to 50 per cent, by severity", "excess", 0, 0,
     policies, NULL},
    {"on-eof", 0, SDW_OPT_ENUM, AT(on_eof), "WHAT",
     "at the end of the input leave moved traffic where it is, or undo", "hold", 0, 0, eof_words,
     NULL},
    {"replay", 0, SDW_OPT_FLAG, AT(steer.replay), NULL,
     "take the time from the records, for a recording (not with --apply)", NULL, 0, 0, NULL, NULL},
    {"limit", 0, SDW_OPT_SHARE, AT(steer.limit_share), "SHARE",
     "load no path above this part of what it can carry", "80%", 0.01, 0, NULL, NULL},
    {"enter", 0, SDW_OPT_SHARE, AT(steer.enter_share), "SHARE",
     "act on a verdict that finds the path used more than this", "95%", 0, 0, NULL, NULL},
    {"leave", 0, SDW_OPT_SHARE, AT(steer.leave_share), "SHARE",
     "return traffic only while the primary stays below this", "60%", 0, 0, NULL, NULL},
    {"headroom", 0, SDW_OPT_REAL, AT(steer.headroom), "FACTOR",
     "count the largest load of the last 12 cycles this many times", "1.1", 1, 10, NULL, NULL},
    {"act-p", 0, SDW_OPT_SHARE, AT(steer.act_p), "P", "act on a breach from this probability",
     "50%", 0, 0, NULL, NULL},
    {"act-within", 0, SDW_OPT_DURATION, AT(steer.act_within_us), "DURATION",
     "act on a breach that is expected within this time", "15s", 0, 0, NULL, NULL},
    {"lookahead", 0, SDW_OPT_DURATION, AT(steer.lookahead_us), "DURATION",
     "make room for as much growth as the forecast expects in this time", "5s", 1e5, 0, NULL, NULL},
    {"least", 0, SDW_OPT_SHARE, AT(steer.least_share), "SHARE",
     "move at least this part of a unit once it moves", "10%", 0, 0, NULL, NULL},
    {"step", 0, SDW_OPT_SHARE, AT(steer.step_share), "SHARE", "go back by this part in a cycle",
     "1%", 0.005, 0, NULL, NULL},
    {"cycle", 0, SDW_OPT_DURATION, AT(steer.cycle_us), "DURATION", "length of a cycle", "1s", 5e4,
     0, NULL, NULL},
    {"fresh", 0, SDW_OPT_DURATION, AT(steer.fresh_us), "DURATION",
     "a standby is verified by measurements not older than this", "30s", 1e5, 0, NULL, NULL},
    {"max-age", 0, SDW_OPT_DURATION, AT(steer.max_age_us), "DURATION",
     "refuse breaches and events older than this", "10s", 1e5, 0, NULL, NULL},
    {"max-loss", 0, SDW_OPT_SHARE, AT(steer.max_loss), "SHARE",
     "a path that loses more than this is no standby", "1%", 0, 0, NULL, NULL},
    {"dwell", 0, SDW_OPT_DURATION, AT(steer.dwell_us), "DURATION",
     "least time between two changes of a unit", "2s", 0, 0, NULL, NULL},
    {"stable", 0, SDW_OPT_DURATION, AT(steer.hold_us), "DURATION",
     "the primary must be good for this long before traffic returns; doubles with each reversal",
     "5m", 0, 0, NULL, NULL},
    {"window", 0, SDW_OPT_DURATION, AT(steer.window_us), "DURATION",
     "time in which a new path should be seen healthy", "5s", 1e5, 0, NULL, NULL},
    {"windows", 0, SDW_OPT_INT, AT(steer.windows), "K",
     "leave a new path that is not seen healthy for K windows", "3", 1, 1000, NULL, NULL},
    {"max-changes", 0, SDW_OPT_INT, AT(steer.max_changes), "N", "at most N changes in a minute",
     "120", 1, SDW_GUARD_RING, NULL, NULL},
    {"at-once", 0, SDW_OPT_SHARE, AT(steer.blast_share), "SHARE",
     "at most this part of the units (or one) away from the primary at once", "30%", 0, 0, NULL,
     NULL},
    {"grace", 0, SDW_OPT_DURATION, AT(steer.grace_us), "DURATION",
     "when shadow-steer is killed, its guardian waits so long for a successor", "1s", 0, 0, NULL,
     NULL},
    {0},
};
static const struct sdw_option state_options[] = {STATE, {0}};
static const struct sdw_option undo_options[] = {
    STATE,
    {"dry-run", 'n', SDW_OPT_FLAG, AT(dry_run), NULL, "only say what would be done", NULL, 0, 0,
     NULL, NULL},
    {"force", 0, SDW_OPT_ACT, AT(force), NULL, "even when the primary is down", NULL, 0, 0, NULL,
     NULL},
    {"orphans", 0, SDW_OPT_ACT, AT(orphans), NULL,
     "also delete what shadow-steer left in the kernel that the journal does not have armed", NULL,
     0, 0, NULL, NULL},
    {0},
};
static const struct sdw_option plan_options[] = {
    {"shadow", 0, SDW_OPT_LIST, AT(shadow), "VIA%DEV,...", "next hops that are shadows too", NULL,
     0, 0, NULL, NULL},
    {"probe", 0, SDW_OPT_LIST, AT(probe), "VIA=ADDRESS,...",
     "the address that is probed to measure the path by a next hop", NULL, 0, 0, NULL, NULL},
    {"capacity", 0, SDW_OPT_LIST, AT(capacity), "VIA=RATE,...",
     "capacity of the path by a next hop", NULL, 0, 0, NULL, NULL},
    {0},
};
static const struct sdw_operand unit_operands[] = {
    {"UNIT", "name of a unit; none: all", true, true, NULL}, {0}};
static const struct sdw_operand prefix_operands[] = {
    {"PREFIX", "a prefix that has a route; none: all that have another way", true, true, NULL},
    {0}};

static int state_of(struct sdw_ctx *ctx, struct config *config)
{
    if (config->state && config->state[0])
        return 0;
    config->state = config->state_default;
    return sdw_state_default(config->state_default, &ctx->err);
}

static int run_steer(struct sdw_ctx *ctx, void *arg)
{
    struct config *config = arg;
    if (!config->plan)
        return sdw_err_set(&ctx->err, SDW_EUSAGE,
                           "--plan FILE is missing: shadow-steer plan writes one");
    if (config->steer.apply && config->steer.replay)
        return sdw_err_set(&ctx->err, SDW_EUSAGE,
                           "--replay and --apply exclude each other: a recording moves no traffic");
    int code = state_of(ctx, config);
    config->steer.state_dir = config->state;
    return code < 0
               ? code
               : sdw_steer_loop(ctx, &config->steer, config->plan, (enum sdw_on_eof)config->on_eof);
}

static int run_plan(struct sdw_ctx *ctx, void *arg)
{
    const struct config *config = arg;
    struct sdw_names names = {ctx->operands, ctx->n_operands};
    struct sdw_steer_plan_wishes wishes = {config->shadow.item,   config->probe.item,
                                           config->capacity.item, config->shadow.n,
                                           config->probe.n,       config->capacity.n};
    return sdw_status_plan(ctx, &names, &wishes);
}

/* The sub-commands that only need the state directory and the names of units. */
static int with_units(struct sdw_ctx *ctx, struct config *config,
                      int (*call)(struct sdw_ctx *, const char *, const struct sdw_names *))
{
    struct sdw_names names = {ctx->operands, ctx->n_operands};
    int code = state_of(ctx, config);
    return code < 0 ? code : call(ctx, config->state, &names);
}

static int freeze(struct sdw_ctx *ctx, const char *dir, const struct sdw_names *names)
{
    return sdw_status_order(ctx, dir, names, SDW_ORDER_FREEZE);
}

static int thaw(struct sdw_ctx *ctx, const char *dir, const struct sdw_names *names)
{
    return sdw_status_order(ctx, dir, names, SDW_ORDER_NONE);
}

static int run_status(struct sdw_ctx *ctx, void *config)
{
    return with_units(ctx, config, sdw_status_show);
}

static int run_log(struct sdw_ctx *ctx, void *config)
{
    return with_units(ctx, config, sdw_status_log);
}

static int run_freeze(struct sdw_ctx *ctx, void *config)
{
    return with_units(ctx, config, freeze);
}

static int run_thaw(struct sdw_ctx *ctx, void *config)
{
    return with_units(ctx, config, thaw);
}

static int run_undo(struct sdw_ctx *ctx, void *arg)
{
    struct config *config = arg;
    struct sdw_names names = {ctx->operands, ctx->n_operands};
    int code = state_of(ctx, config);
    return code < 0 ? code
                    : sdw_status_undo(ctx, config->state, &names, config->dry_run, config->force,
                                      config->orphans);
}

static const struct sdw_command subs[] = {
    {"run", "reads records and steers (what it does without a command)", run_options, NULL,
     run_steer, NULL, NULL},
    {"plan", "writes a plan from the kernel's own routes", plan_options, prefix_operands, run_plan,
     NULL, "unit"},
    {"status", "prints where each unit is, and whether kernel and journal agree", state_options,
     unit_operands, run_status, NULL, NULL},
    {"undo", "takes units home and out of the kernel", undo_options, unit_operands, run_undo, NULL,
     NULL},
    {"freeze", "moves units no more until thaw", state_options, unit_operands, run_freeze, NULL,
     NULL},
    {"thaw", "lets units move again", state_options, unit_operands, run_thaw, NULL, NULL},
    {"log", "prints the journal", state_options, unit_operands, run_log, NULL, NULL},
    {0},
};
static const struct sdw_command command = {"shadow-steer", NULL, run_options, NULL,
                                           run_steer,      subs, NULL};
static const struct sdw_example examples[] = {
    {"The units that a head-end with two ways could steer:",
     "shadow-lab up diamond -l man && shadow-lab exec -l man r1 shadow-steer plan -o unit "
     "10.9.0.0/24 && shadow-lab down -l man",
     "lab"},
    {0},
};
static const struct sdw_tool tool = {
    .name = "shadow-steer",
    .summary = "move traffic to verified standby paths before users feel it",
    .command = &command,
    .config_size = sizeof(struct config),
    .main_type = "change",
    .column_of = sdw_schema_column,
    .reads_records = true,
    .acts = true,
    .examples = examples,
};

int main(int argc, char **argv)
{
    return sdw_main(&tool, argc, argv);
}
