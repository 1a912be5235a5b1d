#include "rec/rec.h"
#include "core/num.h"
#include "io/jsonw.h"
#include "io/scan.h"

#include <math.h>

enum { RECORD_VERSION = 1 };

/* Where a field lives in a record. */
static void *place(void *rec, const struct sdw_field *f)
{
    return (char *)rec + f->offset;
}

static const void *const_place(const void *rec, const struct sdw_field *f)
{
    return (const char *)rec + f->offset;
}

static void set_absent(void *at, enum sdw_kind kind)
{
    switch (kind) {
    case SDW_INT:
        *(int64_t *)at = SDW_NO_INT;
        break;
    case SDW_REAL:
    case SDW_MODEL:
        *(double *)at = NAN;
        break;
    case SDW_STR:
    case SDW_RAW:
        *(struct sdw_str *)at = (struct sdw_str){0};
        break;
    case SDW_BOOL:
        *(int8_t *)at = -1;
        break;
    case SDW_RANGE:
        *(struct sdw_range *)at = (struct sdw_range){NAN, NAN, NAN};
        break;
    }
}

static bool is_absent(const void *at, enum sdw_kind kind)
{
    switch (kind) {
    case SDW_INT:
        return *(const int64_t *)at == SDW_NO_INT;
    case SDW_REAL:
    case SDW_MODEL:
        return !isfinite(*(const double *)at);
    case SDW_STR:
    case SDW_RAW:
        return !((const struct sdw_str *)at)->p;
    case SDW_BOOL:
        return *(const int8_t *)at < 0;
    case SDW_RANGE: {
        const struct sdw_range *r = at;
        return !isfinite(r->lo) && !isfinite(r->mid) && !isfinite(r->hi);
    }
    }
    return true;
}

void sdw_rec_init(const struct sdw_schema *schema, void *rec)
{
    memset(rec, 0, schema->size);
    *(int64_t *)rec = SDW_NO_INT;
    for (const struct sdw_field *f = schema->fields; f->key; f++)
        set_absent(place(rec, f), f->kind);
}

static int out_of_range(const struct sdw_field *f, struct sdw_err *err)
{
    return sdw_err_field(err, f->key, "must be within %g and %g", f->min, f->max);
}

static bool in_range(const struct sdw_field *f, double value)
{
    return (f->min == 0 && f->max == 0) ||
           (value >= f->min && (f->max <= f->min || value <= f->max));
}

static int decode_string(struct sdw_str value, struct sdw_arena *arena, struct sdw_str *out,
                         struct sdw_err *err)
{
    unsigned odd = 0;
    for (size_t i = 0; i < value.n; i++)
        odd |= (unsigned)((unsigned char)value.p[i] >= 0x80 || value.p[i] == '\\');
    *out = (struct sdw_str){value.p + 1, value.n - 2};
    if (!odd)
        return 0;
    struct sdw_buf plain = {0};
    int code = sdw_scan_unescape(value, &plain, err);
    if (code == 0) {
        char *copy = sdw_arena_alloc(arena, plain.n + 1);
        if (plain.n)
            memcpy(copy, plain.p, plain.n);
        copy[plain.n] = '\0';
        *out = (struct sdw_str){copy, plain.n};
    }
    sdw_buf_release(&plain);
    return code;
}

static int decode_range(const struct sdw_field *f, struct sdw_str value, struct sdw_range *out,
                        struct sdw_err *err)
{
    static const struct sdw_str keys[] = {{"lo", 2}, {"mid", 3}, {"hi", 2}};
    double *const to[] = {&out->lo, &out->mid, &out->hi};
    struct sdw_member found[3];
    int code = sdw_scan_find(value, keys, 3, found, err);
    for (size_t i = 0; code == 0 && i < 3; i++)
        if (found[i].key.p && found[i].kind != SDW_SCAN_NULL &&
            !(found[i].kind == SDW_SCAN_NUMBER && sdw_num_real(found[i].value, to[i])))
            code = sdw_err_field(err, f->key, "%s is not a number", keys[i].p);
    return code;
}

static int check_values(const struct sdw_field *f, struct sdw_str text, struct sdw_err *err)
{
    if (!f->values)
        return 0;
    for (const char *const *v = f->values; *v; v++)
        if (sdw_str_is(text, *v))
            return 0;
    return sdw_err_field(err, f->key, "'%.*s' is not one of its values", (int)(text.n % 64),
                         text.p);
}

static int decode_field(const struct sdw_field *f, const struct sdw_member *m,
                        struct sdw_arena *arena, void *at, struct sdw_err *err)
{
    bool number = m->kind == SDW_SCAN_NUMBER, truth = m->kind == SDW_SCAN_TRUE;
    switch (f->kind) {
    case SDW_INT:
        if (!number || !sdw_num_int(m->value, at))
            return sdw_err_field(err, f->key, "not an integer within 2^53");
        return in_range(f, (double)*(int64_t *)at) ? 0 : out_of_range(f, err);
    case SDW_REAL:
    case SDW_MODEL:
        if (!number || !sdw_num_real(m->value, at))
            return sdw_err_field(err, f->key, "not a finite number");
        return in_range(f, *(double *)at) ? 0 : out_of_range(f, err);
    case SDW_STR: {
        if (m->kind != SDW_SCAN_STRING)
            return sdw_err_field(err, f->key, "not a string");
        int code = decode_string(m->value, arena, at, err);
        return code < 0 ? sdw_err_field(err, f->key, "not valid text")
                        : check_values(f, *(struct sdw_str *)at, err);
    }
    case SDW_BOOL:
        if (!truth && m->kind != SDW_SCAN_FALSE)
            return sdw_err_field(err, f->key, "not true or false");
        *(int8_t *)at = truth;
        return 0;
    case SDW_RANGE:
        if (m->kind != SDW_SCAN_OBJECT)
            return sdw_err_field(err, f->key, "not an object of lo, mid and hi");
        return decode_range(f, m->value, at, err);
    case SDW_RAW:
        if (m->kind != SDW_SCAN_OBJECT && m->kind != SDW_SCAN_ARRAY)
            return sdw_err_field(err, f->key, "not an object or array");
        *(struct sdw_str *)at = m->value;
        return 0;
    }
    return 0;
}

/* The field of a key; *hint is where a record in table order has it. */
static const struct sdw_field *find_field(const struct sdw_schema *schema, struct sdw_str key,
                                          const struct sdw_field **hint)
{
    if ((*hint)->key && sdw_str_is(key, (*hint)->key))
        return (*hint)++;
    for (const struct sdw_field *f = schema->fields; f->key; f++)
        if (sdw_str_is(key, f->key)) {
            *hint = f + 1;
            return f;
        }
    return NULL;
}

/* type, v and ts: 1 when the member was one of them. */
static int decode_head(const struct sdw_schema *schema, const struct sdw_member *m, void *rec,
                       struct sdw_err *err)
{
    int64_t version;
    if (sdw_str_is(m->key, "ts")) {
        if (m->kind != SDW_SCAN_NUMBER || !sdw_num_int(m->value, rec))
            return sdw_err_field(err, "ts", "not an integer of microseconds since the epoch");
        return 1;
    }
    if (sdw_str_is(m->key, "type")) {
        if (m->kind != SDW_SCAN_STRING || !sdw_scan_equals(m->value, sdw_str_of(schema->type)))
            return sdw_err_field(err, "type", "expected %s", schema->type);
        return 1;
    }
    if (sdw_str_is(m->key, "v")) {
        if (m->kind != SDW_SCAN_NUMBER || !sdw_num_int(m->value, &version) ||
            version != RECORD_VERSION)
            return sdw_err_field(err, "v", "only version %d is known", RECORD_VERSION);
        return 1;
    }
    return 0;
}

static int check_required(const struct sdw_schema *schema, const void *rec, struct sdw_err *err)
{
    if (*(const int64_t *)rec == SDW_NO_INT)
        return sdw_err_field(err, "ts", "missing");
    for (const struct sdw_field *f = schema->fields; f->key; f++)
        if ((f->flags & SDW_F_REQUIRED) && is_absent(const_place(rec, f), f->kind))
            return sdw_err_field(err, f->key, "missing");
    return 0;
}

int sdw_rec_decode(const struct sdw_schema *schema, struct sdw_str line, struct sdw_arena *arena,
                   void *rec, struct sdw_err *err)
{
    struct sdw_scan scan;
    struct sdw_member m;
    const struct sdw_field *hint = schema->fields;
    int code = sdw_scan_begin(&scan, line, err), more;
    if (code == 0 && scan.array)
        code = sdw_err_set(err, SDW_EINPUT, "not JSON: expected an object");
    if (code < 0)
        return code;
    sdw_rec_init(schema, rec);
    while ((more = sdw_scan_next(&scan, &m, err)) > 0) {
        struct sdw_buf plain = {0};
        if (memchr(m.key.p, '\\', m.key.n)) {
            if (sdw_scan_unescape((struct sdw_str){m.key.p - 1, m.key.n + 2}, &plain, NULL) == 0)
                m.key = sdw_buf_view(&plain);
        }
        code = decode_head(schema, &m, rec, err);
        if (code == 0) {
            const struct sdw_field *f = find_field(schema, m.key, &hint);
            if (f && m.kind == SDW_SCAN_NULL)
                set_absent(place(rec, f), f->kind);
            else if (f)
                code = decode_field(f, &m, arena, place(rec, f), err);
        }
        sdw_buf_release(&plain);
        if (code < 0)
            return code;
    }
    return more < 0 ? more : check_required(schema, rec, err);
}

static void encode_range(struct sdw_buf *out, const struct sdw_range *r)
{
    struct sdw_jsonw w = sdw_jsonw(out);
    sdw_jsonw_object(&w, NULL);
    sdw_jsonw_model(&w, "lo", r->lo);
    sdw_jsonw_model(&w, "mid", r->mid);
    sdw_jsonw_model(&w, "hi", r->hi);
    sdw_jsonw_end(&w);
}

static void encode_value(struct sdw_buf *out, const struct sdw_field *f, const void *at)
{
    switch (f->kind) {
    case SDW_INT:
        sdw_buf_int(out, *(const int64_t *)at);
        break;
    case SDW_REAL:
        sdw_buf_real(out, *(const double *)at);
        break;
    case SDW_MODEL:
        sdw_buf_model(out, *(const double *)at);
        break;
    case SDW_STR:
        sdw_json_quote(out, *(const struct sdw_str *)at);
        break;
    case SDW_BOOL:
        sdw_buf_text(out, *(const int8_t *)at ? "true" : "false");
        break;
    case SDW_RANGE:
        encode_range(out, at);
        break;
    case SDW_RAW:
        sdw_buf_str(out, *(const struct sdw_str *)at);
        break;
    }
}

void sdw_rec_encode(const struct sdw_schema *schema, const void *rec, struct sdw_buf *out)
{
    sdw_buf_text(out, "{\"type\":");
    sdw_json_quote(out, sdw_str_of(schema->type));
    sdw_buf_text(out, ",\"v\":");
    sdw_buf_int(out, RECORD_VERSION);
    if (*(const int64_t *)rec != SDW_NO_INT) {
        sdw_buf_text(out, ",\"ts\":");
        sdw_buf_int(out, *(const int64_t *)rec);
    }
    for (const struct sdw_field *f = schema->fields; f->key; f++) {
        const void *at = const_place(rec, f);
        bool absent = is_absent(at, f->kind);
        if (absent && !(f->flags & SDW_F_NULL))
            continue;
        sdw_buf_add(out, f->lead, f->lead_n);
        if (absent)
            sdw_buf_text(out, "null");
        else
            encode_value(out, f, at);
    }
    sdw_buf_char(out, '}');
}

int sdw_rec_put(struct sdw_ctx *ctx, const struct sdw_schema *schema, const void *rec)
{
    sdw_buf_clear(&ctx->scratch);
    sdw_rec_encode(schema, rec, &ctx->scratch);
    return sdw_put(ctx, sdw_buf_view(&ctx->scratch));
}
