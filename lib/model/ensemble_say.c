#include "model/ensemble_state.h"

#include <math.h>

const double sdw_quantile_p[SDW_QUANTILES] = {0.025, 0.1, 0.5, 0.9, 0.975};

/* Where the forecast stands at one horizon. */
struct standing {
    const struct sdw_anchor *a, *b;
    double share, centre, scale;
};

static struct standing stand(const struct sdw_ensemble *e, const struct sdw_ensemble_plan *plan,
                             int i)
{
    struct sdw_span span = sdw_span_of(plan, plan->steps[i]);
    struct standing at = {.a = sdw_anchor_see(e, plan, span.a),
                          .b = sdw_anchor_see(e, plan, span.b),
                          .share = span.share,
                          .centre = sdw_ensemble_centre(e, plan, plan->steps[i])};
    at.scale = (double)at.a->scale + span.share * (double)(at.b->scale - at.a->scale);
    return at;
}

static double bounded(const struct sdw_history *h, double value)
{
    return fmax(sdw_history_floor(h), fmin(sdw_history_ceiling(h), value));
}

int64_t sdw_ensemble_values(const struct sdw_ensemble *e, const struct sdw_ensemble_plan *plan)
{
    return sdw_history_see(e, plan)->values;
}

bool sdw_ensemble_cold(const struct sdw_ensemble *e, const struct sdw_ensemble_plan *plan)
{
    return sdw_ensemble_values(e, plan) < SDW_ENSEMBLE_COLD;
}

double sdw_ensemble_quantile(const struct sdw_ensemble *e, const struct sdw_ensemble_plan *plan,
                             int i, double p)
{
    const struct sdw_history *h = sdw_history_see(e, plan);
    if (h->values == 0)
        return NAN;
    struct standing at = stand(e, plan, i);
    double u = sdw_tracker_quantile(&at.a->error, &at.b->error, at.share, p);
    return bounded(h, sdw_history_value(h, at.centre + at.scale * u));
}

struct sdw_prediction sdw_ensemble_forecast_at(const struct sdw_ensemble *e,
                                               const struct sdw_ensemble_plan *plan, int i)
{
    const struct sdw_history *h = sdw_history_see(e, plan);
    struct sdw_prediction out = {NAN, {NAN, NAN, NAN, NAN, NAN}};
    if (h->values == 0)
        return out;
    struct standing at = stand(e, plan, i);
    double floor = sdw_history_floor(h), ceiling = sdw_history_ceiling(h), *q = out.q;
    for (int j = 0; j < SDW_QUANTILES; j++) {
        double u = sdw_tracker_quantile(&at.a->error, &at.b->error, at.share, sdw_quantile_p[j]);
        q[j] = fmax(floor, fmin(ceiling, sdw_history_value(h, at.centre + at.scale * u)));
    }
    /* Swanson's rule: the mean from three quantiles. */
    out.mean = 0.3 * q[1] + 0.4 * q[2] + 0.3 * q[3];
    return out;
}

void sdw_ensemble_forecast(const struct sdw_ensemble *e, const struct sdw_ensemble_plan *plan,
                           struct sdw_prediction *out)
{
    for (int i = 0; i < plan->n; i++)
        out[i] = sdw_ensemble_forecast_at(e, plan, i);
}

double sdw_ensemble_surprise(const struct sdw_ensemble *e)
{
    return (double)e->surprise;
}

void sdw_ensemble_weights(const struct sdw_ensemble *e, const struct sdw_ensemble_plan *plan, int i,
                          double weight[SDW_EXPERTS])
{
    struct sdw_span span = sdw_span_of(plan, plan->steps[i]);
    double other[SDW_EXPERTS];
    sdw_anchor_weights(sdw_anchor_see(e, plan, span.a), plan, weight);
    sdw_anchor_weights(sdw_anchor_see(e, plan, span.b), plan, other);
    for (int k = 0; k < SDW_EXPERTS; k++)
        weight[k] += span.share * (other[k] - weight[k]);
}

double sdw_ensemble_season(const struct sdw_ensemble *e, const struct sdw_ensemble_plan *plan,
                           int ahead)
{
    const struct sdw_history *h = sdw_history_see(e, plan);
    if (h->values == 0)
        return NAN;
    double z = sdw_history_profile(h, &plan->history, h->index + ahead);
    return isnan(z) ? h->value : sdw_history_value(h, z);
}

double sdw_ensemble_window_quantile(const struct sdw_ensemble *e,
                                    const struct sdw_ensemble_plan *plan, int i, bool greatest,
                                    double p)
{
    const struct sdw_history *h = sdw_history_see(e, plan);
    if (h->values == 0)
        return NAN;
    struct standing at = stand(e, plan, i);
    double low = (double)(greatest ? at.a->greatest : at.a->least);
    double high = (double)(greatest ? at.b->greatest : at.b->least);
    double u = greatest ? sdw_tracker_quantile(&at.a->above, &at.b->above, at.share, p)
                        : sdw_tracker_quantile(&at.a->below, &at.b->below, at.share, p);
    double z = low + at.share * (high - low) + at.scale * u;
    return bounded(h, sdw_history_value(h, z));
}

double sdw_ensemble_window_beyond(const struct sdw_ensemble *e,
                                  const struct sdw_ensemble_plan *plan, int i, bool above,
                                  double limit)
{
    const struct sdw_history *h = sdw_history_see(e, plan);
    if (h->values == 0 || isnan(limit))
        return NAN;
    struct standing at = stand(e, plan, i);
    double low = (double)(above ? at.a->greatest : at.a->least);
    double high = (double)(above ? at.b->greatest : at.b->least);
    double u = (sdw_history_z(h, limit) - low - at.share * (high - low)) / at.scale;
    double below = above ? sdw_tracker_below(&at.a->above, &at.b->above, at.share, u)
                         : sdw_tracker_below(&at.a->below, &at.b->below, at.share, u);
    return above ? 1 - below : below;
}
