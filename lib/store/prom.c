#include "store/prom.h"
#include "core/num.h"
#include "io/jsonw.h"
#include "store/answer.h"
#include "store/select.h"
#include "store/when.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { STEPS_MAX = 11000 };

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

static int answer_expression(struct question *q, const struct sdw_span *span)
{
    struct sdw_promql promql;
    struct sdw_str text = sdw_request_param(q->request, "query");
    int code = sdw_promql_parse(&promql, text, &q->err);
    begin_data(q);
    if (code == 0)
        code = sdw_answer_put(q->store, &promql, span, &q->w, &q->err);
    sdw_promql_release(&promql);
    if (code < 0)
        return refuse_code(q, code);
    sdw_jsonw_end(&q->w);
    return 200;
}

static int answer_range(struct question *q)
{
    struct sdw_span span = {.step_us = 1};
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
    struct sdw_span span = {0};
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
        sdw_answer_metric(&q->w, &selected.series[i], NULL);
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

static int answer_same(struct question *q, const char *data)
{
    begin_data(q);
    sdw_jsonw_raw(&q->w, "data", sdw_str_of(data));
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
    const char *data; /* instead: the same for everybody */
} paths[] = {
    {"/api/v1/query_range", answer_range, NULL},
    {"/api/v1/query", answer_instant, NULL},
    {"/api/v1/series", answer_series, NULL},
    {"/api/v1/labels", answer_all_labels, NULL},
    {"/-/healthy", answer_health, NULL},
    {"/-/ready", answer_health, NULL},
    {"/api/v1/status/buildinfo", answer_build, NULL},
    /* What Grafana asks for, too: there is no more to say of a series than its name, and there are
     * no exemplars, rules and alerts. */
    {"/api/v1/metadata", NULL, "{}"},
    {"/api/v1/query_exemplars", NULL, "[]"},
    {"/api/v1/rules", NULL, "{\"groups\":[]}"},
    {"/api/v1/alerts", NULL, "{\"alerts\":[]}"},
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
            return paths[i].answer ? paths[i].answer(&q) : answer_same(&q, paths[i].data);
    if (path.n > around && memcmp(path.p, label, sizeof label - 1) == 0 &&
        memcmp(path.p + path.n - (sizeof values - 1), values, sizeof values - 1) == 0)
        return answer_labels(&q, (struct sdw_str){path.p + sizeof label - 1, path.n - around});
    sdw_err_set(&q.err, SDW_EUSAGE, "no such path");
    return refuse(&q, 404, "not_found");
}
