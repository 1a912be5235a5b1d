#include "net/mirror_run.h"

#include <poll.h>
#include <unistd.h>

#include "core/clock.h"
#include "io/backlog.h"
#include "io/jsonw.h"
#include "net/confine.h"
#include "net/pace.h"
#include "rec/end.h"
#include "rec/filter.h"
#include "rec/path.h"

#define SECOND_NS INT64_C(1000000000)

enum {
    KEEP_BYTES = 32 << 20,
    DROP_BYTES = 8 << 20,
    LINES = 8, /* taken at once: packets wait no longer than that takes */
};

static const int64_t last_slots_ns = 10 * SECOND_NS;

struct run {
    struct sdw_ctx *ctx;
    const struct sdw_mirror_plan *plan;
    struct sdw_mirror *mirror;
    struct sdw_filter *filter;
    struct sdw_backlog *backlog;
    uint64_t told_dropped;
    int64_t tell_ns, end_ns; /* when to tell of losses; when to end */
    bool ended;              /* the records have */
    const char *reason;
};

static int put(void *arg, const struct sdw_schema *schema, const void *rec)
{
    struct run *run = arg;
    sdw_buf_clear(&run->ctx->scratch);
    sdw_rec_encode(schema, rec, &run->ctx->scratch);
    sdw_backlog_add(run->backlog, sdw_buf_view(&run->ctx->scratch),
                    schema == &sdw_slot_schema || schema == &sdw_hop_schema);
    return 0;
}

static void note(void *arg, const char *text)
{
    const struct run *run = arg;
    sdw_note(run->ctx, "%s", text);
}

/* Pass the line on and let the shadows know. */
static int take_line(struct run *run, struct sdw_str line)
{
    struct sdw_err err = {0};
    int wanted = sdw_filter_match(run->filter, line, &err);
    if (wanted < 0)
        return sdw_bad_line(run->ctx, &err);
    sdw_backlog_add(run->backlog, line, false);
    int code = sdw_mirror_line(run->mirror, line, wanted > 0, &err);
    if (code == SDW_EINPUT)
        return sdw_bad_line(run->ctx, &err);
    if (code < 0)
        run->ctx->err = err;
    return code;
}

/* Take what lines are there, unless the reader of the output is behind: then they wait too. */
static int read_lines(struct run *run)
{
    struct sdw_str line;
    int code = 0;
    for (int i = 0; i < LINES && !run->ended && code == 0 && sdw_backlog_empty(run->backlog); i++) {
        struct sdw_err err = {0};
        int got = sdw_reader_poll(run->ctx->in, &line, &err);
        if (got == SDW_EAGAIN || got == SDW_ESTOP)
            return 0;
        if (got == SDW_EINPUT) {
            code = sdw_bad_line(run->ctx, &err);
        } else if (got < 0) {
            run->ctx->err = err;
            return got;
        } else if (got == 0) {
            run->ended = true;
            run->end_ns = run->plan->duration_us ? run->end_ns : sdw_mono_ns() + last_slots_ns;
        } else {
            code = take_line(run, line);
            int drained = code < 0 ? 0 : sdw_backlog_drain(run->backlog, run->ctx);
            code = drained < 0 ? drained : code;
        }
    }
    return code;
}

static int tell_losses(struct run *run)
{
    uint64_t dropped = sdw_backlog_dropped(run->backlog);
    struct sdw_loss loss;
    if (dropped == run->told_dropped)
        return 0;
    sdw_rec_init(&sdw_loss_schema, &loss);
    loss.ts = sdw_wall_us();
    loss.tool = sdw_str_of(run->ctx->tool->name);
    loss.where = sdw_str_of("queue");
    loss.reason = sdw_str_of("the reader of the output did not keep up");
    loss.records = (int64_t)(dropped - run->told_dropped);
    run->told_dropped = dropped;
    return put(run, &sdw_loss_schema, &loss);
}

/* Wait for what comes first: something to do, an answer, a record, a reader, the wish to stop. */
static void wait_for_more(const struct run *run)
{
    bool empty = sdw_backlog_empty(run->backlog);
    bool room = !empty && sdw_backlog_fits(run->backlog);
    struct pollfd fds[4] = {
        {.fd = run->ctx->stop_fd, .events = POLLIN},
        {.fd = sdw_mirror_fd(run->mirror), .events = POLLIN},
        {.fd = empty && !run->ended ? sdw_reader_fd(run->ctx->in) : -1, .events = POLLIN},
        {.fd = room ? STDOUT_FILENO : -1, .events = POLLOUT},
    };
    int64_t until = sdw_mirror_due(run->mirror), now = sdw_mono_ns();
    if (run->end_ns < until)
        until = run->end_ns;
    if (!empty && !room && until > now + SECOND_NS / 10) /* look whether the pipe has room */
        until = now + SECOND_NS / 10;
    until -= SDW_SPIN_NS;
    if (until <= now)
        return;
    struct timespec wait = {.tv_sec = (until - now) / SECOND_NS,
                            .tv_nsec = (until - now) % SECOND_NS};
    int n = ppoll(fds, SDW_LEN(fds), &wait, NULL);
    int64_t late = sdw_mono_ns() - until;
    if (n == 0 && late > SDW_STALL_NS)
        sdw_mirror_stall(run->mirror, late);
}

/* Whether it is time to end; says why. */
static bool over(struct run *run)
{
    if (sdw_stop_signal(run->ctx))
        run->reason = "signal";
    else if (run->ended && !run->plan->duration_us &&
             (sdw_mirror_awaited(run->mirror) == 0 || sdw_mono_ns() >= run->end_ns))
        run->reason = "eof";
    else if (sdw_mono_ns() >= run->end_ns)
        run->reason = "deadline";
    return run->reason != NULL;
}

static int watch(struct run *run)
{
    int code = 0;
    while (code >= 0 && !over(run)) {
        code = sdw_mirror_step(run->mirror, &run->ctx->err);
        if (code == 0)
            code = read_lines(run);
        if (code == 0)
            code = sdw_group_count_live(run->plan->group, &run->ctx->err);
        if (code == 0 && sdw_mono_ns() >= run->tell_ns) {
            code = tell_losses(run);
            run->tell_ns = sdw_mono_ns() + SECOND_NS;
        }
        int drained = code < 0 ? 0 : sdw_backlog_drain(run->backlog, run->ctx);
        code = drained < 0 ? drained : code;
        if (code == 0 && !over(run))
            wait_for_more(run);
    }
    return code;
}

static void write_counts(const struct run *run, struct sdw_buf *out)
{
    const struct sdw_mirror_counts *counts = sdw_mirror_counts(run->mirror);
    struct sdw_jsonw w = sdw_jsonw(out);
    sdw_jsonw_object(&w, NULL);
    sdw_jsonw_int(&w, "flows", counts->flows);
    sdw_jsonw_int(&w, "repeated", counts->repeated);
    sdw_jsonw_int(&w, "unknown", counts->unknown);
    sdw_jsonw_int(&w, "refused", counts->refused);
    sdw_jsonw_int(&w, "most_shadows", counts->most_shadows);
    sdw_jsonw_int(&w, "paths", counts->paths);
    sdw_jsonw_int(&w, "traces", counts->traces);
    sdw_jsonw_int(&w, "slots", counts->slots);
    sdw_jsonw_int(&w, "void_slots", counts->void_slots);
    sdw_jsonw_int(&w, "packets", counts->packets);
    sdw_jsonw_int(&w, "bytes", counts->bytes);
    sdw_jsonw_int(&w, "aborts", counts->aborts);
    sdw_jsonw_int(&w, "drops", counts->drops);
    sdw_jsonw_int(&w, "dropped", (int64_t)run->told_dropped);
    sdw_jsonw_end(&w);
}

/* Close what is open, and the last record. */
static int conclude(struct run *run)
{
    struct sdw_buf counts = {0};
    int code = sdw_mirror_close(run->mirror, run->reason);
    if (code == 0)
        code = tell_losses(run);
    if (code == 0)
        code = sdw_backlog_flush(run->backlog, run->ctx);
    write_counts(run, &counts);
    if (code == 0)
        code = sdw_rec_end(run->ctx, sdw_wall_us(), run->reason, counts.p);
    sdw_buf_release(&counts);
    return code;
}

int sdw_mirror_run(struct sdw_ctx *ctx, struct sdw_mirror_plan *plan)
{
    struct run run = {.ctx = ctx, .plan = plan, .end_ns = INT64_MAX};
    int code = 0;
    plan->mirror.budget = &plan->group->budget;
    plan->mirror.sink = (struct sdw_sink){put, note, &run};
    run.filter = sdw_filter_new(plan->conditions, plan->n, &ctx->err);
    if (run.filter)
        run.mirror = sdw_mirror_new(&plan->mirror, &ctx->err);
    if (!run.mirror)
        code = ctx->err.code;
    if (code == 0 && !sdw_pace_realtime())
        sdw_detail(ctx, "no real-time scheduling (CAP_SYS_NICE): more slots may be void");
    if (code == 0)
        code = sdw_confine(plan->group->live != NULL, &ctx->err);
    if (code == 0) {
        sdw_read_records(ctx);
        run.backlog = sdw_backlog_new(KEEP_BYTES, DROP_BYTES);
        if (plan->duration_us)
            run.end_ns = sdw_mono_ns() + plan->duration_us * 1000;
        code = watch(&run);
    }
    if (code == 0)
        code = conclude(&run);
    sdw_mirror_free(run.mirror);
    sdw_filter_free(run.filter);
    sdw_backlog_free(run.backlog);
    return code;
}
