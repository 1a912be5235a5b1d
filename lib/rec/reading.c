#include "rec/reading.h"
#include "io/scan.h"
#include "rec/app.h"
#include "rec/capacity.h"
#include "rec/conn.h"
#include "rec/flow.h"
#include "rec/series.h"

#include <math.h>

union any_rec {
    struct sdw_metric metric;
    struct sdw_conn conn;
    struct sdw_verdict verdict;
    struct sdw_gradient gradient;
    struct sdw_flow_rec flow;
    struct sdw_app app;
};

static void of_metric(const union any_rec *rec, struct sdw_buf *name, struct sdw_reading *reading)
{
    sdw_buf_str(name, rec->metric.series);
    reading->value = rec->metric.value;
}

static void of_conn(const union any_rec *rec, struct sdw_buf *name, struct sdw_reading *reading)
{
    sdw_buf_str(name, rec->conn.series);
    reading->value = rec->conn.count;
    reading->capacity = rec->conn.limit;
    reading->new_per_s = rec->conn.new_per_s;
    reading->duration_mean_us = rec->conn.duration_mean_us;
    reading->estimate = true;
}

static void of_verdict(const union any_rec *rec, struct sdw_buf *name, struct sdw_reading *reading)
{
    sdw_buf_text(name, "path/");
    sdw_buf_str(name, rec->verdict.path_id);
    sdw_buf_text(name, "/available_bps");
    reading->value = rec->verdict.available_bps.mid;
    reading->path_capacity = rec->verdict.capacity_bps;
    reading->path_id = rec->verdict.path_id;
    reading->available_bps = isnan(reading->value) ? rec->verdict.available_bps.lo : reading->value;
    reading->estimate = true;
}

static void of_gradient(const union any_rec *rec, struct sdw_buf *name, struct sdw_reading *reading)
{
    sdw_buf_text(name, "path/");
    sdw_buf_str(name, rec->gradient.path_id);
    sdw_buf_printf(name, "/hop/%lld/capacity_gradient", (long long)rec->gradient.hop);
    reading->value = rec->gradient.capacity_gradient;
    reading->path_id = rec->gradient.path_id;
    reading->effect_us = rec->gradient.effect_us;
}

static void of_flow(const union any_rec *rec, struct sdw_buf *name, struct sdw_reading *reading)
{
    sdw_buf_text(name, "flow/");
    sdw_buf_str(name, rec->flow.flow_id);
    sdw_buf_text(name, "/bps");
    reading->value = rec->flow.current_bps;
}

static void of_app(const union any_rec *rec, struct sdw_buf *name, struct sdw_reading *reading)
{
    sdw_app_series(&rec->app, name);
    reading->value = rec->app.current_bps;
}

static const struct {
    const struct sdw_schema *schema;
    void (*read)(const union any_rec *rec, struct sdw_buf *name, struct sdw_reading *reading);
} kinds[] = {
    {&sdw_metric_schema, of_metric},     {&sdw_verdict_schema, of_verdict},
    {&sdw_gradient_schema, of_gradient}, {&sdw_flow_update_schema, of_flow},
    {&sdw_app_schema, of_app},           {&sdw_conn_schema, of_conn},
};

int sdw_reading_of(struct sdw_str line, struct sdw_arena *arena, struct sdw_buf *name,
                   struct sdw_reading *reading, struct sdw_err *err)
{
    struct sdw_str type = sdw_scan_type(line);
    size_t i = 0;
    while (i < SDW_LEN(kinds) && !sdw_str_is(type, kinds[i].schema->type))
        i++;
    if (i == SDW_LEN(kinds))
        return 0;
    union any_rec rec;
    int rc = sdw_rec_decode(kinds[i].schema, line, arena, &rec, err);
    if (rc != 0)
        return rc;
    sdw_buf_clear(name);
    *reading = (struct sdw_reading){.ts = rec.metric.ts, /* the first member of all of them */
                                    .capacity = NAN,
                                    .path_capacity = NAN,
                                    .new_per_s = NAN,
                                    .duration_mean_us = NAN,
                                    .effect_us = NAN,
                                    .available_bps = NAN};
    kinds[i].read(&rec, name, reading);
    reading->series = sdw_buf_view(name);
    return 1;
}
