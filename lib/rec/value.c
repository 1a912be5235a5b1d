#include "rec/value.h"
#include "io/jsonw.h"
#include "rec/app.h"

static struct sdw_str keep(struct sdw_arena *arena, struct sdw_buf *text)
{
    char *copy = sdw_arena_alloc(arena, text->n + 1);
    memcpy(copy, text->p, text->n + 1);
    struct sdw_str kept = {copy, text->n};
    sdw_buf_release(text);
    return kept;
}

static void put_label(struct sdw_buf *out, const char *key, struct sdw_str value)
{
    if (!value.p)
        return;
    sdw_buf_char(out, out->n ? ',' : '{');
    sdw_json_quote(out, sdw_str_of(key));
    sdw_buf_char(out, ':');
    sdw_json_quote(out, value);
}

static int decode_app(struct sdw_str line, struct sdw_arena *arena, struct sdw_metric *out,
                      struct sdw_err *err)
{
    struct sdw_app app;
    struct sdw_buf series = {0}, labels = {0};
    int code = sdw_rec_decode(&sdw_app_schema, line, arena, &app, err);
    if (code < 0)
        return code;
    sdw_app_series(&app, &series);
    put_label(&labels, "app", app.app);
    put_label(&labels, "category", app.category);
    put_label(&labels, "dst", app.dst);
    put_label(&labels, "sensitivity", app.sensitivity);
    put_label(&labels, "src", app.src);
    sdw_buf_char(&labels, '}');
    sdw_rec_init(&sdw_metric_schema, out);
    out->ts = app.ts;
    out->series = keep(arena, &series);
    out->labels = keep(arena, &labels);
    out->value = app.current_bps;
    return 0;
}

bool sdw_value_is(struct sdw_str type)
{
    return sdw_str_is(type, "metric") || sdw_str_is(type, "app");
}

int sdw_value_decode(struct sdw_str type, struct sdw_str line, struct sdw_arena *arena,
                     struct sdw_metric *out, struct sdw_err *err)
{
    return sdw_str_is(type, "app") ? decode_app(line, arena, out, err)
                                   : sdw_rec_decode(&sdw_metric_schema, line, arena, out, err);
}
