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
    for (const struct sdw_kin *k = parent; k; k = k->parent)
        if (k == child)
            return false;
    if (child->horizons != parent->horizons)
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

/* Move a forecast; what could not be negative stays so. */
static void shift(struct sdw_prediction *said, double by)
{
    double least = said->q[0] >= 0 ? 0 : -INFINITY;
    said->mean = fmax(least, said->mean + by);
    for (size_t q = 0; q < SDW_QUANTILES; q++)
        said->q[q] = fmax(least, said->q[q] + by);
}

static bool adds_up(const struct sdw_kin *kin)
{
    return kin->children > 0 && kin->s.checks >= memory / 2 && kin->s.incoherence < coherent;
}

/* The means a member said at a step, followed by the variances; NULL when they are not kept. */
static double *said_at(const struct sdw_kin *kin, int64_t index)
{
    size_t side = (size_t)(index & 1);
    return kin->s.said_at[side] == index ? kin->said + 2 * side * kin->horizons : NULL;
}

/* What parent and children differed by at a step, and the variances of all. False when the parent
 * said nothing then. */
static bool find_gap(struct sdw_kin *parent, int64_t index)
{
    size_t n = parent->horizons;
    double *gap = parent->said + 4 * n, *total = gap + n;
    const double *own = said_at(parent, index);
    if (parent->s.gap_at == index)
        return true;
    if (!own || !adds_up(parent))
        return false;
    memcpy(gap, own, 2 * n * sizeof *gap);
    for (size_t i = 0; i < parent->children; i++) {
        const double *part = said_at(parent->child[i], index);
        for (size_t h = 0; part && h < n; h++) {
            gap[h] -= part[h];
            total[h] += part[n + h];
        }
    }
    parent->s.gap_at = index;
    return true;
}

/* A member's share of the gap of a family at the step before. */
static double share_of(const struct sdw_kin *family, double variance, size_t h)
{
    const double *gap = family->said + 4 * family->horizons, *total = gap + family->horizons;
    return total[h] > 0 ? gap[h] * variance / total[h] : 0;
}

void sdw_kin_reconcile(struct sdw_kin *kin, struct sdw_prediction *said)
{
    size_t n = kin->horizons, side = (size_t)(kin->s.index & 1);
    int64_t before = kin->s.index - 1;
    bool as_parent = find_gap(kin, before), as_child = kin->parent && find_gap(kin->parent, before);
    double *mean = kin->said + 2 * side * n, *variance = mean + n;
    kin->s.said_at[side] = kin->s.index;
    for (size_t h = 0; h < n; h++) {
        double sd = (said[h].q[3] - said[h].q[1]) / 2.563;
        mean[h] = said[h].mean;
        variance[h] = sd * sd;
        shift(&said[h], (as_child ? share_of(kin->parent, variance[h], h) : 0) -
                            (as_parent ? share_of(kin, variance[h], h) : 0));
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
