#include "net/group_run.h"

#include <poll.h>

#include "core/clock.h"

/* Wait until the monotonic time. Returns false when asked to stop. */
static bool wait_until(struct sdw_ctx *ctx, int64_t at_ns)
{
    struct pollfd stop = {.fd = ctx->stop_fd, .events = POLLIN};
    int64_t now = sdw_mono_ns(), left = at_ns > now ? at_ns - now : 0;
    struct timespec wait = {.tv_sec = left / 1000000000, .tv_nsec = left % 1000000000};
    (void)ppoll(&stop, 1, &wait, NULL);
    return sdw_stop_signal(ctx) == 0;
}

int sdw_group_run(struct sdw_ctx *ctx, struct sdw_group *group, int64_t duration_us,
                  const char **reason)
{
    int64_t until_ns = duration_us ? sdw_mono_ns() + duration_us * 1000 : INT64_MAX;
    int worst = 0;
    for (;;) {
        int64_t due = sdw_group_due(group);
        if (due == INT64_MAX)
            return worst;
        int code = sdw_flush(ctx);
        if (code < 0)
            return code;
        bool signalled = !wait_until(ctx, due < until_ns ? due : until_ns);
        if (signalled || due >= until_ns) {
            *reason = signalled ? "signal" : "deadline";
            return worst;
        }
        code = sdw_group_step(group, reason, &ctx->err);
        if (code == SDW_ENO && group->n > 1)
            sdw_warn(ctx, "%s", ctx->err.text);
        if (code < 0 && code != SDW_ENO)
            return code;
        worst = code < 0 ? code : worst;
    }
}
