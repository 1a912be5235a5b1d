#include "model/expert.h"
#include "model/smoothing.h"

#include <math.h>

/* Three levels of different memory and a level with a damped trend: the better each foresaw the
 * latest steps, the more it counts. */
enum { MODELS = 4 };
static const struct sdw_smoothing_gain gains[MODELS] = {
    {0.15, 0, 1}, {0.4, 0, 1}, {0.8, 0, 1}, {0.5, 0.05, 0.9}};
static const double memory = 70; /* steps that count */

struct damped {
    struct sdw_smoothing model[MODELS];
    float loss[MODELS], n;
};

static size_t floats(const struct sdw_ensemble_plan *plan)
{
    (void)plan;
    return (sizeof(struct damped) + sizeof(float) - 1) / sizeof(float);
}

static void step(float *state, const struct sdw_sight *sight, double z)
{
    struct damped *d = (struct damped *)(void *)state;
    d->n = (float)fmin(memory, (double)d->n + 1);
    for (int i = 0; i < MODELS; i++) {
        double error = sdw_smoothing_step(&d->model[i], &gains[i], z - sight->history->z);
        d->loss[i] += (float)((fabs(error) - (double)d->loss[i]) / (double)d->n);
    }
}

static void predict(float *state, const struct sdw_sight *sight, const struct sdw_origin *origin,
                    double *z)
{
    (void)origin;
    const struct damped *d = (const struct damped *)(void *)state;
    double weight[MODELS], sum = 0;
    for (int i = 0; i < MODELS; i++) {
        double inverse = 1 / ((double)d->loss[i] + 1e-9);
        weight[i] = inverse * inverse * inverse * inverse;
        sum += weight[i];
    }
    for (int a = 0; a < sight->plan->anchors; a++) {
        z[a] = sight->history->z;
        for (int i = 0; i < MODELS; i++)
            z[a] += weight[i] / sum *
                    sdw_smoothing_ahead(&d->model[i], &gains[i], sight->plan->anchor[a]);
    }
}

const struct sdw_expert sdw_expert_damped = {
    .name = "damped", .floats = floats, .step = step, .predict = predict};
