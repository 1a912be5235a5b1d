#include "model/expert.h"
#include "model/rls.h"

#include <math.h>

/* An autoregression of the distance from the profile of the day, at lags 1 to 4 and 6, carried
 * forward step by step: ARIMA with the seasons taken off beforehand, its coefficients followed by
 * recursive least squares. Without a profile the distance is that from the mean of a day. */
enum { LAGS = 5, WIDTH = 1 + LAGS, PAST = 6, FURTHEST = 512 };
static const int lag[LAGS] = {1, 2, 3, 4, 6};
static const double forget = 0.9995, spread = 10, most = 1e3, clip = 6;

struct autoregression {
    float n, size;
    float past[PAST]; /* distances, the newest first */
    float rls[SDW_RLS_FLOATS(WIDTH)];
};

static size_t floats(const struct sdw_ensemble_plan *plan)
{
    (void)plan;
    return sizeof(struct autoregression) / sizeof(float);
}

static void init(float *state, const struct sdw_ensemble_plan *plan)
{
    (void)plan;
    struct autoregression *r = (struct autoregression *)state;
    *r = (struct autoregression){0};
    sdw_rls_init(r->rls, WIDTH, NULL, spread);
}

static double reference(const struct sdw_sight *sight, int64_t index)
{
    double profile = sdw_history_profile(sight->history, &sight->plan->history, index);
    return isnan(profile) ? sight->history->slow : profile;
}

static void step(float *state, const struct sdw_sight *sight, double z)
{
    struct autoregression *r = (struct autoregression *)state;
    double now = z - reference(sight, sight->history->index + 1);
    if (r->n >= PAST) {
        double x[WIDTH] = {1};
        for (int i = 0; i < LAGS; i++)
            x[1 + i] = (double)r->past[lag[i] - 1];
        double error = now - sdw_rls_predict(r->rls, WIDTH, x);
        double limit = r->size > 0 ? clip * (double)r->size : fabs(error) + 1e-9;
        error = fmax(-limit, fmin(limit, error));
        sdw_rls_learn(r->rls, WIDTH, x, error, forget, most);
        r->size += (float)((r->size > 0 ? 0.02 : 1) * (fabs(error) + 1e-9 - (double)r->size));
    }
    memmove(r->past + 1, r->past, sizeof r->past - sizeof *r->past);
    r->past[0] = (float)now;
    if (r->n < 1000)
        r->n++;
}

static void predict(float *state, const struct sdw_sight *sight, const struct sdw_origin *origin,
                    double *z)
{
    const struct autoregression *r = (const struct autoregression *)state;
    const struct sdw_ensemble_plan *plan = sight->plan;
    double path[PAST + FURTHEST], bound = 20 * (double)r->size;
    if (r->n < 2 * PAST) {
        sdw_expert_naive.predict(NULL, sight, origin, z);
        return;
    }
    for (int i = 0; i < PAST; i++) {
        path[PAST - 1 - i] = (double)r->past[i];
        bound = fmax(bound, 2 * fabs(path[PAST - 1 - i]));
    }
    for (int h = 1, a = 0; h <= FURTHEST && a < plan->anchors; h++) {
        double x[WIDTH] = {1}, *now = path + PAST - 1 + h;
        for (int i = 0; i < LAGS; i++)
            x[1 + i] = now[-lag[i]];
        *now = fmax(-bound, fmin(bound, sdw_rls_predict(r->rls, WIDTH, x)));
        for (; a < plan->anchors && (plan->anchor[a] == h || h == FURTHEST); a++)
            z[a] = reference(sight, origin->index + plan->anchor[a]) + *now;
    }
}

const struct sdw_expert sdw_expert_autoregression = {
    .name = "autoregression", .floats = floats, .init = init, .step = step, .predict = predict};
