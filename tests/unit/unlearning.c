/*
 * A lasting change of the pattern is unlearned. Each series has a twin, made with the same noise,
 * that had the new pattern from the start: what an error is compared with is that of the twin at
 * the same time, so that neither easy days nor noise decide.
 */
#include "core/rng.h"
#include "model/ensemble.h"
#include "unit/tap.h"

#include <stdlib.h>

enum { DAY = 24, CHANGE = 70, DAYS = 91, SEEDS = 4 };
static const double turn = 2 * 3.14159265358979323846;

/* The mean on an hour of the pattern, and how a change of one kind makes it. */
struct pattern {
    double phase, day, half_day, weekend;
};
static const struct pattern before = {0, 0.45, 0.12, 0.7};
static const struct change {
    const char *name;
    struct pattern after;
} changes[] = {
    {"a day that begins six hours earlier", {0.25, 0.45, 0.12, 0.7}},
    {"weekends that are like other days", {0, 0.45, 0.12, 1}},
    {"an amplitude of the day that is halved", {0, 0.225, 0.06, 0.7}},
    {"an amplitude of the day that is half as large again", {0, 0.7, 0.12, 0.7}},
};

static double mean_of(const struct pattern *p, int t)
{
    double at = (double)(t % DAY) / DAY + p->phase;
    double shape = 1 + p->day * sin(turn * at) + p->half_day * sin(2 * turn * at + 1);
    return 1e6 * shape * (t / DAY % 7 >= 5 ? p->weekend : 1);
}

/* What the forecasts of one hour came to, from day `from` after the change until `to`. */
struct span {
    int from, to;
    double error[2], covered, n; /* error: of the series, of its twin */
};

static void judge(struct span *span, int day, bool twin, double value,
                  const struct sdw_prediction *said)
{
    if (day < span->from || day >= span->to)
        return;
    span->error[twin] += fabs(log(value / said->q[2]));
    span->covered += !twin && said->q[0] <= value && value <= said->q[4];
    span->n += !twin;
}

static void run(const struct change *change, uint64_t seed, bool twin, struct span span[2])
{
    static const int64_t hour_us = INT64_C(3600000000);
    const int64_t horizon[] = {hour_us, 6 * hour_us, 24 * hour_us};
    struct sdw_ensemble_plan plan;
    sdw_ensemble_plan(&plan, hour_us, horizon, 3, SDW_SEASON_DAY | SDW_SEASON_WEEK, 0, NULL);
    struct sdw_ensemble *e = malloc(plan.bytes);
    struct sdw_ensemble_shared *shared = malloc(plan.shared_bytes);
    struct sdw_prediction said[3];
    struct sdw_rng rng;
    double noise = 0;
    sdw_rng_seed(&rng, seed);
    sdw_ensemble_init(e, &plan);
    sdw_ensemble_shared_init(shared, &plan);
    for (int t = 0; t < DAYS * DAY; t++) {
        bool is_new = twin || t >= CHANGE * DAY;
        noise = 0.5 * noise + 0.087 * sdw_rng_normal(&rng);
        double value = mean_of(is_new ? &change->after : &before, t) * exp(noise);
        for (int i = 0; t > 0 && i < 2; i++)
            judge(&span[i], t / DAY - CHANGE, twin, value, &said[0]);
        sdw_ensemble_learn(e, &plan, shared, &(struct sdw_ensemble_input){t, value, NULL});
        sdw_ensemble_forecast(e, &plan, said);
    }
    free(e);
    free(shared);
}

/* The longest season is a week. In the first one after the change the profile is made of few days,
 * so that the twin, which knows many, stays ahead. */
static void is_unlearned(const struct change *change)
{
    struct span span[2] = {{2, 7, {0, 0}, 0, 0}, {14, 21, {0, 0}, 0, 0}};
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        run(change, seed, false, span);
        run(change, seed, true, span);
    }
    double soon = span[0].error[0] / span[0].error[1], late = span[1].error[0] / span[1].error[1];
    double soon_covered = 100 * span[0].covered / span[0].n;
    double late_covered = 100 * span[1].covered / span[1].n;
    ok(soon < 1.5, "%s: from the third day on errors are at most half larger (%.3f)", change->name,
       soon);
    ok(late < 1.1, "%s: after two seasons they are within 10 %% (%.3f)", change->name, late);
    ok(soon_covered > 90 && late_covered > 90 && late_covered < 99,
       "%s: the intervals hold (%.1f, then %.1f %%)", change->name, soon_covered, late_covered);
}

int main(void)
{
    for (size_t i = 0; i < SDW_LEN(changes); i++)
        is_unlearned(&changes[i]);
    return tap_done();
}
