#include "model/expert.h"

#include <math.h>

/* The profile of the day, and the share of today's distance from it that is left after each
 * anchor: the regression of the distance then on the distance now, for each anchor its sum of
 * products and of squares. */
static const double keep = 0.999;

static size_t floats(const struct sdw_ensemble_plan *plan)
{
    return 2 * (size_t)plan->anchors;
}

static void outcome(float *state, const struct sdw_sight *sight, int anchor,
                    const struct sdw_origin *origin, double z)
{
    const struct sdw_history *h = sight->history;
    int64_t index = origin->index + sight->plan->anchor[anchor];
    double distance = z - sdw_history_profile(h, &sight->plan->history, index);
    if (isnan(distance))
        return;
    double now = (double)origin->deviation;
    float *sum = state + 2 * anchor;
    sum[0] = (float)(keep * (double)sum[0] + now * distance);
    sum[1] = (float)(keep * (double)sum[1] + now * now);
}

static void predict(float *state, const struct sdw_sight *sight, const struct sdw_origin *origin,
                    double *z)
{
    const struct sdw_ensemble_plan *plan = sight->plan;
    for (int a = 0; a < plan->anchors; a++, state += 2) {
        int64_t index = origin->index + plan->anchor[a];
        double profile = sdw_history_profile(sight->history, &plan->history, index);
        double left = (double)state[0] / ((double)state[1] + 1e-12);
        z[a] = isnan(profile) ? sight->history->z
                              : profile + fmax(-0.2, fmin(1, left)) * (double)origin->deviation;
    }
}

const struct sdw_expert sdw_expert_profile = {
    .name = "profile", .floats = floats, .outcome = outcome, .predict = predict};
