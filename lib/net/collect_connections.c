#include "net/collect_host.h"
#include "core/clock.h"
#include "core/mem.h"
#include "rec/conn.h"
#include "rec/end.h"
#include "sys/conntrack.h"

#include <stdlib.h>

struct connections {
    struct sdw_conntrack *events; /* NULL: not allowed to hear them */
    int64_t seen_ns;
    uint64_t made, ended, overruns; /* in all, but before the first reading */
};

static int fd(const void *state)
{
    const struct connections *connections = state;
    return connections->events ? sdw_conntrack_fd(connections->events) : -1;
}

static int take(struct sdw_ctx *ctx, void *state)
{
    const struct connections *connections = state;
    return sdw_conntrack_read(connections->events, sdw_mono_ns(), &ctx->err);
}

static int say_overrun(struct sdw_ctx *ctx, int64_t ts)
{
    struct sdw_loss loss;
    sdw_rec_init(&sdw_loss_schema, &loss);
    loss.ts = ts;
    loss.tool = sdw_str_of(ctx->tool->name);
    loss.where = sdw_str_of("kernel");
    loss.reason = sdw_str_of("connection tracking events came faster than they were read; "
                             "how many is not known");
    return sdw_rec_put(ctx, &sdw_loss_schema, &loss);
}

/* What the events of one interval tell. */
static int take_events(struct sdw_ctx *ctx, struct connections *connections, int64_t elapsed_ns,
                       struct sdw_conn *conn)
{
    struct sdw_conntrack_count count = sdw_conntrack_take(connections->events);
    if (elapsed_ns <= 0)
        return 0;
    connections->made += count.made;
    connections->ended += count.ended;
    connections->overruns += count.overruns;
    if (count.overruns > 0)
        return say_overrun(ctx, conn->ts);
    double seconds = (double)elapsed_ns / 1e9;
    conn->new_per_s = (double)count.made / seconds;
    conn->ended_per_s = (double)count.ended / seconds;
    if (count.timed > 0)
        conn->duration_mean_us = count.kept_us / (double)count.timed;
    return 0;
}

/* As series of their own, and together. */
static int put(struct sdw_ctx *ctx, const struct sdw_conn *conn)
{
    struct sdw_metrics metrics = {.ctx = ctx, .ts = conn->ts};
    sdw_metrics_put(&metrics, conn->count, "host/conntrack/entries");
    sdw_metrics_put(&metrics, conn->limit, "host/conntrack/limit");
    if (conn->limit > 0)
        sdw_metrics_put(&metrics, conn->count / conn->limit, "host/conntrack/used_share");
    sdw_metrics_put(&metrics, conn->new_per_s, "host/conntrack/new_per_s");
    sdw_metrics_put(&metrics, conn->ended_per_s, "host/conntrack/ended_per_s");
    sdw_metrics_put(&metrics, conn->duration_mean_us, "host/conntrack/duration_mean_us");
    return metrics.code == 0 ? sdw_rec_put(ctx, &sdw_conn_schema, conn) : metrics.code;
}

static int tick(struct sdw_ctx *ctx, void *state, struct sdw_moment now)
{
    struct connections *connections = state;
    struct sdw_conn conn;
    int64_t entries, limit;
    int code = sdw_conntrack_entries(&entries, &limit, &ctx->err);
    if (code == SDW_ENO)
        return 1;
    if (code < 0)
        return code;
    sdw_rec_init(&sdw_conn_schema, &conn);
    conn.ts = now.wall_us;
    conn.series = sdw_str_of("host/conntrack/entries");
    conn.count = (double)entries;
    conn.limit = (double)limit;
    int64_t elapsed_ns = connections->seen_ns ? now.mono_ns - connections->seen_ns : 0;
    connections->seen_ns = now.mono_ns;
    code =
        connections->events ? sdw_conntrack_read(connections->events, now.mono_ns, &ctx->err) : 0;
    if (code == 0 && connections->events)
        code = take_events(ctx, connections, elapsed_ns, &conn);
    return code == 0 ? put(ctx, &conn) : code;
}

static void count(const void *state, struct sdw_jsonw *counts)
{
    const struct connections *connections = state;
    if (!connections->events)
        return;
    sdw_jsonw_int(counts, "connections_made", (int64_t)connections->made);
    sdw_jsonw_int(counts, "connections_ended", (int64_t)connections->ended);
    sdw_jsonw_int(counts, "connection_overruns", (int64_t)connections->overruns);
}

static void release(void *state)
{
    struct connections *connections = state;
    sdw_conntrack_close(connections->events);
    free(connections);
}

static const struct sdw_source_kind kind = {
    .fd = fd, .take = take, .tick = tick, .count = count, .free = release};

int sdw_collect_connections(struct sdw_ctx *ctx, struct sdw_collect *collect, struct sdw_err *err)
{
    struct connections *connections = sdw_xalloc(sizeof *connections);
    struct sdw_err why = {0};
    connections->events = sdw_conntrack_open(&why);
    if (!connections->events)
        sdw_detail(ctx, "connections are counted, but not when they come and go: %s", why.text);
    return sdw_collect_add(collect, &kind, connections, err);
}
