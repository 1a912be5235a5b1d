/*
 * The ensemble alone on series of values, scored as the benchmark scores the tool: 40 origins in
 * the last 40 %, every step of an hour (of a day where the step is an hour), pinball loss and
 * absolute error against the last value with the spread of its changes, coverage over every step.
 *
 *   forecast_ensemble [--without EXPERT] NAME=FILE...    FILE: lines of `seconds value`
 *
 * One NDJSON line a series, then one with the geometric means of the ratios, the mean coverage and
 * the CPU time for learning and forecasting one value.
 */
#include "core/mem.h"
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
    FILE *file = fopen(path, "r");
    double t, v, last = 0;
    int room = 0;
    *s = (struct series){0};
    if (!file)
        return -1;
    while (fscanf(file, "%lf %lf", &t, &v) == 2) {
        if (s->n == room)
            s->y = sdw_xrealloc(s->y, (size_t)(room = room ? 2 * room : 1024), sizeof *s->y);
        s->y[s->n++] = v;
        if (s->n == 1)
            s->start_s = (long long)t;
        if (s->n == 2)
            s->step_s = (int)(t - last);
        last = t;
    }
    fclose(file);
    if (s->n < 100 || s->step_s <= 0 || s->step_s > 3600)
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

static void score_origin(struct result *r, const struct series *s, int t,
                         const struct sdw_prediction *p)
{
    int from = t - DAYS_OF_NAIVE * s->day + 1;
    double square = 0, q[SDW_QUANTILES];
    from = from < 0 ? 0 : from;
    for (int i = from; i < t; i++)
        square += (s->y[i + 1] - s->y[i]) * (s->y[i + 1] - s->y[i]);
    for (int h = 1; h <= s->steps; h++) {
        for (int i = 0; i < SDW_QUANTILES; i++)
            q[i] = s->y[t] + z_of[i] * sqrt(square / (t - from) * h);
        add(&r->ours, s, h, s->y[t + h], p[h - 1].q);
        add(&r->naive, s, h, s->y[t + h], q);
    }
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
    int start = (int)(0.6 * s->n), stride = (s->n - s->steps - start) / ORIGINS;
    for (int t = 0; t < s->n; t++) {
        sdw_ensemble_learn(e, &plan, shared,
                           &(struct sdw_ensemble_input){s->start_s / s->step_s + t, s->y[t], NULL});
        sdw_ensemble_forecast(e, &plan, p);
        for (int h = 1; t >= start && h <= s->steps && t + h < s->n; h++) {
            const double *q = p[h - 1].q;
            r->all++;
            r->covered_80 += q[1] <= s->y[t + h] && s->y[t + h] <= q[3];
            r->covered_95 += q[0] <= s->y[t + h] && s->y[t + h] <= q[4];
        }
        if (t >= start && (t - start) % stride == 0 && (t - start) / stride < ORIGINS)
            score_origin(r, s, t, p);
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

int main(int argc, char **argv)
{
    unsigned without = 0;
    double log_sum[4] = {0}, cover[2] = {0}, values = 0;
    int n = 0;
    clock_t began = clock();
    for (int i = 1; i < argc; i++) {
        struct series s;
        struct result r = {0};
        char *file = strchr(argv[i], '=');
        if (strcmp(argv[i], "--without") == 0 && i + 1 < argc) {
            without |= expert_bit(argv[++i]);
            continue;
        }
        if (!file || load(file + 1, &s) != 0) {
            fprintf(stderr, "%s: not NAME=FILE of lines `seconds value`\n", argv[i]);
            return 2;
        }
        run(&s, without, &r);
        double ratio[4] = {r.ours.pinball / r.naive.pinball, r.ours.absolute / r.naive.absolute,
                           r.ours.early / r.naive.early, r.ours.late / r.naive.late};
        double covered[2] = {100.0 * (double)r.covered_80 / (double)r.all,
                             100.0 * (double)r.covered_95 / (double)r.all};
        printf("{\"type\":\"bench\",\"name\":\"forecast.accuracy.models\",\"series\":\"%.*s\","
               "\"pinball\":%.4f,\"mase\":%.4f,\"wape15\":%.4f,\"wape60\":%.4f,"
               "\"cover80\":%.2f,\"cover95\":%.2f}\n",
               (int)(file - argv[i]), argv[i], ratio[0], ratio[1], ratio[2], ratio[3], covered[0],
               covered[1]);
        for (int k = 0; k < 4; k++)
            log_sum[k] += log(ratio[k]);
        for (int k = 0; k < 2; k++)
            cover[k] += covered[k];
        values += s.n;
        n++;
        free(s.y);
    }
    double us = 1e6 * (double)(clock() - began) / CLOCKS_PER_SEC / values;
    printf("{\"type\":\"bench\",\"name\":\"forecast.accuracy.models\",\"series\":\"all %d\","
           "\"pinball\":%.4f,\"mase\":%.4f,\"wape15\":%.4f,\"wape60\":%.4f,\"cover80\":%.2f,"
           "\"cover95\":%.2f,\"cpu_us\":%.2f}\n",
           n, exp(log_sum[0] / n), exp(log_sum[1] / n), exp(log_sum[2] / n), exp(log_sum[3] / n),
           cover[0] / n, cover[1] / n, us);
    return 0;
}
