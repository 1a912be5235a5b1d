#include "model/expert.h"
#include "model/rls.h"

#include <math.h>

/* One regression an anchor, of the change until then on what is known now: its innovations are
 * clipped, so that no outlier decides. The second expert adds what came with the values. */
static const double forget = 0.9998, spread = 10, most = 1e3;
static const double clip = 6; /* usual sizes of an innovation */
static const double size_gain = 0.02;

static double or_zero(double a)
{
    return isnan(a) ? 0 : a;
}

void sdw_features(const struct sdw_sight *sight, const struct sdw_origin *origin, double *x)
{
    const struct sdw_history *h = sight->history;
    const struct sdw_history_plan *plan = &sight->plan->history;
    int64_t t = origin->index;
    double z = sdw_history_at(h, plan, t), before = sdw_history_at(h, plan, t - 1);
    x[0] = 1;
    x[1] = or_zero(z - before);
    x[2] = or_zero(before - sdw_history_at(h, plan, t - 2));
    x[3] = sdw_history_mean(h, plan, t, 6) - z;
    x[4] = sdw_history_mean(h, plan, t, 24) - z;
    x[5] = (double)origin->slow - z;
    x[6] = sdw_history_profile(h, plan, t) - z;
    x[8] = sdw_history_day(h, plan, t, t) - z;
    x[10] = sdw_history_week(h, plan, t, t) - z;
}

/* How far something known is from z, and by how much it will have changed; 0 where one of the two
 * is not known. */
static void put_change(double distance, double then, double z, double *x)
{
    bool both = !isnan(distance) && !isnan(then);
    x[0] = both ? distance : 0;
    x[1] = both ? then - (distance + z) : 0;
}

void sdw_features_ahead(const struct sdw_sight *sight, const struct sdw_origin *origin,
                        const double *now, int ahead, double *x)
{
    const struct sdw_history *h = sight->history;
    const struct sdw_history_plan *plan = &sight->plan->history;
    int64_t t = origin->index;
    double z = sdw_history_at(h, plan, t);
    memcpy(x, now, 6 * sizeof *x);
    put_change(now[6], sdw_history_profile(h, plan, t + ahead), z, x + 6);
    put_change(now[8], sdw_history_day(h, plan, t + ahead, t), z, x + 8);
    put_change(now[10], sdw_history_week(h, plan, t + ahead, t), z, x + 10);
}

static int width(const struct sdw_ensemble_plan *plan, bool companions)
{
    return SDW_FEATURES + (companions ? 2 * plan->companions : 0);
}

/* Of one anchor: the size of its innovations, then the regression. */
static size_t stride(int n)
{
    return 1 + SDW_RLS_FLOATS((size_t)n);
}

static size_t floats(const struct sdw_ensemble_plan *plan)
{
    return (size_t)plan->anchors * stride(width(plan, false));
}

static size_t floats_companions(const struct sdw_ensemble_plan *plan)
{
    return plan->companions > 0 ? (size_t)plan->anchors * stride(width(plan, true)) : 0;
}

static void init_width(float *state, const struct sdw_ensemble_plan *plan, int n)
{
    for (int a = 0; a < plan->anchors; a++, state += stride(n)) {
        state[0] = 0;
        sdw_rls_init(state + 1, n, NULL, spread);
    }
}

static void init(float *state, const struct sdw_ensemble_plan *plan)
{
    init_width(state, plan, width(plan, false));
}

static void init_companions(float *state, const struct sdw_ensemble_plan *plan)
{
    if (plan->companions > 0)
        init_width(state, plan, width(plan, true));
}

/* x[n] from what sdw_features knew at the origin. */
static void look(const struct sdw_sight *sight, const struct sdw_origin *origin, const double *now,
                 int ahead, int n, double *x)
{
    sdw_features_ahead(sight, origin, now, ahead, x);
    for (int i = SDW_FEATURES; i < n; i++)
        x[i] = (double)origin->companion[i - SDW_FEATURES];
}

static void learn(float *state, const struct sdw_sight *sight, int anchor,
                  const struct sdw_origin *origin, double z, int n)
{
    double now[SDW_FEATURES], x[SDW_RLS_MAX];
    float *size = state + (size_t)anchor * stride(n), *rls = size + 1;
    sdw_features(sight, origin, now);
    look(sight, origin, now, sight->plan->anchor[anchor], n, x);
    double start = sdw_history_at(sight->history, &sight->plan->history, origin->index);
    double error = z - start - sdw_rls_predict(rls, n, x);
    double limit = *size > 0 ? clip * (double)*size : fabs(error) + 1e-9;
    error = fmax(-limit, fmin(limit, error));
    sdw_rls_learn(rls, n, x, error, forget, most);
    *size += (float)((*size > 0 ? size_gain : 1) * (fabs(error) + 1e-9 - (double)*size));
}

static void outcome(float *state, const struct sdw_sight *sight, int anchor,
                    const struct sdw_origin *origin, double z)
{
    learn(state, sight, anchor, origin, z, width(sight->plan, false));
}

static void outcome_companions(float *state, const struct sdw_sight *sight, int anchor,
                               const struct sdw_origin *origin, double z)
{
    if (sight->plan->companions > 0)
        learn(state, sight, anchor, origin, z, width(sight->plan, true));
}

static void expect(const float *state, const struct sdw_sight *sight,
                   const struct sdw_origin *origin, double *z, int n)
{
    double now[SDW_FEATURES], x[SDW_RLS_MAX];
    sdw_features(sight, origin, now);
    for (int a = 0; a < sight->plan->anchors; a++, state += stride(n)) {
        look(sight, origin, now, sight->plan->anchor[a], n, x);
        z[a] = sight->history->z + sdw_rls_predict(state + 1, n, x);
    }
}

static void predict(float *state, const struct sdw_sight *sight, const struct sdw_origin *origin,
                    double *z)
{
    expect(state, sight, origin, z, width(sight->plan, false));
}

static void predict_companions(float *state, const struct sdw_sight *sight,
                               const struct sdw_origin *origin, double *z)
{
    if (sight->plan->companions > 0)
        expect(state, sight, origin, z, width(sight->plan, true));
    else
        sdw_expert_naive.predict(NULL, sight, origin, z);
}

const struct sdw_expert sdw_expert_regression = {
    .name = "regression", .floats = floats, .init = init, .outcome = outcome, .predict = predict};

const struct sdw_expert sdw_expert_companions = {.name = "companions",
                                                 .floats = floats_companions,
                                                 .init = init_companions,
                                                 .outcome = outcome_companions,
                                                 .predict = predict_companions};
