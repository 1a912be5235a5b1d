#include "rec/capacity.h"
#include "rec/lab.h"
#include "rec/path.h"
#include "rec/series.h"
#include "rec/steering.h"
#include "rec/value.h"
#include "unit/tap.h"

static struct sdw_arena arena;
static struct sdw_err err;

static int decode(const struct sdw_schema *schema, const char *line, void *rec)
{
    memset(&err, 0, sizeof err);
    return sdw_rec_decode(schema, sdw_str_of(line), &arena, rec, &err);
}

static void a_record_survives_the_round_trip(void)
{
    static const char line[] =
        "{\"type\":\"verdict\",\"v\":1,\"ts\":1763650000000731,\"path_id\":\"00ff\",\"window\":3,"
        "\"state\":\"bottleneck\",\"bottleneck_hop\":3,\"addr\":\"fd00::3\",\"available_bps\":"
        "{\"lo\":4000000,\"mid\":5120000,\"hi\":null},\"capacity_bps\":10000000,\"p_value\":0.0002,"
        "\"window_us\":12000000,\"injected_bytes\":120000,\"reason\":\"a \\\"b\\\"\\n\"}";
    struct sdw_verdict v;
    struct sdw_buf out = {0};
    ok(decode(&sdw_verdict_schema, line, &v) == 0, "a verdict is decoded");
    ok(v.ts == 1763650000000731 && v.bottleneck_hop == 3 && isnan(v.available_bps.hi),
       "with exact integers and nulls");
    ok(sdw_str_is(v.reason, "a \"b\"\n"), "and unescaped strings");
    sdw_rec_encode(&sdw_verdict_schema, &v, &out);
    is_text(out.p, line, "and encoded to the same bytes");
    sdw_buf_release(&out);
}

static void bad_records_are_refused_with_the_field(void)
{
    static const struct {
        const char *line, *field;
    } bad[] = {
        {"{\"type\":\"metric\",\"v\":1,\"series\":\"a\",\"value\":1}", "ts"},
        {"{\"type\":\"metric\",\"v\":1,\"ts\":1,\"value\":1}", "series"},
        {"{\"type\":\"metric\",\"v\":2,\"ts\":1,\"series\":\"a\"}", "v"},
        {"{\"type\":\"slot\",\"v\":1,\"ts\":1,\"series\":\"a\"}", "type"},
        {"{\"type\":\"metric\",\"v\":1,\"ts\":1.5,\"series\":\"a\"}", "ts"},
        {"{\"type\":\"metric\",\"v\":1,\"ts\":1,\"series\":5}", "series"},
        {"{\"type\":\"metric\",\"v\":1,\"ts\":1,\"series\":\"a\",\"value\":\"1\"}", "value"},
        {"{\"type\":\"metric\",\"v\":1,\"ts\":1,\"series\":\"a\",\"value\":1e999}", "value"},
        {"{\"type\":\"metric\",\"v\":1,\"ts\":1,\"series\":\"a\",\"labels\":7}", "labels"},
        {"{\"type\":\"metric\",\"v\":1,\"ts\":1,\"series\":\"a\\ud800\"}", "series"},
    };
    struct sdw_metric m;
    for (size_t i = 0; i < SDW_LEN(bad); i++)
        ok(decode(&sdw_metric_schema, bad[i].line, &m) == SDW_EINPUT &&
               strcmp(err.field, bad[i].field) == 0,
           "refused for %s: %s", bad[i].field, bad[i].line);
    struct sdw_breach b;
    ok(decode(&sdw_breach_schema,
              "{\"type\":\"breach\",\"v\":1,\"ts\":1,\"series\":\"a\",\"capacity\":1,\"direction\":"
              "\"sideways\",\"severity\":1,\"horizons\":[]}",
              &b) == SDW_EINPUT &&
           strcmp(err.field, "direction") == 0,
       "a word that is not one of the allowed is refused");
    ok(decode(&sdw_breach_schema,
              "{\"type\":\"breach\",\"v\":1,\"ts\":1,\"series\":\"a\",\"capacity\":1,\"direction\":"
              "\"below\",\"severity\":6,\"horizons\":[]}",
              &b) == SDW_EINPUT &&
           strcmp(err.field, "severity") == 0,
       "a severity of 6 is refused");
}

static void absence_is_kept(void)
{
    struct sdw_metric m;
    struct sdw_buf out = {0};
    ok(decode(
           &sdw_metric_schema,
           "{\"type\":\"metric\",\"v\":1,\"ts\":-5,\"series\":\"a\",\"value\":null,\"other\":[1]}",
           &m) == 0,
       "null and unknown keys are taken");
    ok(isnan(m.value) && !m.labels.p, "null and absent are absent");
    sdw_rec_encode(&sdw_metric_schema, &m, &out);
    is_text(out.p, "{\"type\":\"metric\",\"v\":1,\"ts\":-5,\"series\":\"a\",\"value\":null}",
            "a nullable absence is written null, another left out");
    sdw_buf_release(&out);
}

/* series, labels and value of a record, as one text. */
static const char *value_of(const char *type, const char *line, struct sdw_buf *out)
{
    struct sdw_metric m;
    sdw_buf_clear(out);
    if (sdw_value_decode(sdw_str_of(type), sdw_str_of(line), &arena, &m, &err) < 0)
        return "bad";
    sdw_buf_printf(out, "%.*s %.*s %g", (int)m.series.n, m.series.p, (int)m.labels.n, m.labels.p,
                   m.value);
    return out->p;
}

static void an_application_is_a_value_of_a_series(void)
{
    struct sdw_buf out = {0};
    is_text(
        value_of("app",
                 "{\"type\":\"app\",\"v\":1,\"ts\":1,\"app\":\"a \\\"b\\\"\",\"category\":\"Web\","
                 "\"sensitivity\":\"low\",\"src\":\"fd00::1\",\"dst\":\"10.0.0.1\","
                 "\"current_bps\":5}",
                 &out),
        "app/a \"b\"/fd00::1>10.0.0.1/bps {\"app\":\"a \\\"b\\\"\",\"category\":\"Web\","
        "\"dst\":\"10.0.0.1\",\"sensitivity\":\"low\",\"src\":\"fd00::1\"} 5",
        "the rate of an application between two ends is a series");
    is_text(value_of("app", "{\"type\":\"app\",\"v\":1,\"ts\":1,\"app\":\"x\",\"current_bps\":0}",
                     &out),
            "app/x/bps {\"app\":\"x\"} 0", "and so is that between all others");
    is_text(value_of("app",
                     "{\"type\":\"app\",\"v\":1,\"ts\":1,\"app\":\"x\",\"src\":\"fd00::1\","
                     "\"current_bps\":0}",
                     &out),
            "app/x/fd00::1>*/bps {\"app\":\"x\",\"src\":\"fd00::1\"} 0",
            "an end that is not named is any");
    is_text(value_of("app", "{\"type\":\"app\",\"v\":1,\"ts\":1,\"current_bps\":0}", &out), "bad",
            "one without a name is bad");
    is_text(value_of("metric",
                     "{\"type\":\"metric\",\"v\":1,\"ts\":1,\"series\":\"s\",\"value\":2}", &out),
            "s  2", "a metric is what it says");
    ok(sdw_value_is(sdw_str_of("app")) && sdw_value_is(sdw_str_of("metric")) &&
           !sdw_value_is(sdw_str_of("hop")),
       "other records are none");
    sdw_buf_release(&out);
}

static void every_schema_is_sound(void)
{
    for (const struct sdw_schema *const *s = sdw_schemas; *s; s++) {
        size_t required_strings = 0;
        int sound = 1;
        enum sdw_column_shape shape;
        for (const struct sdw_field *f = (*s)->fields; f->key; f++) {
            sound &= f->help && f->offset >= sizeof(int64_t) && f->offset < (*s)->size;
            for (const struct sdw_field *g = f + 1; g->key; g++)
                sound &= strcmp(f->key, g->key) != 0 && f->offset != g->offset;
            required_strings += (f->flags & SDW_F_REQUIRED) != 0;
        }
        ok(sound && required_strings, "fields of %s are distinct and documented", (*s)->type);
        ok(sdw_schema_find(sdw_str_of((*s)->type)) == *s &&
               sdw_schema_column(sdw_str_of((*s)->type), 0, &shape),
           "%s is found by name and has a column to show", (*s)->type);
    }
    ok(!sdw_schema_find(sdw_str_of("nothing")), "an unknown type is not found");
}

int main(void)
{
    a_record_survives_the_round_trip();
    bad_records_are_refused_with_the_field();
    absence_is_kept();
    an_application_is_a_value_of_a_series();
    every_schema_is_sound();
    sdw_arena_release(&arena);
    return tap_done();
}
