#include "store/remote.h"
#include "core/map.h"
#include "core/mem.h"
#include "core/num.h"
#include "rec/end.h"
#include "rec/prometheus.h"
#include "rec/series.h"
#include "store/rollup.h"
#include "store/wire.h"
#include "sys/http.h"

#include <stdio.h>
#include <stdlib.h>

/* Engines refuse more than 11,000 steps at a time. Points are asked for by the hour: a limit on how
 * many they look at in one query is common, too. */
enum { TIMEOUT_S = 60, STEPS_MOST = 10000, HOUR_MS = 3600000 };

/* A series as it was before it was exported, and what came of it. */
struct found {
    struct sdw_str name, labels;
    int64_t *ts_us;
    double *value;
    size_t n, cap_ts, cap_value;
};

struct asking {
    struct sdw_ctx *ctx;
    const struct sdw_remote *remote;
    const struct sdw_query *query;
    int64_t from_ms, to_ms, step_ms;
    struct sdw_selector *selector;
    struct sdw_http *http;
    char *token;
    char **engine_name; /* names of series that the engine has */
    size_t n_names, cap_names;
    const char *name;                   /* the one that is asked for */
    int64_t least_us, most_us, back_us; /* of an answer: the points that count; how much later they
                                         * are than what they stand for */
    struct found *found;
    size_t n_found, cap_found;
    struct sdw_map index; /* name, NUL, labels -> place in found, plus 1 */
    struct sdw_arena memory, scratch;
    struct sdw_buf url, body, expression, labels, key;
};

/* --- requests ------------------------------------------------------------------------------ */

/* Ask for what url says. What a proxy says in between may be no answer at all. */
static int fetch(struct asking *a, struct sdw_err *err)
{
    struct sdw_http_request request = {.url = a->url.p,
                                       .bearer = a->token,
                                       .timeout_us = INT64_C(1000000) * TIMEOUT_S,
                                       .stop_fd = a->ctx->stop_fd};
    int status = sdw_http_ask(a->http, &request, &a->body, err);
    if (status < 0)
        return status;
    bool json = a->body.n > 0 && a->body.p[0] == '{';
    if (sdw_http_is_temporary(status) || (status != 200 && !json))
        return sdw_err_set(err, SDW_ENO, "%s: HTTP status %d", a->remote->url, status);
    return 0;
}

static int keep_name(const char *value, void *arg)
{
    struct asking *a = arg;
    SDW_GROW(a->engine_name, a->cap_names, a->n_names + 1);
    a->engine_name[a->n_names++] = sdw_xstrdup(value);
    return 0;
}

/* A name may have been changed on the way into the engine: then the label `series` has it. */
static int ask_names(struct asking *a)
{
    static const char *const keys[] = {"__name__", "series"};
    struct sdw_err *err = &a->ctx->err;
    int code = 0;
    sdw_prometheus_url(&a->url, a->remote->url, "label/__name__/values");
    sdw_prometheus_moment(&a->url, "start", a->from_ms * 1000);
    sdw_prometheus_moment(&a->url, "end", a->to_ms * 1000);
    for (size_t i = 0; code == 0 && i < a->ctx->n_operands * SDW_LEN(keys); i++) {
        sdw_buf_clear(&a->expression);
        code = sdw_selector_write(&a->selector[i / SDW_LEN(keys)], keys[i % SDW_LEN(keys)], NULL,
                                  &a->expression, err);
        if (code == 0)
            sdw_prometheus_param(&a->url, "match[]", sdw_buf_view(&a->expression));
    }
    if (code == 0)
        code = fetch(a, err);
    if (code == 0)
        code = sdw_prometheus_values(sdw_buf_view(&a->body), keep_name, a, err);
    return code < 0 ? code : 0;
}

/* --- points -------------------------------------------------------------------------------- */

static struct found *found_at(struct asking *a, struct sdw_str name, struct sdw_str labels)
{
    sdw_buf_clear(&a->key);
    sdw_buf_str(&a->key, name);
    sdw_buf_char(&a->key, '\0');
    sdw_buf_str(&a->key, labels);
    void **place = sdw_map_at(&a->index, sdw_buf_view(&a->key));
    if (!*place) {
        char *copy = sdw_arena_alloc(&a->memory, a->key.n + 1);
        memcpy(copy, a->key.p, a->key.n + 1);
        SDW_GROW(a->found, a->cap_found, a->n_found + 1);
        a->found[a->n_found++] =
            (struct found){.name = {copy, name.n}, .labels = {copy + name.n + 1, labels.n}};
        *place = (void *)(uintptr_t)a->n_found;
    }
    return &a->found[(uintptr_t)*place - 1];
}

/* An engine may find more than was meant: another expression, a name that became the same. */
static int is_meant(struct asking *a, struct sdw_str name, const struct sdw_labels *labels)
{
    int fits = 0;
    for (size_t i = 0; fits == 0 && i < a->ctx->n_operands; i++)
        fits = sdw_selector_matches(&a->selector[i], name, labels, &a->ctx->err);
    return fits;
}

static int take_point(const struct sdw_prometheus_point *point, void *arg)
{
    struct asking *a = arg;
    struct sdw_labels labels;
    struct sdw_str name = sdw_str_of(a->name);
    if (point->ts < a->least_us || point->ts > a->most_us)
        return 0;
    sdw_arena_reset(&a->scratch);
    int code = sdw_labels_parse(point->labels, &a->scratch, &labels, &a->ctx->err);
    if (code < 0)
        return code;
    sdw_wire_restore(&name, &labels, &a->scratch);
    code = is_meant(a, name, &labels);
    if (code <= 0)
        return code;
    sdw_buf_clear(&a->labels);
    sdw_labels_write(&labels, &a->labels);
    struct found *found = found_at(a, name, sdw_buf_view(&a->labels));
    SDW_GROW(found->ts_us, found->cap_ts, found->n + 1);
    SDW_GROW(found->value, found->cap_value, found->n + 1);
    found->ts_us[found->n] = point->ts - a->back_us;
    found->value[found->n++] = point->value;
    return 0;
}

static int take_answer(struct asking *a)
{
    struct sdw_err err = {0};
    int code = fetch(a, &err);
    if (code == 0)
        code = sdw_prometheus_read(sdw_buf_view(&a->body), SDW_PROMETHEUS_BY_SERIES, take_point, a,
                                   &err);
    if (code < 0 && err.code)
        a->ctx->err = err;
    return code < 0 ? code : 0;
}

/* The series of the name that is asked for. With several selectors all of them: what was not meant
 * is left out as it comes. */
static int put_series(struct asking *a)
{
    static const struct sdw_selector any = {0};
    const struct sdw_selector *selector = a->ctx->n_operands == 1 ? a->selector : &any;
    return sdw_selector_write(selector, "__name__", a->name, &a->expression, &a->ctx->err);
}

/* FUNCTION(SERIES[RANGE]) */
static int put_function(struct asking *a, int64_t range_ms)
{
    static const char *const functions[] = {
        [SDW_AGG_NONE] = "",
        [SDW_AGG_AVG] = "avg_over_time(",
        [SDW_AGG_MIN] = "min_over_time(",
        [SDW_AGG_MAX] = "max_over_time(",
        [SDW_AGG_SUM] = "sum_over_time(",
        [SDW_AGG_COUNT] = "count_over_time(",
        [SDW_AGG_LAST] = "last_over_time(",
        [SDW_AGG_RATE] = "rate(",
        [SDW_AGG_QUANTILE] = "quantile_over_time(",
    };
    sdw_buf_clear(&a->expression);
    sdw_buf_text(&a->expression, functions[a->query->kind]);
    if (a->query->kind == SDW_AGG_QUANTILE) {
        sdw_buf_real(&a->expression, a->query->quantile);
        sdw_buf_char(&a->expression, ',');
    }
    int code = put_series(a);
    sdw_buf_printf(&a->expression, "[%lldms]%s", (long long)range_ms,
                   a->query->kind == SDW_AGG_NONE ? "" : ")");
    return code;
}

/* n steps of width_ms from begin_ms. A range of PromQL looks back: a step is asked for at its last
 * millisecond. Its values get the time at which it begins, the first one as_ms. */
static int ask_steps(struct asking *a, int64_t begin_ms, int64_t width_ms, int64_t n, int64_t as_ms)
{
    char step[32];
    int64_t first_ms = begin_ms + width_ms - 1;
    snprintf(step, sizeof step, "%lld.%03lld", (long long)(width_ms / 1000),
             (long long)(width_ms % 1000));
    int code = put_function(a, width_ms);
    if (code < 0)
        return code;
    sdw_prometheus_url(&a->url, a->remote->url, "query_range");
    sdw_prometheus_param(&a->url, "query", sdw_buf_view(&a->expression));
    sdw_prometheus_moment(&a->url, "start", first_ms * 1000);
    sdw_prometheus_moment(&a->url, "end", (first_ms + (n - 1) * width_ms) * 1000);
    sdw_prometheus_param(&a->url, "step", sdw_str_of(step));
    /* VictoriaMetrics moves steps to multiples of their length when it may use its cache. */
    sdw_prometheus_param(&a->url, "nocache", sdw_str_of("1"));
    a->least_us = INT64_MIN;
    a->most_us = INT64_MAX;
    a->back_us = (first_ms - as_ms) * 1000;
    return take_answer(a);
}

/* The points themselves. Prometheus 2 adds one that lies right before the range. */
static int ask_points(struct asking *a, int64_t begin_ms, int64_t end_ms)
{
    int code = put_function(a, end_ms - begin_ms);
    if (code < 0)
        return code;
    sdw_prometheus_url(&a->url, a->remote->url, "query");
    sdw_prometheus_param(&a->url, "query", sdw_buf_view(&a->expression));
    sdw_prometheus_moment(&a->url, "time", (end_ms - 1) * 1000);
    a->least_us = begin_ms * 1000;
    a->most_us = end_ms * 1000 - 1;
    a->back_us = 0;
    return take_answer(a);
}

static bool goes_on(const struct asking *a, int code, int64_t at_ms)
{
    return code == 0 && at_ms < a->to_ms && !sdw_stop_signal(a->ctx);
}

/* All of one name: whole steps together, and what is cut at either end on its own. */
static int ask_name(struct asking *a)
{
    int64_t at = a->from_ms, step = a->step_ms;
    int code = 0;
    if (a->query->kind == SDW_AGG_NONE) {
        for (int64_t end; goes_on(a, code, at); at = end) {
            end = a->to_ms - at > HOUR_MS ? at + HOUR_MS : a->to_ms;
            code = ask_points(a, at, end);
        }
        return code;
    }
    if (step == 0)
        return ask_steps(a, at, a->to_ms - at, 1, at);
    for (int64_t end; goes_on(a, code, at); at = end) {
        int64_t begin = sdw_step_begin(at, step), n = (a->to_ms - at) / step;
        n = n > STEPS_MOST ? STEPS_MOST : n;
        bool whole = at == begin && n > 0;
        end = whole ? at + n * step : begin + step < a->to_ms ? begin + step : a->to_ms;
        code = whole ? ask_steps(a, at, step, n, at) : ask_steps(a, at, end - at, 1, begin);
    }
    return code;
}

/* --- answers ------------------------------------------------------------------------------- */

static int by_name(const void *x, const void *y)
{
    const struct found *a = x, *b = y;
    int order = strcmp(a->name.p, b->name.p);
    return order ? order : strcmp(a->labels.p, b->labels.p);
}

static int put_found(struct asking *a)
{
    struct sdw_metric metric;
    int code = 0;
    sdw_rec_init(&sdw_metric_schema, &metric);
    if (a->n_found)
        qsort(a->found, a->n_found, sizeof *a->found, by_name);
    for (size_t i = 0; code == 0 && i < a->n_found; i++) {
        const struct found *found = &a->found[i];
        metric.series = found->name;
        metric.labels = found->labels.n ? found->labels : (struct sdw_str){0};
        for (size_t k = 0; code == 0 && k < found->n; k++) {
            metric.ts = found->ts_us[k];
            metric.value = found->value[k];
            code = sdw_rec_put(a->ctx, &sdw_metric_schema, &metric);
        }
    }
    return code;
}

static int set_up(struct asking *a, int64_t now_us)
{
    const struct sdw_query *query = a->query;
    struct sdw_err *err = &a->ctx->err;
    int64_t to_us = query->to_us == INT64_MAX ? now_us : query->to_us;
    if (query->from_us == INT64_MIN)
        return sdw_err_set(err, SDW_EUSAGE, "--url needs --from");
    if (query->step_us % 1000 != 0)
        return sdw_err_set(err, SDW_EUSAGE, "--step: engines know no less than a millisecond");
    a->step_ms = query->step_us / 1000;
    a->from_ms = (query->from_us + 999) / 1000;
    a->to_ms = (to_us + 999) / 1000;
    if (a->from_ms >= a->to_ms)
        return sdw_err_set(err, SDW_EUSAGE, "--from is not before --to");
    int code = sdw_http_token_load(&a->token, a->remote->token_file, err);
    if (code == 0)
        code = sdw_http_new(&a->http, err);
    a->selector = sdw_xalloc((a->ctx->n_operands + 1) * sizeof *a->selector);
    for (size_t i = 0; code == 0 && i < a->ctx->n_operands; i++)
        code = sdw_selector_parse(&a->selector[i], sdw_str_of(a->ctx->operands[i]), NULL, err);
    return code;
}

static void release(struct asking *a)
{
    for (size_t i = 0; a->selector && i < a->ctx->n_operands; i++)
        sdw_selector_release(&a->selector[i]);
    for (size_t i = 0; i < a->n_names; i++)
        free(a->engine_name[i]);
    for (size_t i = 0; i < a->n_found; i++) {
        free(a->found[i].ts_us);
        free(a->found[i].value);
    }
    free(a->selector);
    free(a->engine_name);
    free(a->found);
    sdw_http_free(a->http);
    sdw_http_token_free(a->token);
    sdw_map_release(&a->index);
    sdw_arena_release(&a->memory);
    sdw_arena_release(&a->scratch);
    struct sdw_buf *const bufs[] = {&a->url, &a->body, &a->expression, &a->labels, &a->key};
    for (size_t i = 0; i < SDW_LEN(bufs); i++)
        sdw_buf_release(bufs[i]);
}

int sdw_remote_run(struct sdw_ctx *ctx, const struct sdw_remote *remote,
                   const struct sdw_query *query, int64_t now_us)
{
    struct asking a = {.ctx = ctx, .remote = remote, .query = query};
    sdw_map_init(&a.index, (uint64_t)now_us);
    int code = set_up(&a, now_us);
    if (code == 0)
        code = ask_names(&a);
    if (code == 0 && a.n_names == 0)
        code = sdw_err_set(&ctx->err, SDW_ENO, "no series matches");
    for (size_t i = 0; code == 0 && i < a.n_names; i++) {
        a.name = a.engine_name[i];
        code = ask_name(&a);
    }
    if (code == 0)
        code = put_found(&a);
    if (code == 0)
        code = sdw_rec_end(ctx, now_us, sdw_stop_signal(ctx) ? "signal" : "done", NULL);
    release(&a);
    return code;
}
