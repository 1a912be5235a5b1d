#include "store/aggregate.h"
#include "core/mem.h"
#include "core/num.h"

#include <math.h>
#include <stdlib.h>

bool sdw_aggregate_parse(const char *text, enum sdw_aggregate *kind, double *quantile)
{
    static const char *const names[] = {
        [SDW_AGG_AVG] = "avg",  [SDW_AGG_MIN] = "min",     [SDW_AGG_MAX] = "max",
        [SDW_AGG_SUM] = "sum",  [SDW_AGG_COUNT] = "count", [SDW_AGG_LAST] = "last",
        [SDW_AGG_RATE] = "rate"};
    for (size_t i = SDW_AGG_AVG; i < SDW_LEN(names); i++)
        if (strcmp(text, names[i]) == 0) {
            *kind = (enum sdw_aggregate)i;
            return true;
        }
    double percent;
    if (text[0] != 'p' || !sdw_num_real(sdw_str_of(text + 1), &percent) || percent < 0 ||
        percent > 100)
        return false;
    *kind = SDW_AGG_QUANTILE;
    *quantile = percent / 100;
    return true;
}

static void clear(struct sdw_stepper *s)
{
    s->min = INFINITY;
    s->max = -INFINITY;
    s->sum = s->count = s->grown = 0;
    s->grown_us = 0;
    s->n = 0;
}

void sdw_stepper_init(struct sdw_stepper *stepper)
{
    stepper->end_us = stepper->before_us = INT64_MIN;
    clear(stepper);
}

void sdw_stepper_release(struct sdw_stepper *stepper)
{
    free(stepper->sample);
    stepper->sample = NULL;
    stepper->cap = 0;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quantile_of(struct sdw_stepper *s)
{
    if (s->n == 0)
        return NAN;
    qsort(s->sample, s->n, sizeof *s->sample, compare);
    double rank = s->quantile * (double)(s->n - 1), below = floor(rank);
    size_t i = (size_t)below, next = i + 1 < s->n ? i + 1 : i;
    return s->sample[i] + (s->sample[next] - s->sample[i]) * (rank - below);
}

static double value_of(struct sdw_stepper *s)
{
    switch (s->kind) {
    case SDW_AGG_AVG:
        return s->sum / s->count;
    case SDW_AGG_MIN:
        return s->min;
    case SDW_AGG_MAX:
        return s->max;
    case SDW_AGG_SUM:
        return s->sum;
    case SDW_AGG_COUNT:
        return s->count;
    case SDW_AGG_RATE:
        return s->grown_us > 0 ? s->grown / ((double)s->grown_us / 1e6) : NAN;
    case SDW_AGG_QUANTILE:
        return quantile_of(s);
    default:
        return s->last;
    }
}

static int give_out(struct sdw_stepper *s)
{
    double value = s->count > 0 ? value_of(s) : NAN;
    clear(s);
    return isfinite(value) ? s->each(s->start_us, value, s->arg) : 0;
}

static int64_t floor_to(int64_t ts_us, int64_t step_us)
{
    int64_t rest = ts_us % step_us;
    return ts_us - (rest < 0 ? rest + step_us : rest);
}

/* Make the step that ts_us is in the current one. */
static int move_to(struct sdw_stepper *s, int64_t ts_us)
{
    if (s->end_us != INT64_MIN && ts_us < s->end_us)
        return 0;
    int code = s->end_us != INT64_MIN ? give_out(s) : 0;
    if (s->step_us > 0) {
        s->start_us = floor_to(ts_us, s->step_us);
        s->end_us = s->start_us + s->step_us;
    } else {
        s->start_us = s->from_us == INT64_MIN ? ts_us : s->from_us;
        s->end_us = INT64_MAX;
    }
    return code;
}

static void grow(struct sdw_stepper *s, int64_t ts_us, double value)
{
    if (s->before_us != INT64_MIN) {
        s->grown += value >= s->before ? value - s->before : value;
        s->grown_us += ts_us - s->before_us;
    }
    s->before_us = ts_us;
    s->before = value;
}

static void sample(struct sdw_stepper *s, const double *value, size_t n)
{
    SDW_GROW(s->sample, s->cap, s->n + n);
    memcpy(s->sample + s->n, value, n * sizeof *value);
    s->n += n;
}

/* Points i..end of one step. */
static void take(struct sdw_stepper *s, const struct sdw_points *points, size_t i, size_t end)
{
    bool rollup = points->columns > 1;
    const double *min = points->column[0], *max = points->column[rollup ? SDW_COL_MAX : 0];
    const double *sum = points->column[rollup ? SDW_COL_SUM : 0];
    const double *last = points->column[points->columns - 1];
    if (s->kind == SDW_AGG_RATE)
        for (size_t k = i; k < end; k++)
            grow(s, points->ts_us[k], last[k]);
    if (s->kind == SDW_AGG_QUANTILE && rollup)
        s->lacking = true;
    else if (s->kind == SDW_AGG_QUANTILE)
        sample(s, min + i, end - i);
    s->last = last[end - 1];
    s->count += rollup ? 0 : (double)(end - i);
    for (size_t k = i; k < end; k++) {
        s->min = min[k] < s->min ? min[k] : s->min;
        s->max = max[k] > s->max ? max[k] : s->max;
        s->sum += sum[k];
        s->count += rollup ? points->column[SDW_COL_COUNT][k] : 0;
    }
}

/* Points as they are; a rollup stands for their average. */
static int pass_points(struct sdw_stepper *s, const struct sdw_points *points, size_t i)
{
    int code = 0;
    const double *const *column = points->column;
    for (; code >= 0 && i < points->n; i++) {
        double value = column[0][i];
        if (points->columns > 1)
            value = column[SDW_COL_SUM][i] / column[SDW_COL_COUNT][i];
        code = s->each(points->ts_us[i], value, s->arg);
    }
    return code;
}

int sdw_stepper_points(struct sdw_stepper *stepper, const struct sdw_points *points)
{
    size_t i = 0;
    int code = 0;
    const double *last = points->column[points->columns - 1];
    for (; i < points->n && points->ts_us[i] < stepper->from_us; i++) {
        stepper->before_us = points->ts_us[i];
        stepper->before = last[i];
    }
    if (stepper->kind == SDW_AGG_NONE)
        return pass_points(stepper, points, i);
    while (code >= 0 && i < points->n) {
        code = move_to(stepper, points->ts_us[i]);
        size_t end = i + 1;
        while (end < points->n && points->ts_us[end] < stepper->end_us)
            end++;
        take(stepper, points, i, end);
        i = end;
    }
    return code;
}

bool sdw_stepper_stats(struct sdw_stepper *stepper, const struct sdw_chunk_stats *stats, int *code)
{
    struct sdw_stepper *s = stepper;
    bool one_step = s->step_us <= 0 ||
                    floor_to(stats->from_us, s->step_us) == floor_to(stats->to_us, s->step_us);
    if (s->kind < SDW_AGG_AVG || s->kind > SDW_AGG_LAST || !one_step || stats->from_us < s->from_us)
        return false;
    *code = move_to(s, stats->from_us);
    s->min = stats->min < s->min ? stats->min : s->min;
    s->max = stats->max > s->max ? stats->max : s->max;
    s->sum += stats->sum;
    s->count += (double)stats->count;
    s->last = stats->last;
    s->before_us = stats->to_us;
    s->before = stats->last;
    return true;
}

int sdw_stepper_finish(struct sdw_stepper *stepper)
{
    int code = stepper->end_us != INT64_MIN ? give_out(stepper) : 0;
    sdw_stepper_init(stepper);
    return code;
}
