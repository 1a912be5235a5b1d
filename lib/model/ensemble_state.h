/*
 * The block of one series, as the files of the ensemble share it; besides them only tests
 * include this.
 *
 * In this order: struct sdw_ensemble, a struct sdw_anchor for each anchor, the origins that wait
 * for each, the history, the experts' floats. All of it is reached through the plan's offsets.
 */
#ifndef SDW_MODEL_ENSEMBLE_STATE_H
#define SDW_MODEL_ENSEMBLE_STATE_H

#include "model/ensemble.h"
#include "model/expert.h"
#include "model/rls.h"
#include "model/tracker.h"

enum { SDW_HOURS = 24 };

struct sdw_ensemble {
    float surprise;
    float straight, bent;  /* errors of interpolation without the profile's bends, and with */
    float bend;            /* how far the bends are followed, 0..1 */
    float deviation;       /* smoothed distance from the profile */
    float hour[SDW_HOURS]; /* logarithm of how much larger errors are in this part of the day */
    uint8_t hour_n[SDW_HOURS];
    struct {
        float size, last;
    } companion[]; /* the plan's */
};

/* What is known of one anchor, and what is forecast for it now. */
struct sdw_anchor {
    float n;          /* outcomes seen, up to a bound */
    float fast, slow; /* size of the errors of late, and usually */
    float loss[SDW_EXPERTS], mixed_loss, stacked_loss;
    float centre, scale;                    /* the forecast made last */
    float greatest, least;                  /* centre of the extremes until then */
    struct sdw_tracker error, above, below; /* of values, of window maxima, of minima */
    float stack[];                          /* regression of the error on the plan's experts */
};

/* An origin and its forecast for one anchor. */
struct sdw_pending {
    float scale; /* not above 0: nothing to learn from */
    float centre, mixed, stacked, greatest, least;
    float slow, deviation;
    float expert[SDW_EXPERTS];
    float companion[2 * SDW_COMPANIONS_MAX];
};

/* The same as it waits for the outcome, in less room. */
struct sdw_waiting {
    float scale, centre, slow, deviation;
    /* mixed, stacked, greatest, least, the plan's experts: how far from the centre; then 2 for
     * each companion. Halves of floats: what an expert said is to be known to a share of that. */
    uint16_t small[];
};

size_t sdw_waiting_bytes(const struct sdw_ensemble_plan *plan);
/* The origin `index` of an anchor: read it before the same step's is written. */
struct sdw_waiting *sdw_waiting_of(struct sdw_ensemble *e, const struct sdw_ensemble_plan *plan,
                                   int anchor, int64_t index);
void sdw_waiting_put(struct sdw_waiting *waiting, const struct sdw_ensemble_plan *plan,
                     const struct sdw_pending *pending);
void sdw_waiting_get(const struct sdw_waiting *waiting, const struct sdw_ensemble_plan *plan,
                     struct sdw_pending *pending);

static inline struct sdw_anchor *sdw_anchor_of(struct sdw_ensemble *e,
                                               const struct sdw_ensemble_plan *plan, int a)
{
    return (struct sdw_anchor *)(void *)((char *)e + plan->at_anchors +
                                         (size_t)a * plan->anchor_bytes);
}

static inline const struct sdw_anchor *sdw_anchor_see(const struct sdw_ensemble *e,
                                                      const struct sdw_ensemble_plan *plan, int a)
{
    return (const struct sdw_anchor *)(const void *)((const char *)e + plan->at_anchors +
                                                     (size_t)a * plan->anchor_bytes);
}

static inline struct sdw_history *sdw_history_of(struct sdw_ensemble *e,
                                                 const struct sdw_ensemble_plan *plan)
{
    return (struct sdw_history *)(void *)((char *)e + plan->at_history);
}

static inline const struct sdw_history *sdw_history_see(const struct sdw_ensemble *e,
                                                        const struct sdw_ensemble_plan *plan)
{
    return (const struct sdw_history *)(const void *)((const char *)e + plan->at_history);
}

/* The two anchors around a number of steps, and the share of the second. */
struct sdw_span {
    int a, b;
    double share;
};
struct sdw_span sdw_span_of(const struct sdw_ensemble_plan *plan, int steps);

/* The centre of the forecast `steps` ahead: between two anchors what is interpolated is the
 * distance from the profile of the day. */
double sdw_ensemble_centre(const struct sdw_ensemble *e, const struct sdw_ensemble_plan *plan,
                           int steps);

/* weight[SDW_EXPERTS] at one anchor, sum 1, from the recent losses. */
void sdw_anchor_weights(const struct sdw_anchor *anchor, const struct sdw_ensemble_plan *plan,
                        double *weight);

/* How far the experts are from their mixture, x[SDW_EXPERTS]: what the stack looks at. */
void sdw_anchor_disputes(const struct sdw_ensemble_plan *plan, const float *expert, double mixed,
                         double *x);

/* One anchor's forecast from pending->expert, kept within least..most. */
void sdw_anchor_settle(struct sdw_ensemble *e, const struct sdw_ensemble_plan *plan, int a,
                       struct sdw_pending *pending, double least, double most);

/* What lies between the anchors, once all of them are settled. */
void sdw_ensemble_join(struct sdw_ensemble *e, const struct sdw_ensemble_plan *plan);

extern const struct sdw_expert *const sdw_experts[SDW_EXPERTS];

#endif
