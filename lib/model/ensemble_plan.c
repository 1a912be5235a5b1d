#include "model/ensemble_state.h"

#include <math.h>

const struct sdw_expert *const sdw_experts[SDW_EXPERTS] = {
    &sdw_expert_naive,     &sdw_expert_damped,     &sdw_expert_profile,
    &sdw_expert_seasonal,  &sdw_expert_regression, &sdw_expert_autoregression,
    &sdw_expert_recurrent, &sdw_expert_companions,
};

enum {
    STEPS_FURTHEST = 4096,
    KEPT_MOST = 12,    /* origins that an anchor keeps waiting for their outcome */
    DAY_SHORT = 96,    /* steps: where a day has more, the rings take the room, and what comes */
    ANCHORS_SHORT = 4, /* step by step tells less that is new */
    KEPT_SHORT = 8,
};
static const int64_t day_us = INT64_C(86400000000), slot_us = INT64_C(900000000);

const char *sdw_expert_name(int i)
{
    return sdw_experts[i]->name;
}

/* The first step, the last, and in turn the horizon that is furthest, as a ratio, from those. */
static void choose_anchors(struct sdw_ensemble_plan *plan)
{
    int most = plan->day > DAY_SHORT ? ANCHORS_SHORT : SDW_ANCHORS_MAX;
    int last = plan->steps[plan->n - 1];
    plan->anchor[plan->anchors++] = 1;
    if (last > 1)
        plan->anchor[plan->anchors++] = last;
    while (plan->anchors < most) {
        int best = 0, at = 0;
        double room = 0;
        for (int i = 0; i < plan->n; i++) {
            int k = 0;
            while (plan->anchor[k] < plan->steps[i])
                k++;
            if (plan->anchor[k] == plan->steps[i])
                continue;
            double low = (double)plan->steps[i] / plan->anchor[k - 1];
            double high = (double)plan->anchor[k] / plan->steps[i];
            if (fmin(low, high) > room * 1.000001) {
                room = fmin(low, high);
                best = plan->steps[i];
                at = k;
            }
        }
        if (best == 0)
            break;
        memmove(plan->anchor + at + 1, plan->anchor + at,
                (size_t)(plan->anchors - at) * sizeof *plan->anchor);
        plan->anchor[at] = best;
        plan->anchors++;
    }
    int kept = plan->day > DAY_SHORT ? KEPT_SHORT : KEPT_MOST;
    for (int a = 0; a < plan->anchors; a++) {
        plan->stride[a] = 1;
        while (plan->anchor[a] > plan->stride[a] * kept)
            plan->stride[a] *= 2;
        plan->kept[a] = (plan->anchor[a] + plan->stride[a] - 1) / plan->stride[a];
        plan->kept_before[a] = a > 0 ? plan->kept_before[a - 1] + plan->kept[a - 1] : 0;
    }
}

static size_t up(size_t bytes)
{
    return (bytes + 7) / 8 * 8;
}

static void lay_out(struct sdw_ensemble_plan *plan)
{
    int last = plan->anchors - 1;
    size_t at = up(sizeof(struct sdw_ensemble) +
                   (size_t)plan->companions * sizeof(((struct sdw_ensemble *)0)->companion[0]));
    plan->at_anchors = at;
    plan->anchor_bytes =
        sizeof(struct sdw_anchor) + SDW_RLS_FLOATS((size_t)plan->experts) * sizeof(float);
    at += up((size_t)plan->anchors * plan->anchor_bytes);
    plan->at_waiting = at;
    plan->waiting_bytes = sdw_waiting_bytes(plan);
    at += up((size_t)(plan->kept_before[last] + plan->kept[last]) * plan->waiting_bytes);
    plan->at_history = at;
    at += sdw_history_bytes(&plan->history);
    size_t pooled = up(2 * SDW_ANCHORS_MAX * sizeof(float));
    for (int i = 0; i < plan->experts; i++) {
        const struct sdw_expert *expert = sdw_experts[i];
        plan->at_expert[i] = at;
        at += expert->floats ? up(expert->floats(plan) * sizeof(float)) : 0;
        plan->pooled_expert[i] = pooled;
        pooled += expert->pooled_bytes ? up(expert->pooled_bytes(plan)) : 0;
    }
    plan->bytes = at;
    plan->shared_bytes = pooled;
}

static int read_horizons(struct sdw_ensemble_plan *plan, const int64_t *horizon_us, size_t n,
                         struct sdw_err *err)
{
    for (size_t i = 0; i < n; i++) {
        int64_t steps = horizon_us[i] / plan->step_us + (horizon_us[i] % plan->step_us > 0);
        if (horizon_us[i] <= 0 || steps > STEPS_FURTHEST)
            return sdw_err_set(
                err, SDW_EUSAGE, "a horizon of %.6g s is not 1 to %d steps of %.6g s",
                (double)horizon_us[i] / 1e6, STEPS_FURTHEST, (double)plan->step_us / 1e6);
        if (i > 0 && steps <= plan->steps[i - 1])
            return sdw_err_set(err, SDW_EUSAGE,
                               "a horizon of %.6g s is no more steps of %.6g s than the one before",
                               (double)horizon_us[i] / 1e6, (double)plan->step_us / 1e6);
        plan->steps[plan->n++] = (int)steps;
    }
    return 0;
}

int sdw_ensemble_plan(struct sdw_ensemble_plan *plan, int64_t step_us, const int64_t *horizon_us,
                      size_t n, int seasons, int companions, struct sdw_err *err)
{
    *plan = (struct sdw_ensemble_plan){.step_us = step_us, .companions = companions};
    plan->experts = companions > 0 ? SDW_EXPERTS : SDW_EXPERTS - 1;
    if (step_us < 1000 || step_us > day_us)
        return sdw_err_set(err, SDW_EUSAGE, "a step of %.6g s is not 1 ms to a day",
                           (double)step_us / 1e6);
    if (n < 1 || n > SDW_STEPS_MAX)
        return sdw_err_set(err, SDW_EUSAGE, "give 1 to %d horizons, not %zu", SDW_STEPS_MAX, n);
    if (companions < 0 || companions > SDW_COMPANIONS_MAX)
        return sdw_err_set(err, SDW_EUSAGE, "a series has at most %d companions, not %d",
                           SDW_COMPANIONS_MAX, companions);
    int rc = read_horizons(plan, horizon_us, n, err);
    if (rc != 0)
        return rc;
    bool whole = day_us % step_us == 0 && day_us / step_us <= STEPS_FURTHEST;
    if ((seasons & SDW_SEASON_DAY) && whole && step_us < day_us)
        plan->day = (int)(day_us / step_us);
    if ((seasons & SDW_SEASON_WEEK) && plan->day > 0)
        plan->week = 7 * plan->day;
    int slot = (int)(slot_us / step_us);
    choose_anchors(plan);
    plan->history = sdw_history_plan(plan->day, plan->week, slot > 0 ? slot : 1,
                                     plan->anchor[plan->anchors - 1]);
    lay_out(plan);
    return 0;
}
