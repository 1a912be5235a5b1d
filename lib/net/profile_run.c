#include "net/profile_run.h"
#include "core/clock.h"
#include "io/backlog.h"
#include "rec/app.h"
#include "rec/end.h"
#include "rec/flow.h"

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

enum { BATCH = 1024, KEEP_BYTES = 32 << 20, DROP_BYTES = 8 << 20 };
static const int64_t settle_ns = 50000000; /* packets are handed over this late at most */
static const int64_t look_ns = 100000000;  /* losses and signals are looked for this often */

static bool wanted(const struct sdw_ctx *ctx, const char *type)
{
    const struct sdw_list *types = &ctx->common.types;
    for (size_t i = 0; i < types->n; i++)
        if (strcmp(types->item[i], type) == 0)
            return true;
    return types->n == 0;
}

static int say(void *arg, const struct sdw_schema *schema, const void *rec)
{
    struct sdw_profile_run *run = arg;
    struct sdw_ctx *ctx = run->ctx;
    if (!wanted(ctx, schema->type))
        return 0;
    if (!run->backlog)
        return sdw_rec_put(ctx, schema, rec);
    sdw_buf_clear(&ctx->scratch);
    sdw_rec_encode(schema, rec, &ctx->scratch);
    sdw_backlog_add(run->backlog, sdw_buf_view(&ctx->scratch),
                    schema == &sdw_flow_update_schema || schema == &sdw_app_schema);
    return 0;
}

static void on_packet(void *arg, int64_t ts_ns, struct sdw_str bytes, uint32_t wire_bytes)
{
    struct sdw_profile_run *run = arg;
    sdw_profile_packet(run->profile, ts_ns, bytes, wire_bytes);
}

static int say_loss(struct sdw_profile_run *run, const char *where, const char *reason,
                    uint64_t packets, uint64_t records)
{
    struct sdw_loss loss;
    sdw_rec_init(&sdw_loss_schema, &loss);
    loss.ts = sdw_wall_us();
    loss.tool = sdw_str_of(run->ctx->tool->name);
    loss.where = sdw_str_of(where);
    loss.reason = sdw_str_of(reason);
    loss.packets = packets ? (int64_t)packets : SDW_NO_INT;
    loss.records = records ? (int64_t)records : SDW_NO_INT;
    return packets || records ? say(run, &sdw_loss_schema, &loss) : 0;
}

/* What the kernel and the queue lost since this was last said. */
static int say_losses(struct sdw_profile_run *run)
{
    uint64_t lost = sdw_capture_lost(run->capture), dropped = sdw_backlog_dropped(run->backlog);
    int code = say_loss(run, "kernel", "the tool did not keep up with the packets",
                        lost - run->told_lost, 0);
    run->told_lost = lost;
    if (code == 0)
        code = say_loss(run, "queue", "the reader of the output did not keep up", 0,
                        dropped - run->told_dropped);
    run->told_dropped = dropped;
    return code;
}

/* Wait for packets, for a reader, or for something else to do. */
static void wait_for_more(const struct sdw_profile_run *run)
{
    struct pollfd fds[3] = {{.fd = sdw_capture_fd(run->capture), .events = POLLIN},
                            {.fd = run->ctx->stop_fd, .events = POLLIN},
                            {.fd = STDOUT_FILENO, .events = POLLOUT}};
    bool room = !sdw_backlog_empty(run->backlog) && sdw_backlog_fits(run->backlog);
    (void)poll(fds, room ? 3 : 2, (int)(look_ns / 1000000));
}

/* Take what is there: 1 when there was something, 0 at the end or when there is nothing now. */
static int take(struct sdw_profile_run *run)
{
    int n = sdw_capture_read(run->capture, BATCH, on_packet, run, &run->ctx->err);
    int code = sdw_profile_code(run->profile);
    run->broke_off = code == 0 && n < 0;
    return code < 0 ? code : n > 0 ? 1 : n;
}

static int watch(struct sdw_profile_run *run, int64_t duration_us)
{
    int64_t end_ns = duration_us ? sdw_mono_ns() + duration_us * 1000 : INT64_MAX;
    int64_t look_at_ns = 0, now_ns = 0;
    int code = 0;
    while (code >= 0 && now_ns < end_ns && !sdw_stop_signal(run->ctx)) {
        bool more = false;
        code = take(run);
        if (code == 0)
            more = sdw_profile_time(run->profile, sdw_wall_ns() - settle_ns);
        now_ns = sdw_mono_ns();
        if (code >= 0 && now_ns >= look_at_ns) {
            int said = say_losses(run);
            code = said < 0 ? said : code;
            look_at_ns = now_ns + look_ns;
        }
        int drained = code < 0 ? 0 : sdw_backlog_drain(run->backlog, run->ctx);
        if (drained < 0)
            return drained;
        if (code == 0 && !more)
            wait_for_more(run);
    }
    for (end_ns = now_ns + settle_ns; code >= 0 && sdw_mono_ns() < end_ns && code == 1;)
        code = take(run);
    return code;
}

static int read_file(struct sdw_profile_run *run)
{
    int code = 1;
    while (code > 0 && !sdw_stop_signal(run->ctx))
        code = take(run);
    return code;
}

static int report(struct sdw_profile_run *run, const char *reason)
{
    struct sdw_profile_counts counts = sdw_profile_counts(run->profile);
    int code = run->backlog ? say_losses(run) : 0;
    if (code == 0 && run->backlog)
        code = sdw_backlog_flush(run->backlog, run->ctx);
    char text[384];
    snprintf(text, sizeof text,
             "{\"packets\":%llu,\"bytes\":%llu,\"flows\":%llu,\"other\":%llu,\"cut\":%llu,"
             "\"bad\":%llu,\"mirrored\":%llu,\"evicted\":%llu,\"skipped\":%llu,\"crowded\":%llu,"
             "\"lost\":%llu,"
             "\"dropped\":%llu}",
             (unsigned long long)counts.packets, (unsigned long long)counts.bytes,
             (unsigned long long)counts.flows, (unsigned long long)counts.other,
             (unsigned long long)counts.cut, (unsigned long long)counts.bad,
             (unsigned long long)counts.mirrored, (unsigned long long)counts.evicted,
             (unsigned long long)counts.skipped, (unsigned long long)counts.crowded,
             (unsigned long long)run->told_lost, (unsigned long long)run->told_dropped);
    return code == 0 ? sdw_rec_end(run->ctx, counts.last_ns / 1000, reason, text) : code;
}

int sdw_profile_run_open(struct sdw_profile_run *run, const struct sdw_capture_config *capture,
                         struct sdw_profile_config *profile, struct sdw_classify_config *apps,
                         struct sdw_err *err)
{
    run->capture = sdw_capture_new(capture, err);
    if (!run->capture)
        return err->code;
    profile->link = sdw_capture_link(run->capture);
    profile->say = say;
    profile->arg = run;
    profile->spread = capture->interface != NULL;
    run->profile = sdw_profile_new(profile);
    if (capture->interface)
        run->backlog = sdw_backlog_new(KEEP_BYTES, DROP_BYTES);
    apps->link = capture->interface ? capture->interface : "capture";
    return sdw_profile_classify(run->profile, apps, err);
}

void sdw_profile_run_close(struct sdw_profile_run *run)
{
    sdw_profile_free(run->profile);
    sdw_capture_free(run->capture);
    sdw_backlog_free(run->backlog);
}

/* Why it ended. */
static const char *reason_of(const struct sdw_profile_run *run, int code)
{
    if (sdw_stop_signal(run->ctx))
        return "signal";
    if (code < 0)
        return "error";
    return run->backlog ? "done" : "eof";
}

int sdw_profile_run(struct sdw_profile_run *run, int64_t duration_us)
{
    int code = run->backlog ? watch(run, duration_us) : read_file(run);
    struct sdw_err err = run->ctx->err;
    if (code < 0 && !run->broke_off)
        return code;
    sdw_profile_finish(run->profile); /* what was read before an error counts */
    int said = sdw_profile_code(run->profile);
    if (said == 0)
        said = report(run, reason_of(run, code));
    if (said < 0)
        return said;
    run->ctx->err = err;
    return code < 0 ? code : 0;
}
