#include "model/expert.h"
#include "model/gru.h"

#include <math.h>

/* A gated recurrent unit whose weights are shared by all series: it learns in each what is common
 * to them. It sees differences only, in units of the usual error at the furthest anchor, so that
 * the size of a series does not matter. From time to time a few steps of a series are set aside,
 * and learned from when what they were to foresee has come. There is room for a few of those: the
 * series take turns. */
static const double input_most = 8;
enum { WINDOWS = 4 };

/* The steps of one series that are set aside. */
struct window {
    int64_t begin;               /* index of the first; the last, once all are there */
    uint32_t turn;               /* whose it is; 0: nobody's */
    int32_t filled;              /* steps in it */
    int32_t due;                 /* steps until it is learned from */
    float size, z;               /* unit and value at its end */
    float before[SDW_GRU_UNITS]; /* the state when it began */
    float x[SDW_GRU_WINDOW][SDW_GRU_INPUTS];
    float target[SDW_GRU_OUTPUTS];
};

struct pool {
    float weights[SDW_GRU_FLOATS];
    uint32_t turns;   /* given so far */
    uint32_t refused; /* 1: a series found no window since the last turn was given */
    struct window window[WINDOWS];
};

struct recurrent {
    float hidden[SDW_GRU_UNITS];
    uint32_t window, turn; /* the window it has, as long as that has the same turn */
};

static size_t floats(const struct sdw_ensemble_plan *plan)
{
    (void)plan;
    return sizeof(struct recurrent) / sizeof(float);
}

static size_t pooled_bytes(const struct sdw_ensemble_plan *plan)
{
    (void)plan;
    return sizeof(struct pool);
}

static void pooled_init(void *pooled, const struct sdw_ensemble_plan *plan)
{
    (void)plan;
    struct pool *pool = pooled;
    memset(pool, 0, sizeof *pool);
    sdw_gru_init(pool->weights);
}

static double unit_of(const struct sdw_sight *sight)
{
    return sight->size[sight->plan->anchors - 1];
}

static void inputs(const struct sdw_sight *sight, const struct sdw_origin *origin, float *out)
{
    const struct sdw_ensemble_plan *plan = sight->plan;
    double now[SDW_FEATURES], x[SDW_FEATURES], in[SDW_GRU_INPUTS];
    sdw_features(sight, origin, now);
    sdw_features_ahead(sight, origin, now, plan->anchor[plan->anchors - 1], x);
    memcpy(in, x + 1, 9 * sizeof *in);
    sdw_features_ahead(sight, origin, now, plan->anchor[plan->anchors / 2], x);
    in[9] = x[7];
    in[10] = x[9];
    for (int i = 0; i < SDW_GRU_INPUTS; i++)
        out[i] = (float)fmax(-input_most, fmin(input_most, in[i] / unit_of(sight)));
}

static struct window *window_of(struct pool *pool, const struct recurrent *r)
{
    struct window *window = &pool->window[r->window % WINDOWS];
    return r->turn != 0 && window->turn == r->turn ? window : NULL;
}

static void outcome(float *state, const struct sdw_sight *sight, int anchor,
                    const struct sdw_origin *origin, double z)
{
    struct window *window = window_of(sight->pooled, (const struct recurrent *)(void *)state);
    if (window && window->filled == SDW_GRU_WINDOW && origin->index == window->begin)
        window->target[anchor] = (float)((z - (double)window->z) / (double)window->size);
}

/* A window for a series that has none; one that its series has not come back to is free again. */
static struct window *take_turn(struct pool *pool, struct recurrent *r,
                                const struct sdw_ensemble_plan *plan, int64_t index)
{
    int64_t most = 2 * (SDW_GRU_WINDOW + plan->anchor[plan->anchors - 1]);
    for (uint32_t i = 0; i < WINDOWS; i++) {
        struct window *window = &pool->window[i];
        if (window->turn != 0 && index >= window->begin - most && index <= window->begin + most)
            continue;
        pool->turns = pool->turns < UINT32_MAX ? pool->turns + 1 : 1;
        pool->refused = 0;
        *window = (struct window){.begin = index, .turn = pool->turns};
        memcpy(window->before, r->hidden, sizeof window->before);
        r->window = i;
        r->turn = pool->turns;
        return window;
    }
    pool->refused = 1;
    return NULL;
}

/* Learn from a window whose time has come. */
static void conclude(struct pool *pool, struct window *window, int anchors)
{
    sdw_gru_learn(pool->weights, window->before, (const float(*)[SDW_GRU_INPUTS])window->x,
                  window->target, anchors);
    window->turn = 0;
}

/* One more step in the window; at an index where every anchor keeps its origins it may end. */
static void set_aside(struct recurrent *r, const struct sdw_sight *sight, const float *x)
{
    const struct sdw_ensemble_plan *plan = sight->plan;
    struct pool *pool = sight->pooled;
    struct window *window = window_of(pool, r);
    int64_t index = sight->history->index, last = plan->stride[plan->anchors - 1];
    if (window && window->filled == SDW_GRU_WINDOW) {
        if (window->due-- > 0)
            return;
        conclude(pool, window, plan->anchors);
        window = NULL;
        if (pool->refused) /* others come first */
            return;
    }
    if (!window && (index + SDW_GRU_WINDOW - 1) % last == 0)
        window = take_turn(pool, r, plan, index);
    if (!window)
        return;
    memcpy(window->x[window->filled++], x, sizeof window->x[0]);
    if (window->filled < SDW_GRU_WINDOW)
        return;
    window->begin = index;
    window->due = plan->anchor[plan->anchors - 1] - 1;
    window->size = (float)unit_of(sight);
    window->z = (float)sight->history->z;
    for (int o = 0; o < SDW_GRU_OUTPUTS; o++)
        window->target[o] = NAN;
}

static void predict(float *state, const struct sdw_sight *sight, const struct sdw_origin *origin,
                    double *z)
{
    struct recurrent *r = (struct recurrent *)(void *)state;
    const struct sdw_ensemble_plan *plan = sight->plan;
    const float *weights = ((const struct pool *)sight->pooled)->weights;
    float x[SDW_GRU_INPUTS], out[SDW_GRU_OUTPUTS];
    if (!(unit_of(sight) > 0)) {
        sdw_expert_naive.predict(NULL, sight, origin, z);
        return;
    }
    inputs(sight, origin, x);
    set_aside(r, sight, x);
    sdw_gru_step(weights, x, r->hidden);
    sdw_gru_output(weights, x, r->hidden, out, plan->anchors);
    for (int a = 0; a < plan->anchors; a++)
        z[a] = sight->history->z + unit_of(sight) * (double)out[a];
}

const struct sdw_expert sdw_expert_recurrent = {.name = "recurrent",
                                                .floats = floats,
                                                .pooled_bytes = pooled_bytes,
                                                .pooled_init = pooled_init,
                                                .outcome = outcome,
                                                .predict = predict};
