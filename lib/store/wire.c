#include "store/wire.h"
#include "core/num.h"
#include "io/jsonw.h"
#include "store/bits.h"
#include "store/snappy.h"

#include <stdlib.h>

const char *const sdw_wire_names[] = {"prometheus", "victoria", NULL};

static const char *const prometheus_headers[] = {
    "Content-Type: application/x-protobuf", "Content-Encoding: snappy",
    "X-Prometheus-Remote-Write-Version: 0.1.0", "User-Agent: shadow-store", NULL};
static const char *const victoria_headers[] = {"Content-Type: application/json",
                                               "User-Agent: shadow-store", NULL};

const char *sdw_wire_path(enum sdw_wire wire)
{
    return wire == SDW_WIRE_PROMETHEUS ? "/api/v1/write" : "/api/v1/import";
}

const char *const *sdw_wire_headers(enum sdw_wire wire)
{
    return wire == SDW_WIRE_PROMETHEUS ? prometheus_headers : victoria_headers;
}

/* --- Prometheus ---------------------------------------------------------------------------- */

/* Fields of protobuf: numbers and wire types (0 varint, 1 eight bytes, 2 with a length). */
enum { LENGTH = 2, EIGHT = 1, VARINT = 0 };

static void put_bytes(struct sdw_buf *out, unsigned field, struct sdw_str bytes)
{
    sdw_put_varint(out, field << 3 | LENGTH);
    sdw_put_varint(out, bytes.n);
    sdw_buf_str(out, bytes);
}

static bool allowed(char c, bool first, bool colon)
{
    bool letter =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c == ':' && colon);
    return letter || (!first && c >= '0' && c <= '9');
}

/* The text with _ for what is not allowed; the text itself when all is. */
static struct sdw_str clean(struct sdw_str text, bool colon, struct sdw_arena *scratch)
{
    bool good = text.n > 0;
    for (size_t i = 0; i < text.n; i++)
        good = good && allowed(text.p[i], i == 0, colon);
    if (good)
        return text;
    bool digit = text.n && text.p[0] >= '0' && text.p[0] <= '9';
    char *copy = sdw_arena_alloc(scratch, text.n + 2);
    size_t n = 0;
    if (digit || text.n == 0)
        copy[n++] = '_';
    for (size_t i = 0; i < text.n; i++)
        copy[n + i] = allowed(text.p[i], n + i == 0, colon) ? text.p[i] : '_';
    return (struct sdw_str){copy, n + text.n};
}

static int by_key(const void *a, const void *b)
{
    const struct sdw_label *x = a, *y = b;
    int order = memcmp(x->key.p, y->key.p, x->key.n < y->key.n ? x->key.n : y->key.n);
    return order ? order : (x->key.n > y->key.n) - (x->key.n < y->key.n);
}

void sdw_wire_restore(struct sdw_str *name, struct sdw_labels *labels, struct sdw_arena *scratch)
{
    size_t at = 0;
    while (at < labels->n && !sdw_str_is(labels->label[at].key, "series"))
        at++;
    if (at == labels->n)
        return;
    struct sdw_str was = labels->label[at].value;
    if (sdw_str_same(was, *name) || !sdw_str_same(clean(was, true, scratch), *name))
        return; /* some other label of that name */
    *name = was;
    labels->n--;
    memmove(&labels->label[at], &labels->label[at + 1], (labels->n - at) * sizeof labels->label[0]);
}

static void put_label(struct sdw_buf *out, struct sdw_buf *inside, const struct sdw_label *label)
{
    sdw_buf_clear(inside);
    put_bytes(inside, 1, label->key);
    put_bytes(inside, 2, label->value);
    put_bytes(out, 1, sdw_buf_view(inside));
}

static void put_sample(struct sdw_buf *out, const struct sdw_point *point)
{
    char value[8];
    struct sdw_buf time = {0};
    int64_t ms = point->ts_us / 1000 - (point->ts_us % 1000 < 0);
    sdw_put_varint(&time, 2 << 3 | VARINT);
    sdw_put_varint(&time, (uint64_t)ms);
    sdw_put_varint(out, 2 << 3 | LENGTH);
    sdw_put_varint(out, 1 + sizeof value + time.n);
    sdw_buf_char(out, 1 << 3 | EIGHT);
    sdw_store64(value, sdw_real_bits(point->value));
    sdw_buf_add(out, value, sizeof value);
    sdw_buf_str(out, sdw_buf_view(&time));
    sdw_buf_release(&time);
}

/* Labels in order, each key once: of those that became equal the first stays. */
static void put_prometheus(const struct sdw_wire_series *series, const struct sdw_labels *labels,
                           struct sdw_arena *scratch, struct sdw_buf *body)
{
    struct sdw_label all[SDW_LABELS_ROOM + 2];
    struct sdw_buf out = {0}, inside = {0};
    struct sdw_str name = clean(series->name, true, scratch);
    size_t n = 0;
    all[n++] = (struct sdw_label){sdw_str_of("__name__"), name};
    if (!sdw_str_same(name, series->name))
        all[n++] = (struct sdw_label){sdw_str_of("series"), series->name};
    for (size_t i = 0; i < labels->n; i++)
        all[n++] =
            (struct sdw_label){clean(labels->label[i].key, false, scratch), labels->label[i].value};
    qsort(all, n, sizeof *all, by_key);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || by_key(&all[i - 1], &all[i]) != 0)
            put_label(&out, &inside, &all[i]);
    for (size_t i = 0; i < series->n; i++)
        put_sample(&out, &series->point[i]);
    put_bytes(body, 1, sdw_buf_view(&out));
    sdw_buf_release(&out);
    sdw_buf_release(&inside);
}

/* --- VictoriaMetrics ----------------------------------------------------------------------- */

static void put_victoria(const struct sdw_wire_series *series, const struct sdw_labels *labels,
                         struct sdw_buf *body)
{
    struct sdw_jsonw w = sdw_jsonw(body);
    struct sdw_buf key = {0};
    sdw_jsonw_object(&w, NULL);
    sdw_jsonw_object(&w, "metric");
    sdw_jsonw_str(&w, "__name__", series->name);
    for (size_t i = 0; i < labels->n; i++) {
        sdw_buf_clear(&key);
        sdw_buf_str(&key, labels->label[i].key);
        sdw_buf_char(&key, '\0');
        sdw_jsonw_str(&w, key.p, labels->label[i].value);
    }
    sdw_jsonw_end(&w);
    sdw_jsonw_array(&w, "values");
    for (size_t i = 0; i < series->n; i++)
        sdw_jsonw_real(&w, NULL, series->point[i].value);
    sdw_jsonw_end(&w);
    sdw_jsonw_array(&w, "timestamps");
    for (size_t i = 0; i < series->n; i++)
        sdw_jsonw_int(&w, NULL, series->point[i].ts_us / 1000);
    sdw_jsonw_end(&w);
    sdw_jsonw_end(&w);
    sdw_buf_char(body, '\n');
    sdw_buf_release(&key);
}

void sdw_wire_add(enum sdw_wire wire, const struct sdw_wire_series *series,
                  struct sdw_arena *scratch, struct sdw_buf *body)
{
    struct sdw_labels labels;
    sdw_arena_reset(scratch);
    if (sdw_labels_parse(series->labels, scratch, &labels, NULL) < 0)
        labels.n = 0;
    if (wire == SDW_WIRE_PROMETHEUS)
        put_prometheus(series, &labels, scratch, body);
    else
        put_victoria(series, &labels, body);
}

void sdw_wire_finish(enum sdw_wire wire, struct sdw_str body, struct sdw_buf *out)
{
    sdw_buf_clear(out);
    if (wire == SDW_WIRE_PROMETHEUS)
        sdw_snappy(body, out);
    else
        sdw_buf_str(out, body);
}
