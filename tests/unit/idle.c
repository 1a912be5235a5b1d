/* A series that stood still, at 0 or at any other value, and then moves: its forecasts follow. */
#include "core/rng.h"
#include "model/ensemble.h"
#include "unit/tap.h"

#include <math.h>
#include <stdlib.h>

enum { AFTER = 1500 };

struct still {
    const char *name;
    int busy, steps; /* before; how long it stood still */
    double value;
};

/* Of the steps from..to after the rest: how often the interval of the next held, and the mean
 * error of its median, as a share. */
struct span {
    int from, to;
    double covered, error, n;
};

static void judge(struct span *span, int step, double value, const struct sdw_prediction *said)
{
    if (step < span->from || step >= span->to)
        return;
    span->covered += said->q[0] <= value && value <= said->q[4];
    span->error += fabs(said->q[2] / value - 1);
    span->n++;
}

static void is_foreseen_again(const struct still *still)
{
    const int64_t second_us = 1000000, horizon[] = {second_us, 10 * second_us};
    struct span soon = {30, 330, 0, 0, 0}, later = {500, AFTER, 0, 0, 0};
    struct sdw_ensemble_plan plan;
    sdw_ensemble_plan(&plan, second_us, horizon, 2, 0, 0, NULL);
    struct sdw_ensemble *e = malloc(plan.bytes);
    struct sdw_ensemble_shared *shared = malloc(plan.shared_bytes);
    struct sdw_prediction said[2];
    struct sdw_rng rng;
    sdw_rng_seed(&rng, 1);
    sdw_ensemble_init(e, &plan);
    sdw_ensemble_shared_init(shared, &plan);
    for (int t = 0; t < still->busy + still->steps + AFTER; t++) {
        int after = t - still->busy - still->steps;
        bool busy = t < still->busy || after >= 0;
        double value = busy ? 1e6 * exp(0.05 * sdw_rng_normal(&rng)) : still->value;
        if (after >= 0) {
            judge(&soon, after, value, &said[0]);
            judge(&later, after, value, &said[0]);
        }
        sdw_ensemble_learn(e, &plan, shared, &(struct sdw_ensemble_input){t, value, NULL});
        sdw_ensemble_forecast(e, &plan, said);
    }
    ok(soon.error / soon.n < 0.06 && later.error / later.n < 0.06,
       "%s: its median is near (%.3f, then %.3f)", still->name, soon.error / soon.n,
       later.error / later.n);
    ok(soon.covered / soon.n > 0.3 && later.covered / later.n > 0.85,
       "%s: the intervals come back (%.3f, then %.3f)", still->name, soon.covered / soon.n,
       later.covered / later.n);
    free(e);
    free(shared);
}

int main(void)
{
    static const struct still all[] = {
        {"ten idle minutes", 4000, 600, 0},
        {"an idle hour", 4000, 3600, 0},
        {"an idle night", 4000, 40000, 0},
        {"an hour at its usual value", 4000, 3600, 1e6},
        {"a first value too small to be a size", 0, 1, 1e-310},
    };
    for (size_t i = 0; i < SDW_LEN(all); i++)
        is_foreseen_again(&all[i]);
    return tap_done();
}
