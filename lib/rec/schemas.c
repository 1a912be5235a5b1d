/* All record types, and what is derived from all of them. */
#include "io/jsonw.h"
#include "rec/anomaly.h"
#include "rec/app.h"
#include "rec/capacity.h"
#include "rec/conn.h"
#include "rec/end.h"
#include "rec/flow.h"
#include "rec/lab.h"
#include "rec/mirror.h"
#include "rec/path.h"
#include "rec/self.h"
#include "rec/series.h"
#include "rec/shape.h"
#include "rec/steering.h"
#include "rec/store.h"

/* One a line. */
/* clang-format off */
const struct sdw_schema *const sdw_schemas[] = {
    &sdw_path_schema,
    &sdw_hop_schema,
    &sdw_slot_schema,
    &sdw_mirror_schema,
    &sdw_gradient_schema,
    &sdw_verdict_schema,
    &sdw_metric_schema,
    &sdw_conn_schema,
    &sdw_forecast_schema,
    &sdw_breach_schema,
    &sdw_score_schema,
    &sdw_correlation_schema,
    &sdw_anomaly_schema,
    &sdw_anomaly_score_schema,
    &sdw_surge_schema,
    &sdw_unit_schema,
    &sdw_event_schema,
    &sdw_change_schema,
    &sdw_held_schema,
    &sdw_alert_schema,
    &sdw_request_schema,
    &sdw_reject_schema,
    &sdw_node_schema,
    &sdw_link_schema,
    &sdw_traffic_schema,
    &sdw_flow_new_schema,
    &sdw_flow_app_schema,
    &sdw_flow_update_schema,
    &sdw_flow_end_schema,
    &sdw_app_schema,
    &sdw_shape_schema,
    &sdw_stored_schema,
    &sdw_part_schema,
    &sdw_hole_schema,
    &sdw_record_schema,
    &sdw_field_schema,
    &sdw_check_schema,
    &sdw_loss_schema,
    &sdw_end_schema,
    NULL,
};
/* clang-format on */

const struct sdw_schema *sdw_schema_find(struct sdw_str type)
{
    for (const struct sdw_schema *const *s = sdw_schemas; *s; s++)
        if (sdw_str_is(type, (*s)->type))
            return *s;
    return NULL;
}

int sdw_rec_end(struct sdw_ctx *ctx, int64_t ts, const char *reason, const char *counts)
{
    struct sdw_end end = {.ts = ts,
                          .tool = sdw_str_of(ctx->tool->name),
                          .reason = sdw_str_of(reason),
                          .counts = sdw_str_of(counts)};
    return sdw_rec_put(ctx, &sdw_end_schema, &end);
}

const char *sdw_schema_column(struct sdw_str type, size_t i, enum sdw_column_shape *shape)
{
    const struct sdw_schema *schema = sdw_schema_find(type);
    for (const struct sdw_field *f = schema ? schema->fields : NULL; f && f->key; f++)
        if ((f->flags & SDW_F_COLUMN) && i-- == 0) {
            *shape = f->kind == SDW_RANGE        ? SDW_COLUMN_RANGE
                     : f->flags & SDW_F_HORIZONS ? SDW_COLUMN_HORIZONS
                                                 : SDW_COLUMN_PLAIN;
            return f->key;
        }
    return NULL;
}

static const char *json_type(enum sdw_kind kind)
{
    static const char *const names[] = {
        [SDW_INT] = "integer", [SDW_REAL] = "number",  [SDW_MODEL] = "number",
        [SDW_STR] = "string",  [SDW_BOOL] = "boolean", [SDW_RANGE] = "object",
    };
    return names[kind];
}

static void schema_type(struct sdw_jsonw *w, const struct sdw_field *f)
{
    sdw_jsonw_array(w, "type");
    if (f->kind == SDW_RAW) {
        sdw_jsonw_text(w, NULL, "object");
        sdw_jsonw_text(w, NULL, "array");
    } else {
        sdw_jsonw_text(w, NULL, json_type(f->kind));
    }
    if (!(f->flags & SDW_F_REQUIRED))
        sdw_jsonw_text(w, NULL, "null");
    sdw_jsonw_end(w);
}

static void schema_field(struct sdw_jsonw *w, const struct sdw_field *f)
{
    sdw_jsonw_object(w, f->key);
    schema_type(w, f);
    if (f->max > f->min) {
        sdw_jsonw_model(w, "minimum", f->min);
        sdw_jsonw_model(w, "maximum", f->max);
    }
    if (f->values) {
        sdw_jsonw_array(w, "enum");
        for (const char *const *v = f->values; *v; v++)
            sdw_jsonw_text(w, NULL, *v);
        if (!(f->flags & SDW_F_REQUIRED))
            sdw_jsonw_null(w, NULL);
        sdw_jsonw_end(w);
    }
    if (f->unit)
        sdw_jsonw_text(w, "x-unit", f->unit);
    sdw_jsonw_text(w, "description", f->help);
    sdw_jsonw_end(w);
}

void sdw_schema_json(const struct sdw_schema *schema, struct sdw_buf *out)
{
    struct sdw_jsonw w = sdw_jsonw(out);
    sdw_jsonw_object(&w, NULL);
    sdw_jsonw_text(&w, "$schema", "https://json-schema.org/draft/2020-12/schema");
    sdw_jsonw_text(&w, "title", schema->type);
    sdw_jsonw_text(&w, "description", schema->help);
    sdw_jsonw_text(&w, "type", "object");
    sdw_jsonw_object(&w, "properties");
    sdw_jsonw_raw(&w, "type",
                  sdw_str_of("{\"type\":\"string\",\"description\":\"the record type\"}"));
    sdw_jsonw_raw(&w, "v", sdw_str_of("{\"const\":1,\"description\":\"version of the record\"}"));
    sdw_jsonw_raw(&w, "ts",
                  sdw_str_of("{\"type\":\"integer\",\"x-unit\":\"us\",\"description\":"
                             "\"microseconds since the Unix epoch\"}"));
    for (const struct sdw_field *f = schema->fields; f->key; f++)
        schema_field(&w, f);
    sdw_jsonw_end(&w);
    sdw_jsonw_array(&w, "required");
    sdw_jsonw_text(&w, NULL, "type");
    sdw_jsonw_text(&w, NULL, "v");
    sdw_jsonw_text(&w, NULL, "ts");
    for (const struct sdw_field *f = schema->fields; f->key; f++)
        if (f->flags & SDW_F_REQUIRED)
            sdw_jsonw_text(&w, NULL, f->key);
    sdw_jsonw_end(&w);
    sdw_jsonw_end(&w);
}
