#include "store/promql.h"
#include "core/num.h"

#include <math.h>
#include <stdlib.h>

static const int64_t look_back_us = INT64_C(300) * 1000000;

static const char *const names[] = {
    [SDW_PROMQL_RATE] = "rate",
    [SDW_PROMQL_INCREASE] = "increase",
    [SDW_PROMQL_AVG] = "avg_over_time",
    [SDW_PROMQL_MIN] = "min_over_time",
    [SDW_PROMQL_MAX] = "max_over_time",
    [SDW_PROMQL_SUM] = "sum_over_time",
    [SDW_PROMQL_COUNT] = "count_over_time",
    [SDW_PROMQL_LAST] = "last_over_time",
    [SDW_PROMQL_QUANTILE] = "quantile_over_time",
};

/* --- parsing ------------------------------------------------------------------------------- */

static struct sdw_str trim(struct sdw_str text)
{
    while (text.n && strchr(" \t\r\n", text.p[0]) && text.p[0])
        text.p++, text.n--;
    while (text.n && strchr(" \t\r\n", text.p[text.n - 1]) && text.p[text.n - 1])
        text.n--;
    return text;
}

/* A, A+B, A+B+C...: *sum. */
static bool parse_sum(struct sdw_str text, double *sum)
{
    *sum = 0;
    for (bool more = true; more;) {
        const char *plus = text.n ? memchr(text.p, '+', text.n) : NULL;
        size_t n = plus ? (size_t)(plus - text.p) : text.n;
        double term;
        if (!sdw_num_real(trim((struct sdw_str){text.p, n}), &term) || !isfinite(*sum += term))
            return false;
        more = plus != NULL;
        if (more)
            text = (struct sdw_str){plus + 1, text.n - n - 1};
    }
    return true;
}

/* "5m", "1h30m" */
static bool parse_range(struct sdw_str text, int64_t *range_us)
{
    int64_t part;
    *range_us = 0;
    while (text.n) {
        char one[24];
        size_t n = 0;
        while (n < text.n && ((text.p[n] >= '0' && text.p[n] <= '9') || text.p[n] == '.'))
            n++;
        while (n < text.n && text.p[n] >= 'a' && text.p[n] <= 'z')
            n++;
        if (n == 0 || n >= sizeof one)
            return false;
        memcpy(one, text.p, n);
        one[n] = '\0';
        if (!sdw_parse_duration(one, &part) || part > SDW_INT_MAX / 4)
            return false;
        *range_us += part;
        if (*range_us > SDW_INT_MAX / 4)
            return false;
        text = (struct sdw_str){text.p + n, text.n - n};
    }
    return *range_us > 0;
}

static int unsupported(struct sdw_err *err)
{
    return sdw_err_set(err, SDW_EUSAGE,
                       "only selectors, rate, increase, *_over_time and quantile_over_time of one "
                       "selector, and sum, min, max, avg, count, topk and bottomk of these are "
                       "answered");
}

/* SELECTOR, or SELECTOR[RANGE]. 1 when there is a range. */
static int parse_selector(struct sdw_promql *query, struct sdw_str text, struct sdw_err *err)
{
    size_t used;
    int code = sdw_selector_parse(&query->selector, text, &used, err);
    if (code < 0)
        return code;
    struct sdw_str rest = trim((struct sdw_str){text.p + used, text.n - used});
    if (rest.n == 0)
        return 0;
    if (rest.p[0] != '[' || memchr(rest.p, ']', rest.n) != rest.p + rest.n - 1)
        return unsupported(err);
    if (!parse_range((struct sdw_str){rest.p + 1, rest.n - 2}, &query->range_us))
        return sdw_err_set(err, SDW_EUSAGE, "a range is expected after the selector, as [5m]");
    return 1;
}

static int parse_call(struct sdw_promql *query, struct sdw_str name, struct sdw_str inside,
                      struct sdw_err *err)
{
    for (size_t f = SDW_PROMQL_RATE; f < SDW_LEN(names); f++) {
        if (!sdw_str_is(name, names[f]))
            continue;
        query->function = (enum sdw_promql_function)f;
        if (query->function == SDW_PROMQL_QUANTILE) {
            const char *comma = inside.n ? memchr(inside.p, ',', inside.n) : NULL;
            size_t n = comma ? (size_t)(comma - inside.p) : 0;
            if (!sdw_num_real(trim((struct sdw_str){inside.p, n}), &query->number) ||
                query->number < 0 || query->number > 1)
                return sdw_err_set(err, SDW_EUSAGE, "a quantile from 0 to 1 is expected first");
            inside = (struct sdw_str){comma + 1, inside.n - n - 1};
        }
        int code = parse_selector(query, trim(inside), err);
        return code == 0   ? sdw_err_set(err, SDW_EUSAGE, "a range is expected, as [5m]")
               : code == 1 ? 0
                           : code;
    }
    return unsupported(err);
}

static struct sdw_str word_of(struct sdw_str text)
{
    size_t n = 0;
    while (n < text.n && ((text.p[n] >= 'a' && text.p[n] <= 'z') || text.p[n] == '_'))
        n++;
    return (struct sdw_str){text.p, n};
}

static struct sdw_str after(struct sdw_str text, size_t n)
{
    return trim((struct sdw_str){text.p + n, text.n - n});
}

/* What is not an aggregation over series. */
static int parse_plain(struct sdw_promql *query, struct sdw_str text, struct sdw_err *err)
{
    query->function = SDW_PROMQL_NUMBER;
    if (parse_sum(text, &query->number))
        return 0;
    struct sdw_str name = word_of(text), rest = after(text, name.n);
    if (name.n && rest.n >= 2 && rest.p[0] == '(' && rest.p[rest.n - 1] == ')')
        return parse_call(query, name, (struct sdw_str){rest.p + 1, rest.n - 2}, err);
    int code = parse_selector(query, text, err);
    query->function = code == 1 ? SDW_PROMQL_POINTS : SDW_PROMQL_INSTANT;
    return code < 0 ? code : 0;
}

/* Place of the parenthesis that closes the one at the start of text; 0 when there is none. */
static size_t closing(struct sdw_str text)
{
    size_t depth = 0;
    char quote = '\0';
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (quote) {
            i += c == '\\';
            quote = c == quote ? '\0' : quote;
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else if (c == '(') {
            depth++;
        } else if (c == ')' && --depth == 0) {
            return i;
        }
    }
    return 0;
}

/* "by (a, b)" or "without (a, b)" at the start of *text, which moves behind it. False when it is
 * bad; nothing is good. */
static bool parse_labels(struct sdw_str *text, struct sdw_grouping *grouping)
{
    struct sdw_str word = word_of(*text), rest = after(*text, word.n);
    if (word.n == 0)
        return true;
    grouping->without = sdw_str_is(word, "without");
    size_t end = rest.n && rest.p[0] == '(' ? closing(rest) : 0;
    if ((!grouping->without && !sdw_str_is(word, "by")) || end == 0)
        return false;
    struct sdw_str list = trim((struct sdw_str){rest.p + 1, end - 1});
    while (list.n) {
        const char *comma = memchr(list.p, ',', list.n);
        size_t n = comma ? (size_t)(comma - list.p) : list.n;
        struct sdw_str label = trim((struct sdw_str){list.p, n});
        if (label.n == 0 || grouping->n == SDW_GROUPING_LABELS)
            return false;
        grouping->label[grouping->n++] = label;
        list = comma ? after(list, n + 1) : (struct sdw_str){0};
    }
    *text = after(rest, end + 1);
    return true;
}

/* The number before the comma of topk(10, ...). */
static bool parse_count(struct sdw_str *inside, size_t *k)
{
    const char *comma = inside->n ? memchr(inside->p, ',', inside->n) : NULL;
    size_t n = comma ? (size_t)(comma - inside->p) : 0;
    double count;
    if (!sdw_num_real(trim((struct sdw_str){inside->p, n}), &count) || !(count >= 0 && count < 1e6))
        return false;
    *k = (size_t)count;
    *inside = after(*inside, n + 1);
    return true;
}

/* OP by (LABELS) (EXPRESSION), the labels before or behind; *inside: the expression. 1 when text is
 * none of these. */
static int parse_grouping(struct sdw_str text, struct sdw_grouping *grouping,
                          struct sdw_str *inside, struct sdw_err *err)
{
    struct sdw_str word = word_of(text), rest = after(text, word.n);
    if (!sdw_grouping_find(word, &grouping->kind) || rest.n == 0 || strchr("{[", rest.p[0]))
        return 1;
    bool good = parse_labels(&rest, grouping);
    size_t end = good && rest.n && rest.p[0] == '(' ? closing(rest) : 0;
    if (end == 0)
        return unsupported(err);
    *inside = trim((struct sdw_str){rest.p + 1, end - 1});
    rest = after(rest, end + 1);
    bool picks = grouping->kind == SDW_GROUP_TOPK || grouping->kind == SDW_GROUP_BOTTOMK;
    if (grouping->n == 0)
        good = parse_labels(&rest, grouping);
    if (!good || rest.n || (picks && (grouping->n || !parse_count(inside, &grouping->k))))
        return unsupported(err);
    return 0;
}

int sdw_promql_parse(struct sdw_promql *query, struct sdw_str text, struct sdw_err *err)
{
    struct sdw_grouping outer[SDW_PROMQL_GROUPINGS] = {0};
    size_t n = 0;
    int code = 0;
    *query = (struct sdw_promql){.range_us = look_back_us};
    text = trim(text);
    while (code == 0 && n < SDW_PROMQL_GROUPINGS) {
        struct sdw_str inside = {0};
        code = parse_grouping(text, &outer[n], &inside, err);
        if (code == 0)
            text = inside, n++;
    }
    if (code >= 0)
        code = parse_plain(query, text, err);
    bool values = query->function > SDW_PROMQL_POINTS || query->function == SDW_PROMQL_INSTANT;
    if (code == 0 && n && !values)
        code = unsupported(err);
    while (n > 0)
        query->grouping[query->n_groupings++] = outer[--n];
    return code;
}

void sdw_promql_release(struct sdw_promql *query)
{
    sdw_selector_release(&query->selector);
}

/* --- values -------------------------------------------------------------------------------- */

/* As Prometheus does: the growth between the first and the last point, extended towards both ends
 * of the range by as much as the mean distance of points lets one believe, and never to before the
 * counter was zero. */
static double growth(const struct sdw_promql *query, int64_t at_us, const int64_t *ts_us,
                     const double *value, size_t n)
{
    if (n < 2)
        return NAN;
    double grown = value[n - 1] - value[0];
    for (size_t i = 1; i < n; i++)
        grown += value[i] < value[i - 1] ? value[i - 1] : 0;
    double sampled = (double)(ts_us[n - 1] - ts_us[0]), mean = sampled / (double)(n - 1);
    double before = (double)(ts_us[0] - (at_us - query->range_us));
    double after = (double)(at_us - ts_us[n - 1]);
    if (grown > 0 && value[0] >= 0) {
        double to_zero = sampled * (value[0] / grown);
        before = to_zero < before ? to_zero : before;
    }
    double extended = sampled;
    extended += before < mean * 1.1 ? before : mean / 2;
    extended += after < mean * 1.1 ? after : mean / 2;
    grown *= extended / sampled;
    return query->function == SDW_PROMQL_RATE ? grown / ((double)query->range_us / 1e6) : grown;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quantile(double q, const double *value, size_t n, double *sorted)
{
    memcpy(sorted, value, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, compare);
    double rank = q * (double)(n - 1), below = floor(rank);
    size_t i = (size_t)below, next = i + 1 < n ? i + 1 : i;
    return sorted[i] + (sorted[next] - sorted[i]) * (rank - below);
}

double sdw_promql_value(const struct sdw_promql *query, int64_t at_us, const int64_t *ts_us,
                        const double *value, size_t n, double *scratch)
{
    double sum = 0, min = INFINITY, max = -INFINITY;
    if (n == 0)
        return NAN;
    switch (query->function) {
    case SDW_PROMQL_POINTS:
        return NAN;
    case SDW_PROMQL_INSTANT:
    case SDW_PROMQL_LAST:
        return value[n - 1];
    case SDW_PROMQL_COUNT:
        return (double)n;
    case SDW_PROMQL_RATE:
    case SDW_PROMQL_INCREASE:
        return growth(query, at_us, ts_us, value, n);
    case SDW_PROMQL_QUANTILE:
        return quantile(query->number, value, n, scratch);
    default:
        break;
    }
    for (size_t i = 0; i < n; i++) {
        sum += value[i];
        min = value[i] < min ? value[i] : min;
        max = value[i] > max ? value[i] : max;
    }
    if (query->function == SDW_PROMQL_MIN)
        return min;
    if (query->function == SDW_PROMQL_MAX)
        return max;
    return query->function == SDW_PROMQL_AVG ? sum / (double)n : sum;
}
