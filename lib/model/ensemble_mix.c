#include "model/ensemble_state.h"

#include <math.h>

static const double stack_from = 100; /* outcomes until the stack has a say */
static const double fast_share = 0.35, hour_share = 0.3, dispute_share = 0.1, wide = 1.4;
static const double changed = 0.8; /* errors of late beyond this, as a logarithm, count in full */
static const double log_scale_least = -2.5, log_scale_most = 2;
static const double bend_gain = 0.01;
enum { NAIVE_UNTIL = 50, PATH_MOST = 64 };

struct sdw_span sdw_span_of(const struct sdw_ensemble_plan *plan, int steps)
{
    int b = 0;
    while (b < plan->anchors - 1 && plan->anchor[b] < steps)
        b++;
    if (plan->anchor[b] <= steps)
        return (struct sdw_span){b, b, 0};
    double share = (double)(steps - plan->anchor[b - 1]) / (plan->anchor[b] - plan->anchor[b - 1]);
    return (struct sdw_span){b - 1, b, share};
}

/* The ratio of two losses to the eighth power: how much more the one behind `loss` counts. */
static double eighth(double other, double loss)
{
    double ratio = (other + 1e-12) / (loss + 1e-12);
    double square = ratio * ratio;
    return square * square * square * square;
}

/* Weights go with the loss to the minus twelfth. */
static double merit(double least, double loss)
{
    return eighth(least, loss) * sqrt(eighth(least, loss));
}

static bool has_say(const struct sdw_ensemble_plan *plan, int expert)
{
    return expert < plan->experts && !(plan->without >> expert & 1);
}

void sdw_anchor_weights(const struct sdw_anchor *anchor, const struct sdw_ensemble_plan *plan,
                        double *weight)
{
    double least = INFINITY, sum = 0;
    int first = -1;
    for (int i = SDW_EXPERTS - 1; i >= 0; i--)
        if (has_say(plan, i)) {
            least = fmin(least, (double)anchor->loss[i]);
            first = i;
        }
    for (int i = 0; i < SDW_EXPERTS; i++) {
        weight[i] = !has_say(plan, i)         ? 0
                    : anchor->n < NAIVE_UNTIL ? i == first
                                              : merit(least, (double)anchor->loss[i]);
        sum += weight[i];
    }
    for (int i = 0; i < SDW_EXPERTS; i++)
        weight[i] /= sum > 0 ? sum : 1;
}

/* How far the experts are from their mixture: what the stack looks at. */
void sdw_anchor_disputes(const struct sdw_ensemble_plan *plan, const float *expert, double mixed,
                         double *x)
{
    for (int i = 0; i < plan->experts; i++)
        x[i] = has_say(plan, i) ? (double)expert[i] - mixed : 0;
}

static double log_scale(const struct sdw_ensemble *e, const struct sdw_ensemble_plan *plan,
                        const struct sdw_anchor *anchor, int64_t target, double dispute)
{
    double usual = log((double)anchor->slow);
    double hour = (double)e->hour[sdw_history_hour(&plan->history, target)];
    double late = log((double)anchor->fast) - usual;
    double off = fast_share * late + (1 - fast_share) * fmax(0, late - changed) +
                 hour_share * hour +
                 dispute_share * (log(dispute + 0.02 * (double)anchor->slow) - usual);
    return usual + fmax(log_scale_least, fmin(log_scale_most, off));
}

/* One anchor's forecast from what the experts say. */
void sdw_anchor_settle(struct sdw_ensemble *e, const struct sdw_ensemble_plan *plan, int a,
                       struct sdw_pending *pending, double least, double most)
{
    const struct sdw_history *h = sdw_history_of(e, plan);
    struct sdw_anchor *anchor = sdw_anchor_of(e, plan, a);
    double weight[SDW_EXPERTS], x[SDW_EXPERTS], mixed = 0, dispute = 0;
    sdw_anchor_weights(anchor, plan, weight);
    for (int i = 0; i < plan->experts; i++)
        mixed += weight[i] * (double)pending->expert[i];
    for (int i = 0; i < plan->experts; i++)
        dispute += weight[i] * fabs((double)pending->expert[i] - mixed);
    sdw_anchor_disputes(plan, pending->expert, mixed, x);
    double stacked = mixed;
    if (anchor->n > stack_from)
        stacked += sdw_rls_predict(anchor->stack, plan->experts, x);
    stacked = fmax(least, fmin(most, stacked));
    double distrust = eighth((double)anchor->stacked_loss, (double)anchor->mixed_loss);
    double centre = mixed + (stacked - mixed) / (1 + distrust);
    pending->mixed = (float)mixed;
    pending->stacked = (float)stacked;
    pending->centre = anchor->centre = (float)centre;
    double gap = sqrt(1 + (double)h->gap);
    anchor->scale =
        (float)(wide * gap * exp(log_scale(e, plan, anchor, h->index + plan->anchor[a], dispute)));
    pending->scale = h->gap > 0 ? 0 : anchor->scale;
}

/* How far the profile at `steps` is from the line through it at the two anchors. 0: not known. */
static double bend_of(const struct sdw_history *h, const struct sdw_ensemble_plan *plan,
                      struct sdw_span span, int steps)
{
    double at = sdw_history_profile(h, &plan->history, h->index + steps);
    double from = sdw_history_profile(h, &plan->history, h->index + plan->anchor[span.a]);
    double to = sdw_history_profile(h, &plan->history, h->index + plan->anchor[span.b]);
    double bend = at - from - span.share * (to - from);
    return isnan(bend) ? 0 : bend;
}

double sdw_ensemble_centre(const struct sdw_ensemble *e, const struct sdw_ensemble_plan *plan,
                           int steps)
{
    struct sdw_span span = sdw_span_of(plan, steps);
    double low = (double)sdw_anchor_see(e, plan, span.a)->centre;
    double high = (double)sdw_anchor_see(e, plan, span.b)->centre;
    double line = low + span.share * (high - low);
    if (span.share <= 0 || plan->day == 0)
        return line;
    return line + (double)e->bend * bend_of(sdw_history_see(e, plan), plan, span, steps);
}

/* Whether the profile's bends are real: the forecast of an anchor in the middle, against what the
 * ones around it would have made of it with and without them. */
static void learn_bend(struct sdw_ensemble *e, const struct sdw_ensemble_plan *plan)
{
    int middle = plan->anchors / 2;
    if (plan->anchors < 3 || plan->day == 0)
        return;
    int from = plan->anchor[middle - 1], to = plan->anchor[middle + 1];
    struct sdw_span span = {middle - 1, middle + 1,
                            (double)(plan->anchor[middle] - from) / (to - from)};
    double low = (double)sdw_anchor_of(e, plan, span.a)->centre;
    double high = (double)sdw_anchor_of(e, plan, span.b)->centre;
    double off = (double)sdw_anchor_of(e, plan, middle)->centre - low - span.share * (high - low);
    double bend = bend_of(sdw_history_of(e, plan), plan, span, plan->anchor[middle]);
    e->straight += (float)(bend_gain * (fabs(off) - (double)e->straight));
    e->bent += (float)(bend_gain * (fabs(off - bend) - (double)e->bent));
    e->bend = (float)(1 / (1 + sqrt(eighth((double)e->bent, (double)e->straight))));
}

/* The extremes of the path of centres up to each anchor. */
static void foresee_windows(struct sdw_ensemble *e, const struct sdw_ensemble_plan *plan)
{
    int last = plan->anchor[plan->anchors - 1], by = (last + PATH_MOST - 1) / PATH_MOST;
    double most = -INFINITY, least = INFINITY;
    for (int a = 0, step = 1; a < plan->anchors; a++) {
        struct sdw_anchor *anchor = sdw_anchor_of(e, plan, a);
        for (; step < plan->anchor[a]; step += by) {
            double centre = sdw_ensemble_centre(e, plan, step);
            most = fmax(most, centre);
            least = fmin(least, centre);
        }
        most = fmax(most, (double)anchor->centre);
        least = fmin(least, (double)anchor->centre);
        anchor->greatest = (float)most;
        anchor->least = (float)least;
    }
}

void sdw_ensemble_join(struct sdw_ensemble *e, const struct sdw_ensemble_plan *plan)
{
    learn_bend(e, plan);
    foresee_windows(e, plan);
}
