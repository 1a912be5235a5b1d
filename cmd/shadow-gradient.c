#include "io/tool.h"
#include "core/mem.h"
#include "core/num.h"
#include "io/scan.h"
#include "model/analysis.h"
#include "rec/end.h"

#include <math.h>
#include <stdio.h>

struct config {
    double alpha, delay_weight, loss_weight, threshold, void_share, level, capacity;
    int64_t floor_us, window, overhead, packet_size, seed;
    const char *threshold_text;
    bool keep;
};

#define AT(member) offsetof(struct config, member)
static const struct sdw_option options[] = {
    {"alpha", 'a', SDW_OPT_SHARE, AT(alpha), "P",
     "chance of a false verdict that a window may take", "0.5%", 0, 0, NULL, NULL},
    {"floor", 'f', SDW_OPT_DURATION, AT(floor_us), "DURATION",
     "delay added by load that is too short to matter (half a packet's time counts too)", "300us",
     0, 0, NULL, NULL},
    {"threshold", 't', SDW_OPT_TEXT, AT(threshold_text), "X",
     "raise an event for each hop whose capacity gradient reaches X", NULL, 0, 0, NULL, NULL},
    {"delay-weight", 0, SDW_OPT_REAL, AT(delay_weight), "W",
     "weight of the delay gradient (us per Mbit/s) in the capacity gradient", "1", 0, 1e12, NULL,
     NULL},
    {"loss-weight", 0, SDW_OPT_REAL, AT(loss_weight), "W",
     "weight of the loss gradient (share per Mbit/s) in the capacity gradient", "100000", 0, 1e12,
     NULL, NULL},
    {"window", 'w', SDW_OPT_INT, AT(window), "N",
     "judge after N pairs of slots; 0: when the prober's window ends", "0", 0, 1e6, NULL, NULL},
    {"void-share", 0, SDW_OPT_SHARE, AT(void_share), "SHARE",
     "a window with more void slots than this is void", "30%", 0, 0, NULL, NULL},
    {"level", 0, SDW_OPT_SHARE, AT(level), "P", "confidence of the interval of available capacity",
     "90%", 0, 0, NULL, NULL},
    {"capacity", 0, SDW_OPT_RATE, AT(capacity), "RATE",
     "capacity of the tight link, where it is known", NULL, 0, 0, NULL, NULL},
    {"packet-size", 0, SDW_OPT_BYTES, AT(packet_size), "BYTES",
     "state capacity for IP packets of this size", "1500", 0, 0, NULL, NULL},
    {"overhead", 0, SDW_OPT_BYTES, AT(overhead), "BYTES",
     "bytes that the tight link counts for each packet besides IP", "14", 0, 0, NULL, NULL},
    {"keep", 'k', SDW_OPT_FLAG, AT(keep), NULL, "pass the slots on too", NULL, 0, 0, NULL, NULL},
    {"seed", 0, SDW_OPT_INT, AT(seed), "N", "seed of the randomisation tests", "1", 0, 9e15, NULL,
     NULL},
    {0},
};

static int rules_of(const struct config *config, struct sdw_analysis_rules *rules,
                    struct sdw_err *err)
{
    *rules = (struct sdw_analysis_rules){
        .window = sdw_window_defaults, .pairs_max = config->window, .threshold = NAN};
    struct sdw_window_rules *window = &rules->window;
    window->alpha = config->alpha;
    window->floor_us = (double)config->floor_us;
    window->delay_weight = config->delay_weight;
    window->loss_weight = config->loss_weight;
    window->void_share = config->void_share;
    window->seed = (uint64_t)config->seed;
    window->capacity.level = config->level;
    window->capacity.overhead_bytes = (double)config->overhead;
    window->capacity.packet_bytes = (double)config->packet_size;
    if (config->capacity > 0)
        window->capacity.capacity_bps = config->capacity;
    if (!(config->alpha > 0 && config->alpha < 0.5))
        return sdw_err_set(err, SDW_EUSAGE, "--alpha: expected a share above 0 and below 50%%");
    if (!(config->level > 0 && config->level < 1))
        return sdw_err_set(err, SDW_EUSAGE, "--level: expected a share above 0 and below 100%%");
    if (config->packet_size < 20 || config->packet_size > 65535 || config->overhead > 1000)
        return sdw_err_set(err, SDW_EUSAGE,
                           "--packet-size: expected 20 to 65535; --overhead: at most 1000");
    if (config->threshold_text &&
        (!sdw_num_real(sdw_str_of(config->threshold_text), &rules->threshold) ||
         !(rules->threshold > 0)))
        return sdw_err_set(err, SDW_EUSAGE, "--threshold: expected a number above 0, not '%s'",
                           config->threshold_text);
    return 0;
}

static int put(void *arg, const struct sdw_schema *schema, const void *rec)
{
    return sdw_rec_put(arg, schema, rec);
}

/* Take in a slot. What is wrong with it is reported with its line. */
static int slot_line(struct sdw_ctx *ctx, struct sdw_analysis *analysis, struct sdw_str line,
                     struct sdw_arena *arena, int64_t *newest)
{
    struct sdw_slot slot;
    struct sdw_err err = {0};
    int code = sdw_rec_decode(&sdw_slot_schema, line, arena, &slot, &err);
    if (code == 0 && slot.shared != 1) { /* what was shared was read with the slot itself */
        *newest = slot.ts > *newest ? slot.ts : *newest;
        code = sdw_analysis_slot(analysis, &slot, &err);
    }
    return code == SDW_EINPUT ? sdw_bad_line(ctx, &err) : code;
}

static int path_line(struct sdw_ctx *ctx, struct sdw_analysis *analysis, struct sdw_str line,
                     struct sdw_arena *arena)
{
    struct sdw_path path;
    struct sdw_err err = {0};
    if (sdw_rec_decode(&sdw_path_schema, line, arena, &path, &err) < 0)
        return sdw_bad_line(ctx, &err);
    return sdw_analysis_path(analysis, &path);
}

/* A verdict on the old path must come before the record that says the path changed. */
static int take(struct sdw_ctx *ctx, const struct config *config, struct sdw_analysis *analysis,
                struct sdw_str line, struct sdw_arena *arena, int64_t *newest)
{
    struct sdw_str type = sdw_scan_type(line);
    int code = 0;
    sdw_arena_reset(arena);
    if (sdw_str_is(type, "slot")) {
        code = config->keep ? sdw_put(ctx, line) : 0;
        return code < 0 ? code : slot_line(ctx, analysis, line, arena, newest);
    }
    if (sdw_str_is(type, "path"))
        code = path_line(ctx, analysis, line, arena);
    return code < 0 ? code : sdw_put(ctx, line);
}

static int finish(struct sdw_ctx *ctx, struct sdw_analysis *analysis, int64_t newest)
{
    const struct sdw_analysis_counts *n = &analysis->counts;
    char counts[320];
    int code = sdw_analysis_finish(analysis);
    snprintf(counts, sizeof counts,
             "{\"slots\":%lld,\"windows\":%lld,\"bottlenecks\":%lld,\"metrics\":%lld,"
             "\"events\":%lld,\"late\":%lld,\"unread_trains\":%lld}",
             (long long)n->slots, (long long)n->windows, (long long)n->bottlenecks,
             (long long)n->metrics, (long long)n->events, (long long)n->late,
             (long long)n->unread_trains);
    if (code == 0)
        code = sdw_rec_end(ctx, newest, sdw_stop_signal(ctx) ? "signal" : "eof", counts);
    if (code == 0 && n->late > 0)
        sdw_detail(ctx, "%lld slots came after their window had been judged", (long long)n->late);
    if (code == 0 && n->events > 0)
        return sdw_err_set(&ctx->err, SDW_ENO, "the capacity gradient crossed the threshold");
    return code;
}

static int run(struct sdw_ctx *ctx, void *config)
{
    struct sdw_analysis_rules rules;
    int code = rules_of(config, &rules, &ctx->err);
    if (code < 0)
        return code;
    struct sdw_analysis analysis;
    struct sdw_arena arena = {0};
    struct sdw_str line;
    int64_t newest = 0;
    sdw_analysis_init(&analysis, &rules, put, ctx);
    while ((code = sdw_next(ctx, &line)) > 0) {
        code = take(ctx, config, &analysis, line, &arena, &newest);
        if (code < 0)
            break;
    }
    if (code == 0)
        code = finish(ctx, &analysis, newest);
    sdw_analysis_release(&analysis);
    sdw_arena_release(&arena);
    return code;
}

static const struct sdw_example examples[] = {
    {"Find the hop where a path is tight, and what it still carries:",
     "shadow-probe 10.9.0.2 | shadow-gradient", "lab"},
    {"Judge a recorded run again, more strictly, and keep only the verdicts:",
     "shadow-gradient --alpha 0.1% --floor 1ms -o verdict </dev/null", NULL},
    {NULL, NULL, NULL},
};

static const struct sdw_command command = {
    .name = "shadow-gradient",
    .help = "judges the slots of shadow-probe",
    .options = options,
    .run = run,
};

static const struct sdw_tool tool = {
    .name = "shadow-gradient",
    .summary = "find the tight hop of a path and its available capacity",
    .command = &command,
    .config_size = sizeof(struct config),
    .main_type = "verdict",
    .column_of = sdw_schema_column,
    .reads_records = true,
    .examples = examples,
};

int main(int argc, char **argv)
{
    return sdw_main(&tool, argc, argv);
}
