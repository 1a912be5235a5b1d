#include "model/ensemble.h"
#include "model/ensemble_state.h"

#include <math.h>

static const double loss_memory = 70, mixed_memory = 200; /* outcomes */
static const double value_share = 0.7; /* how far a loss counts in the series' unit, not in z */
static const double stack_forget = 0.999, stack_spread = 0.1, stack_most = 1e3, stack_clip = 3;
static const double fast_memory = 20;
static const double slow_least = 168, slow_most = 300; /* of what errors usually are: a day */
static const double size_most = 4;     /* usual sizes: what a larger error counts as */
static const double size_small = 0.02; /* what counts in full */
static const double size_guess = 0.1, size_least = 1e-9;
static const double pool_gain = 0.001;
enum {
    KNOWN = 50, /* outcomes after which a series tells others what errors are usual */
    GUESS_WORTH = 3,
    HOUR_MEMORY = 100, /* outcomes */
    HELD = 3,          /* steps of a gap that are foreseen like any other */
};

/* What all series of a kind share: the usual size of errors per anchor, then the experts' part. */
struct sdw_ensemble_shared {
    float size[SDW_ANCHORS_MAX], n[SDW_ANCHORS_MAX];
};

void sdw_ensemble_shared_init(struct sdw_ensemble_shared *shared,
                              const struct sdw_ensemble_plan *plan)
{
    memset(shared, 0, plan->shared_bytes);
    for (int i = 0; i < plan->experts; i++)
        if (sdw_experts[i]->pooled_init)
            sdw_experts[i]->pooled_init((char *)shared + plan->pooled_expert[i], plan);
}

static float *expert_state(struct sdw_ensemble *e, const struct sdw_ensemble_plan *plan, int i)
{
    return (float *)(void *)((char *)e + plan->at_expert[i]);
}

static void forget_pending(struct sdw_ensemble *e, const struct sdw_ensemble_plan *plan)
{
    memset((char *)e + plan->at_waiting, 0, plan->at_history - plan->at_waiting);
}

void sdw_ensemble_init(struct sdw_ensemble *e, const struct sdw_ensemble_plan *plan)
{
    memset(e, 0, plan->bytes);
    e->surprise = NAN;
    sdw_history_init(sdw_history_of(e, plan), &plan->history);
    for (int a = 0; a < plan->anchors; a++) {
        struct sdw_anchor *anchor = sdw_anchor_of(e, plan, a);
        sdw_rls_init(anchor->stack, plan->experts, NULL, stack_spread);
        sdw_tracker_init(&anchor->error);
        sdw_tracker_init(&anchor->above);
        sdw_tracker_init(&anchor->below);
    }
    for (int i = 0; i < plan->experts; i++)
        if (sdw_experts[i]->init)
            sdw_experts[i]->init(expert_state(e, plan, i), plan);
}

static void track_loss(float *loss, double now, double n)
{
    *loss += (float)((now - (double)*loss) / n);
}

/* The steps of a day, but a week of hours at least: errors become smaller as a series becomes
 * known, and longer memory keeps its intervals wide. */
static double slow_memory(const struct sdw_ensemble_plan *plan)
{
    return plan->day > 0 ? fmin(slow_most, fmax(slow_least, plan->day)) : slow_most;
}

static void learn_size(struct sdw_anchor *anchor, const struct sdw_ensemble_plan *plan,
                       double error)
{
    double n = (double)anchor->n + GUESS_WORTH;
    double size = fabs(error);
    if (anchor->n > GUESS_WORTH)
        size = fmin(size, fmax(size_small, size_most * (double)anchor->slow));
    anchor->fast += (float)((size - (double)anchor->fast) / fmin(fast_memory, n));
    anchor->slow += (float)((size - (double)anchor->slow) / fmin(slow_memory(plan), n));
    anchor->fast = fmaxf(anchor->fast, (float)size_least);
    anchor->slow = fmaxf(anchor->slow, (float)size_least);
}

/* Errors at the furthest anchor tell how uncertain each part of the day is. */
static void learn_hour(struct sdw_ensemble *e, const struct sdw_ensemble_plan *plan, int64_t index,
                       const struct sdw_anchor *anchor, double error, double scale)
{
    int hour = sdw_history_hour(&plan->history, index);
    double size = log(fmax(fabs(error), 0.05 * scale)) - log((double)anchor->slow);
    if (e->hour_n[hour] < HOUR_MEMORY)
        e->hour_n[hour]++;
    e->hour[hour] += (float)(size - (double)e->hour[hour]) / (float)e->hour_n[hour];
}

/* The extremes of what came in the window that ends at `index` with z. */
static void learn_window(struct sdw_anchor *anchor, const struct sdw_history *h,
                         const struct sdw_ensemble_plan *plan, const struct sdw_pending *pending,
                         int steps, double z)
{
    double most = z, least = z, scale = (double)pending->scale;
    for (int64_t i = h->index; i > h->index + 1 - steps; i--) {
        double seen = sdw_history_at(h, &plan->history, i);
        most = fmax(most, seen);
        least = fmin(least, seen);
    }
    sdw_tracker_learn(&anchor->above, (most - (double)pending->greatest) / scale);
    sdw_tracker_learn(&anchor->below, (least - (double)pending->least) / scale);
}

static void learn_losses(struct sdw_anchor *anchor, const struct sdw_ensemble_plan *plan,
                         const struct sdw_pending *pending, double z, double weight)
{
    double x[SDW_EXPERTS], n = (double)anchor->n + 1;
    for (int i = 0; i < plan->experts; i++)
        track_loss(&anchor->loss[i], weight * fabs(z - (double)pending->expert[i]),
                   fmin(loss_memory, n));
    track_loss(&anchor->mixed_loss, weight * fabs(z - (double)pending->mixed),
               fmin(mixed_memory, n));
    track_loss(&anchor->stacked_loss, weight * fabs(z - (double)pending->stacked),
               fmin(mixed_memory, n));
    sdw_anchor_disputes(plan, pending->expert, (double)pending->mixed, x);
    double error = z - (double)pending->mixed - sdw_rls_predict(anchor->stack, plan->experts, x);
    double limit = stack_clip * (double)anchor->slow;
    sdw_rls_learn(anchor->stack, plan->experts, x, fmax(-limit, fmin(limit, error)), stack_forget,
                  stack_most);
}

static struct sdw_sight sight_of(struct sdw_ensemble *e, const struct sdw_ensemble_plan *plan,
                                 double *size)
{
    for (int a = 0; a < plan->anchors; a++) {
        const struct sdw_anchor *anchor = sdw_anchor_of(e, plan, a);
        size[a] = anchor->n > 2 * GUESS_WORTH ? (double)anchor->slow : 0;
    }
    return (struct sdw_sight){.plan = plan, .history = sdw_history_of(e, plan), .size = size};
}

static void *pooled_of(struct sdw_ensemble_shared *shared, const struct sdw_ensemble_plan *plan,
                       int expert)
{
    return (char *)shared + plan->pooled_expert[expert];
}

/* The outcome of what was forecast for this step at one anchor. */
static void learn_anchor(struct sdw_ensemble *e, const struct sdw_ensemble_plan *plan,
                         struct sdw_ensemble_shared *shared, struct sdw_sight *sight, int a,
                         double z, double weight)
{
    int64_t index = sight->history->index + 1 - plan->anchor[a];
    struct sdw_waiting *waiting = sdw_waiting_of(e, plan, a, index);
    struct sdw_anchor *anchor = sdw_anchor_of(e, plan, a);
    struct sdw_pending pending;
    if (index % plan->stride[a] != 0 || !(waiting->scale > 0))
        return;
    sdw_waiting_get(waiting, plan, &pending);
    waiting->scale = 0;
    struct sdw_origin origin = {index, pending.slow, pending.deviation, {0}};
    memcpy(origin.companion, pending.companion, sizeof origin.companion);
    for (int i = 0; i < plan->experts; i++) {
        sight->pooled = pooled_of(shared, plan, i);
        if (sdw_experts[i]->outcome)
            sdw_experts[i]->outcome(expert_state(e, plan, i), sight, a, &origin, z);
    }
    double error = z - (double)pending.centre, scale = (double)pending.scale;
    learn_losses(anchor, plan, &pending, z, weight);
    sdw_tracker_learn(&anchor->error, error / scale);
    learn_window(anchor, sight->history, plan, &pending, plan->anchor[a], z);
    if (a == plan->anchors - 1)
        learn_hour(e, plan, sight->history->index + 1, anchor, error, scale);
    learn_size(anchor, plan, error);
    if (anchor->n < slow_most)
        anchor->n++;
    else
        shared->size[a] += (float)pool_gain * (anchor->slow - shared->size[a]);
    if (anchor->n == KNOWN)
        shared->size[a] += (anchor->slow - shared->size[a]) / ++shared->n[a];
}

/* The value against the forecast of the step before. */
static void judge(struct sdw_ensemble *e, const struct sdw_ensemble_plan *plan, double z)
{
    const struct sdw_anchor *anchor = sdw_anchor_of(e, plan, 0);
    double middle = sdw_tracker_quantile(&anchor->error, &anchor->error, 0, 0.5);
    e->surprise = (float)((z - (double)anchor->centre) / (double)anchor->scale - middle);
}

static void learn_outcomes(struct sdw_ensemble *e, const struct sdw_ensemble_plan *plan,
                           struct sdw_ensemble_shared *shared, double value)
{
    double size[SDW_ANCHORS_MAX];
    struct sdw_sight sight = sight_of(e, plan, size);
    const struct sdw_history *h = sight.history;
    double z = sdw_history_z(h, value), usual = sdw_history_z(h, h->size);
    double weight = pow(cosh(z) / cosh(usual), value_share);
    weight = fmax(1e-3, fmin(1e3, weight));
    if (!sdw_ensemble_cold(e, plan))
        judge(e, plan, z);
    for (int a = 0; a < plan->anchors; a++)
        learn_anchor(e, plan, shared, &sight, a, z, weight);
    for (int i = 0; i < plan->experts; i++)
        if (sdw_experts[i]->step)
            sdw_experts[i]->step(expert_state(e, plan, i), &sight, z);
    double distance = z - sdw_history_profile(h, &plan->history, h->index + 1);
    e->deviation += (float)(0.5 * ((isnan(distance) ? 0 : distance) - (double)e->deviation));
}

/* Companions, each against its own usual size: where it stands, and how it moved. */
static void see_companions(struct sdw_ensemble *e, const struct sdw_ensemble_plan *plan,
                           const double *companion, float *out)
{
    for (int i = 0; i < plan->companions; i++) {
        double value = companion ? companion[i] : NAN;
        if (!isfinite(value) || fabs(value) > 1e30)
            continue;
        float *size = &e->companion[i].size, *last = &e->companion[i].last;
        bool first = !(*size > 0);
        *size += (float)(fabs(value) - (double)*size) * (first ? 1 : 0.01F);
        double unit = 0.4 * (double)*size + 1e-30;
        double now = asinh(value / unit), was = first ? now : asinh((double)*last / unit);
        *last = (float)value;
        out[2 * i] = (float)(now - asinh(1 / 0.4));
        out[2 * i + 1] = (float)(now - was);
    }
}

static void foresee(struct sdw_ensemble *e, const struct sdw_ensemble_plan *plan,
                    struct sdw_ensemble_shared *shared, const struct sdw_origin *origin)
{
    double size[SDW_ANCHORS_MAX], z[SDW_ANCHORS_MAX];
    struct sdw_sight sight = sight_of(e, plan, size);
    const struct sdw_history *h = sight.history;
    double least = sdw_history_z(h, sdw_history_floor(h));
    double most = sdw_history_z(h, sdw_history_ceiling(h));
    const int anchors = plan->anchors;
    struct sdw_pending pending[SDW_ANCHORS_MAX];
    for (int a = 0; a < anchors; a++) {
        pending[a].slow = origin->slow;
        pending[a].deviation = origin->deviation;
        memcpy(pending[a].companion, origin->companion, sizeof pending[a].companion);
    }
    for (int i = 0; i < plan->experts; i++) {
        sight.pooled = pooled_of(shared, plan, i);
        sdw_experts[i]->predict(expert_state(e, plan, i), &sight, origin, z);
        for (int a = 0; a < anchors; a++)
            pending[a].expert[i] = (float)fmax(least, fmin(most, isnan(z[a]) ? h->z : z[a]));
    }
    for (int a = 0; a < anchors; a++)
        sdw_anchor_settle(e, plan, a, &pending[a], least, most);
    sdw_ensemble_join(e, plan);
    for (int a = 0; a < anchors; a++) {
        pending[a].greatest = sdw_anchor_of(e, plan, a)->greatest;
        pending[a].least = sdw_anchor_of(e, plan, a)->least;
        if (origin->index % plan->stride[a] == 0)
            sdw_waiting_put(sdw_waiting_of(e, plan, a, origin->index), plan, &pending[a]);
    }
}

/* A new series starts with the errors that others like it have. */
static void start(struct sdw_ensemble *e, const struct sdw_ensemble_plan *plan,
                  const struct sdw_ensemble_shared *shared)
{
    for (int a = 0; a < plan->anchors; a++) {
        struct sdw_anchor *anchor = sdw_anchor_of(e, plan, a);
        anchor->slow =
            shared->n[a] > 0 ? shared->size[a] : (float)(size_guess * sqrt(plan->anchor[a]));
        anchor->fast = anchor->slow;
    }
}

static void take(struct sdw_ensemble *e, const struct sdw_ensemble_plan *plan,
                 struct sdw_ensemble_shared *shared, int64_t index, double value,
                 const double *companion)
{
    struct sdw_history *h = sdw_history_of(e, plan);
    struct sdw_origin origin = {.index = index};
    bool known = isfinite(value);
    e->surprise = NAN;
    if (known && h->values == 0)
        start(e, plan, shared);
    else if (known)
        learn_outcomes(e, plan, shared, value);
    sdw_history_push(h, &plan->history, index, value);
    if (h->values == 0)
        return;
    if (h->rebased)
        forget_pending(e, plan);
    see_companions(e, plan, companion, origin.companion);
    origin.slow = (float)h->slow;
    origin.deviation = e->deviation;
    foresee(e, plan, shared, &origin);
}

/* A step inside a long gap: of what would be foreseen there nothing is ever learned or told. */
static void pass(struct sdw_ensemble *e, const struct sdw_ensemble_plan *plan, int64_t index)
{
    sdw_history_push(sdw_history_of(e, plan), &plan->history, index, NAN);
    for (int a = 0; a < plan->anchors; a++)
        if (index % plan->stride[a] == 0)
            sdw_waiting_of(e, plan, a, index)->scale = 0;
}

bool sdw_ensemble_learn(struct sdw_ensemble *e, const struct sdw_ensemble_plan *plan,
                        struct sdw_ensemble_shared *shared, const struct sdw_ensemble_input *input)
{
    const struct sdw_history *h = sdw_history_of(e, plan);
    if (h->values > 0) {
        if (input->index <= h->index)
            return false;
        int64_t from = h->index + 1;
        int64_t most = plan->history.ring + plan->week + plan->day;
        if (input->index - from > most) {
            from = input->index - most;
            forget_pending(e, plan);
        }
        for (int64_t i = from; i < input->index; i++) {
            if (i >= from + HELD && i + 1 < input->index)
                pass(e, plan, i);
            else
                take(e, plan, shared, i, NAN, NULL);
        }
    }
    take(e, plan, shared, input->index, input->value, input->companion);
    return true;
}
