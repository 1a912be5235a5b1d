#include "net/prometheus.h"
#include "core/mem.h"
#include "core/num.h"
#include "io/json.h"
#include "io/jsonw.h"

#include <math.h>
#include <stdlib.h>

/* A series of the answer, and how far its points were handed over. */
struct series {
    struct sdw_buf name, labels;
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
    const char *name = metric ? sdw_json_text(sdw_json_get(metric, "__name__")) : NULL;
    sdw_buf_text(&out->name, name ? name : "");
    sdw_jsonw_object(&w, NULL);
    while (metric && sdw_json_member(metric, &iter, &key, &value)) {
        const char *text = sdw_json_text(value);
        if (!text || strcmp(key, "__name__") == 0)
            continue;
        sdw_buf_printf(&out->name, "%s%s=", first ? "{" : ",", key);
        sdw_json_quote(&out->name, sdw_str_of(text));
        sdw_jsonw_text(&w, key, text);
        first = false;
    }
    sdw_jsonw_end(&w);
    if (!first)
        sdw_buf_char(&out->name, '}');
    if (out->name.n == 0)
        sdw_buf_text(&out->name, "{}");
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
        series[i].at++;
        if (!isfinite(value))
            continue;
        struct sdw_prometheus_point point = {sdw_buf_view(&series[i].name),
                                             sdw_buf_view(&series[i].labels), ts, value};
        int code = each(&point, arg);
        if (code < 0)
            return code;
        ++*handed;
    }
    return more;
}

static int read_result(const struct sdw_json *result,
                       int (*each)(const struct sdw_prometheus_point *, void *), void *arg)
{
    size_t n = sdw_json_len(result);
    struct series *series = sdw_xalloc((n + 1) * sizeof *series);
    int handed = 0, code;
    for (size_t i = 0; i < n; i++) {
        const struct sdw_json *one = sdw_json_at(result, i);
        read_labels(sdw_json_get(one, "metric"), &series[i]);
        series[i].values = sdw_json_get(one, "values");
    }
    do
        code = next_time(series, n, each, arg, &handed);
    while (code > 0);
    for (size_t i = 0; i < n; i++) {
        sdw_buf_release(&series[i].name);
        sdw_buf_release(&series[i].labels);
    }
    free(series);
    return code < 0 ? code : handed;
}

int sdw_prometheus_read(struct sdw_str body,
                        int (*each)(const struct sdw_prometheus_point *, void *), void *arg,
                        struct sdw_err *err)
{
    struct sdw_json *answer = sdw_json_parse_lenient(body, err);
    if (!answer)
        return SDW_EINPUT;
    const struct sdw_json *data = sdw_json_get(answer, "data");
    const struct sdw_json *status = sdw_json_get(answer, "status");
    const struct sdw_json *words = sdw_json_get(answer, "error");
    const struct sdw_json *result = data ? sdw_json_get(data, "result") : NULL;
    const struct sdw_json *type = data ? sdw_json_get(data, "resultType") : NULL;
    int code;
    if (status && words && strcmp(sdw_json_text(status) ? sdw_json_text(status) : "", "error") == 0)
        code = sdw_err_set(err, SDW_EUSAGE, "the query was refused: %s",
                           sdw_json_text(words) ? sdw_json_text(words) : "");
    else if (!result || !type ||
             strcmp(sdw_json_text(type) ? sdw_json_text(type) : "", "matrix") != 0)
        code = sdw_err_set(err, SDW_EINPUT, "not an answer of query_range: no matrix in it");
    else
        code = read_result(result, each, arg);
    sdw_json_free(answer);
    return code;
}
