#include "model/expert.h"

#include <math.h>

/* The same time a day or a week before, as it was or shifted by how far the latest steps are from
 * theirs: of those four what was best of late at the anchor. After a shift of the level it is the
 * one that keeps the shape of the day. */
enum { DAY, DAY_SHIFTED, WEEK, WEEK_SHIFTED, WAYS };
enum { LATEST = 3 };
static const double memory = 70; /* outcomes */

struct seasonal {
    float n, loss[WAYS];
};

static size_t floats(const struct sdw_ensemble_plan *plan)
{
    return (size_t)plan->anchors * sizeof(struct seasonal) / sizeof(float);
}

/* How far the latest steps are from those a season before. NAN: not known. */
static double shift(const struct sdw_sight *sight, int64_t now,
                    double (*season)(const struct sdw_history *, const struct sdw_history_plan *,
                                     int64_t, int64_t))
{
    const struct sdw_history *h = sight->history;
    double sum = 0;
    for (int64_t i = now - LATEST + 1; i <= now; i++)
        sum +=
            sdw_history_at(h, &sight->plan->history, i) - season(h, &sight->plan->history, i, now);
    return sum / LATEST;
}

/* off[2]: the shifts of the day and of the week. */
static void look(const struct sdw_sight *sight, int64_t now, double *off)
{
    off[0] = shift(sight, now, sdw_history_day);
    off[1] = shift(sight, now, sdw_history_week);
}

static void ways(const struct sdw_sight *sight, int64_t now, int ahead, const double *off,
                 double *z)
{
    const struct sdw_history *h = sight->history;
    z[DAY] = sdw_history_day(h, &sight->plan->history, now + ahead, now);
    z[WEEK] = sdw_history_week(h, &sight->plan->history, now + ahead, now);
    z[DAY_SHIFTED] = z[DAY] + off[0];
    z[WEEK_SHIFTED] = z[WEEK] + off[1];
}

static void outcome(float *state, const struct sdw_sight *sight, int anchor,
                    const struct sdw_origin *origin, double z)
{
    struct seasonal *s = (struct seasonal *)(void *)state + anchor;
    double said[WAYS], off[2];
    look(sight, origin->index, off);
    ways(sight, origin->index, sight->plan->anchor[anchor], off, said);
    s->n = (float)fmin(memory, (double)s->n + 1);
    for (int i = 0; i < WAYS; i++)
        if (!isnan(said[i]))
            s->loss[i] += (float)((fabs(z - said[i]) - (double)s->loss[i]) / (double)s->n);
}

static void predict(float *state, const struct sdw_sight *sight, const struct sdw_origin *origin,
                    double *z)
{
    const struct seasonal *s = (const struct seasonal *)(void *)state;
    double said[WAYS], off[2];
    look(sight, origin->index, off);
    for (int a = 0; a < sight->plan->anchors; a++) {
        double least = INFINITY;
        z[a] = sight->history->z;
        ways(sight, origin->index, sight->plan->anchor[a], off, said);
        for (int i = 0; i < WAYS; i++)
            if (!isnan(said[i]) && (double)s[a].loss[i] < least) {
                least = (double)s[a].loss[i];
                z[a] = said[i];
            }
    }
}

const struct sdw_expert sdw_expert_seasonal = {
    .name = "seasonal", .floats = floats, .outcome = outcome, .predict = predict};
