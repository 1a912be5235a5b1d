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

void sdw_features(const struct sdw_sight *sight, const struct sdw_origin *origin, int ahead,
                  double *x)
{
    const struct sdw_history *h = sight->history;
    const struct sdw_history_plan *plan = &sight->plan->history;
    int64_t t = origin->index;
    double z = sdw_history_at(h, plan, t), before = sdw_history_at(h, plan, t - 1);
    double day = sdw_history_day(h, plan, t, t), week = sdw_history_week(h, plan, t, t);
    double profile = sdw_history_profile(h, plan, t);
    x[0] = 1;
    x[1] = or_zero(z - before);
    x[2] = or_zero(before - sdw_history_at(h, plan, t - 2));
    x[3] = sdw_history_mean(h, plan, t, 6) - z;
    x[4] = sdw_history_mean(h, plan, t, 24) - z;
    x[5] = (double)origin->slow - z;
    x[7] = sdw_history_profile(h, plan, t + ahead) - profile;
    x[9] = sdw_history_day(h, plan, t + ahead, t) - day;
    x[11] = sdw_history_week(h, plan, t + ahead, t) - week;
    x[6] = isnan(x[7]) ? 0 : profile - z;
    x[8] = isnan(x[9]) ? 0 : day - z;
    x[10] = isnan(x[11]) ? 0 : week - z;
    x[7] = or_zero(x[7]);
    x[9] = or_zero(x[9]);
    x[11] = or_zero(x[11]);
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

static void look(const struct sdw_sight *sight, const struct sdw_origin *origin, int ahead, int n,
                 double *x)
{
    sdw_features(sight, origin, ahead, x);
    for (int i = SDW_FEATURES; i < n; i++)
        x[i] = (double)origin->companion[i - SDW_FEATURES];
}

static void learn(float *state, const struct sdw_sight *sight, int anchor,
                  const struct sdw_origin *origin, double z, int n)
{
    double x[SDW_RLS_MAX];
    float *size = state + (size_t)anchor * stride(n), *rls = size + 1;
    look(sight, origin, sight->plan->anchor[anchor], n, x);
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
    double x[SDW_RLS_MAX];
    for (int a = 0; a < sight->plan->anchors; a++, state += stride(n)) {
        look(sight, origin, sight->plan->anchor[a], n, x);
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
