/*
 * The odds of a breach within a horizon, learned from breaches that happened: a logistic
 * regression, updated after each outcome, that starts as the forecast's own probability and
 * corrects it by what is known of the margin. It is taught with pseudo-capacities, high quantiles
 * of the series' own past, since real breaches are rare; series of a kind share one.
 *
 * What it says is mixed with the probability as it was, by which of the two was better of late.
 *
 * The update is one step of an extended Kalman filter on the coefficients (Bayesian logistic
 * regression: Spiegelhalter and Lauritzen, 1990), with slow forgetting.
 */
#ifndef SDW_MODEL_ODDS_H
#define SDW_MODEL_ODDS_H

#include "core/base.h"

enum { SDW_ODDS_FEATURES = 10 };

struct sdw_odds {
    double weight[SDW_ODDS_FEATURES];
    double cov[SDW_ODDS_FEATURES][SDW_ODDS_FEATURES];
    double lead; /* of the uncorrected probability in log loss, over recent outcomes */
    int64_t n;   /* outcomes learned from */
};

/* What is known when the odds are asked for. All in the unit of the series. */
struct sdw_odds_case {
    double limit;
    bool above;        /* the side that is a breach */
    double p;          /* the forecast's own probability of it */
    double value;      /* now */
    double before;     /* a few steps ago */
    double forecast;   /* the median of the window's extreme */
    double season;     /* the extreme of the same window a season ago */
    double spread;     /* of the forecast at the end of the window: a standard deviation */
    double spread_now; /* of one step's change */
};

void sdw_odds_init(struct sdw_odds *odds);
/* The features, each of the order of 1 and within 16 of 0. Finite for any case. */
void sdw_odds_features(const struct sdw_odds_case *c, float x[SDW_ODDS_FEATURES]);
/* Probability of a breach, 0 < p < 1. */
double sdw_odds_of(const struct sdw_odds *odds, const float x[SDW_ODDS_FEATURES]);
void sdw_odds_learn(struct sdw_odds *odds, const float x[SDW_ODDS_FEATURES], bool breach);

#endif
