#include "store/prom.h"
#include "core/num.h"
#include "io/jsonw.h"
#include "store/promql.h"
#include "store/query.h"
#include "store/select.h"
#include "store/when.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { STEPS_MAX = 11000, BODY_MAX = 128 << 20 };

/* One question and what is needed to answer it. */
struct question {
    struct sdw_store *store;
    const struct sdw_request *request;
    int64_t now_us;
    struct sdw_buf *body;
    struct sdw_jsonw w;
    struct sdw_err err;
};

static int refuse(struct question *q, int status, const char *type)
{
    sdw_buf_clear(q->body);
    q->w = sdw_jsonw(q->body);
    sdw_jsonw_object(&q->w, NULL);
    sdw_jsonw_text(&q->w, "status", "error");
    sdw_jsonw_text(&q->w, "errorType", type);
    sdw_jsonw_text(&q->w, "error", q->err.text);
    sdw_jsonw_end(&q->w);
    return status;
}

static int refuse_code(struct question *q, int code)
{
    return code == SDW_EUSAGE ? refuse(q, 400, "bad_data") : refuse(q, 500, "internal");
}

static void begin_data(struct question *q)
{
    sdw_jsonw_object(&q->w, NULL);
    sdw_jsonw_text(&q->w, "status", "success");
}

/* --- parameters ---------------------------------------------------------------------------- */

static int bad_param(struct question *q, const char *key)
{
    return sdw_err_set(&q->err, SDW_EUSAGE, "parameter %s is missing or wrong", key);
}

/* Values are followed by a NUL: the parser copied them. */
static int get_time(struct question *q, const char *key, const int64_t *otherwise, int64_t *out)
{
    struct sdw_str text = sdw_request_param(q->request, key);
    if (!text.p && otherwise) {
        *out = *otherwise;
        return 0;
    }
    return text.p && text.n && text.p[0] != '-' && sdw_when_parse(text.p, 0, out)
               ? 0
               : bad_param(q, key);
}

static int get_step(struct question *q, int64_t *out)
{
    struct sdw_str text = sdw_request_param(q->request, "step");
    return text.p && text.n && sdw_parse_duration(text.p, out) && *out > 0 ? 0
                                                                           : bad_param(q, "step");
}

/* --- values -------------------------------------------------------------------------------- */

struct points {
    int64_t *ts_us;
    double *value, *scratch;
    size_t n, cap_ts, cap_value, cap_scratch;
};

static int add_point(int64_t ts, double value, void *arg)
{
    struct points *points = arg;
    SDW_GROW(points->ts_us, points->cap_ts, points->n + 1);
    SDW_GROW(points->value, points->cap_value, points->n + 1);
    points->ts_us[points->n] = ts;
    points->value[points->n++] = value;
    return 0;
}

static void release_points(struct points *points)
{
    free(points->ts_us);
    free(points->value);
    free(points->scratch);
}

static void put_seconds(struct sdw_buf *body, int64_t ts_us)
{
    char fraction[16];
    sdw_buf_int(body, ts_us / 1000000);
    if (ts_us % 1000000 == 0)
        return;
    int n = snprintf(fraction, sizeof fraction, ".%06u", (unsigned)(ts_us % 1000000));
    while (n > 0 && fraction[n - 1] == '0')
        n--;
    sdw_buf_add(body, fraction, (size_t)n);
}

static void put_pair(struct sdw_buf *body, int64_t ts_us, double value)
{
    sdw_buf_char(body, '[');
    put_seconds(body, ts_us);
    sdw_buf_text(body, ",\"");
    sdw_buf_real(body, value);
    sdw_buf_text(body, "\"]");
}

static void put_metric(struct sdw_jsonw *w, const struct sdw_selected_series *series,
                       const char *key)
{
    struct sdw_buf metric = {0};
    sdw_buf_text(&metric, "{\"__name__\":");
    sdw_json_quote(&metric, series->name);
    if (series->labels.n) {
        sdw_buf_char(&metric, ',');
        sdw_buf_add(&metric, series->labels.p + 1, series->labels.n - 1);
    } else {
        sdw_buf_char(&metric, '}');
    }
    sdw_jsonw_raw(w, key, sdw_buf_view(&metric));
    sdw_buf_release(&metric);
}

/* What is asked: values from start to end, or (step 0) one at start. */
struct span {
    int64_t start_us, end_us, step_us;
};

/* Append the pairs of one series; returns how many. */
static size_t put_values(const struct sdw_promql *promql, const struct span *span,
                         struct points *points, struct sdw_buf *out)
{
    size_t from = 0, to = 0, n = 0;
    SDW_GROW(points->scratch, points->cap_scratch, points->n + 1);
    for (int64_t at = span->start_us; at <= span->end_us; at += span->step_us) {
        while (to < points->n && points->ts_us[to] <= at)
            to++;
        while (from < to && points->ts_us[from] <= at - promql->range_us)
            from++;
        double value = sdw_promql_value(promql, at, points->ts_us + from, points->value + from,
                                        to - from, points->scratch);
        if (isfinite(value)) {
            if (n++)
                sdw_buf_char(out, ',');
            put_pair(out, at, value);
        }
        if (span->step_us == 0)
            break;
    }
    return n;
}

/* The points themselves. */
static size_t put_points(const struct points *points, struct sdw_buf *out)
{
    for (size_t i = 0; i < points->n; i++) {
        if (i)
            sdw_buf_char(out, ',');
        put_pair(out, points->ts_us[i], points->value[i]);
    }
    return points->n;
}

static int put_series(struct question *q, const struct sdw_promql *promql, const struct span *span,
                      const struct sdw_selected_series *series, struct sdw_chunk_room *room)
{
    struct sdw_query query = {span->start_us - promql->range_us + 1, span->end_us + 1, 0,
                              SDW_AGG_NONE, 0};
    struct points points = {0};
    struct sdw_buf values = {0};
    int code = sdw_query_series(q->store, series->id, &query, room, add_point, &points, &q->err);
    bool raw = promql->function == SDW_PROMQL_POINTS, many = raw || span->step_us;
    if (code >= 0 &&
        (raw ? put_points(&points, &values) : put_values(promql, span, &points, &values)) > 0) {
        sdw_jsonw_object(&q->w, NULL);
        put_metric(&q->w, series, "metric");
        if (many) {
            sdw_jsonw_array(&q->w, "values");
            sdw_jsonw_raw(&q->w, NULL, sdw_buf_view(&values));
            sdw_jsonw_end(&q->w);
        } else {
            sdw_jsonw_raw(&q->w, "value", sdw_buf_view(&values));
        }
        sdw_jsonw_end(&q->w);
    }
    release_points(&points);
    sdw_buf_release(&values);
    return code < 0 ? code : 0;
}

/* The same number at every moment. */
static int put_number(struct question *q, double number, const struct span *span)
{
    sdw_jsonw_object(&q->w, "data");
    sdw_jsonw_text(&q->w, "resultType", span->step_us ? "matrix" : "scalar");
    struct sdw_buf pairs = {0};
    if (span->step_us)
        sdw_buf_text(&pairs, "[{\"metric\":{},\"values\":[");
    put_pair(&pairs, span->start_us, number);
    for (int64_t at = span->start_us + span->step_us; span->step_us && at <= span->end_us;
         at += span->step_us) {
        sdw_buf_char(&pairs, ',');
        put_pair(&pairs, at, number);
    }
    if (span->step_us)
        sdw_buf_text(&pairs, "]}]");
    sdw_jsonw_raw(&q->w, "result", sdw_buf_view(&pairs));
    sdw_jsonw_end(&q->w);
    sdw_buf_release(&pairs);
    return 0;
}

static int put_result(struct question *q, const struct sdw_promql *promql, const struct span *span)
{
    struct sdw_selected selected = {0};
    struct sdw_chunk_room room = {0};
    bool raw = promql->function == SDW_PROMQL_POINTS;
    if (promql->function == SDW_PROMQL_NUMBER)
        return put_number(q, promql->number, span);
    if (raw && span->step_us)
        return sdw_err_set(&q->err, SDW_EUSAGE, "points of a range have no steps");
    int code = sdw_select(q->store, &promql->selector, 1, &selected, &q->err);
    sdw_jsonw_object(&q->w, "data");
    sdw_jsonw_text(&q->w, "resultType", raw || span->step_us ? "matrix" : "vector");
    sdw_jsonw_array(&q->w, "result");
    for (size_t i = 0; code == 0 && i < selected.n; i++) {
        code = put_series(q, promql, span, &selected.series[i], &room);
        if (code == 0 && q->body->n > BODY_MAX)
            code = sdw_err_set(&q->err, SDW_EUSAGE, "the answer is larger than %d MiB",
                               BODY_MAX >> 20);
    }
    sdw_jsonw_end(&q->w);
    sdw_jsonw_end(&q->w);
    sdw_chunk_room_release(&room);
    sdw_selected_release(&selected);
    return code;
}

static int answer_expression(struct question *q, const struct span *span)
{
    struct sdw_promql promql;
    struct sdw_str text = sdw_request_param(q->request, "query");
    int code = sdw_promql_parse(&promql, text, &q->err);
    begin_data(q);
    if (code == 0)
        code = put_result(q, &promql, span);
    sdw_promql_release(&promql);
    if (code < 0)
        return refuse_code(q, code);
    sdw_jsonw_end(&q->w);
    return 200;
}

static int answer_range(struct question *q)
{
    struct span span = {.step_us = 1};
    int code = get_time(q, "start", NULL, &span.start_us);
    if (code == 0)
        code = get_time(q, "end", NULL, &span.end_us);
    if (code == 0)
        code = get_step(q, &span.step_us);
    if (code == 0 &&
        (span.end_us < span.start_us || (span.end_us - span.start_us) / span.step_us > STEPS_MAX))
        code = sdw_err_set(&q->err, SDW_EUSAGE,
                           "end is before start, or there are more than %d steps", STEPS_MAX);
    return code < 0 ? refuse_code(q, code) : answer_expression(q, &span);
}

static int answer_instant(struct question *q)
{
    struct span span = {0};
    int code = get_time(q, "time", &q->now_us, &span.start_us);
    span.end_us = span.start_us;
    return code < 0 ? refuse_code(q, code) : answer_expression(q, &span);
}

/* --- series and labels --------------------------------------------------------------------- */

/* The series that the match[] parameters mean; all when there are none. */
static int select_matches(struct question *q, struct sdw_selected *out)
{
    struct sdw_selector selector[SDW_REQUEST_PARAMS];
    size_t n = 0;
    int code = 0;
    for (size_t i = 0; code == 0 && i < q->request->n; i++)
        if (sdw_str_is(q->request->param[i].key, "match[]")) {
            code = sdw_selector_parse(&selector[n], q->request->param[i].value, NULL, &q->err);
            n++;
        }
    if (code == 0)
        code = sdw_select(q->store, selector, n, out, &q->err);
    while (n > 0)
        sdw_selector_release(&selector[--n]);
    return code;
}

static int answer_series(struct question *q)
{
    struct sdw_selected selected = {0};
    int code = select_matches(q, &selected);
    begin_data(q);
    sdw_jsonw_array(&q->w, "data");
    for (size_t i = 0; code == 0 && i < selected.n; i++)
        put_metric(&q->w, &selected.series[i], NULL);
    sdw_jsonw_end(&q->w);
    sdw_jsonw_end(&q->w);
    sdw_selected_release(&selected);
    return code < 0 ? refuse_code(q, code) : 200;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(((const struct sdw_str *)a)->p, ((const struct sdw_str *)b)->p);
}

/* Different texts, in order. */
static void put_set(struct question *q, const struct sdw_map *set)
{
    struct sdw_str *texts = sdw_xalloc((set->n + 1) * sizeof *texts), key;
    size_t n = 0, cursor = 0;
    void *value;
    while (sdw_map_next(set, &cursor, &key, &value))
        texts[n++] = (struct sdw_str){sdw_xstrndup(key.p, key.n), key.n};
    qsort(texts, n, sizeof *texts, by_text);
    for (size_t i = 0; i < n; i++) {
        char *text = (char *)(uintptr_t)texts[i].p;
        sdw_jsonw_text(&q->w, NULL, text);
        free(text);
    }
    free(texts);
}

/* Names of labels, or (name not NULL) the values of one. */
static int answer_labels(struct question *q, struct sdw_str name)
{
    struct sdw_selected selected = {0};
    struct sdw_arena scratch = {0};
    struct sdw_map set;
    struct sdw_labels labels;
    int code = select_matches(q, &selected);
    sdw_map_init(&set, (uint64_t)q->now_us);
    for (size_t i = 0; code == 0 && i < selected.n; i++) {
        sdw_arena_reset(&scratch);
        code = sdw_labels_parse(selected.series[i].labels, &scratch, &labels, &q->err);
        if (!name.p)
            sdw_map_at(&set, sdw_str_of("__name__"));
        else if (sdw_str_is(name, "__name__"))
            sdw_map_at(&set, selected.series[i].name);
        for (size_t k = 0; code == 0 && k < labels.n; k++)
            if (!name.p || sdw_str_same(name, labels.label[k].key))
                sdw_map_at(&set, name.p ? labels.label[k].value : labels.label[k].key);
    }
    begin_data(q);
    sdw_jsonw_array(&q->w, "data");
    put_set(q, &set);
    sdw_jsonw_end(&q->w);
    sdw_jsonw_end(&q->w);
    sdw_map_release(&set);
    sdw_arena_release(&scratch);
    sdw_selected_release(&selected);
    return code < 0 ? refuse_code(q, code) : 200;
}

static int answer_all_labels(struct question *q)
{
    return answer_labels(q, (struct sdw_str){0});
}

/* --- the rest ------------------------------------------------------------------------------ */

/* Grafana asks who it talks to. */
static int answer_build(struct question *q)
{
    begin_data(q);
    sdw_jsonw_object(&q->w, "data");
    sdw_jsonw_text(&q->w, "version", SDW_VERSION);
    sdw_jsonw_text(&q->w, "application", "shadow-store");
    sdw_jsonw_end(&q->w);
    sdw_jsonw_end(&q->w);
    return 200;
}

static int answer_health(struct question *q)
{
    begin_data(q);
    sdw_jsonw_end(&q->w);
    return 200;
}

static const struct {
    const char *path;
    int (*answer)(struct question *q);
} paths[] = {
    {"/api/v1/query_range", answer_range},
    {"/api/v1/query", answer_instant},
    {"/api/v1/series", answer_series},
    {"/api/v1/labels", answer_all_labels},
    {"/-/healthy", answer_health},
    {"/-/ready", answer_health},
    {"/api/v1/status/buildinfo", answer_build},
};

int sdw_prom_answer(struct sdw_store *store, const struct sdw_request *request, int64_t now_us,
                    struct sdw_buf *body)
{
    static const char label[] = "/api/v1/label/", values[] = "/values";
    struct question q = {store, request, now_us, body, sdw_jsonw(body), {0}};
    struct sdw_str path = request->path;
    size_t around = sizeof label - 1 + sizeof values - 1;
    for (size_t i = 0; i < SDW_LEN(paths); i++)
        if (sdw_str_is(path, paths[i].path))
            return paths[i].answer(&q);
    if (path.n > around && memcmp(path.p, label, sizeof label - 1) == 0 &&
        memcmp(path.p + path.n - (sizeof values - 1), values, sizeof values - 1) == 0)
        return answer_labels(&q, (struct sdw_str){path.p + sizeof label - 1, path.n - around});
    sdw_err_set(&q.err, SDW_EUSAGE, "no such path");
    return refuse(&q, 404, "not_found");
}
