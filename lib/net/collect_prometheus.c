#include "net/collect_prometheus.h"
#include "core/mem.h"
#include "net/prometheus.h"
#include "rec/series.h"
#include "sys/http.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { TIMEOUT_US = 10000000, TOKEN_MAX = 8192 };

struct source {
    struct sdw_prometheus_plan plan;
    char *token;
    int64_t next_us; /* the first point not asked for yet; 0 at the start */
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
    rec.series = point->name;
    rec.labels = point->labels;
    rec.value = point->value;
    return sdw_rec_put(ctx, &sdw_metric_schema, &rec);
}

static void write_url(struct source *source, const char *query, int64_t from_us, int64_t to_us)
{
    size_t n = strlen(source->plan.url);
    while (n > 0 && source->plan.url[n - 1] == '/')
        n--;
    sdw_buf_clear(&source->url);
    sdw_buf_printf(&source->url, "%.*s/api/v1/query_range?query=", (int)n, source->plan.url);
    sdw_http_escape(&source->url, sdw_str_of(query));
    sdw_buf_printf(&source->url, "&start=%lld.%03lld&end=%lld.%03lld&step=%.3f",
                   (long long)(from_us / 1000000), (long long)(from_us / 1000 % 1000),
                   (long long)(to_us / 1000000), (long long)(to_us / 1000 % 1000),
                   (double)source->plan.step_us / 1e6);
}

/* Take an answer of this HTTP status. What a proxy says in between may be no JSON. */
static int take_answer(struct sdw_ctx *ctx, struct source *source, int status, struct sdw_err *err)
{
    int code = sdw_prometheus_read(sdw_buf_view(&source->body), put_point, ctx, err);
    if (code == SDW_EINPUT && status != 200)
        return sdw_err_set(err, SDW_ENO, "%s: HTTP status %d", source->plan.url, status);
    if (code < 0 && code != SDW_EUSAGE && code != SDW_EINPUT)
        *err = ctx->err; /* it was writing that failed */
    source->points += code > 0 ? (uint64_t)code : 0;
    return code < 0 ? code : 0;
}

static int tick(struct sdw_ctx *ctx, void *state, struct sdw_moment now)
{
    struct source *source = state;
    struct sdw_err err = {0};
    int64_t step = source->plan.step_us, to = now.wall_us - now.wall_us % step;
    int64_t since = now.wall_us - source->plan.since_us;
    int64_t from = source->next_us ? source->next_us : since - since % step;
    if (from > to)
        return 0;
    write_url(source, source->plan.query, from, to);
    struct sdw_http_request request = {source->url.p, source->token, TIMEOUT_US};
    int status = sdw_http_get(&request, &source->body, &err);
    int code = status < 0 ? status : take_answer(ctx, source, status, &err);
    source->requests++;
    if (code != SDW_ENO) {
        source->complained = false;
        if (code == 0)
            source->next_us = to + step;
        else
            ctx->err = err;
        return code;
    }
    source->unanswered++; /* and asked for again, with what will have come since */
    ctx->status = 1;
    if (!source->complained)
        sdw_warn(ctx, "%s", err.text);
    source->complained = true;
    return 0;
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
    if (source->token)
        explicit_bzero(source->token, strlen(source->token));
    free(source->token);
    sdw_buf_release(&source->url);
    sdw_buf_release(&source->body);
    free(source);
}

/* The token that stands in a file, without the newline behind it. */
static int load_token(const char *path, char **token, struct sdw_err *err)
{
    char room[TOKEN_MAX];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, room, sizeof room - 1);
    int code = n < 0 ? sdw_err_sys(err, "%s", path) : 0;
    if (fd >= 0)
        close(fd);
    if (code < 0)
        return code;
    room[n] = '\0';
    room[strcspn(room, "\r\n")] = '\0';
    *token = sdw_xstrdup(room);
    explicit_bzero(room, sizeof room);
    return 0;
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
    int code = plan->token_file ? load_token(plan->token_file, &source->token, err) : 0;
    if (code < 0) {
        release(source);
        return code;
    }
    return sdw_collect_add(collect, &kind, source, err);
}
