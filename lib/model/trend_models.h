/* The models of a trend, as its files share them; nobody else includes this. */
#ifndef SDW_MODEL_TREND_MODELS_H
#define SDW_MODEL_TREND_MODELS_H

#include "model/trend.h"

/* What each model allows to wander, as a share of the noise's variance and per typical interval:
 * its level, and its slope (per interval squared); and how many intervals a slope is carried
 * forward (0: the model has none). The weights are those before any value, and those with which
 * the series changes to another model, which happens at the rate `change` per value. */
struct sdw_trend_model {
    double level, slope, reach, weight;
};
extern const struct sdw_trend_model sdw_trend_models[SDW_TREND_MODELS];

/* What the level of model i wanders: variance a second. */
double sdw_trend_level_walk(const struct sdw_trend *trend, size_t i);
/* One model dt seconds later (Kalman's prediction step). */
void sdw_trend_advance(const struct sdw_trend *trend, size_t i, double dt,
                       struct sdw_trend_belief *m);

#endif
