#include "store/labels.h"
#include "io/jsonw.h"
#include "io/scan.h"

static int text_of(struct sdw_str quoted, struct sdw_arena *arena, struct sdw_str *out,
                   struct sdw_err *err)
{
    struct sdw_buf plain = {0};
    int code = sdw_scan_unescape(quoted, &plain, err);
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

static int compare(struct sdw_str a, struct sdw_str b)
{
    int order = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);
    return order ? order : (a.n > b.n) - (a.n < b.n);
}

/* Keeps the order of keys; the last of equal keys wins. An empty value takes the label away. */
static int put(struct sdw_labels *labels, struct sdw_str key, struct sdw_str value,
               struct sdw_err *err)
{
    size_t at = 0;
    while (at < labels->n && compare(labels->label[at].key, key) < 0)
        at++;
    struct sdw_label *place = &labels->label[at];
    bool there = at < labels->n && compare(place->key, key) == 0;
    if (value.n == 0) {
        if (there)
            memmove(place, place + 1, (--labels->n - at) * sizeof *place);
        return 0;
    }
    if (!there) {
        if (labels->n == SDW_LABELS_ROOM)
            return sdw_err_field(err, "labels", "more than %d", SDW_LABELS_MAX);
        memmove(place + 1, place, (labels->n++ - at) * sizeof *place);
    }
    *place = (struct sdw_label){key, value};
    return 0;
}

int sdw_labels_parse(struct sdw_str json, struct sdw_arena *arena, struct sdw_labels *out,
                     struct sdw_err *err)
{
    struct sdw_scan scan;
    struct sdw_member member;
    out->n = 0;
    if (json.n == 0)
        return 0;
    int got = sdw_scan_begin(&scan, json, err);
    if (got == 0 && scan.array)
        return sdw_err_field(err, "labels", "not an object");
    while (got >= 0 && (got = sdw_scan_next(&scan, &member, err)) > 0) {
        struct sdw_str key, value = member.value;
        char *quoted = sdw_arena_alloc(arena, member.key.n + 2);
        quoted[0] = quoted[member.key.n + 1] = '"';
        memcpy(quoted + 1, member.key.p, member.key.n);
        got = text_of((struct sdw_str){quoted, member.key.n + 2}, arena, &key, err);
        if (member.kind == SDW_SCAN_ARRAY || member.kind == SDW_SCAN_OBJECT)
            got = sdw_err_field(err, "labels", "a value is not a string");
        else if (got == 0 && member.kind == SDW_SCAN_STRING)
            got = text_of(member.value, arena, &value, err);
        else if (member.kind == SDW_SCAN_NULL)
            value.n = 0;
        if (got == 0)
            got = put(out, key, value, err);
    }
    return got < 0 ? got : 0;
}

void sdw_labels_write(const struct sdw_labels *labels, struct sdw_buf *out)
{
    for (size_t i = 0; i < labels->n; i++) {
        sdw_buf_char(out, i ? ',' : '{');
        sdw_json_quote(out, labels->label[i].key);
        sdw_buf_char(out, ':');
        sdw_json_quote(out, labels->label[i].value);
    }
    if (labels->n)
        sdw_buf_char(out, '}');
}

struct sdw_str sdw_labels_get(const struct sdw_labels *labels, struct sdw_str key)
{
    for (size_t i = 0; i < labels->n; i++)
        if (sdw_str_same(labels->label[i].key, key))
            return labels->label[i].value;
    return (struct sdw_str){"", 0};
}

int sdw_labels_check(const struct sdw_labels *labels, struct sdw_err *err)
{
    if (labels->n > SDW_LABELS_MAX)
        return sdw_err_field(err, "labels", "more than %d", SDW_LABELS_MAX);
    for (size_t i = 0; i < labels->n; i++)
        if (labels->label[i].key.n > SDW_LABEL_BYTES || labels->label[i].value.n > SDW_LABEL_BYTES)
            return sdw_err_field(err, "labels", "one is longer than %d bytes", SDW_LABEL_BYTES);
    return 0;
}
