#include "model/expert.h"

#include <math.h>

/* Four of the family of exponential smoothing: three levels of different memory, and a level with
 * a damped trend (Gardner and McKenzie, 1985). Each says what it expects; the better it foresaw
 * the latest steps, the more it counts. */
enum { LEVELS = 4 };
static const struct {
    double level, trend;
} gains[LEVELS] = {{0.15, 0}, {0.4, 0}, {0.8, 0}, {0.5, 0.1}};
static const double damping = 0.9;
static const double memory = 70; /* steps that count */

/* Levels are kept as distances from the newest value, which a change of unit leaves alone. */
struct damped {
    float n, off[LEVELS], trend, loss[LEVELS];
};

static size_t floats(const struct sdw_ensemble_plan *plan)
{
    (void)plan;
    return sizeof(struct damped) / sizeof(float);
}

static void step(float *state, const struct sdw_sight *sight, double z)
{
    struct damped *d = (struct damped *)state;
    double change = z - sight->history->z;
    d->n = d->n < memory ? d->n + 1 : (float)memory;
    for (int i = 0; i < LEVELS; i++) {
        double trend = gains[i].trend > 0 ? damping * (double)d->trend : 0;
        double error = change - (double)d->off[i] - trend;
        d->off[i] = (float)(-error * (1 - gains[i].level));
        if (gains[i].trend > 0)
            d->trend = (float)(trend + gains[i].trend * gains[i].level * error);
        d->loss[i] += (float)(fabs(error) - (double)d->loss[i]) / d->n;
    }
}

static void predict(float *state, const struct sdw_sight *sight, const struct sdw_origin *origin,
                    double *z)
{
    (void)origin;
    const struct damped *d = (const struct damped *)state;
    double weight[LEVELS], sum = 0, level = 0;
    for (int i = 0; i < LEVELS; i++) {
        double inverse = 1 / ((double)d->loss[i] + 1e-9);
        double square = inverse * inverse;
        weight[i] = square * square;
        sum += weight[i];
        level += weight[i] * (double)d->off[i];
    }
    for (int a = 0; a < sight->plan->anchors; a++) {
        double reach = damping * (1 - pow(damping, sight->plan->anchor[a])) / (1 - damping);
        z[a] = sight->history->z + (level + weight[LEVELS - 1] * reach * (double)d->trend) / sum;
    }
}

const struct sdw_expert sdw_expert_damped = {
    .name = "damped", .floats = floats, .step = step, .predict = predict};
