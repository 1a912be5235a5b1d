#include "model/ensemble.h"

#include <math.h>

const double sdw_quantile_p[SDW_QUANTILES] = {0.025, 0.1, 0.5, 0.9, 0.975};
const char *const sdw_expert_name[SDW_EXPERTS] = {
    "naive", "damped", "profile", "regression", "companions", "autoregression", "recurrent",
};

struct sdw_ensemble {
    int64_t index, values;
    double last, spread; /* newest value, size of its one-step changes */
    double lo, hi;
    struct sdw_surprise surprise;
};

struct sdw_ensemble_shared {
    double spread;
};

int sdw_ensemble_plan(struct sdw_ensemble_plan *plan, int64_t step_us, const int64_t *horizon_us,
                      size_t n, int seasons, int companions, struct sdw_err *err)
{
    *plan = (struct sdw_ensemble_plan){.step_us = step_us, .companions = companions};
    if (n < 1 || n > SDW_STEPS_MAX)
        return sdw_err_set(err, SDW_EUSAGE, "give 1 to %d horizons, not %zu", SDW_STEPS_MAX, n);
    for (size_t i = 0; i < n; i++) {
        plan->steps[plan->n++] = (int)((horizon_us[i] + step_us - 1) / step_us);
        if (i > 0 && plan->steps[i] <= plan->steps[i - 1])
            return sdw_err_set(err, SDW_EUSAGE, "two horizons are the same number of steps");
    }
    int64_t day = INT64_C(86400000000);
    if ((seasons & SDW_SEASON_DAY) && day % step_us == 0 && day / step_us <= 4096)
        plan->day = (int)(day / step_us);
    if ((seasons & SDW_SEASON_WEEK) && plan->day > 0)
        plan->week = 7 * plan->day;
    plan->anchors = 1;
    plan->anchor[0] = plan->steps[n - 1];
    plan->bytes = sizeof(struct sdw_ensemble);
    plan->shared_bytes = sizeof(struct sdw_ensemble_shared);
    return 0;
}

void sdw_ensemble_init(struct sdw_ensemble *e, const struct sdw_ensemble_plan *plan)
{
    memset(e, 0, plan->bytes);
    e->last = e->lo = e->hi = NAN;
}

void sdw_ensemble_shared_init(struct sdw_ensemble_shared *shared,
                              const struct sdw_ensemble_plan *plan)
{
    memset(shared, 0, plan->shared_bytes);
}

bool sdw_ensemble_learn(struct sdw_ensemble *e, const struct sdw_ensemble_plan *plan,
                        struct sdw_ensemble_shared *shared, const struct sdw_ensemble_input *input)
{
    (void)plan;
    if (e->values > 0 && input->index <= e->index)
        return false;
    e->surprise = (struct sdw_surprise){NAN, NAN, NAN, NAN};
    e->index = input->index;
    if (!isfinite(input->value))
        return true;
    if (e->values > 0) {
        double change = fabs(input->value - e->last);
        e->surprise = (struct sdw_surprise){(input->value - e->last) / (e->spread + 1e-9), e->last,
                                            e->last - 2 * e->spread, e->last + 2 * e->spread};
        e->spread += (change - e->spread) / (e->values < 50 ? (double)e->values : 50);
        shared->spread += 0.01 * (e->spread - shared->spread);
    }
    e->lo = fmin(isnan(e->lo) ? input->value : e->lo, input->value);
    e->hi = fmax(isnan(e->hi) ? input->value : e->hi, input->value);
    e->last = input->value;
    e->values++;
    return true;
}

int64_t sdw_ensemble_values(const struct sdw_ensemble *e)
{
    return e->values;
}

bool sdw_ensemble_cold(const struct sdw_ensemble *e)
{
    return e->values < SDW_ENSEMBLE_COLD;
}

/* Quantile of the normal distribution, to 5e-4 (Abramowitz and Stegun 26.2.23). */
static double normal(double p)
{
    double t = sqrt(-2 * log(p < 0.5 ? p : 1 - p));
    double z = t - (2.515517 + t * (0.802853 + t * 0.010328)) /
                       (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
    return p < 0.5 ? -z : z;
}

double sdw_ensemble_quantile(const struct sdw_ensemble *e, const struct sdw_ensemble_plan *plan,
                             int i, double p)
{
    return e->last + normal(p) * 1.25 * e->spread * sqrt(plan->steps[i]);
}

void sdw_ensemble_forecast(const struct sdw_ensemble *e, const struct sdw_ensemble_plan *plan,
                           struct sdw_prediction *out)
{
    for (int i = 0; i < plan->n; i++) {
        out[i].mean = e->last;
        for (int j = 0; j < SDW_QUANTILES; j++)
            out[i].q[j] = sdw_ensemble_quantile(e, plan, i, sdw_quantile_p[j]);
    }
}

struct sdw_surprise sdw_ensemble_surprise(const struct sdw_ensemble *e)
{
    return e->surprise;
}

void sdw_ensemble_weights(const struct sdw_ensemble *e, const struct sdw_ensemble_plan *plan, int i,
                          double weight[SDW_EXPERTS])
{
    (void)e, (void)plan, (void)i;
    for (int k = 0; k < SDW_EXPERTS; k++)
        weight[k] = k == 0;
}

double sdw_ensemble_season(const struct sdw_ensemble *e, const struct sdw_ensemble_plan *plan,
                           int ahead)
{
    (void)plan, (void)ahead;
    return e->last;
}

double sdw_ensemble_window_quantile(const struct sdw_ensemble *e,
                                    const struct sdw_ensemble_plan *plan, int i, bool greatest,
                                    double p)
{
    double q = sdw_ensemble_quantile(e, plan, i, p);
    return greatest ? fmax(q, e->last) : fmin(q, e->last);
}

double sdw_ensemble_window_beyond(const struct sdw_ensemble *e,
                                  const struct sdw_ensemble_plan *plan, int i, bool above,
                                  double limit)
{
    double distance = (limit - e->last) / (1.25 * e->spread * sqrt(plan->steps[i]) + 1e-9);
    return 0.5 * erfc((above ? distance : -distance) / M_SQRT2);
}
