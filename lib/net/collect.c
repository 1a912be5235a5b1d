#include "net/collect.h"
#include "core/clock.h"
#include "rec/end.h"
#include "rec/series.h"

#include <math.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>

enum { JUMP_US = 500000 };

struct sdw_moment sdw_moment_now(void)
{
    return (struct sdw_moment){sdw_wall_us(), sdw_mono_ns()};
}

int64_t sdw_moment_jump(struct sdw_moment before, struct sdw_moment after)
{
    int64_t passed = (after.mono_ns - before.mono_ns) / 1000;
    int64_t jump = after.wall_us - before.wall_us - passed;
    return jump > JUMP_US || jump < -JUMP_US ? jump : 0;
}

int sdw_collect_add(struct sdw_collect *collect, const struct sdw_source_kind *kind, void *state,
                    struct sdw_err *err)
{
    if (collect->n == SDW_SOURCES) {
        kind->free(state);
        return sdw_err_set(err, SDW_EUSAGE, "more than %d sources", SDW_SOURCES);
    }
    collect->source[collect->n++] = (struct sdw_source){kind, state};
    return 0;
}

void sdw_collect_release(struct sdw_collect *collect)
{
    for (size_t i = 0; i < collect->n; i++)
        collect->source[i].kind->free(collect->source[i].state);
    collect->n = 0;
}

/* What the loop keeps: when the next interval begins, and which sources have ended. */
struct loop {
    struct sdw_moment before; /* of the last tick */
    int64_t next_ns;
    int64_t ticks;
    bool ended[SDW_SOURCES];
    size_t left;
};

static int settle(struct loop *loop, size_t i, int code)
{
    if (code > 0) {
        loop->ended[i] = true;
        loop->left--;
    }
    return code < 0 ? code : 0;
}

static int tick(struct sdw_ctx *ctx, struct sdw_collect *collect, struct loop *loop)
{
    struct sdw_moment now = sdw_moment_now();
    int64_t jump = loop->ticks > 0 ? sdw_moment_jump(loop->before, now) : 0;
    int code = 0;
    ctx->status = 0;
    if (jump != 0)
        sdw_warn(ctx, "the clock jumped by %+.1f s: records go on with the new time",
                 (double)jump / 1e6);
    for (size_t i = 0; code == 0 && i < collect->n; i++) {
        const struct sdw_source *source = &collect->source[i];
        if (!loop->ended[i] && source->kind->tick)
            code = settle(loop, i, source->kind->tick(ctx, source->state, now));
    }
    loop->before = now;
    loop->ticks++;
    loop->next_ns += collect->interval_us * 1000;
    if (loop->next_ns < now.mono_ns) /* it took longer than an interval: no burst to catch up */
        loop->next_ns = now.mono_ns + collect->interval_us * 1000;
    return code;
}

/* Wait until a source can be read, the interval is over or a signal came; read what can be. */
static int wait_and_take(struct sdw_ctx *ctx, struct sdw_collect *collect, struct loop *loop)
{
    struct pollfd fds[SDW_SOURCES + 1] = {{.fd = ctx->stop_fd, .events = POLLIN}};
    for (size_t i = 0; i < collect->n; i++) {
        const struct sdw_source *source = &collect->source[i];
        bool readable = source->kind->fd && !loop->ended[i];
        fds[i + 1] = (struct pollfd){readable ? source->kind->fd(source->state) : -1, POLLIN, 0};
    }
    int64_t left_ms = (loop->next_ns - sdw_mono_ns() + 999999) / 1000000;
    int code = sdw_flush(ctx);
    if (code < 0)
        return code;
    if (poll(fds, (nfds_t)collect->n + 1,
             left_ms < 0       ? 0
             : left_ms > 60000 ? 60000
                               : (int)left_ms) <= 0)
        return 0;
    for (size_t i = 0; code == 0 && i < collect->n; i++) {
        const struct sdw_source *source = &collect->source[i];
        if (fds[i + 1].revents)
            code = settle(loop, i, source->kind->take(ctx, source->state));
    }
    return code;
}

static int let_finish(struct sdw_ctx *ctx, const struct sdw_collect *collect)
{
    int code = 0;
    for (size_t i = 0; code >= 0 && i < collect->n; i++) {
        const struct sdw_source *source = &collect->source[i];
        if (source->kind->finish)
            code = source->kind->finish(ctx, source->state, sdw_moment_now());
    }
    return code < 0 ? code : 0;
}

static int finish(struct sdw_ctx *ctx, const struct sdw_collect *collect, const char *reason)
{
    struct sdw_buf text = {0};
    struct sdw_jsonw counts = sdw_jsonw(&text);
    uint64_t bad = 0;
    sdw_jsonw_object(&counts, NULL);
    sdw_jsonw_int(&counts, "records", (int64_t)ctx->records_out);
    for (size_t i = 0; i < collect->n; i++) {
        const struct sdw_source *source = &collect->source[i];
        if (source->kind->count)
            source->kind->count(source->state, &counts);
        bad += source->kind->bad ? source->kind->bad(source->state) : 0;
    }
    sdw_jsonw_end(&counts);
    int code = sdw_rec_end(ctx, sdw_wall_us(), reason, text.p);
    sdw_buf_release(&text);
    if (code == 0 && bad > 0)
        code = sdw_err_set(&ctx->err, SDW_EINPUT, "%llu piece%s of input %s bad",
                           (unsigned long long)bad, bad == 1 ? "" : "s", bad == 1 ? "was" : "were");
    return code;
}

int sdw_collect_run(struct sdw_ctx *ctx, struct sdw_collect *collect)
{
    struct loop loop = {.left = collect->n, .next_ns = sdw_mono_ns()};
    int code = 0;
    while (code == 0 && loop.left > 0 && !sdw_stop_signal(ctx)) {
        if (sdw_mono_ns() >= loop.next_ns) {
            code = tick(ctx, collect, &loop);
            if (collect->once || (collect->count > 0 && loop.ticks > collect->count))
                break;
        }
        if (code == 0 && loop.left > 0)
            code = wait_and_take(ctx, collect, &loop);
    }
    if (code == 0)
        code = let_finish(ctx, collect);
    if (code < 0 && code != SDW_ESTOP)
        return code;
    const char *reason = sdw_stop_signal(ctx) ? "signal" : loop.left == 0 ? "eof" : "done";
    return finish(ctx, collect, reason);
}

void sdw_metrics_put(struct sdw_metrics *metrics, double value, const char *series, ...)
{
    char name[1024];
    struct sdw_metric rec;
    va_list ap;
    if (metrics->code < 0 || !isfinite(value))
        return;
    va_start(ap, series);
    vsnprintf(name, sizeof name, series, ap);
    va_end(ap);
    sdw_rec_init(&sdw_metric_schema, &rec);
    rec.ts = metrics->ts;
    rec.series = sdw_str_of(name);
    rec.labels = metrics->labels;
    rec.value = value;
    metrics->code = sdw_rec_put(metrics->ctx, &sdw_metric_schema, &rec);
    metrics->n++;
}
