/*
 * Forecasts of series scored by one protocol: 40 origins in the last 40 %, every step of
 * an hour (of a day where the step is an hour), pinball loss and absolute error over those of the
 * last value with the spread of its changes, coverage over every forecast of the last 40 %.
 *
 *   forecast_ensemble [--label NAME] [--without EXPERT] [--rows FILE] [--from T] [--to T]
 * NAME=FILE...
 *
 * FILE: lines of `seconds value`. What is scored is the ensemble alone, or what FILE of --rows
 * says: lines of `seconds steps q025 q10 q50 q90 q975`, seconds being those of the newest value
 * known. Coverage is counted of forecasts made from --from until before --to, in
 * seconds.
 * One NDJSON line a series; of several a line with the geometric means of the ratios, the
 * mean coverage, and the CPU time to learn and forecast one value.
 */
#include "bench/series_file.h"
#include "model/ensemble.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ORIGINS = 40, DAYS_OF_NAIVE = 14 };
static const double z_of[SDW_QUANTILES] = {-1.959964, -1.281552, 0, 1.281552, 1.959964};

struct series {
    double *y;
    int n, step_s, day, steps;
    long long start_s;
    double from, to; /* when the forecasts are made whose coverage is counted */
};

struct score {
    double pinball, absolute, early, late; /* sums; early and late: at 15 minutes, at the end */
};

struct result {
    struct score ours, naive;
    long long covered_80, covered_95, all;
};

static int load(const char *path, struct series *s)
{
    *s = (struct series){0};
    if (series_file_read(path, &s->y, &s->n, &s->start_s, &s->step_s) != 0)
        return -1;
    s->day = 86400 / s->step_s;
    s->steps = s->step_s >= 3600 ? 24 : 3600 / s->step_s;
    return 0;
}

static double pinball(double value, const double *q)
{
    double sum = 0;
    for (int i = 0; i < SDW_QUANTILES; i++)
        sum += fmax(sdw_quantile_p[i] * (value - q[i]), (sdw_quantile_p[i] - 1) * (value - q[i]));
    return sum / SDW_QUANTILES;
}

static void add(struct score *score, const struct series *s, int h, double value, const double *q)
{
    int quarter = s->step_s < 900 ? 900 / s->step_s : 1;
    double error = fabs(value - q[2]);
    score->pinball += pinball(value, q);
    score->absolute += error;
    score->early += h == quarter ? error : 0;
    score->late += h == s->steps ? error : 0;
}

static bool is_origin(const struct series *s, int t)
{
    int start = (int)(0.6 * s->n), stride = (s->n - s->steps - start) / ORIGINS;
    return t >= start && (t - start) % stride == 0 && (t - start) / stride < ORIGINS;
}

/* One forecast: h steps after value t. */
static void score(struct result *r, const struct series *s, int t, int h, const double *quantile)
{
    if (t < (int)(0.6 * s->n) || h < 1 || h > s->steps || t + h >= s->n)
        return;
    double value = s->y[t + h], square = 0, q[SDW_QUANTILES];
    double at = (double)s->start_s + (double)t * s->step_s;
    if (at >= s->from && at < s->to) {
        r->all++;
        r->covered_80 += quantile[1] <= value && value <= quantile[3];
        r->covered_95 += quantile[0] <= value && value <= quantile[4];
    }
    if (!is_origin(s, t))
        return;
    int from = t - DAYS_OF_NAIVE * s->day + 1;
    from = from < 0 ? 0 : from;
    for (int i = from; i < t; i++)
        square += (s->y[i + 1] - s->y[i]) * (s->y[i + 1] - s->y[i]);
    for (int i = 0; i < SDW_QUANTILES; i++)
        q[i] = s->y[t] + z_of[i] * sqrt(square / (t - from) * h);
    add(&r->ours, s, h, value, quantile);
    add(&r->naive, s, h, value, q);
}

static int run_rows(const struct series *s, const char *path, struct result *r)
{
    FILE *file = fopen(path, "r");
    double t, h, q[SDW_QUANTILES];
    if (!file)
        return -1;
    while (fscanf(file, "%lf %lf %lf %lf %lf %lf %lf", &t, &h, q, q + 1, q + 2, q + 3, q + 4) == 7)
        score(r, s, (int)((t - (double)s->start_s) / s->step_s), (int)h, q);
    fclose(file);
    return r->ours.pinball > 0 ? 0 : -1;
}

static void run(const struct series *s, unsigned without, struct result *r)
{
    struct sdw_ensemble_plan plan;
    int64_t horizon[SDW_STEPS_MAX], step_us = (int64_t)s->step_s * 1000000;
    for (int h = 0; h < s->steps; h++)
        horizon[h] = (h + 1) * step_us;
    if (sdw_ensemble_plan(&plan, step_us, horizon, (size_t)s->steps,
                          SDW_SEASON_DAY | SDW_SEASON_WEEK, 0, NULL) != 0)
        return;
    plan.without = without;
    struct sdw_ensemble *e = sdw_xalloc(plan.bytes);
    struct sdw_ensemble_shared *shared = sdw_xalloc(plan.shared_bytes);
    struct sdw_prediction p[SDW_STEPS_MAX];
    sdw_ensemble_init(e, &plan);
    sdw_ensemble_shared_init(shared, &plan);
    for (int t = 0; t < s->n; t++) {
        sdw_ensemble_learn(e, &plan, shared,
                           &(struct sdw_ensemble_input){s->start_s / s->step_s + t, s->y[t], NULL});
        sdw_ensemble_forecast(e, &plan, p);
        for (int h = 1; h <= s->steps; h++)
            score(r, s, t, h, p[h - 1].q);
    }
    free(e);
    free(shared);
}

static unsigned expert_bit(const char *name)
{
    for (int i = 0; i < SDW_EXPERTS; i++)
        if (strcmp(name, sdw_expert_name(i)) == 0)
            return 1U << i;
    fprintf(stderr, "no expert is called %s\n", name);
    exit(2);
}

/* What all series came to. */
struct total {
    double log_sum[4], cover[2], values;
    int n;
};

static void say(const char *label, const char *series, int length, const struct total *t,
                const char *more)
{
    double n = t->n;
    printf("{\"type\":\"bench\",\"name\":\"forecast.accuracy\",\"of\":\"%s\",\"series\":\"%.*s\","
           "\"pinball\":%.4f,\"mase\":%.4f,\"wape15\":%.4f,\"wape60\":%.4f,\"cover80\":%.2f,"
           "\"cover95\":%.2f%s}\n",
           label, length, series, exp(t->log_sum[0] / n), exp(t->log_sum[1] / n),
           exp(t->log_sum[2] / n), exp(t->log_sum[3] / n), t->cover[0] / n, t->cover[1] / n, more);
}

static void count(struct total *sum, const struct result *r, int values)
{
    double all = (double)r->all / 100;
    sum->log_sum[0] += log(r->ours.pinball / r->naive.pinball);
    sum->log_sum[1] += log(r->ours.absolute / r->naive.absolute);
    sum->log_sum[2] += log(r->ours.early / r->naive.early);
    sum->log_sum[3] += log(r->ours.late / r->naive.late);
    sum->cover[0] += (double)r->covered_80 / all;
    sum->cover[1] += (double)r->covered_95 / all;
    sum->values += values;
    sum->n++;
}

int main(int argc, char **argv)
{
    const char *label = "ensemble", *rows = NULL;
    struct total total = {{0}, {0}, 0, 0};
    unsigned without = 0;
    double from = -INFINITY, to = INFINITY;
    char more[64];
    clock_t began = clock();
    for (int i = 1; i < argc; i++) {
        struct total one = {{0}, {0}, 0, 0};
        struct result r = {0};
        struct series s;
        char *file = strchr(argv[i], '=');
        if (strcmp(argv[i], "--without") == 0 && i + 1 < argc) {
            without |= expert_bit(argv[++i]);
            continue;
        }
        if ((strcmp(argv[i], "--label") == 0 || strcmp(argv[i], "--rows") == 0) && i + 1 < argc) {
            *(argv[i][2] == 'l' ? &label : &rows) = argv[i + 1];
            i++;
            continue;
        }
        if ((strcmp(argv[i], "--from") == 0 || strcmp(argv[i], "--to") == 0) && i + 1 < argc) {
            *(argv[i][2] == 'f' ? &from : &to) = strtod(argv[i + 1], NULL);
            i++;
            continue;
        }
        if (!file || load(file + 1, &s) != 0) {
            fprintf(stderr, "%s: not NAME=FILE of lines `seconds value`\n", argv[i]);
            return 2;
        }
        s.from = from;
        s.to = to;
        if (!rows)
            run(&s, without, &r);
        else if (run_rows(&s, rows, &r) != 0)
            continue;
        count(&one, &r, s.n);
        count(&total, &r, s.n);
        say(label, argv[i], (int)(file - argv[i]), &one, "");
        free(s.y);
    }
    double us = 1e6 * (double)(clock() - began) / CLOCKS_PER_SEC / total.values;
    snprintf(more, sizeof more, ",\"of_series\":%d,\"cpu_us\":%.2f", total.n, us);
    if (total.n > 1)
        say(label, "all", 3, &total, more);
    return 0;
}
