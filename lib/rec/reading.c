#include "rec/reading.h"
#include "io/scan.h"
#include "rec/app.h"
#include "rec/capacity.h"
#include "rec/flow.h"
#include "rec/series.h"

#include <math.h>

union any_rec {
    struct sdw_metric metric;
    struct sdw_verdict verdict;
    struct sdw_gradient gradient;
    struct sdw_flow_rec flow;
    struct sdw_app app;
};

static double of_metric(const union any_rec *rec, struct sdw_buf *name)
{
    sdw_buf_str(name, rec->metric.series);
    return rec->metric.value;
}

static double of_verdict(const union any_rec *rec, struct sdw_buf *name)
{
    sdw_buf_text(name, "path/");
    sdw_buf_str(name, rec->verdict.path_id);
    sdw_buf_text(name, "/available_bps");
    return rec->verdict.available_bps.mid;
}

static double of_gradient(const union any_rec *rec, struct sdw_buf *name)
{
    sdw_buf_text(name, "path/");
    sdw_buf_str(name, rec->gradient.path_id);
    sdw_buf_printf(name, "/hop/%lld/capacity_gradient", (long long)rec->gradient.hop);
    return rec->gradient.capacity_gradient;
}

static double of_flow(const union any_rec *rec, struct sdw_buf *name)
{
    sdw_buf_text(name, "flow/");
    sdw_buf_str(name, rec->flow.flow_id);
    sdw_buf_text(name, "/bps");
    return rec->flow.current_bps;
}

static double of_app(const union any_rec *rec, struct sdw_buf *name)
{
    sdw_app_series(&rec->app, name);
    return rec->app.current_bps;
}

static const struct {
    const struct sdw_schema *schema;
    double (*value)(const union any_rec *rec, struct sdw_buf *name);
    bool estimate;
} kinds[] = {
    {&sdw_metric_schema, of_metric, false},     {&sdw_verdict_schema, of_verdict, true},
    {&sdw_gradient_schema, of_gradient, false}, {&sdw_flow_update_schema, of_flow, false},
    {&sdw_app_schema, of_app, false},
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
    reading->value = kinds[i].value(&rec, name);
    reading->ts = rec.metric.ts; /* the first member of all of them */
    reading->series = sdw_buf_view(name);
    reading->estimate = kinds[i].estimate;
    reading->capacity = kinds[i].estimate ? rec.verdict.capacity_bps : NAN;
    return 1;
}
