#include "store/answer.h"
#include "core/num.h"
#include "store/query.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { BODY_MAX = 128 << 20, VALUES_MAX = 1 << 25 };

/* One expression and what is needed to work it out. */
struct answer {
    struct sdw_store *store;
    const struct sdw_promql *promql;
    const struct sdw_span *span;
    struct sdw_jsonw *w;
    struct sdw_err *err;
    struct sdw_chunk_room room;
    struct sdw_damage damage; /* what was left out */
    /* Points of one series. */
    int64_t *ts_us;
    double *value, *scratch;
    size_t n, cap_ts, cap_value, cap_scratch;
    double *row; /* its values, steps of them; NAN: none */
    size_t steps;
    struct sdw_buf pairs;
    struct sdw_arena arena;
};

static int too_large(const struct answer *a)
{
    return sdw_err_set(a->err, SDW_EUSAGE, "the answer is larger than %d MiB", BODY_MAX >> 20);
}

/* --- writing ------------------------------------------------------------------------------- */

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
    if (body->n)
        sdw_buf_char(body, ',');
    sdw_buf_char(body, '[');
    put_seconds(body, ts_us);
    sdw_buf_text(body, ",\"");
    sdw_buf_real(body, value);
    sdw_buf_text(body, "\"]");
}

static struct sdw_buf metric_of(const struct sdw_selected_series *series)
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
    return metric;
}

void sdw_answer_metric(struct sdw_jsonw *w, const struct sdw_selected_series *series,
                       const char *key)
{
    struct sdw_buf metric = metric_of(series);
    sdw_jsonw_raw(w, key, sdw_buf_view(&metric));
    sdw_buf_release(&metric);
}

/* A series of the result; none when it has no value. */
static int put_series(struct answer *a, struct sdw_str metric, bool many)
{
    if (a->pairs.n == 0)
        return 0;
    sdw_jsonw_object(a->w, NULL);
    sdw_jsonw_raw(a->w, "metric", metric.n ? metric : sdw_str_of("{}"));
    if (many) {
        sdw_jsonw_array(a->w, "values");
        sdw_jsonw_raw(a->w, NULL, sdw_buf_view(&a->pairs));
        sdw_jsonw_end(a->w);
    } else {
        sdw_jsonw_raw(a->w, "value", sdw_buf_view(&a->pairs));
    }
    sdw_jsonw_end(a->w);
    return a->w->buf->n > BODY_MAX ? too_large(a) : 0;
}

static int put_row(struct answer *a, struct sdw_str metric, const double *value)
{
    sdw_buf_clear(&a->pairs);
    for (size_t i = 0; i < a->steps; i++)
        if (isfinite(value[i]))
            put_pair(&a->pairs, a->span->start_us + (int64_t)i * a->span->step_us, value[i]);
    return put_series(a, metric, a->span->step_us > 0);
}

/* --- working out --------------------------------------------------------------------------- */

static int add_point(int64_t ts, double value, void *arg)
{
    struct answer *a = arg;
    SDW_GROW(a->ts_us, a->cap_ts, a->n + 1);
    SDW_GROW(a->value, a->cap_value, a->n + 1);
    a->ts_us[a->n] = ts;
    a->value[a->n++] = value;
    return 0;
}

static int read_points(struct answer *a, const struct sdw_selected_series *series)
{
    struct sdw_query query = {a->span->start_us - a->promql->range_us + 1,
                              a->span->end_us + 1,
                              0,
                              SDW_AGG_NONE,
                              0,
                              &a->damage};
    struct sdw_damage before = a->damage;
    a->n = 0;
    int code = sdw_query_series(a->store, series->id, &query, &a->room, add_point, a, a->err);
    bool damaged = a->damage.chunks > before.chunks || a->damage.segments > before.segments;
    return code < 0 && !damaged ? code : 0;
}

/* The row of a series from its points. */
static void fill_row(struct answer *a)
{
    size_t from = 0, to = 0;
    SDW_GROW(a->scratch, a->cap_scratch, a->n + 1);
    for (size_t i = 0; i < a->steps; i++) {
        int64_t at = a->span->start_us + (int64_t)i * a->span->step_us;
        while (to < a->n && a->ts_us[to] <= at)
            to++;
        while (from < to && a->ts_us[from] <= at - a->promql->range_us)
            from++;
        double value = sdw_promql_value(a->promql, at, a->ts_us + from, a->value + from, to - from,
                                        a->scratch);
        a->row[i] = isfinite(value) ? value : NAN;
    }
}

static int put_plain(struct answer *a, const struct sdw_selected *selected)
{
    bool raw = a->promql->function == SDW_PROMQL_POINTS;
    int code = 0;
    for (size_t i = 0; code == 0 && i < selected->n; i++) {
        struct sdw_buf metric = metric_of(&selected->series[i]);
        code = read_points(a, &selected->series[i]);
        if (code == 0 && raw) {
            sdw_buf_clear(&a->pairs);
            for (size_t k = 0; k < a->n; k++)
                put_pair(&a->pairs, a->ts_us[k], a->value[k]);
            code = put_series(a, sdw_buf_view(&metric), true);
        } else if (code == 0) {
            fill_row(a);
            code = put_row(a, sdw_buf_view(&metric), a->row);
        }
        sdw_buf_release(&metric);
    }
    return code;
}

static int take_into(struct answer *a, struct sdw_frame *frame, const struct sdw_grouping *grouping,
                     struct sdw_str metric, const double *value)
{
    struct sdw_labels labels;
    sdw_arena_reset(&a->arena);
    int code = sdw_labels_parse(metric, &a->arena, &labels, a->err);
    if (code == 0)
        sdw_frame_take(frame, grouping, &labels, value);
    return code == 0 && frame->n * frame->steps > VALUES_MAX ? too_large(a) : code;
}

/* The innermost aggregation takes series, each other one what the one before it made. */
static int put_grouped(struct answer *a, const struct sdw_selected *selected)
{
    const struct sdw_grouping *grouping = a->promql->grouping;
    struct sdw_frame frame, next;
    int code = 0;
    sdw_frame_init(&frame, a->steps);
    for (size_t i = 0; code == 0 && i < selected->n; i++) {
        struct sdw_buf metric = metric_of(&selected->series[i]);
        code = read_points(a, &selected->series[i]);
        fill_row(a);
        if (code == 0 && a->n)
            code = take_into(a, &frame, &grouping[0], sdw_buf_view(&metric), a->row);
        sdw_buf_release(&metric);
    }
    sdw_frame_finish(&frame, &grouping[0]);
    for (size_t g = 1; g < a->promql->n_groupings; g++) {
        sdw_frame_init(&next, a->steps);
        for (size_t i = 0; code == 0 && i < frame.n; i++)
            code = take_into(a, &next, &grouping[g], frame.row[i].labels, frame.row[i].value);
        sdw_frame_finish(&next, &grouping[g]);
        sdw_frame_release(&frame);
        frame = next;
    }
    for (size_t i = 0; code == 0 && i < frame.n; i++)
        code = put_row(a, frame.row[i].labels, frame.row[i].value);
    sdw_frame_release(&frame);
    return code;
}

/* The same number at every moment. */
static void put_number(struct answer *a)
{
    sdw_jsonw_object(a->w, "data");
    sdw_jsonw_text(a->w, "resultType", a->span->step_us ? "matrix" : "scalar");
    for (size_t i = 0; i < a->steps; i++)
        put_pair(&a->pairs, a->span->start_us + (int64_t)i * a->span->step_us, a->promql->number);
    if (a->span->step_us) {
        sdw_jsonw_array(a->w, "result");
        (void)put_series(a, sdw_str_of("{}"), true);
        sdw_jsonw_end(a->w);
    } else {
        sdw_jsonw_raw(a->w, "result", sdw_buf_view(&a->pairs));
    }
    sdw_jsonw_end(a->w);
}

static int put_selected(struct answer *a)
{
    struct sdw_selected selected = {0};
    bool raw = a->promql->function == SDW_PROMQL_POINTS;
    if (raw && a->span->step_us)
        return sdw_err_set(a->err, SDW_EUSAGE, "points of a range have no steps");
    int code = sdw_select(a->store, &a->promql->selector, 1, &selected, a->err);
    sdw_jsonw_object(a->w, "data");
    sdw_jsonw_text(a->w, "resultType", raw || a->span->step_us ? "matrix" : "vector");
    sdw_jsonw_array(a->w, "result");
    if (code == 0)
        code = a->promql->n_groupings ? put_grouped(a, &selected) : put_plain(a, &selected);
    sdw_jsonw_end(a->w);
    sdw_jsonw_end(a->w);
    sdw_selected_release(&selected);
    return code;
}

int sdw_answer_put(struct sdw_store *store, const struct sdw_promql *promql,
                   const struct sdw_span *span, struct sdw_jsonw *w, struct sdw_err *err)
{
    struct answer a = {.store = store, .promql = promql, .span = span, .w = w, .err = err};
    int code = 0;
    a.steps = 1;
    if (span->step_us)
        a.steps += (size_t)((span->end_us - span->start_us) / span->step_us);
    a.row = sdw_xalloc(a.steps * sizeof *a.row);
    if (promql->function == SDW_PROMQL_NUMBER)
        put_number(&a);
    else
        code = put_selected(&a);
    if (a.damage.chunks || a.damage.segments || sdw_store_lacks_log(store)) {
        sdw_jsonw_array(w, "warnings");
        sdw_jsonw_text(w, NULL, "some points are lost to damage: see shadow-store check");
        sdw_jsonw_end(w);
    }
    sdw_chunk_room_release(&a.room);
    sdw_buf_release(&a.pairs);
    sdw_arena_release(&a.arena);
    free(a.ts_us);
    free(a.value);
    free(a.scratch);
    free(a.row);
    return code;
}
