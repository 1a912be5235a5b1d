#include "steer/loop.h"
#include "core/clock.h"
#include "io/jsonw.h"
#include "steer/input.h"
#include "steer/now.h"
#include "steer/say.h"
#include "steer/session.h"
#include "steer/voice.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>

enum { LAST_WORDS_US = 2 * 1000 * 1000, WAIT_MS_MAX = 3600 * 1000 };

/* What waits in the reader, without blocking: 1 go on, 0 the input has ended, negative. */
static int take_lines(struct sdw_ctx *ctx, struct sdw_steer *steer)
{
    for (;;) {
        struct sdw_str line;
        struct sdw_err err = {0};
        int got = sdw_reader_poll(ctx->in, &line, &err);
        if (got == SDW_EAGAIN)
            return 1;
        if (got == SDW_ESTOP || got == 0)
            return 0;
        steer->line = sdw_reader_line(ctx->in);
        if (got > 0) {
            ctx->lines_in++;
            steer->line_ns = sdw_mono_ns();
            sdw_now(steer);
            got = sdw_input_line(steer, line, &err);
            /* Here too: input without a pause must not keep cycles and beats waiting. */
            sdw_session_tick(steer);
            (void)sdw_guardian_beat(&steer->guardian, steer->line_ns);
            sdw_voice_wake(steer->say_arg);
        }
        if (got == SDW_EINPUT)
            got = sdw_bad_line(ctx, &err);
        if (got < 0) {
            if (err.code)
                ctx->err = err;
            return got;
        }
    }
}

/* Until the next cycle, or the guardian's next beat: a long cycle is no silence. */
static int wait_ms(struct sdw_steer *steer)
{
    if (steer->options.replay)
        return -1;
    int64_t mono_ns = sdw_mono_ns(), since_us = (mono_ns - steer->mono_ns) / 1000;
    int beat_ms = sdw_guardian_beat(&steer->guardian, mono_ns);
    int64_t left_us = steer->ticked_us + steer->options.cycle_us - steer->now_us - since_us;
    int64_t left_ms = left_us <= 0 ? 0 : left_us / 1000 + 1;
    if (beat_ms >= 0 && beat_ms < left_ms)
        return beat_ms;
    return left_ms < WAIT_MS_MAX ? (int)left_ms : WAIT_MS_MAX;
}

static int run_loop(struct sdw_ctx *ctx, struct sdw_steer *steer)
{
    sdw_voice_wake(steer->say_arg);
    int going = take_lines(ctx, steer);
    while (going > 0) {
        struct pollfd fds[3] = {
            {.fd = sdw_reader_fd(ctx->in), .events = POLLIN},
            {.fd = ctx->stop_fd, .events = POLLIN},
            {.fd = steer->has_netlink ? sdw_netlink_fd(&steer->notices) : -1, .events = POLLIN}};
        int n = poll(fds, 3, wait_ms(steer));
        if (n < 0 && errno != EINTR)
            return sdw_err_sys(&ctx->err, "poll");
        if (n > 0 && fds[1].revents)
            return 0;
        if (n > 0 && fds[0].revents)
            going = take_lines(ctx, steer);
        if (n > 0 && fds[2].revents) {
            steer->line_ns = sdw_mono_ns();
            int code = sdw_notice_read(&steer->notices, sdw_session_notice, steer, &ctx->err);
            if (code < 0)
                return code;
        }
        if (!steer->options.replay)
            sdw_session_tick(steer);
        sdw_voice_wake(steer->say_arg);
    }
    return going;
}

/* An action must not wait for a busy machine; without the right to it, it does. Only this thread:
 * neither the output nor the guardian. */
static void hurry(void)
{
    struct sched_param param = {.sched_priority = 1};
    (void)sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &param);
}

/* The last record; its counts are exact. */
static int say_end(struct sdw_ctx *ctx, const struct sdw_steer *steer, const char *reason,
                   int64_t dropped)
{
    const struct sdw_steer_counts *counts = &steer->counts;
    struct sdw_buf text = {0};
    struct sdw_jsonw w = sdw_jsonw(&text);
    sdw_jsonw_object(&w, NULL);
    sdw_jsonw_int(&w, "lines", (int64_t)ctx->lines_in);
    sdw_jsonw_int(&w, "changes", counts->changes);
    sdw_jsonw_int(&w, "moves", counts->moves);
    sdw_jsonw_int(&w, "held", counts->held);
    sdw_jsonw_int(&w, "alerts", counts->alerts);
    sdw_jsonw_int(&w, "requests", counts->requests);
    sdw_jsonw_int(&w, "rejected", counts->rejected);
    sdw_jsonw_int(&w, "dropped", dropped);
    sdw_jsonw_end(&w);
    int code = sdw_rec_end(ctx, steer->now_us, reason, text.p);
    sdw_buf_release(&text);
    return code;
}

static const char *reason_of(struct sdw_ctx *ctx, int code)
{
    int signal = sdw_stop_signal(ctx);
    return signal == 14 ? "deadline" : signal ? "signal" : code < 0 ? "error" : "eof";
}

int sdw_steer_loop(struct sdw_ctx *ctx, const struct sdw_steer_options *options,
                   const char *plan_path, enum sdw_on_eof on_eof)
{
    struct sdw_steer steer = {.options = *options};
    struct sdw_voice *voice = NULL;
    int64_t dropped = 0;
    int code = sdw_session_start(&steer, plan_path, &ctx->err);
    if (code == 0 && !(voice = sdw_voice_start(ctx, &ctx->err)))
        code = SDW_ESYS;
    if (code < 0) {
        sdw_session_release(&steer);
        return code;
    }
    steer.say = sdw_voice_say;
    steer.say_arg = voice;
    if (options->apply)
        hurry();
    sdw_session_arm(&steer);
    code = run_loop(ctx, &steer);
    sdw_session_end(&steer, on_eof == SDW_ON_EOF_UNDO);
    struct sdw_err first = ctx->err;
    int spoken = sdw_voice_stop(voice, LAST_WORDS_US, &dropped);
    if (code < 0)
        ctx->err = first;
    if (spoken == 0)
        spoken = say_end(ctx, &steer, reason_of(ctx, code), dropped);
    bool held_only = steer.counts.held > 0 && steer.counts.moves == 0;
    sdw_session_release(&steer);
    if (code == 0)
        code = spoken;
    return code == 0 && held_only ? SDW_ENO : code;
}
