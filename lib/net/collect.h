/*
 * Collecting: sources of telemetry that are waited for together, each read when it has something
 * or at every interval, and what they say as records.
 */
#ifndef SDW_NET_COLLECT_H
#define SDW_NET_COLLECT_H

#include "core/base.h"
#include "core/err.h"
#include "io/jsonw.h"
#include "io/tool.h"

/* A moment: records carry the wall clock; what passed between two is told by the monotonic one,
 * so that a jump of the wall clock bends no rate. */
struct sdw_moment {
    int64_t wall_us, mono_ns;
};

struct sdw_moment sdw_moment_now(void);
/* How far the wall clock has jumped between two moments, in us (forward is positive): 0 when it is
 * less than half a second, which is slewing and what reading two clocks costs. */
int64_t sdw_moment_jump(struct sdw_moment before, struct sdw_moment after);

/* A kind of source. take and tick return 0, 1 when the source has come to its end, or negative
 * with the message in ctx->err; the state is freed by free. */
struct sdw_source_kind {
    int (*fd)(const void *state);                  /* NULL: there is nothing to wait for */
    int (*take)(struct sdw_ctx *ctx, void *state); /* fd is readable */
    /* At the start and then at every interval. NULL: nothing to do. One that does not answer now
     * sets ctx->status to 1. */
    int (*tick)(struct sdw_ctx *ctx, void *state, struct sdw_moment now);
    /* The same at the end of the run, however it ends: what is held back must be told. */
    int (*finish)(struct sdw_ctx *ctx, void *state, struct sdw_moment now);
    void (*count)(const void *state, struct sdw_jsonw *counts); /* members of end's counts */
    uint64_t (*bad)(const void *state); /* pieces of input that were bad; NULL: none can be */
    void (*free)(void *state);
};

struct sdw_source {
    const struct sdw_source_kind *kind;
    void *state;
};

enum { SDW_SOURCES = 64 };

struct sdw_collect {
    struct sdw_source source[SDW_SOURCES];
    size_t n;
    int64_t interval_us; /* > 0 */
    int64_t count;       /* intervals; 0: until stopped or until all sources have ended */
    bool once;           /* only the first reading */
};

/* Add a source; without room for it, it is freed and SDW_EUSAGE returned. */
int sdw_collect_add(struct sdw_collect *collect, const struct sdw_source_kind *kind, void *state,
                    struct sdw_err *err);
void sdw_collect_release(struct sdw_collect *collect);

/* Collect until the count is reached, every source has ended, or a signal; then write the last
 * record. A source that fails ends the run. SDW_EINPUT at the end when some input was bad. */
int sdw_collect_run(struct sdw_ctx *ctx, struct sdw_collect *collect);

/* Many metric records of one time. After a failure, puts do nothing: look at code at the end. */
struct sdw_metrics {
    struct sdw_ctx *ctx;
    int64_t ts;
    struct sdw_str labels; /* a JSON object, or none */
    int code;
    uint64_t n; /* written */
};

/* A value that is not finite is not known and is left out. */
void sdw_metrics_put(struct sdw_metrics *metrics, double value, const char *series, ...)
    SDW_PRINTF(3, 4);

#endif
