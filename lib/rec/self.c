#include "rec/self.h"
#include "io/jsonw.h"
#include "rec/table.h"

#include <math.h>

static const char *const check_states[] = {"ok", "limited", "missing", NULL};
static const char *const kinds[] = {"integer", "number", "string", "boolean",
                                    "range",   "object", NULL};

#define OF sdw_record
static const struct sdw_field record_fields[] = {
    F(SDW_STR, name, SDW_F_REQUIRED | SDW_F_COLUMN, NULL, "value of the key type"),
    FN(SDW_INT, fields, SDW_F_COLUMN, 0, 1000, NULL, "fields besides type, v and ts"),
    F(SDW_STR, help, SDW_F_COLUMN, NULL, "what the record says"),
    {0},
};
#undef OF

#define OF sdw_record_field
static const struct sdw_field field_fields[] = {
    F(SDW_STR, record, SDW_F_REQUIRED, NULL, "the record type"),
    F(SDW_STR, key, SDW_F_REQUIRED | SDW_F_COLUMN, NULL, "the field's key"),
    FV(kind, SDW_F_REQUIRED | SDW_F_COLUMN, kinds,
       "what the value is; a range is an object of lo, mid and hi"),
    F(SDW_STR, unit, SDW_F_COLUMN, NULL, "unit of the value"),
    F(SDW_BOOL, required, SDW_F_COLUMN, NULL, "whether a record without it is bad"),
    F(SDW_MODEL, min, 0, NULL, "least number allowed"),
    F(SDW_MODEL, max, 0, NULL, "greatest number allowed"),
    F(SDW_RAW, values, 0, NULL, "the strings allowed"),
    F(SDW_STR, help, SDW_F_COLUMN, NULL, "what the field says"),
    {0},
};
#undef OF

#define OF sdw_check
static const struct sdw_field check_fields[] = {
    F(SDW_STR, check, SDW_F_REQUIRED | SDW_F_COLUMN, NULL, "what was looked at"),
    FV(state, SDW_F_REQUIRED | SDW_F_COLUMN, check_states, "whether the tools can have it"),
    F(SDW_BOOL, essential, 0, NULL, "whether the main tools cannot work without it"),
    F(SDW_STR, found, SDW_F_COLUMN, NULL, "what was found"),
    F(SDW_STR, remedy, SDW_F_NULL | SDW_F_COLUMN, NULL, "the command that would allow more"),
    {0},
};
#undef OF

const struct sdw_schema sdw_record_schema = {"record", "a type of record",
                                             sizeof(struct sdw_record), record_fields};
const struct sdw_schema sdw_field_schema = {"field", "a field of a type of record",
                                            sizeof(struct sdw_record_field), field_fields};
const struct sdw_schema sdw_check_schema = {"check", "what this machine allows the tools to do",
                                            sizeof(struct sdw_check), check_fields};

static const char *kind_name(enum sdw_kind kind)
{
    static const char *const names[] = {
        [SDW_INT] = "integer",  [SDW_REAL] = "number", [SDW_MODEL] = "number", [SDW_STR] = "string",
        [SDW_BOOL] = "boolean", [SDW_RANGE] = "range", [SDW_RAW] = "object",
    };
    return names[kind];
}

int sdw_rec_list(struct sdw_ctx *ctx, int64_t ts)
{
    int r = 0;
    for (const struct sdw_schema *const *s = sdw_schemas; *s && r >= 0; s++) {
        struct sdw_record rec = {
            .ts = ts, .name = sdw_str_of((*s)->type), .help = sdw_str_of((*s)->help)};
        for (const struct sdw_field *f = (*s)->fields; f->key; f++)
            rec.fields++;
        r = sdw_rec_put(ctx, &sdw_record_schema, &rec);
    }
    return r;
}

static void write_values(const struct sdw_field *f, struct sdw_buf *out)
{
    struct sdw_jsonw w = sdw_jsonw(out);
    sdw_jsonw_array(&w, NULL);
    for (const char *const *v = f->values; *v; v++)
        sdw_jsonw_text(&w, NULL, *v);
    sdw_jsonw_end(&w);
}

int sdw_rec_list_fields(struct sdw_ctx *ctx, int64_t ts, const struct sdw_schema *schema)
{
    struct sdw_buf values = {0};
    int r = 0;
    for (const struct sdw_field *f = schema->fields; f->key && r >= 0; f++) {
        struct sdw_record_field rec;
        sdw_rec_init(&sdw_field_schema, &rec);
        rec.ts = ts;
        rec.record = sdw_str_of(schema->type);
        rec.key = sdw_str_of(f->key);
        rec.kind = sdw_str_of(kind_name(f->kind));
        rec.unit = sdw_str_of(f->unit);
        rec.required = (f->flags & SDW_F_REQUIRED) != 0;
        rec.help = sdw_str_of(f->help);
        if (f->max > f->min) {
            rec.min = f->min;
            rec.max = f->max;
        }
        if (f->values) {
            sdw_buf_clear(&values);
            write_values(f, &values);
            rec.values = sdw_buf_view(&values);
        }
        r = sdw_rec_put(ctx, &sdw_field_schema, &rec);
    }
    sdw_buf_release(&values);
    return r;
}

void sdw_rec_schema_all(struct sdw_buf *out)
{
    struct sdw_jsonw w = sdw_jsonw(out);
    struct sdw_buf one = {0};
    sdw_jsonw_object(&w, NULL);
    sdw_jsonw_text(&w, "$schema", "https://json-schema.org/draft/2020-12/schema");
    sdw_jsonw_text(&w, "title", "shadow records");
    sdw_jsonw_array(&w, "oneOf");
    for (const struct sdw_schema *const *s = sdw_schemas; *s; s++) {
        sdw_buf_clear(&one);
        sdw_schema_json(*s, &one);
        sdw_jsonw_raw(&w, NULL, sdw_buf_view(&one));
    }
    sdw_jsonw_end(&w);
    sdw_jsonw_end(&w);
    sdw_buf_release(&one);
}

/* Text of a table is plain: escape what mdoc would read as a macro or an escape. */
static void mdoc_text(struct sdw_buf *out, const char *text)
{
    if (*text == '.' || *text == '\'')
        sdw_buf_text(out, "\\&");
    for (; *text; text++)
        if (*text == '\\')
            sdw_buf_text(out, "\\e");
        else
            sdw_buf_char(out, *text);
}

static void mdoc_field(const struct sdw_field *f, struct sdw_buf *out)
{
    sdw_buf_printf(out, ".It Va %s\n%s", f->key, kind_name(f->kind));
    if (f->unit)
        sdw_buf_printf(out, ", %s", f->unit);
    if (f->flags & SDW_F_REQUIRED)
        sdw_buf_text(out, ", always there");
    else if (f->flags & SDW_F_NULL)
        sdw_buf_text(out, " or null");
    if (f->max > f->min)
        sdw_buf_printf(out, ", %g to %g", f->min, f->max);
    sdw_buf_text(out, ":\n");
    mdoc_text(out, f->help);
    if (f->values) {
        sdw_buf_text(out, ".\nOne of");
        for (const char *const *v = f->values; *v; v++)
            sdw_buf_printf(out, "\n.Cm %s%s", *v, v[1] ? " ," : "");
    }
    sdw_buf_text(out, f->values ? " .\n" : ".\n");
}

void sdw_rec_mdoc(struct sdw_buf *out)
{
    for (const struct sdw_schema *const *s = sdw_schemas; *s; s++) {
        sdw_buf_printf(out, ".Ss %s\n", (*s)->type);
        mdoc_text(out, (*s)->help);
        sdw_buf_text(out, ".\n.Bl -tag -width Ds\n");
        for (const struct sdw_field *f = (*s)->fields; f->key; f++)
            mdoc_field(f, out);
        sdw_buf_text(out, ".El\n");
    }
}
