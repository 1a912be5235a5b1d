#include "net/collect_prometheus.h"
#include "core/mem.h"
#include "rec/prometheus.h"
#include "rec/series.h"
#include "sys/http.h"

#include <stdio.h>
#include <stdlib.h>

/* Servers refuse more than 11,000 steps at a time, and an answer of many series may be no longer
 * than what is taken at once. */
enum { TIMEOUT_US = 10000000, STEPS_MOST = 1000 };

struct source {
    struct sdw_prometheus_plan plan;
    struct sdw_http *http;
    char *token;
    int64_t next_us; /* the first point that has not come yet; 0 at the start */
    struct sdw_buf url, body;
    bool complained; /* that it does not answer, since it last did */
    uint64_t points, requests, unanswered;
};

static int put_point(const struct sdw_prometheus_point *point, void *arg)
{
    struct sdw_ctx *ctx = arg;
    struct sdw_metric rec;
    sdw_rec_init(&sdw_metric_schema, &rec);
    rec.ts = point->ts;
    rec.series = point->series;
    rec.labels = point->labels;
    rec.value = point->value;
    return sdw_rec_put(ctx, &sdw_metric_schema, &rec);
}

static void write_url(struct source *source, const char *query, int64_t from_us, int64_t to_us)
{
    char step[32];
    snprintf(step, sizeof step, "%.3f", (double)source->plan.step_us / 1e6);
    sdw_prometheus_url(&source->url, source->plan.url, "query_range");
    sdw_prometheus_param(&source->url, "query", sdw_str_of(query));
    sdw_prometheus_moment(&source->url, "start", from_us);
    sdw_prometheus_moment(&source->url, "end", to_us);
    sdw_prometheus_param(&source->url, "step", sdw_str_of(step));
}

/* Take an answer of this HTTP status. What a proxy says in between may be no JSON; a server that is
 * starting, or has too much to do, says so in JSON. */
static int take_answer(struct sdw_ctx *ctx, struct source *source, int status, struct sdw_err *err)
{
    if (sdw_http_is_temporary(status))
        return sdw_err_set(err, SDW_ENO, "%s: HTTP status %d", source->plan.url, status);
    int code = sdw_prometheus_read(sdw_buf_view(&source->body), SDW_PROMETHEUS_BY_TIME, put_point,
                                   ctx, err);
    if (code == SDW_EINPUT && status != 200)
        return sdw_err_set(err, SDW_ENO, "%s: HTTP status %d", source->plan.url, status);
    if (code < 0 && code != SDW_EUSAGE && code != SDW_EINPUT)
        *err = ctx->err; /* it was writing that failed */
    source->points += code > 0 ? (uint64_t)code : 0;
    return code < 0 ? code : 0;
}

/* Ask for the points from next_us to to_us, which both are included. */
static int ask(struct sdw_ctx *ctx, struct source *source, int64_t to_us)
{
    struct sdw_err err = {0};
    write_url(source, source->plan.query, source->next_us, to_us);
    struct sdw_http_request request = {.url = source->url.p,
                                       .bearer = source->token,
                                       .timeout_us = TIMEOUT_US,
                                       .stop_fd = ctx->stop_fd};
    int status = sdw_http_ask(source->http, &request, &source->body, &err);
    if (status == SDW_ESTOP)
        return status;
    int code = status < 0 ? status : take_answer(ctx, source, status, &err);
    source->requests++;
    if (code != SDW_ENO) {
        source->complained = false;
        if (code == 0)
            source->next_us = to_us + source->plan.step_us;
        else
            ctx->err = err;
        return code;
    }
    source->unanswered++; /* and asked for again, with what will have come since */
    ctx->status = 1;
    if (!source->complained)
        sdw_warn(ctx, "%s", err.text);
    source->complained = true;
    return code;
}

static int tick(struct sdw_ctx *ctx, void *state, struct sdw_moment now)
{
    struct source *source = state;
    int64_t step = source->plan.step_us, to = now.wall_us - now.wall_us % step;
    int64_t since = now.wall_us - source->plan.since_us;
    int code = 0;
    if (source->next_us == 0)
        source->next_us = since > 0 ? since - since % step : 0;
    while (code == 0 && source->next_us <= to) {
        int64_t most = source->next_us + (STEPS_MOST - 1) * step;
        code = ask(ctx, source, most < to ? most : to);
    }
    return code == SDW_ENO || code == SDW_ESTOP ? 0 : code; /* the loop sees a stop, too */
}

static void count(const void *state, struct sdw_jsonw *out)
{
    const struct source *source = state;
    sdw_jsonw_int(out, "prometheus_requests", (int64_t)source->requests);
    sdw_jsonw_int(out, "prometheus_unanswered", (int64_t)source->unanswered);
    sdw_jsonw_int(out, "prometheus_points", (int64_t)source->points);
}

static void release(void *state)
{
    struct source *source = state;
    sdw_http_free(source->http);
    sdw_http_token_free(source->token);
    sdw_buf_release(&source->url);
    sdw_buf_release(&source->body);
    free(source);
}

static const struct sdw_source_kind kind = {.tick = tick, .count = count, .free = release};

int sdw_collect_prometheus(struct sdw_collect *collect, const struct sdw_prometheus_plan *plan,
                           struct sdw_err *err)
{
    if (!plan->url)
        return 0;
    if (!plan->query)
        return sdw_err_set(err, SDW_EUSAGE, "--prometheus needs --query: what to ask it for");
    if (plan->step_us < 1000)
        return sdw_err_set(err, SDW_EUSAGE, "--step: at least 1ms");
    struct source *source = sdw_xalloc(sizeof *source);
    source->plan = *plan;
    int code = sdw_http_token_load(&source->token, plan->token_file, err);
    if (code == 0)
        code = sdw_http_new(&source->http, err);
    if (code < 0) {
        release(source);
        return code;
    }
    return sdw_collect_add(collect, &kind, source, err);
}
