#include "steer/say.h"
#include "io/jsonw.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

enum { REPEAT_US = 10 * 1000 * 1000 };

static void hand_over(struct sdw_steer *steer, const struct sdw_schema *schema, const void *rec)
{
    sdw_buf_clear(&steer->out);
    sdw_rec_encode(schema, rec, &steer->out);
    steer->say(steer->say_arg, sdw_buf_view(&steer->out));
}

void sdw_say_shares(const struct sdw_steer_unit *unit, const double *share, struct sdw_buf *out)
{
    struct sdw_jsonw w = sdw_jsonw(out);
    sdw_jsonw_object(&w, NULL);
    for (size_t i = 0; i < unit->n_ways; i++)
        if (share[i] > 0)
            sdw_jsonw_model(&w, unit->way[i].name, share[i]);
    sdw_jsonw_end(&w);
}

static void write_cause(const struct sdw_cause *cause, struct sdw_buf *out)
{
    struct sdw_jsonw w = sdw_jsonw(out);
    sdw_jsonw_object(&w, NULL);
    sdw_jsonw_str(&w, "type", cause->type);
    sdw_jsonw_int(&w, "ts", cause->ts);
    if (cause->series.p)
        sdw_jsonw_str(&w, "series", cause->series);
    sdw_jsonw_end(&w);
}

void sdw_say_change(struct sdw_steer *steer, const struct sdw_steer_run *run,
                    const struct sdw_said_change *change, const struct sdw_cause *cause)
{
    struct sdw_buf from = {0}, to = {0}, why = {0};
    struct sdw_change rec;
    sdw_rec_init(&sdw_change_schema, &rec);
    sdw_say_shares(run->unit, change->from, &from);
    sdw_say_shares(run->unit, run->share, &to);
    rec.ts = steer->now_us;
    rec.unit = sdw_str_of(run->unit->name);
    rec.state = sdw_str_of(sdw_unit_state_name(run->state));
    rec.from = sdw_buf_view(&from);
    rec.to = sdw_buf_view(&to);
    rec.why = sdw_str_of(cause->why);
    if (cause->type.p) {
        write_cause(cause, &why);
        rec.cause = sdw_buf_view(&why);
    }
    rec.moved_bps = change->moved_bps;
    rec.applied = change->applied;
    if (change->call_us >= 0)
        rec.call_us = change->call_us;
    if (change->latency_us >= 0)
        rec.latency_us = change->latency_us;
    if (change->seq)
        rec.seq = (int64_t)change->seq;
    rec.back_end = sdw_str_of(run->back->name);
    hand_over(steer, &sdw_change_schema, &rec);
    sdw_buf_release(&from);
    sdw_buf_release(&to);
    sdw_buf_release(&why);
    steer->counts.changes++;
}

void sdw_say_held(struct sdw_steer *steer, struct sdw_steer_run *run, const char *guard,
                  const char *fmt, ...)
{
    char reason[256];
    va_list ap;
    if (run->held_us && strcmp(run->held_guard, guard) == 0 &&
        steer->now_us - run->held_us < REPEAT_US)
        return;
    snprintf(run->held_guard, sizeof run->held_guard, "%s", guard);
    run->held_us = steer->now_us;
    va_start(ap, fmt);
    vsnprintf(reason, sizeof reason, fmt, ap);
    va_end(ap);
    struct sdw_held rec;
    sdw_rec_init(&sdw_held_schema, &rec);
    rec.ts = steer->now_us;
    rec.unit = sdw_str_of(run->unit->name);
    rec.state = sdw_str_of(sdw_unit_state_name(run->state));
    rec.guard = sdw_str_of(guard);
    rec.reason = sdw_str_of(reason);
    hand_over(steer, &sdw_held_schema, &rec);
    steer->counts.held++;
}

void sdw_say_alert(struct sdw_steer *steer, struct sdw_steer_run *run, int severity,
                   const char *fmt, ...)
{
    char reason[384];
    va_list ap;
    if (run && run->alerted_us && steer->now_us - run->alerted_us < REPEAT_US)
        return;
    if (run)
        run->alerted_us = steer->now_us;
    va_start(ap, fmt);
    vsnprintf(reason, sizeof reason, fmt, ap);
    va_end(ap);
    struct sdw_alert rec;
    sdw_rec_init(&sdw_alert_schema, &rec);
    rec.ts = steer->now_us;
    if (run)
        rec.unit = sdw_str_of(run->unit->name);
    rec.severity = severity;
    rec.reason = sdw_str_of(reason);
    hand_over(steer, &sdw_alert_schema, &rec);
    steer->counts.alerts++;
}

void sdw_say_request(struct sdw_steer *steer, struct sdw_steer_run *run, double wanted_bps,
                     const char *reason)
{
    struct sdw_request rec;
    sdw_rec_init(&sdw_request_schema, &rec);
    rec.ts = steer->now_us;
    rec.unit = sdw_str_of(run->unit->name);
    if (run->unit->way[0].path_id[0])
        rec.path_id = sdw_str_of(run->unit->way[0].path_id);
    rec.wanted_bps = wanted_bps;
    rec.reason = sdw_str_of(reason);
    hand_over(steer, &sdw_request_schema, &rec);
    steer->counts.requests++;
}

void sdw_say_reject(struct sdw_steer *steer, const char *field, const char *reason)
{
    struct sdw_reject rec;
    sdw_rec_init(&sdw_reject_schema, &rec);
    rec.ts = steer->now_us;
    rec.line = (int64_t)steer->line;
    if (field[0])
        rec.field = sdw_str_of(field);
    rec.reason = sdw_str_of(reason);
    hand_over(steer, &sdw_reject_schema, &rec);
    steer->counts.rejected++;
}
