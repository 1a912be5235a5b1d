/* Values out of records: what series a record has a value of, and which. */
#include "core/mem.h"
#include "core/num.h"
#include "io/scan.h"
#include "model/book.h"
#include "rec/app.h"
#include "rec/capacity.h"
#include "rec/flow.h"

#include <math.h>

/* What a decoded record says of its series. The name is built in the buffer. */
typedef void sample_of(const void *rec, struct sdw_buf *name, struct sdw_sample *sample);

static void of_metric(const void *rec, struct sdw_buf *name, struct sdw_sample *sample)
{
    const struct sdw_metric *metric = rec;
    sdw_buf_str(name, metric->series);
    sample->ts = metric->ts;
    sample->value = metric->value;
}

static void of_verdict(const void *rec, struct sdw_buf *name, struct sdw_sample *sample)
{
    const struct sdw_verdict *verdict = rec;
    sdw_buf_printf(name, "path/%.*s/available_bps", (int)verdict->path_id.n, verdict->path_id.p);
    sample->ts = verdict->ts;
    sample->value = verdict->available_bps.mid;
    sample->capacity = verdict->capacity_bps;
    sample->estimate = true;
}

static void of_gradient(const void *rec, struct sdw_buf *name, struct sdw_sample *sample)
{
    const struct sdw_gradient *gradient = rec;
    sdw_buf_printf(name, "path/%.*s/hop/%lld/capacity_gradient", (int)gradient->path_id.n,
                   gradient->path_id.p, (long long)gradient->hop);
    sample->ts = gradient->ts;
    sample->value = gradient->capacity_gradient;
}

static void of_flow(const void *rec, struct sdw_buf *name, struct sdw_sample *sample)
{
    const struct sdw_flow_rec *flow = rec;
    sdw_buf_printf(name, "flow/%.*s/bps", (int)flow->flow_id.n, flow->flow_id.p);
    sample->ts = flow->ts;
    sample->value = flow->current_bps;
}

static void of_app(const void *rec, struct sdw_buf *name, struct sdw_sample *sample)
{
    const struct sdw_app *app = rec;
    struct sdw_str any = sdw_str_of("*");
    sdw_buf_text(name, "app/");
    sdw_buf_str(name, app->app);
    sdw_buf_char(name, '/');
    sdw_buf_str(name, app->src.p ? app->src : any);
    sdw_buf_char(name, '>');
    sdw_buf_str(name, app->dst.p ? app->dst : any);
    sdw_buf_text(name, "/bps");
    sample->ts = app->ts;
    sample->value = app->current_bps;
}

union any_rec {
    struct sdw_metric metric;
    struct sdw_verdict verdict;
    struct sdw_gradient gradient;
    struct sdw_flow_rec flow;
    struct sdw_app app;
};

static const struct {
    const char *type;
    const struct sdw_schema *schema;
    sample_of *sample;
} intake[] = {
    {"metric", &sdw_metric_schema, of_metric},
    {"verdict", &sdw_verdict_schema, of_verdict},
    {"gradient", &sdw_gradient_schema, of_gradient},
    {"flow.update", &sdw_flow_update_schema, of_flow},
    {"app", &sdw_app_schema, of_app},
};

/* A number among the members of a record, or (where it has labels) among its labels: NAN when
 * there is none. Labels are strings. */
static double number_in(struct sdw_str line, const char *key)
{
    struct sdw_str keys[2] = {sdw_str_of(key), sdw_str_of("labels")};
    struct sdw_member found[2];
    double value = NAN;
    if (sdw_scan_find(line, keys, 2, found, NULL) != 0)
        return NAN;
    if (!found[0].key.p && found[1].key.p && found[1].kind == SDW_SCAN_OBJECT &&
        sdw_scan_find(found[1].value, keys, 1, found, NULL) != 0)
        return NAN;
    struct sdw_str text = found[0].value;
    if (!found[0].key.p)
        return NAN;
    if (found[0].kind == SDW_SCAN_STRING && text.n >= 2)
        text = (struct sdw_str){text.p + 1, text.n - 2};
    else if (found[0].kind != SDW_SCAN_NUMBER)
        return NAN;
    return sdw_num_real(text, &value) ? value : NAN;
}

/* A text among the members of a record or its labels, as it stands between its quotes; empty when
 * there is none. */
static struct sdw_str text_in(struct sdw_str line, const char *key)
{
    struct sdw_str keys[2] = {sdw_str_of(key), sdw_str_of("labels")};
    struct sdw_member found[2];
    if (!memmem(line.p, line.n, key, strlen(key)) || sdw_scan_find(line, keys, 2, found, NULL) != 0)
        return (struct sdw_str){0};
    if (!found[0].key.p && found[1].key.p && found[1].kind == SDW_SCAN_OBJECT &&
        sdw_scan_find(found[1].value, keys, 1, found, NULL) != 0)
        return (struct sdw_str){0};
    if (!found[0].key.p || found[0].kind != SDW_SCAN_STRING || found[0].value.n < 2)
        return (struct sdw_str){0};
    return (struct sdw_str){found[0].value.p + 1, found[0].value.n - 2};
}

/* Append the text of a member that names a series: a string's own, anything else as it stands. */
static int append_key(struct sdw_buf *name, const struct sdw_member *member, struct sdw_err *err)
{
    if (name->n > 0)
        sdw_buf_char(name, '/');
    if (member->kind == SDW_SCAN_STRING)
        return sdw_scan_unescape(member->value, name, err);
    sdw_buf_str(name, member->value);
    return 0;
}

/* Any JSON: 1 when it has a time, the field and all the keys. */
static int of_any(struct sdw_book *book, struct sdw_str line, struct sdw_sample *sample,
                  struct sdw_err *err)
{
    const struct sdw_forecast_settings *s = &book->settings;
    struct sdw_str keys[SDW_KEYS_MAX + 2] = {sdw_str_of("ts"), sdw_str_of(s->field)};
    struct sdw_member found[SDW_KEYS_MAX + 2];
    for (size_t i = 0; i < s->keys; i++)
        keys[2 + i] = sdw_str_of(s->key[i]);
    int rc = sdw_scan_find(line, keys, 2 + s->keys, found, err);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < 2 + s->keys; i++)
        if (!found[i].key.p)
            return 0;
    if (found[0].kind != SDW_SCAN_NUMBER || !sdw_num_int(found[0].value, &sample->ts))
        return sdw_err_field(err, "ts", "not an integer of microseconds");
    if (found[1].kind != SDW_SCAN_NULL &&
        (found[1].kind != SDW_SCAN_NUMBER || !sdw_num_real(found[1].value, &sample->value)))
        return sdw_err_field(err, s->field, "not a number");
    for (size_t i = 0; rc == 0 && i < s->keys; i++)
        rc = append_key(&book->name, &found[2 + i], err);
    sdw_buf_char(&book->name, '/');
    sdw_buf_text(&book->name, s->field);
    return rc == 0 ? 1 : rc;
}

static int of_known(struct sdw_book *book, struct sdw_str line, struct sdw_arena *arena,
                    struct sdw_sample *sample, struct sdw_err *err)
{
    struct sdw_str type = sdw_scan_type(line);
    union any_rec rec;
    for (size_t i = 0; i < SDW_LEN(intake); i++) {
        if (!sdw_str_is(type, intake[i].type))
            continue;
        int rc = sdw_rec_decode(intake[i].schema, line, arena, &rec, err);
        if (rc != 0)
            return rc;
        intake[i].sample(&rec, &book->name, sample);
        return 1;
    }
    return 0;
}

int sdw_book_read(struct sdw_book *book, struct sdw_str line, struct sdw_arena *arena,
                  struct sdw_sample *sample, struct sdw_err *err)
{
    *sample = (struct sdw_sample){.ts = SDW_NO_INT, .value = NAN, .capacity = NAN};
    sdw_buf_clear(&book->name);
    int rc = book->settings.field ? of_any(book, line, sample, err)
                                  : of_known(book, line, arena, sample, err);
    if (rc != 1)
        return rc;
    if (sample->ts == SDW_NO_INT)
        return sdw_err_field(err, "ts", "missing");
    if (book->settings.capacity_field && !sample->estimate)
        sample->capacity = number_in(line, book->settings.capacity_field);
    sample->parent = text_in(line, "parent");
    sample->series = sdw_buf_view(&book->name);
    return 1;
}
