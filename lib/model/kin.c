#include "model/kin.h"
#include "core/mem.h"

#include <math.h>
#include <stdlib.h>

static const double coherent = 0.05; /* children add up to the parent within this share */
static const double memory = 50;     /* steps */
static const double least_pairs = 50;

struct sdw_kin *sdw_kin_new(size_t horizons, uint64_t born, void *owner)
{
    struct sdw_kin *kin = sdw_xalloc(sizeof *kin);
    kin->horizons = horizons;
    kin->owner = owner;
    kin->said = sdw_xalloc(SDW_KIN_SAID * horizons * sizeof *kin->said);
    kin->s.born = born;
    for (size_t i = 0; i < SDW_KIN_KEPT; i++)
        kin->s.value[i] = kin->s.surprise[i] = NAN;
    return kin;
}

static void unlink_child(struct sdw_kin *child)
{
    struct sdw_kin *parent = child->parent;
    if (!parent)
        return;
    size_t at = 0;
    while (parent->child[at] != child)
        at++;
    memmove(&parent->child[at], &parent->child[at + 1],
            (parent->children - at - 1) * sizeof(struct sdw_kin *));
    parent->children--;
    child->parent = NULL;
}

void sdw_kin_free(struct sdw_kin *kin)
{
    if (!kin)
        return;
    unlink_child(kin);
    for (size_t i = 0; i < kin->children; i++)
        kin->child[i]->parent = NULL;
    free(kin->child);
    free(kin->said);
    free(kin);
}

bool sdw_kin_link(struct sdw_kin *child, struct sdw_kin *parent)
{
    for (const struct sdw_kin *k = parent->parent; k; k = k->parent)
        if (k == child)
            return false;
    if (child == parent || child->horizons != parent->horizons)
        return false;
    unlink_child(child);
    SDW_GROW(parent->child, parent->cap, parent->children + 1);
    size_t at = parent->children++;
    for (; at > 0 && parent->child[at - 1]->s.born > child->s.born; at--)
        parent->child[at] = parent->child[at - 1];
    parent->child[at] = child;
    child->parent = parent;
    return true;
}

static size_t place(int64_t index)
{
    return (size_t)(((index % SDW_KIN_KEPT) + SDW_KIN_KEPT) % SDW_KIN_KEPT);
}

/* What a member had at a step; NAN when it is not kept. */
static double kept(const struct sdw_kin *kin, const double *values, int64_t index)
{
    if (kin->s.steps == 0 || index > kin->s.index || kin->s.index - index >= SDW_KIN_KEPT)
        return NAN;
    return values[place(index)];
}

/* Whether the children add up, judged a step late: by then all have come, whatever the order. */
static void check_sum(struct sdw_kin *kin, int64_t index)
{
    double sum = 0, value = kept(kin, kin->s.value, index);
    for (size_t i = 0; i < kin->children; i++) {
        double part = kept(kin->child[i], kin->child[i]->s.value, index);
        sum += isfinite(part) ? part : 0;
    }
    if (!isfinite(value))
        return;
    double share = fmin(1, fabs(value - sum) / (fabs(value) + 1e-12));
    kin->s.checks = fmin(memory, kin->s.checks + 1);
    kin->s.incoherence += (share - kin->s.incoherence) / kin->s.checks;
}

/* The surprises of a child with those of its parent, so late that leads and lags are there. */
static void learn_correlation(struct sdw_kin *child, int64_t index)
{
    const struct sdw_kin *parent = child->parent;
    int64_t at = index - SDW_KIN_LAGS;
    double y = kept(parent, parent->s.surprise, at);
    double x[2 * SDW_KIN_LAGS + 1];
    bool whole = isfinite(y);
    for (int lag = -SDW_KIN_LAGS; lag <= SDW_KIN_LAGS; lag++) {
        double surprise = kept(child, child->s.surprise, at - lag);
        x[lag + SDW_KIN_LAGS] = fmin(5, fmax(-5, surprise));
        whole = whole && isfinite(surprise);
    }
    if (!whole)
        return;
    y = fmin(5, fmax(-5, y));
    for (int k = 0; k <= 2 * SDW_KIN_LAGS; k++)
        child->s.xy[k] += x[k] * y;
    child->s.xx += x[SDW_KIN_LAGS] * x[SDW_KIN_LAGS];
    child->s.yy += y * y;
    child->s.n++;
}

void sdw_kin_step(struct sdw_kin *kin, int64_t index, double value, double surprise)
{
    struct sdw_kin_state *s = &kin->s;
    int64_t from = s->steps > 0 ? s->index + 1 : index;
    if (index < from)
        return;
    if (index - from >= SDW_KIN_KEPT)
        from = index - SDW_KIN_KEPT + 1;
    for (int64_t i = from; i <= index; i++)
        s->value[place(i)] = s->surprise[place(i)] = NAN;
    s->value[place(index)] = value;
    s->surprise[place(index)] = surprise;
    s->index = index;
    s->steps++;
    if (kin->children > 0)
        check_sum(kin, index - 1);
    for (size_t i = 0; i < kin->children; i++)
        learn_correlation(kin->child[i], index - 1);
}

bool sdw_kin_adds_up(const struct sdw_kin *kin)
{
    return kin->children > 0 && kin->s.checks >= memory / 2 && kin->s.incoherence < coherent;
}

struct sdw_kin *sdw_kin_root(struct sdw_kin *kin)
{
    while (kin->parent && sdw_kin_adds_up(kin->parent))
        kin = kin->parent;
    return kin;
}

static bool is_gone(const struct sdw_kin *kin, int64_t index)
{
    return index - kin->s.index >= SDW_KIN_KEPT;
}

bool sdw_kin_complete(const struct sdw_kin *root, int64_t index)
{
    if (root->s.index != index)
        return false;
    for (size_t i = 0; sdw_kin_adds_up(root) && i < root->children; i++)
        if (!is_gone(root->child[i], index) && !sdw_kin_complete(root->child[i], index))
            return false;
    return true;
}

/* The rows of said. */
static double *row(const struct sdw_kin *kin, size_t i)
{
    return kin->said + i * kin->horizons;
}

enum { MEAN, VARIANCE, WEIGHED_MEAN, WEIGHED_VARIANCE, MOVED };

void sdw_kin_say(struct sdw_kin *kin, const struct sdw_prediction *said)
{
    for (size_t h = 0; h < kin->horizons; h++) {
        double sd = (said[h].q[3] - said[h].q[1]) / 2.563;
        row(kin, MEAN)[h] = said[h].mean;
        row(kin, VARIANCE)[h] = sd * sd + 1e-12 * said[h].mean * said[h].mean;
        row(kin, MOVED)[h] = 0;
    }
}

/* Sum over the children of one row. */
static double sum_of(const struct sdw_kin *kin, size_t of, size_t h)
{
    double sum = 0;
    for (size_t i = 0; i < kin->children; i++)
        if (!is_gone(kin->child[i], kin->s.index))
            sum += row(kin->child[i], of)[h];
    return sum;
}

static void weigh(struct sdw_kin *kin)
{
    bool summed = sdw_kin_adds_up(kin);
    for (size_t i = 0; summed && i < kin->children; i++)
        weigh(kin->child[i]);
    for (size_t h = 0; h < kin->horizons; h++) {
        double mean = row(kin, MEAN)[h], variance = row(kin, VARIANCE)[h];
        if (summed) {
            double sum = sum_of(kin, WEIGHED_MEAN, h), of = sum_of(kin, WEIGHED_VARIANCE, h);
            double share = variance + of > 0 ? variance / (variance + of) : 0;
            mean += share * (sum - mean);
            variance *= 1 - share;
        }
        row(kin, WEIGHED_MEAN)[h] = mean;
        row(kin, WEIGHED_VARIANCE)[h] = variance;
    }
}

static void hand_down(struct sdw_kin *kin, size_t h, double mean)
{
    row(kin, MOVED)[h] = mean - row(kin, MEAN)[h];
    if (!sdw_kin_adds_up(kin))
        return;
    double lacks = mean - sum_of(kin, WEIGHED_MEAN, h);
    double total = sum_of(kin, WEIGHED_VARIANCE, h);
    for (size_t i = 0; i < kin->children; i++) {
        struct sdw_kin *child = kin->child[i];
        double share = total > 0 ? row(child, WEIGHED_VARIANCE)[h] / total : 0;
        if (!is_gone(child, kin->s.index))
            hand_down(child, h, row(child, WEIGHED_MEAN)[h] + share * lacks);
    }
}

void sdw_kin_reconcile(struct sdw_kin *root)
{
    weigh(root);
    for (size_t h = 0; h < root->horizons; h++)
        hand_down(root, h, row(root, WEIGHED_MEAN)[h]);
}

void sdw_kin_move(const struct sdw_kin *kin, struct sdw_prediction *said)
{
    for (size_t h = 0; h < kin->horizons; h++) {
        double by = row(kin, MOVED)[h];
        said[h].mean += by;
        for (size_t q = 0; q < SDW_QUANTILES; q++)
            said[h].q[q] += said[h].q[q] >= 0 ? fmax(by, -said[h].q[q]) : by;
    }
}

struct sdw_kin_correlation sdw_kin_correlate(const struct sdw_kin *child)
{
    struct sdw_kin_correlation out = {0, 0, 1, 0};
    const struct sdw_kin_state *s = &child->s;
    double scale = sqrt(s->xx * s->yy), n = (double)s->n;
    if (!child->parent || n < least_pairs || !(scale > 0))
        return out;
    for (int lag = -SDW_KIN_LAGS; lag <= SDW_KIN_LAGS; lag++) {
        double r = s->xy[lag + SDW_KIN_LAGS] / scale;
        if (fabs(r) <= fabs(out.r))
            continue;
        out.r = r;
        out.lag = lag;
    }
    double tests = (double)child->parent->children * (2 * SDW_KIN_LAGS + 1);
    out.p_value = fmin(1, tests * erfc(fabs(out.r) * sqrt(n) / M_SQRT2));
    out.n = s->n;
    return out;
}
