/* shadow-store: keeps time series, and answers questions about them. */
#include "core/clock.h"
#include "io/tool.h"
#include "rec/rec.h"
#include "store/append.h"
#include "store/check.h"
#include "store/compact.h"
#include "store/export.h"
#include "store/query.h"
#include "store/remote.h"
#include "store/retain.h"
#include "store/serve.h"

#include <stdio.h>

struct config {
    const char *store;
    struct sdw_store_settings settings;
    struct sdw_append_settings append;
    struct sdw_export_settings export;
    int wire;
    struct sdw_remote remote;
    const char *from, *to, *agg, *retain[SDW_LEVELS];
    int64_t step_us, port;
    bool repair;
};

#define AT(field) offsetof(struct config, field)
#define OPT(name, letter, kind, field, arg, help, def)                                             \
    {                                                                                              \
        name, letter, SDW_OPT_##kind, AT(field), arg, help, def, 0, 0, NULL, NULL                  \
    }
#define OPT_INT(name, field, help, def, lo, hi)                                                    \
    {                                                                                              \
        name, 0, SDW_OPT_INT, AT(field), "N", help, def, lo, hi, NULL, NULL                        \
    }
#define STORE                                                                                      \
    {                                                                                              \
        "store", 's', SDW_OPT_TEXT, AT(store), "DIR", "the store", NULL, 0, 0, NULL, "dir"         \
    }

static const struct sdw_option append_options[] = {
    STORE,
    OPT("window", 0, DURATION, settings.window_us, "DURATION", "take points this late", "10m"),
    OPT("ahead", 0, DURATION, append.ahead_us, "DURATION",
        "refuse points further than this in the future", "1h"),
    OPT_INT("batch", append.batch, "acknowledge at least every N points", "50000", 1, 1e6),
    OPT("log-size", 0, BYTES, settings.log_bytes, "BYTES", "make a segment of a log of this size",
        "64Mi"),
    OPT("keep", 0, FLAG, append.keep, NULL, "pass the stored records on, too", NULL),
    {0},
};
static const struct sdw_option query_options[] = {
    STORE,
    OPT("from", 0, TEXT, from, "TIME", "first moment: a date, seconds, or -1h", NULL),
    OPT("to", 0, TEXT, to, "TIME", "moment to stop before", NULL),
    OPT("step", 0, DURATION, step_us, "DURATION", "one value for each step", NULL),
    OPT("agg", 'a', TEXT, agg, "HOW", "avg, min, max, sum, count, last, rate, p95, ...", NULL),
    OPT("url", 'u', TEXT, remote.url, "URL", "ask this engine, http://HOST:9090, instead", NULL),
    OPT("token-file", 0, TEXT, remote.token_file, "FILE", "file of a bearer token for it", NULL),
    {0},
};
#define RETAIN(name, level, what)                                                                  \
    OPT(name, 0, TEXT, retain[level], "DURATION", "keep " what " this long, or forever", NULL)
static const struct sdw_option compact_options[] = {
    STORE,
    RETAIN("points", 0, "points"),
    RETAIN("minutes", 1, "rollups of a minute"),
    RETAIN("hours", 2, "rollups of an hour"),
    RETAIN("days", 3, "rollups of a day"),
    {0},
};
static const struct sdw_option check_options[] = {
    STORE,
    OPT("repair", 0, FLAG, repair, NULL, "put what is damaged aside, and go on without it", NULL),
    {0},
};
static const struct sdw_option serve_options[] = {
    STORE,
    OPT_INT("port", port, "port on the loopback; 0: any", "9424", 0, 65535),
    {0},
};
static const struct sdw_option export_options[] = {
    OPT("to", 't', TEXT, export.url, "URL", "the engine to write to", NULL),
    {"engine", 0, SDW_OPT_ENUM, AT(wire), "NAME", "how it takes points", "prometheus", 0, 0,
     sdw_wire_names, NULL},
    OPT("spool", 0, TEXT, export.spool, "DIR", "keep what cannot be sent now here", NULL),
    OPT("spool-size", 0, BYTES, export.spool_bytes, "BYTES", "most that is kept there", "1G"),
    OPT_INT("batch", export.batch, "send at most N points together", "5000", 1, 1e6),
    OPT("delay", 0, DURATION, export.delay_us, "DURATION", "wait this long for more of them", "1s"),
    OPT("linger", 0, DURATION, export.linger_us, "DURATION", "try this long at the end", "10s"),
    OPT("token-file", 0, TEXT, export.token_file, "FILE", "file of a bearer token", NULL),
    OPT("keep", 0, FLAG, export.keep, NULL, "pass the records that were sent on, too", NULL),
    {0},
};
static const struct sdw_option store_options[] = {STORE, {0}};
static const struct sdw_operand query_operands[] = {
    {"SELECTOR", "which series: NAME, NAME{label=\"value\"}, 'link/*'", false, true, NULL},
    {0},
};

static int need_store(struct sdw_ctx *ctx, const struct config *config)
{
    return config->store ? 0
                         : sdw_err_set(&ctx->err, SDW_EUSAGE, "--store or SHADOW_STORE is needed");
}

static int open_store(struct sdw_ctx *ctx, const struct config *config, struct sdw_store *store)
{
    int code = need_store(ctx, config);
    if (code == 0)
        code = sdw_store_open(store, config->store, &config->settings, &ctx->err);
    if (code == 0 && store->found.damaged)
        sdw_warn(ctx, "%lld bytes of the log are damaged: their points are lost",
                 (long long)store->found.damaged);
    if (code == 0 && store->log_missing)
        sdw_warn(ctx, "%s: the log %llu is missing: its points are lost", store->path,
                 (unsigned long long)store->manifest.first_log);
    if (code == 0 && store->damage.code)
        sdw_warn(ctx, "%s: left out (check --repair puts it aside)", store->damage.text);
    return code;
}

static int run_append(struct sdw_ctx *ctx, void *arg)
{
    struct config *config = arg;
    struct sdw_store store;
    config->settings.write = config->settings.create = true;
    int code = open_store(ctx, config, &store);
    if (code != 0)
        return code;
    code = sdw_append_run(ctx, &store, &config->append);
    sdw_store_close(&store);
    return code;
}

static int run_remote(struct sdw_ctx *ctx, const struct config *config)
{
    struct sdw_query query = {.step_us = config->step_us};
    int64_t now_us = sdw_wall_us();
    int code = sdw_query_parse(&query, config->from, config->to, config->agg, now_us, &ctx->err);
    return code == 0 ? sdw_remote_run(ctx, &config->remote, &query, now_us) : code;
}

static int run_query(struct sdw_ctx *ctx, void *arg)
{
    const struct config *config = arg;
    struct sdw_store store;
    struct sdw_query query = {.step_us = config->step_us};
    struct sdw_selected selected = {0};
    if (config->remote.url)
        return run_remote(ctx, config);
    int code = open_store(ctx, config, &store);
    if (code != 0)
        return code;
    code =
        sdw_query_parse(&query, config->from, config->to, config->agg, store.newest_us, &ctx->err);
    if (code == 0)
        code = sdw_select_texts(&store, ctx->operands, ctx->n_operands, &selected, &ctx->err);
    if (code == 0)
        code = sdw_query_run(ctx, &store, &selected, &query);
    sdw_selected_release(&selected);
    sdw_store_close(&store);
    return code;
}

static int run_rollup(struct sdw_ctx *ctx, void *arg)
{
    struct config *config = arg;
    struct sdw_store store;
    config->settings.write = true;
    int code = open_store(ctx, config, &store);
    if (code != 0)
        return code;
    code = sdw_rollup_run(ctx, &store);
    sdw_store_close(&store);
    return code;
}

static int run_compact(struct sdw_ctx *ctx, void *arg)
{
    struct config *config = arg;
    struct sdw_store store;
    config->settings.write = true;
    int code = open_store(ctx, config, &store);
    if (code != 0)
        return code;
    code = sdw_compact_run(ctx, &store, config->retain);
    sdw_store_close(&store);
    return code;
}

static int run_check(struct sdw_ctx *ctx, void *arg)
{
    const struct config *config = arg;
    int code = need_store(ctx, config);
    return code == 0 ? sdw_store_check(ctx, config->store, config->repair) : code;
}

static int run_serve(struct sdw_ctx *ctx, void *arg)
{
    const struct config *config = arg;
    int code = need_store(ctx, config);
    return code == 0 ? sdw_store_serve(ctx, config->store, (uint16_t)config->port) : code;
}

static int run_export(struct sdw_ctx *ctx, void *arg)
{
    struct config *config = arg;
    config->export.wire = (enum sdw_wire)config->wire;
    return sdw_export_run(ctx, &config->export);
}

static const struct sdw_command subs[] = {
    {"append", "stores metric and app records", append_options, NULL, run_append, NULL, "stored"},
    {"query", "prints series, or what they amount to in each step", query_options, query_operands,
     run_query, NULL, NULL},
    {"rollup", "makes the rollups that are due", store_options, NULL, run_rollup, NULL, NULL},
    {"compact", "rolls up, merges segments, and drops what is too old", compact_options, NULL,
     run_compact, NULL, NULL},
    {"check", "looks at every byte of a store", check_options, NULL, run_check, NULL, NULL},
    {"export", "sends the same to Prometheus or VictoriaMetrics", export_options, NULL, run_export,
     NULL, NULL},
    {"serve", "answers the read API of Prometheus on the loopback", serve_options, NULL, run_serve,
     NULL, NULL},
    {0},
};
static const struct sdw_command command = {"shadow-store", NULL, NULL, NULL, NULL, subs, NULL};
static const struct sdw_example examples[] = {
    {"Keep what a run measured, and ask for the least available capacity of each path:",
     "shadow-gradient <run.ndjson | shadow-store append -s paths -o stored && "
     "shadow-store query -s paths 'path/*/available_bps' --agg min",
     NULL},
    {0},
};
static const struct sdw_tool tool = {
    .name = "shadow-store",
    .summary = "keep time series durably in little space, and query them",
    .command = &command,
    .config_size = sizeof(struct config),
    .main_type = "metric",
    .column_of = sdw_schema_column,
    .examples = examples,
};

int main(int argc, char **argv)
{
    return sdw_main(&tool, argc, argv);
}
