#include "model/expert.h"
#include "model/gru.h"

#include <math.h>

/* A gated recurrent unit whose weights are shared by all series: it learns in each what is common
 * to them. It sees differences only, in units of the usual error at the furthest anchor, so that
 * the size of a series does not matter. From time to time a few steps of a series are set aside,
 * and learned from when what they were to foresee has come. */
static const double input_most = 8;

struct recurrent {
    float hidden[SDW_GRU_UNITS];
    float before[SDW_GRU_UNITS]; /* the state when the window began */
    float x[SDW_GRU_WINDOW][SDW_GRU_INPUTS];
    float target[SDW_GRU_OUTPUTS];
    float size, z;    /* unit and value at the window's end */
    int32_t filled;   /* steps in the window */
    int32_t end, due; /* low half of the index of its end, steps until it is learned from */
};

static size_t floats(const struct sdw_ensemble_plan *plan)
{
    (void)plan;
    return sizeof(struct recurrent) / sizeof(float);
}

static size_t pooled_bytes(const struct sdw_ensemble_plan *plan)
{
    (void)plan;
    return SDW_GRU_FLOATS * sizeof(float);
}

static void pooled_init(void *pooled, const struct sdw_ensemble_plan *plan)
{
    (void)plan;
    sdw_gru_init(pooled);
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

static void outcome(float *state, const struct sdw_sight *sight, int anchor,
                    const struct sdw_origin *origin, double z)
{
    (void)sight;
    struct recurrent *r = (struct recurrent *)state;
    if (r->filled == SDW_GRU_WINDOW && (int32_t)origin->index == r->end)
        r->target[anchor] = (float)((z - (double)r->z) / (double)r->size);
}

/* One more step in the window; at an index where every anchor keeps its origins it may end. */
static void set_aside(struct recurrent *r, const struct sdw_sight *sight, const float *x)
{
    const struct sdw_ensemble_plan *plan = sight->plan;
    int64_t index = sight->history->index;
    if (r->filled == SDW_GRU_WINDOW) {
        if (r->due-- > 0)
            return;
        sdw_gru_learn(sight->pooled, r->before, (const float(*)[SDW_GRU_INPUTS])r->x, r->target,
                      plan->anchors);
        r->filled = 0;
    }
    int64_t last = plan->stride[plan->anchors - 1];
    if (r->filled == 0 && (index + SDW_GRU_WINDOW - 1) % last != 0)
        return;
    if (r->filled == 0)
        memcpy(r->before, r->hidden, sizeof r->before);
    memcpy(r->x[r->filled++], x, sizeof r->x[0]);
    if (r->filled < SDW_GRU_WINDOW)
        return;
    r->end = (int32_t)index;
    r->due = plan->anchor[plan->anchors - 1] - 1;
    r->size = (float)unit_of(sight);
    r->z = (float)sight->history->z;
    for (int o = 0; o < SDW_GRU_OUTPUTS; o++)
        r->target[o] = NAN;
}

static void predict(float *state, const struct sdw_sight *sight, const struct sdw_origin *origin,
                    double *z)
{
    struct recurrent *r = (struct recurrent *)state;
    const struct sdw_ensemble_plan *plan = sight->plan;
    float x[SDW_GRU_INPUTS], out[SDW_GRU_OUTPUTS];
    if (!(unit_of(sight) > 0)) {
        sdw_expert_naive.predict(NULL, sight, origin, z);
        return;
    }
    inputs(sight, origin, x);
    set_aside(r, sight, x);
    sdw_gru_step(sight->pooled, x, r->hidden);
    sdw_gru_output(sight->pooled, x, r->hidden, out, plan->anchors);
    for (int a = 0; a < plan->anchors; a++)
        z[a] = sight->history->z + unit_of(sight) * (double)out[a];
}

const struct sdw_expert sdw_expert_recurrent = {.name = "recurrent",
                                                .floats = floats,
                                                .pooled_bytes = pooled_bytes,
                                                .pooled_init = pooled_init,
                                                .outcome = outcome,
                                                .predict = predict};
