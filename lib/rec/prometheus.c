#include "rec/prometheus.h"
#include "core/mem.h"
#include "core/num.h"
#include "io/json.h"
#include "io/jsonw.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* --- asking -------------------------------------------------------------------------------- */

/* RFC 3986: all but unreserved characters. */
static void escape(struct sdw_buf *out, struct sdw_str text)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
            c == '-' || c == '.' || c == '_' || c == '~')
            sdw_buf_char(out, (char)c);
        else
            sdw_buf_printf(out, "%%%02X", c);
    }
}

void sdw_prometheus_url(struct sdw_buf *url, const char *server, const char *path)
{
    size_t n = strlen(server);
    while (n > 0 && server[n - 1] == '/')
        n--;
    sdw_buf_clear(url);
    sdw_buf_printf(url, "%.*s/api/v1/%s", (int)n, server, path);
}

void sdw_prometheus_param(struct sdw_buf *url, const char *key, struct sdw_str value)
{
    sdw_buf_char(url, memchr(url->p, '?', url->n) ? '&' : '?');
    escape(url, sdw_str_of(key));
    sdw_buf_char(url, '=');
    escape(url, value);
}

void sdw_prometheus_moment(struct sdw_buf *url, const char *key, int64_t ts_us)
{
    char text[32];
    int64_t ms = ts_us > 0 ? ts_us / 1000 : 0;
    snprintf(text, sizeof text, "%lld.%03lld", (long long)(ms / 1000), (long long)(ms % 1000));
    sdw_prometheus_param(url, key, sdw_str_of(text));
}

/* --- answers ------------------------------------------------------------------------------- */

/* A series of the answer, and how far its points were handed over. */
struct series {
    const char *name;
    struct sdw_buf text, labels;
    const struct sdw_json *values;
    size_t at;
};

/* name{label="value",...} as Prometheus writes it, and the labels as an object. Its own order of
 * labels is alphabetical, and so is that of its answers. */
static void read_labels(const struct sdw_json *metric, struct series *out)
{
    struct sdw_jsonw w = sdw_jsonw(&out->labels);
    struct sdw_json *value;
    const char *key;
    void *iter = NULL;
    bool first = true;
    const struct sdw_json *name = metric ? sdw_json_get(metric, "__name__") : NULL;
    out->name = name && sdw_json_text(name) ? sdw_json_text(name) : "";
    sdw_buf_text(&out->text, out->name);
    sdw_jsonw_object(&w, NULL);
    while (metric && sdw_json_member(metric, &iter, &key, &value)) {
        const char *text = sdw_json_text(value);
        if (!text || strcmp(key, "__name__") == 0)
            continue;
        sdw_buf_printf(&out->text, "%s%s=", first ? "{" : ",", key);
        sdw_json_quote(&out->text, sdw_str_of(text));
        sdw_jsonw_text(&w, key, text);
        first = false;
    }
    sdw_jsonw_end(&w);
    if (!first)
        sdw_buf_char(&out->text, '}');
    if (out->text.n == 0)
        sdw_buf_text(&out->text, "{}");
}

/* The point that a series is at: [seconds, "value"]. False when it has no more. */
static bool point_at(const struct series *series, int64_t *ts, double *value)
{
    const struct sdw_json *point = sdw_json_at(series->values, series->at);
    double seconds = NAN;
    *value = NAN;
    *ts = INT64_MIN; /* a point without a time is passed by at once */
    if (series->at >= sdw_json_len(series->values))
        return false;
    const struct sdw_json *when = point ? sdw_json_at(point, 0) : NULL;
    const struct sdw_json *what = point ? sdw_json_at(point, 1) : NULL;
    const char *text = what ? sdw_json_text(what) : NULL;
    if (when && sdw_json_real(when, &seconds) && fabs(seconds) < 8e9)
        *ts = (int64_t)llround(seconds * 1e6);
    if (text && *ts != INT64_MIN)
        (void)sdw_num_real(sdw_str_of(text), value);
    return true;
}

/* Hand over the point that a series is at, and go on to the next. 1 when it was a number. */
static int hand_over(struct series *series, int64_t ts, double value,
                     int (*each)(const struct sdw_prometheus_point *, void *), void *arg)
{
    series->at++;
    if (!isfinite(value) || ts == INT64_MIN)
        return 0;
    struct sdw_prometheus_point point = {sdw_buf_view(&series->text), sdw_str_of(series->name),
                                         sdw_buf_view(&series->labels), ts, value};
    int code = each(&point, arg);
    return code < 0 ? code : 1;
}

/* Hand over the points of all series whose time is the earliest of those left. 1 when there are
 * more. */
static int next_time(struct series *series, size_t n,
                     int (*each)(const struct sdw_prometheus_point *, void *), void *arg,
                     int *handed)
{
    int64_t least = INT64_MAX, ts;
    double value;
    bool more = false;
    for (size_t i = 0; i < n; i++)
        if (point_at(&series[i], &ts, &value)) {
            more = true;
            least = ts < least ? ts : least;
        }
    for (size_t i = 0; more && i < n; i++) {
        if (!point_at(&series[i], &ts, &value) || ts != least)
            continue;
        int code = hand_over(&series[i], ts, value, each, arg);
        if (code < 0)
            return code;
        *handed += code;
    }
    return more;
}

static int all_of(struct series *series, int (*each)(const struct sdw_prometheus_point *, void *),
                  void *arg, int *handed)
{
    int64_t ts;
    double value;
    int code = 0;
    while (code >= 0 && point_at(series, &ts, &value)) {
        code = hand_over(series, ts, value, each, arg);
        *handed += code > 0;
    }
    return code < 0 ? code : 0;
}

static int read_result(const struct sdw_json *result, enum sdw_prometheus_order order,
                       int (*each)(const struct sdw_prometheus_point *, void *), void *arg)
{
    size_t n = sdw_json_len(result);
    struct series *series = sdw_xalloc((n + 1) * sizeof *series);
    int handed = 0, code = 0;
    for (size_t i = 0; i < n; i++) {
        const struct sdw_json *one = sdw_json_at(result, i);
        read_labels(sdw_json_get(one, "metric"), &series[i]);
        series[i].values = sdw_json_get(one, "values");
    }
    for (size_t i = 0; order == SDW_PROMETHEUS_BY_SERIES && code == 0 && i < n; i++)
        code = all_of(&series[i], each, arg, &handed);
    if (order == SDW_PROMETHEUS_BY_TIME)
        do
            code = next_time(series, n, each, arg, &handed);
        while (code > 0);
    for (size_t i = 0; i < n; i++) {
        sdw_buf_release(&series[i].text);
        sdw_buf_release(&series[i].labels);
    }
    free(series);
    return code < 0 ? code : handed;
}

/* The answer, of which *data is what was asked for; NULL when it was refused or is none. */
static struct sdw_json *open_answer(struct sdw_str body, const struct sdw_json **data, int *code,
                                    struct sdw_err *err)
{
    struct sdw_json *answer = sdw_json_parse_lenient(body, err);
    *code = answer ? 0 : SDW_EINPUT;
    if (!answer)
        return NULL;
    const struct sdw_json *status = sdw_json_get(answer, "status");
    const struct sdw_json *words = sdw_json_get(answer, "error");
    *data = sdw_json_get(answer, "data");
    const char *text = status ? sdw_json_text(status) : NULL;
    if (words && text && strcmp(text, "error") == 0)
        *code = sdw_err_set(err, SDW_EUSAGE, "the query was refused: %s",
                            sdw_json_text(words) ? sdw_json_text(words) : "");
    if (*code == 0)
        return answer;
    sdw_json_free(answer);
    return NULL;
}

int sdw_prometheus_read(struct sdw_str body, enum sdw_prometheus_order order,
                        int (*each)(const struct sdw_prometheus_point *, void *), void *arg,
                        struct sdw_err *err)
{
    int code;
    const struct sdw_json *data = NULL;
    struct sdw_json *answer = open_answer(body, &data, &code, err);
    if (!answer)
        return code;
    const struct sdw_json *result = data ? sdw_json_get(data, "result") : NULL;
    const struct sdw_json *type = data ? sdw_json_get(data, "resultType") : NULL;
    const char *text = type ? sdw_json_text(type) : NULL;
    if (!result || !text || strcmp(text, "matrix") != 0)
        code = sdw_err_set(err, SDW_EINPUT, "not an answer of query_range: no matrix in it");
    else
        code = read_result(result, order, each, arg);
    sdw_json_free(answer);
    return code;
}

int sdw_prometheus_values(struct sdw_str body, int (*each)(const char *value, void *arg), void *arg,
                          struct sdw_err *err)
{
    int code, n = 0;
    const struct sdw_json *data = NULL;
    struct sdw_json *answer = open_answer(body, &data, &code, err);
    if (!answer)
        return code;
    if (!data || !sdw_json_is_array(data))
        code = sdw_err_set(err, SDW_EINPUT, "not an answer of label values: no list in it");
    for (size_t i = 0; code == 0 && i < sdw_json_len(data); i++) {
        const char *value = sdw_json_text(sdw_json_at(data, i));
        if (!value)
            continue;
        n++;
        code = each(value, arg);
    }
    sdw_json_free(answer);
    return code < 0 ? code : n;
}
