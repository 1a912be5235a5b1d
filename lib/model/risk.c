#include "model/risk.h"

#include <math.h>
#include <stdlib.h>

enum {
    LIMITS = 5,  /* quantiles of the past that are followed */
    AT_ONCE = 2, /* of them taken as limits of a case */
    SLOTS = 2,   /* cases that wait for their outcome, for each anchor */
    BEFORE = 3,  /* steps: what the slope is measured over */
    WARM = 144,  /* values until the past has quantiles */
    FINE = 2048, /* features are within 16 */
    POINTS = 12, /* times at which the season is looked at */
};

static const double limit_p[LIMITS] = {0.92, 0.96, 0.98, 0.99, 0.995};

/* A case that waits: its limits, what was known, and whether they have been crossed. */
struct waiting {
    float limit[AT_ONCE];
    int16_t x[AT_ONCE][SDW_ODDS_FEATURES]; /* features, in units of 1/FINE */
    int16_t left;                          /* steps until its window is over; 0: none waits */
    bool crossed[AT_ONCE], above;
};

/* Followed by struct waiting [plan->anchors][SLOTS]. */
struct sdw_risk {
    int64_t n;
    double limit[2][LIMITS]; /* of the low and the high side */
    double change;           /* size of one step's change */
    double past[BEFORE + 1]; /* the newest first */
};

static struct waiting *waiting_of(struct sdw_risk *risk)
{
    return (struct waiting *)(void *)(risk + 1);
}

size_t sdw_risk_bytes(const struct sdw_ensemble_plan *plan)
{
    size_t bytes = sizeof(struct sdw_risk) + (size_t)plan->anchors * SLOTS * sizeof(struct waiting);
    return (bytes + 7) & ~(size_t)7;
}

void sdw_risk_init(struct sdw_risk *risk, const struct sdw_ensemble_plan *plan)
{
    memset(risk, 0, sdw_risk_bytes(plan));
}

void sdw_risk_shared_init(struct sdw_risk_shared *shared)
{
    for (size_t side = 0; side < 2; side++)
        for (size_t i = 0; i < SDW_ANCHORS_MAX; i++)
            sdw_odds_init(&shared->odds[side][i]);
}

/* Horizon that is the anchor, or the nearest below. */
static int horizon_of(const struct sdw_ensemble_plan *plan, int steps)
{
    int i = plan->n - 1;
    while (i > 0 && plan->steps[i] > steps)
        i--;
    return i;
}

static int anchor_of(const struct sdw_ensemble_plan *plan, int steps)
{
    int best = 0;
    for (int a = 1; a < plan->anchors; a++)
        if (abs(plan->anchor[a] - steps) < abs(plan->anchor[best] - steps))
            best = a;
    return best;
}

/* The extreme of the season's profile up to each of POINTS times, evenly spread to the longest
 * horizon. */
struct season {
    int steps[POINTS];
    double extreme[POINTS];
};

static struct season season_of(const struct sdw_ensemble *e, const struct sdw_ensemble_plan *plan,
                               bool above)
{
    struct season season;
    int longest = plan->steps[plan->n - 1];
    double extreme = above ? -INFINITY : INFINITY;
    for (int k = 0; k < POINTS; k++) {
        season.steps[k] = (longest * (k + 1) + POINTS - 1) / POINTS;
        if (k == 0 || season.steps[k] != season.steps[k - 1]) {
            double then = sdw_ensemble_season(e, plan, season.steps[k]);
            extreme = above ? fmax(extreme, then) : fmin(extreme, then);
        }
        season.extreme[k] = extreme;
    }
    return season;
}

/* What is known of a window, whatever the limit. spread: of the forecast at its end. */
static struct sdw_odds_case view(const struct sdw_risk *risk, const struct sdw_ensemble *e,
                                 const struct sdw_ensemble_plan *plan, int i,
                                 const struct season *season, double spread, bool above)
{
    int k = POINTS - 1;
    while (k > 0 && season->steps[k] > plan->steps[i])
        k--;
    return (struct sdw_odds_case){
        .above = above,
        .value = risk->past[0],
        .before = risk->past[risk->n > BEFORE ? BEFORE : 0],
        .forecast = sdw_ensemble_window_quantile(e, plan, i, above, 0.5),
        .season = season->extreme[k],
        .spread = spread,
        .spread_now = risk->change * 1.2533,
    };
}

static void set_limit(struct sdw_odds_case *c, const struct sdw_ensemble *e,
                      const struct sdw_ensemble_plan *plan, int i, double limit)
{
    c->limit = limit;
    c->p = sdw_ensemble_window_beyond(e, plan, i, c->above, limit);
}

static bool is_beyond(double value, double limit, bool above)
{
    return above ? value > limit : value < limit;
}

/* Follow the quantiles of the past (Robbins and Monro, 1951), and the size of a change. */
static void learn_past(struct sdw_risk *risk, double value)
{
    if (risk->n > 0) {
        double gain = risk->n < 100 ? 1.0 / (double)risk->n : 0.01;
        risk->change += gain * (fabs(value - risk->past[0]) - risk->change);
    }
    for (size_t k = BEFORE; k > 0; k--)
        risk->past[k] = risk->past[k - 1];
    risk->past[0] = value;
    if (risk->n == 0)
        for (size_t k = 0; k < LIMITS; k++)
            risk->limit[0][k] = risk->limit[1][k] = value;
    double gain = fmax(0.02, 8 / (1 + (double)risk->n / 20));
    for (size_t k = 0; k < LIMITS; k++) {
        double step = gain * (risk->change + 1e-12), p = limit_p[k];
        risk->limit[1][k] += step * (value > risk->limit[1][k] ? p : p - 1);
        risk->limit[0][k] += step * (value < risk->limit[0][k] ? -p : 1 - p);
    }
    risk->n++;
}

static void keep_case(struct waiting *w, size_t k, const struct sdw_odds_case *c, bool usable)
{
    float x[SDW_ODDS_FEATURES];
    sdw_odds_features(c, x);
    w->limit[k] = usable ? (float)c->limit : NAN;
    for (size_t i = 0; i < SDW_ODDS_FEATURES; i++)
        w->x[k][i] = (int16_t)lrintf(x[i] * FINE);
}

static void learn_case(struct sdw_odds *odds, const struct waiting *w, size_t k)
{
    float x[SDW_ODDS_FEATURES];
    for (size_t i = 0; i < SDW_ODDS_FEATURES; i++)
        x[i] = (float)w->x[k][i] / FINE;
    sdw_odds_learn(odds, x, w->crossed[k]);
}

static void learn_outcomes(struct sdw_risk *risk, struct sdw_risk_shared *shared,
                           const struct sdw_ensemble_plan *plan, double value)
{
    for (int a = 0; a < plan->anchors; a++)
        for (size_t s = 0; s < SLOTS; s++) {
            struct waiting *w = &waiting_of(risk)[a * SLOTS + (int)s];
            if (w->left == 0)
                continue;
            w->left--;
            for (size_t k = 0; k < AT_ONCE; k++) {
                w->crossed[k] = w->crossed[k] || is_beyond(value, (double)w->limit[k], w->above);
                if (w->left == 0 && isfinite(w->limit[k]))
                    learn_case(&shared->odds[w->above][a], w, k);
            }
        }
}

static struct waiting *free_slot_of(struct sdw_risk *risk, int anchor)
{
    for (int s = 0; s < SLOTS; s++)
        if (waiting_of(risk)[anchor * SLOTS + s].left == 0)
            return &waiting_of(risk)[anchor * SLOTS + s];
    return NULL;
}

/* Set a case aside for each anchor whose turn it is. A limit that is crossed already is no case:
 * the next lower quantile will not do either. */
static void set_aside(struct sdw_risk *risk, const struct sdw_ensemble *e,
                      const struct sdw_ensemble_plan *plan, bool above)
{
    struct season season = {.steps = {0}};
    for (int a = 0; a < plan->anchors; a++) {
        int steps = plan->anchor[a], apart = (steps + SLOTS - 1) / SLOTS;
        struct waiting *slot = free_slot_of(risk, a);
        if (risk->n % apart != 0 || !slot)
            continue;
        if (season.steps[0] == 0)
            season = season_of(e, plan, above);
        int i = horizon_of(plan, steps);
        double spread =
            sdw_ensemble_quantile(e, plan, i, 0.9) - sdw_ensemble_quantile(e, plan, i, 0.1);
        struct sdw_odds_case c = view(risk, e, plan, i, &season, spread / 2.563, above);
        *slot = (struct waiting){.left = (int16_t)steps, .above = above};
        for (size_t k = 0; k < AT_ONCE; k++) {
            size_t which = (size_t)(risk->n / apart + (int64_t)k * 3) % LIMITS;
            set_limit(&c, e, plan, i, risk->limit[above][which]);
            keep_case(slot, k, &c, !is_beyond(c.value, c.limit, above));
        }
    }
}

void sdw_risk_learn(struct sdw_risk *risk, struct sdw_risk_shared *shared,
                    const struct sdw_ensemble *e, const struct sdw_ensemble_plan *plan,
                    double value, bool above)
{
    if (!isfinite(value))
        return;
    learn_outcomes(risk, shared, plan, value);
    learn_past(risk, value);
    if (risk->n >= WARM && !sdw_ensemble_cold(e, plan))
        set_aside(risk, e, plan, above);
}

void sdw_risk_odds(const struct sdw_risk *risk, const struct sdw_risk_shared *shared,
                   const struct sdw_ensemble *e, const struct sdw_ensemble_plan *plan,
                   const struct sdw_prediction *said, double limit, bool above, double *p)
{
    struct season season = season_of(e, plan, above);
    double least = is_beyond(risk->past[0], limit, above) ? 1 : 0;
    for (int i = 0; i < plan->n; i++) {
        float x[SDW_ODDS_FEATURES];
        double spread = (said[i].q[3] - said[i].q[1]) / 2.563;
        struct sdw_odds_case c = view(risk, e, plan, i, &season, spread, above);
        set_limit(&c, e, plan, i, limit);
        sdw_odds_features(&c, x);
        least = fmax(least, sdw_odds_of(&shared->odds[above][anchor_of(plan, plan->steps[i])], x));
        p[i] = least;
    }
}
