#include "model/outlook.h"
#include "core/mem.h"

#include <math.h>
#include <stdlib.h>

static size_t rounded(size_t bytes)
{
    return (bytes + 7) & ~(size_t)7;
}

struct sdw_cohort *sdw_cohort_new(int64_t step_us, const int64_t *horizon_us, size_t n, int seasons,
                                  int companions, struct sdw_err *err)
{
    int64_t apart[SDW_STEPS_MAX];
    size_t m = 0;
    for (size_t i = 0; i < n && m < SDW_STEPS_MAX; i++) {
        int64_t steps = (horizon_us[i] + step_us - 1) / step_us;
        if (m == 0 || steps * step_us > apart[m - 1])
            apart[m++] = steps * step_us;
    }
    struct sdw_cohort *cohort = sdw_xalloc(sizeof *cohort);
    if (sdw_ensemble_plan(&cohort->plan, step_us, apart, m, seasons, companions, err) != 0) {
        free(cohort);
        return NULL;
    }
    cohort->shared = sdw_xalloc(cohort->plan.shared_bytes);
    sdw_ensemble_shared_init(cohort->shared, &cohort->plan);
    sdw_risk_shared_init(&cohort->risk);
    return cohort;
}

void sdw_cohort_free(struct sdw_cohort *cohort)
{
    if (cohort)
        free(cohort->shared);
    free(cohort);
}

int sdw_cohort_horizon(const struct sdw_cohort *cohort, int64_t horizon_us)
{
    int i = 0;
    while (i + 1 < cohort->plan.n && cohort->plan.steps[i] * cohort->plan.step_us < horizon_us)
        i++;
    return i;
}

size_t sdw_cohort_state_bytes(const struct sdw_cohort *cohort)
{
    return rounded(cohort->plan.bytes) + sdw_risk_bytes(&cohort->plan);
}

struct sdw_ensemble *sdw_outlook_ensemble(const struct sdw_outlook *outlook)
{
    return (struct sdw_ensemble *)(void *)outlook->state;
}

static struct sdw_risk *risk_of(const struct sdw_outlook *outlook)
{
    return (struct sdw_risk *)(void *)(outlook->state + rounded(outlook->cohort->plan.bytes));
}

void sdw_outlook_init(struct sdw_outlook *outlook, size_t horizons, int64_t step_us,
                      int64_t least_us, bool counter)
{
    size_t later = sdw_feedback_most(horizons);
    *outlook = (struct sdw_outlook){.value = NAN, .greatest = NAN};
    sdw_grid_init(&outlook->grid, step_us, least_us, counter);
    outlook->young = sdw_xalloc(later > sizeof *outlook->young ? later : sizeof *outlook->young);
    sdw_trend_init(&outlook->young->trend);
}

void sdw_outlook_release(struct sdw_outlook *outlook)
{
    free(outlook->young);
    free(outlook->feedback.kept);
    free(outlook->state);
    *outlook = (struct sdw_outlook){0};
}

static enum sdw_grid_use use_of(enum sdw_trend_use use)
{
    static const enum sdw_grid_use same[] = {
        [SDW_TREND_USED] = SDW_GRID_USED,
        [SDW_TREND_DUPLICATE] = SDW_GRID_DUPLICATE,
        [SDW_TREND_LATE] = SDW_GRID_LATE,
        [SDW_TREND_BAD] = SDW_GRID_BAD,
    };
    return same[use];
}

static void note(struct sdw_outlook *outlook, int64_t ts, double value)
{
    outlook->value = value;
    outlook->ts = ts;
    outlook->greatest = fmax(isnan(outlook->greatest) ? value : outlook->greatest, value);
}

enum sdw_grid_use sdw_outlook_take(struct sdw_outlook *outlook, int64_t ts, int64_t local_us,
                                   double value, struct sdw_grid_step step[SDW_GRID_WAIT],
                                   size_t *n)
{
    enum sdw_grid_use use =
        sdw_grid_take(&outlook->grid, outlook->young ? &outlook->young->wait : NULL, ts, local_us,
                      value, step, n);
    if (outlook->young && !outlook->grid.counts) {
        use = use_of(sdw_trend_learn(&outlook->young->trend, ts, value));
        if (use == SDW_GRID_USED)
            note(outlook, ts, value);
    }
    outlook->n += use == SDW_GRID_USED;
    return use;
}

void sdw_outlook_settle(struct sdw_outlook *outlook, struct sdw_cohort *cohort)
{
    outlook->cohort = cohort;
    outlook->state = sdw_xalloc(sdw_cohort_state_bytes(cohort));
    sdw_ensemble_init(sdw_outlook_ensemble(outlook), &cohort->plan);
    sdw_risk_init(risk_of(outlook), &cohort->plan);
}

static bool ready(const struct sdw_outlook *outlook)
{
    const struct sdw_ensemble *e = sdw_outlook_ensemble(outlook);
    return outlook->cohort->plan.day > 0
               ? !sdw_ensemble_cold(e, &outlook->cohort->plan)
               : sdw_ensemble_values(e, &outlook->cohort->plan) >= SDW_OUTLOOK_LONG;
}

void sdw_outlook_ripen(struct sdw_outlook *outlook)
{
    const struct sdw_ensemble_plan *plan = &outlook->cohort->plan;
    void *block = plan->day > 0 ? (void *)outlook->young : sdw_xalloc(sdw_feedback_bytes(plan));
    if (plan->day > 0)
        outlook->young = NULL;
    sdw_feedback_keep(&outlook->feedback, plan, block);
    outlook->mature = true;
}

void sdw_outlook_learn(struct sdw_outlook *outlook, const struct sdw_grid_step *step,
                       const double *companion, bool above)
{
    struct sdw_cohort *cohort = outlook->cohort;
    struct sdw_ensemble *e = sdw_outlook_ensemble(outlook);
    struct sdw_ensemble_input input = {step->index, step->value, companion};
    if (!sdw_ensemble_learn(e, &cohort->plan, cohort->shared, &input))
        return;
    sdw_feedback_came(&outlook->feedback, &cohort->plan, step->index, step->value);
    sdw_risk_learn(risk_of(outlook), &cohort->risk, e, &cohort->plan, step->value, above);
    if (outlook->grid.counts && outlook->young)
        sdw_trend_learn(&outlook->young->trend, step->ts, step->value);
    note(outlook, step->ts, step->value);
    outlook->step_index = step->index;
    if (!outlook->mature && ready(outlook))
        sdw_outlook_ripen(outlook);
}

bool sdw_outlook_mature(const struct sdw_outlook *outlook)
{
    return outlook->mature;
}

bool sdw_outlook_cold(const struct sdw_outlook *outlook)
{
    return outlook->young && sdw_trend_cold(&outlook->young->trend);
}

/* When the odds, which grow from `now` at once to p[i] at each horizon, reach `enough`. */
static double time_of(const struct sdw_breach_odds *odds, const int64_t *horizon_us, size_t n,
                      double enough)
{
    double p = odds->now;
    double ts = 0;
    if (p >= enough)
        return 0;
    for (size_t i = 0; i < n; i++) {
        double then = (double)horizon_us[i];
        if (odds->p[i] >= enough)
            return ts + (then - ts) * (enough - p) / (odds->p[i] - p);
        p = odds->p[i];
        ts = then;
    }
    return NAN;
}

void sdw_outlook_breach(const struct sdw_outlook *outlook, struct sdw_limit limit,
                        const struct sdw_prediction *said, const int64_t *horizon_us, size_t n,
                        struct sdw_breach_odds *odds)
{
    if (outlook->young) {
        sdw_breach_foresee(&outlook->young->trend, limit, horizon_us, n, odds);
        return;
    }
    const struct sdw_cohort *cohort = outlook->cohort;
    double p[SDW_STEPS_MAX];
    sdw_risk_odds(risk_of(outlook), &cohort->risk, sdw_outlook_ensemble(outlook), &cohort->plan,
                  said, limit.value, !limit.below, p);
    bool beyond = limit.below ? outlook->value < limit.value : outlook->value > limit.value;
    *odds = (struct sdw_breach_odds){.now = beyond};
    for (size_t i = 0; i < n; i++)
        odds->p[i] = p[sdw_cohort_horizon(cohort, horizon_us[i])];
    odds->eta_lo_us = time_of(odds, horizon_us, n, 0.1);
    odds->eta_mid_us = time_of(odds, horizon_us, n, 0.5);
    odds->eta_hi_us = time_of(odds, horizon_us, n, 0.9);
    odds->severity = sdw_breach_severity(odds, n);
}
