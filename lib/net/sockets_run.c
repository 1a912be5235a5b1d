#include "net/sockets_run.h"
#include "core/clock.h"
#include "rec/end.h"

#include <poll.h>
#include <stdio.h>

static int say(void *arg, const struct sdw_schema *schema, const void *rec)
{
    const struct sdw_sockets_run *run = arg;
    return sdw_rec_put(run->ctx, schema, rec);
}

int sdw_sockets_run_open(struct sdw_sockets_run *run, struct sdw_sockets_config *config,
                         const char *apps, struct sdw_err *err)
{
    run->map = sdw_appmap_new();
    int code = apps ? sdw_appmap_load(run->map, apps, err) : 0;
    if (code == 0)
        code = sdw_sockdiag_open(&run->diag, true, err);
    config->map = run->map;
    config->say = say;
    config->arg = run;
    run->sockets = sdw_sockets_new(config);
    return code;
}

void sdw_sockets_run_close(struct sdw_sockets_run *run)
{
    sdw_sockets_free(run->sockets);
    sdw_sockdiag_close(&run->diag);
    sdw_appmap_free(run->map);
}

/* Closed connections whose end the kernel could not tell because we read too late: the next look
 * misses them, but those that came and went in between are lost. */
static int say_lost(struct sdw_sockets_run *run, int64_t ts)
{
    struct sdw_loss loss;
    if (run->diag.lost == run->told_lost)
        return 0;
    sdw_rec_init(&sdw_loss_schema, &loss);
    loss.ts = ts;
    loss.tool = sdw_str_of(run->ctx->tool->name);
    loss.where = sdw_str_of("kernel");
    loss.reason =
        sdw_str_of("closing sockets came faster than they were read; how many is not told");
    run->told_lost = run->diag.lost;
    return sdw_rec_put(run->ctx, &sdw_loss_schema, &loss);
}

/* Wait for a socket that closes, for the time of the next look, or to be stopped. */
static int wait_for_more(const struct sdw_sockets_run *run, int64_t left_ns)
{
    struct pollfd fds[2] = {{.fd = sdw_sockdiag_fd(&run->diag), .events = POLLIN},
                            {.fd = run->ctx->stop_fd, .events = POLLIN}};
    struct timespec wait = {.tv_sec = left_ns / 1000000000, .tv_nsec = left_ns % 1000000000};
    int code = sdw_emit_flush(run->ctx->emitter, &run->ctx->err);
    if (code == 0 && left_ns > 0)
        (void)ppoll(fds, 2, &wait, NULL);
    return code;
}

static int watch(struct sdw_sockets_run *run, int64_t interval_ns, int64_t duration_ns)
{
    struct sdw_err *err = &run->ctx->err;
    int64_t now_ns = sdw_mono_ns(), next_ns = now_ns;
    int64_t end_ns = duration_ns ? now_ns + duration_ns : INT64_MAX;
    int code = 0;
    while (code == 0 && now_ns < end_ns && !sdw_stop_signal(run->ctx)) {
        code = sdw_sockets_closed(run->sockets, &run->diag, sdw_wall_us(), err);
        if (code == 0 && now_ns >= next_ns) {
            code = sdw_sockets_cycle(run->sockets, &run->diag, sdw_wall_us(), err);
            /* A look that took longer than the interval is not made up for. */
            next_ns = sdw_mono_ns() > next_ns + interval_ns ? sdw_mono_ns() + interval_ns
                                                            : next_ns + interval_ns;
        }
        if (code == 0)
            code = say_lost(run, sdw_wall_us());
        if (code == 0)
            code = wait_for_more(run, (next_ns < end_ns ? next_ns : end_ns) - sdw_mono_ns());
        now_ns = sdw_mono_ns();
    }
    return code;
}

int sdw_sockets_run(struct sdw_sockets_run *run, int64_t interval_us, int64_t duration_us)
{
    struct sdw_ctx *ctx = run->ctx;
    char text[128];
    int code = interval_us ? watch(run, interval_us * 1000, duration_us * 1000)
                           : sdw_sockets_once(run->sockets, &run->diag, sdw_wall_us(), &ctx->err);
    if (code < 0)
        return code;
    snprintf(text, sizeof text, "{\"connections\":%zu,\"dropped\":%llu}",
             sdw_sockets_count(run->sockets),
             (unsigned long long)sdw_sockets_dropped(run->sockets));
    return sdw_rec_end(ctx, sdw_wall_us(), sdw_stop_signal(ctx) ? "signal" : "done", text);
}
