#include "io/json.h"

#include <jansson.h>
#include <math.h>

#include "core/num.h"
#include "io/jsonw.h"
#include "io/scan.h"

/* struct sdw_json is json_t under another name: callers never see jansson. */
static struct sdw_json *wrap(json_t *value)
{
    return (struct sdw_json *)value;
}

static const json_t *of(const struct sdw_json *value)
{
    return (const json_t *)value;
}

/* A member for jansson's accessors, which do not change it but do not say so. */
static json_t *mutable(const struct sdw_json *value)
{
    union {
        const struct sdw_json *in;
        json_t *out;
    } view = {.in = value};
    return view.out;
}

static bool too_deep(json_t *value, unsigned left)
{
    const char *key;
    json_t *child;
    size_t i;
    if (!json_is_object(value) && !json_is_array(value))
        return false;
    if (left == 0)
        return true;
    json_object_foreach(value, key, child) if (too_deep(child, left - 1)) return true;
    json_array_foreach(value, i, child) if (too_deep(child, left - 1)) return true;
    return false;
}

static struct sdw_json *parse(struct sdw_str text, size_t flags, struct sdw_err *err)
{
    json_error_t at;
    json_t *root = json_loadb(text.p ? text.p : "", text.n, flags | JSON_DECODE_ANY, &at);
    if (!root) {
        sdw_err_set(err, SDW_EINPUT, "column %d: %s", at.column, at.text);
        if (err && at.line > 0)
            err->line = (uint64_t)at.line;
        return NULL;
    }
    if (too_deep(root, SDW_NESTING_MAX)) {
        json_decref(root);
        sdw_err_set(err, SDW_EINPUT, "nested deeper than %d levels", SDW_NESTING_MAX);
        return NULL;
    }
    return wrap(root);
}

struct sdw_json *sdw_json_parse(struct sdw_str text, struct sdw_err *err)
{
    return parse(text, JSON_REJECT_DUPLICATES, err);
}

struct sdw_json *sdw_json_parse_lenient(struct sdw_str text, struct sdw_err *err)
{
    return parse(text, 0, err);
}

void sdw_json_free(struct sdw_json *root)
{
    json_decref((json_t *)root);
}

struct sdw_json *sdw_json_get(const struct sdw_json *object, const char *key)
{
    return wrap(json_object_get(of(object), key));
}

struct sdw_json *sdw_json_at(const struct sdw_json *array, size_t i)
{
    return wrap(json_array_get(of(array), i));
}

size_t sdw_json_len(const struct sdw_json *array)
{
    return json_is_array(of(array)) ? json_array_size(of(array)) : json_object_size(of(array));
}

const char *sdw_json_text(const struct sdw_json *value)
{
    return json_string_value(of(value));
}

bool sdw_json_int(const struct sdw_json *value, int64_t *out)
{
    if (!json_is_integer(of(value)))
        return false;
    int64_t number = json_integer_value(of(value));
    if (number > SDW_INT_MAX || number < -SDW_INT_MAX)
        return false;
    *out = number;
    return true;
}

bool sdw_json_real(const struct sdw_json *value, double *out)
{
    if (!json_is_number(of(value)))
        return false;
    *out = json_number_value(of(value));
    return true;
}

bool sdw_json_is_object(const struct sdw_json *value)
{
    return json_is_object(of(value));
}

bool sdw_json_is_array(const struct sdw_json *value)
{
    return json_is_array(of(value));
}

bool sdw_json_member(const struct sdw_json *object, void **iter, const char **key,
                     struct sdw_json **value)
{
    json_t *members = mutable(object);
    *iter = *iter ? json_object_iter_next(members, *iter) : json_object_iter(members);
    if (!*iter)
        return false;
    *key = json_object_iter_key(*iter);
    *value = wrap(json_object_iter_value(*iter));
    return true;
}

static void write_container(const json_t *value, struct sdw_buf *out)
{
    bool first = true;
    if (json_is_array(value)) {
        sdw_buf_char(out, '[');
        for (size_t i = 0; i < json_array_size(value); i++, first = false) {
            if (!first)
                sdw_buf_char(out, ',');
            sdw_json_write(wrap(json_array_get(value, i)), out);
        }
        sdw_buf_char(out, ']');
        return;
    }
    const char *key;
    struct sdw_json *member;
    void *iter = NULL;
    sdw_buf_char(out, '{');
    while (sdw_json_member((const struct sdw_json *)value, &iter, &key, &member)) {
        if (!first)
            sdw_buf_char(out, ',');
        sdw_json_quote(out, sdw_str_of(key));
        sdw_buf_char(out, ':');
        sdw_json_write(member, out);
        first = false;
    }
    sdw_buf_char(out, '}');
}

void sdw_json_write(const struct sdw_json *value, struct sdw_buf *out)
{
    const json_t *json = of(value);
    switch (json_typeof(json)) {
    case JSON_OBJECT:
    case JSON_ARRAY:
        write_container(json, out);
        break;
    case JSON_STRING:
        sdw_json_quote(out, (struct sdw_str){json_string_value(json), json_string_length(json)});
        break;
    case JSON_INTEGER:
        sdw_buf_int(out, json_integer_value(json));
        break;
    case JSON_REAL:
        /* As an integer the zero would lose its sign. */
        if (json_real_value(json) == 0 && signbit(json_real_value(json)))
            sdw_buf_text(out, "-0.0");
        else
            sdw_buf_real(out, json_real_value(json));
        break;
    case JSON_TRUE:
        sdw_buf_text(out, "true");
        break;
    case JSON_FALSE:
        sdw_buf_text(out, "false");
        break;
    case JSON_NULL:
        sdw_buf_text(out, "null");
        break;
    }
}
