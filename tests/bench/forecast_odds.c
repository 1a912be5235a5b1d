/*
 * The odds of a breach scored by one protocol. The limit is a percentile of the last 40 % of a
 * series; scored is every step there that is below it, on whether the series is above it within an
 * hour (one step where that is an hour or more).
 *
 *   forecast_odds [--percentile 98] [--share 1] [--rows] NAME=FILE...
 *
 * FILE: lines of `seconds value`. --share: only so much of it, from the start. --rows: instead of
 * scores the lines `seconds value odds breach` that they come from.
 *
 * average_precision and brier_skill (over the odds that never vary) are of the odds themselves,
 * calibration_error is the mean distance of the odds from the share of breaches in ten classes of
 * odds. An alarm is odds of 0.5 or more. A breach counts as an event after half an hour below the
 * limit; it was caught by an alarm an hour to five minutes before. Alarms not more than a quarter
 * of an hour apart are an episode, and precision is the share of episodes with an event before an
 * hour after their end.
 */
#include "bench/series_file.h"
#include "model/risk.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { CLASSES = 10 };

struct series {
    double *y, *p; /* value, odds; NAN where they are not asked for */
    bool *breach;
    int n, step_s, start, hour;
    long long start_s;
    double limit;
};

static int load(const char *path, double share, struct series *s)
{
    *s = (struct series){0};
    if (series_file_read(path, &s->y, &s->n, &s->start_s, &s->step_s) != 0)
        return -1;
    s->n = (int)(share * s->n);
    if (s->n < 100)
        return -1;
    s->start = (int)(0.6 * s->n);
    s->hour = 3600 / s->step_s;
    s->p = sdw_xalloc((size_t)s->n * sizeof *s->p);
    s->breach = sdw_xalloc((size_t)s->n * sizeof *s->breach);
    return 0;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double percentile(const double *y, int n, double percent)
{
    double *sorted = sdw_xalloc((size_t)n * sizeof *sorted);
    memcpy(sorted, y, (size_t)n * sizeof *sorted);
    qsort(sorted, (size_t)n, sizeof *sorted, by_value);
    double at = percent / 100 * (n - 1);
    int i = (int)at, next = i + 1 < n ? i + 1 : i;
    double value = sorted[i] + (sorted[next] - sorted[i]) * (at - i);
    free(sorted);
    return value;
}

/* The odds of every step that is scored, and what came of them. */
static void run(struct series *s)
{
    int64_t step_us = (int64_t)s->step_s * 1000000, hour_us = 3600 * INT64_C(1000000);
    int64_t horizon[2] = {hour_us / 4, hour_us};
    struct sdw_ensemble_plan plan;
    bool two = s->step_s < 900 * 4;
    if (sdw_ensemble_plan(&plan, step_us, two ? horizon : horizon + 1, two ? 2 : 1,
                          SDW_SEASON_DAY | SDW_SEASON_WEEK, 0, NULL) != 0)
        return;
    struct sdw_ensemble *e = sdw_xalloc(plan.bytes);
    struct sdw_ensemble_shared *shared = sdw_xalloc(plan.shared_bytes);
    struct sdw_risk *risk = sdw_xalloc(sdw_risk_bytes(&plan));
    struct sdw_risk_shared risks;
    struct sdw_prediction said[SDW_STEPS_MAX];
    double p[SDW_STEPS_MAX];
    sdw_ensemble_init(e, &plan);
    sdw_ensemble_shared_init(shared, &plan);
    sdw_risk_init(risk, &plan);
    sdw_risk_shared_init(&risks);
    for (int t = 0; t < s->n; t++) {
        sdw_ensemble_learn(e, &plan, shared,
                           &(struct sdw_ensemble_input){s->start_s / s->step_s + t, s->y[t], NULL});
        sdw_risk_learn(risk, &risks, e, &plan, s->y[t], true);
        s->p[t] = NAN;
        if (t < s->start || t >= s->n - s->hour - 1 || s->y[t] > s->limit)
            continue;
        sdw_ensemble_forecast(e, &plan, said);
        sdw_risk_odds(risk, &risks, e, &plan, said, s->limit, true, p);
        s->p[t] = p[plan.n - 1];
        for (int h = 1; h <= s->hour; h++)
            s->breach[t] = s->breach[t] || s->y[t + h] > s->limit;
    }
    free(e);
    free(shared);
    free(risk);
}

/* What is summed over series, in the order it is said. */
enum { AVERAGE_PRECISION, BRIER_SKILL, CALIBRATION, PRECISION, RECALL, LEAD, FIGURES };
static const char *const figure_name[FIGURES] = {
    "average_precision", "brier_skill", "calibration_error", "precision", "recall", "lead_min"};

struct scored {
    double figure[FIGURES];
    int scored, events, episodes;
};

struct judged {
    double p;
    bool breach;
};

static int by_odds(const void *a, const void *b)
{
    double x = ((const struct judged *)a)->p, y = ((const struct judged *)b)->p;
    return (x < y) - (x > y);
}

static void score_odds(const struct series *s, struct scored *out)
{
    struct judged *all = sdw_xalloc((size_t)s->n * sizeof *all);
    double said[CLASSES] = {0}, came[CLASSES] = {0}, brier = 0, precision = 0, error = 0;
    int n = 0, breaches = 0, seen = 0;
    for (int t = s->start; t < s->n; t++) {
        if (isnan(s->p[t]))
            continue;
        int class = (int)fmin(CLASSES - 1, s->p[t] * CLASSES);
        all[n++] = (struct judged){s->p[t], s->breach[t]};
        breaches += s->breach[t];
        said[class] += s->p[t];
        came[class] += s->breach[t];
        brier += (s->p[t] - s->breach[t]) * (s->p[t] - s->breach[t]);
    }
    qsort(all, (size_t)n, sizeof *all, by_odds);
    for (int i = 0; i < n; i++)
        if (all[i].breach)
            precision += (double)++seen / (i + 1);
    for (int i = 0; i < CLASSES; i++)
        error += fabs(said[i] - came[i]);
    double base = (double)breaches / n;
    out->scored = n;
    out->figure[AVERAGE_PRECISION] = precision / fmax(1, breaches);
    out->figure[BRIER_SKILL] = 1 - brier / n / (base * (1 - base));
    out->figure[CALIBRATION] = error / n;
    free(all);
}

/* The first alarm from `from` until `to`; s->n for none. */
static int alarm_in(const struct series *s, int from, int to)
{
    for (int t = from < s->start ? s->start : from; t <= to; t++)
        if (s->p[t] >= 0.5)
            return t;
    return s->n;
}

static bool event_in(const int *event, int n, int after, int until)
{
    for (int i = 0; i < n; i++)
        if (event[i] > after && event[i] <= until)
            return true;
    return false;
}

static void score_alarms(const struct series *s, struct scored *out)
{
    int *event = sdw_xalloc((size_t)s->n * sizeof *event), n = 0, last = -s->n;
    int half = s->step_s < 1800 ? 1800 / s->step_s : 1, least = 300 / s->step_s;
    for (int t = s->start; t < s->n; t++)
        if (s->y[t] > s->limit) {
            if (t - last > half)
                event[n++] = t;
            last = t;
        }
    double *lead = sdw_xalloc((size_t)(n + 1) * sizeof *lead);
    int caught = 0, right = 0;
    for (int i = 0; i < n; i++) {
        int first = alarm_in(s, event[i] - s->hour, event[i] - (least > 1 ? least : 1));
        if (first < s->n)
            lead[caught++] = (double)(event[i] - first) * s->step_s / 60;
    }
    for (int t = alarm_in(s, s->start, s->n - 1), from = t, to = t; from < s->n; from = to = t) {
        while ((t = alarm_in(s, to + 1, s->n - 1)) < s->n && t - to <= 900 / s->step_s + 1 &&
               !event_in(event, n, to, t))
            to = t;
        out->episodes++;
        right += event_in(event, n, from, to + s->hour);
    }
    qsort(lead, (size_t)caught, sizeof *lead, by_value);
    out->events = n;
    out->figure[PRECISION] = out->episodes > 0 ? (double)right / out->episodes : NAN;
    out->figure[RECALL] = n > 0 ? (double)caught / n : NAN;
    out->figure[LEAD] = caught > 0 ? lead[caught / 2] : NAN;
    free(event);
    free(lead);
}

static void say(const char *name, int length, const struct scored *s, const char *more)
{
    printf("{\"type\":\"bench\",\"name\":\"forecast.odds\",\"series\":\"%.*s\"", length, name);
    for (int i = 0; i < FIGURES; i++)
        if (isfinite(s->figure[i]))
            printf(",\"%s\":%.3f", figure_name[i], s->figure[i]);
    printf(",\"scored\":%d,\"events\":%d,\"episodes\":%d%s}\n", s->scored, s->events, s->episodes,
           more);
}

static void add(struct scored *sum, int *n, const struct scored *one)
{
    sum->scored += one->scored;
    sum->events += one->events;
    sum->episodes += one->episodes;
    for (int i = 0; i < FIGURES; i++)
        if (isfinite(one->figure[i])) {
            n[i]++;
            sum->figure[i] += (one->figure[i] - sum->figure[i]) / n[i];
        }
}

int main(int argc, char **argv)
{
    struct scored total = {{0}, 0, 0, 0};
    double percent = 98, share = 1;
    bool rows = false;
    int count[FIGURES] = {0}, of_series = 0;
    char more[64];
    for (int i = 1; i < argc; i++) {
        struct scored one = {{0}, 0, 0, 0};
        struct series s;
        char *file = strchr(argv[i], '=');
        if (strcmp(argv[i], "--rows") == 0) {
            rows = true;
            continue;
        }
        if ((strcmp(argv[i], "--percentile") == 0 || strcmp(argv[i], "--share") == 0) &&
            i + 1 < argc) {
            *(argv[i][2] == 'p' ? &percent : &share) = strtod(argv[i + 1], NULL);
            i++;
            continue;
        }
        if (!file || load(file + 1, share, &s) != 0) {
            fprintf(stderr, "%s: not NAME=FILE of lines `seconds value`\n", argv[i]);
            return 2;
        }
        s.limit = percentile(s.y + s.start, s.n - s.start, percent);
        run(&s);
        for (int t = s.start; rows && t < s.n; t++)
            printf("%lld %.9g %.4f %d\n", s.start_s + (long long)t * s.step_s, s.y[t], s.p[t],
                   s.breach[t]);
        score_odds(&s, &one);
        score_alarms(&s, &one);
        if (!rows)
            say(argv[i], (int)(file - argv[i]), &one, "");
        add(&total, count, &one);
        of_series++;
        free(s.y);
        free(s.p);
        free(s.breach);
    }
    snprintf(more, sizeof more, ",\"of_series\":%d", of_series);
    if (of_series > 1 && !rows)
        say("mean", 4, &total, more);
    return 0;
}
