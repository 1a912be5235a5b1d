/*
 * The forecast of one series by an ensemble of experts, each weighted by its recent loss.
 *
 * A plan says what is forecast: the step, the horizons, the seasons. It is made once and serves
 * every series of the same step. The state of a series is one block of plan->bytes without
 * pointers, the caller's: memcpy is a checkpoint of it. What all series of a kind learn together
 * (the weights of the recurrent expert, the scales a new series starts with) is in a second such
 * block, plan->shared_bytes long.
 *
 * Values are handled as asinh(value / unit), the unit a share of the series' usual size: a
 * logarithm for large values, a straight line around zero, defined for negative ones. Experts
 * predict at the anchors, a few of the horizons; between two anchors forecasts are interpolated
 * along the profile of the day, as far as that has proved right. Quantiles are the ensemble's
 * centre plus quantiles of its own past errors, in units of their expected size, tracked for each
 * anchor (online conformal prediction: Gibbs and Candes, 2021; Angelopoulos, Candes and
 * Tibshirani, 2023).
 *
 * No result is ever NAN once one value is known, and none is outside twice the range of what the
 * series has shown; as long as it is cold, that range is taken to be at least its usual size.
 * Nothing here reads a clock or allocates.
 */
#ifndef SDW_MODEL_ENSEMBLE_H
#define SDW_MODEL_ENSEMBLE_H

#include "core/err.h"
#include "model/history.h"

enum {
    SDW_STEPS_MAX = 64,     /* horizons of a plan */
    SDW_ANCHORS_MAX = 8,    /* of which the experts have models */
    SDW_COMPANIONS_MAX = 8, /* values that come with each value of a series */
    SDW_QUANTILES = 5,
    SDW_EXPERTS = 8,
    SDW_ENSEMBLE_COLD = 48, /* values until a forecast rests on the series alone */
};

extern const double sdw_quantile_p[SDW_QUANTILES]; /* 0.025 0.1 0.5 0.9 0.975 */
const char *sdw_expert_name(int expert);           /* 0..SDW_EXPERTS-1 */

/* Make it with sdw_ensemble_plan, do not change it afterwards (except `without`). */
struct sdw_ensemble_plan {
    int64_t step_us;
    int n, steps[SDW_STEPS_MAX];          /* horizons in steps, ascending */
    int day, week;                        /* the seasons in steps; 0: none */
    int companions;                       /* how many come with each value */
    int experts;                          /* the first so many: the last one needs companions */
    unsigned without;                     /* bit i: expert i has no say */
    int anchors, anchor[SDW_ANCHORS_MAX]; /* in steps, ascending: 1 ... the last horizon */
    /* Of what origins an anchor keeps: every so many, how many, how many the ones before keep. */
    int stride[SDW_ANCHORS_MAX], kept[SDW_ANCHORS_MAX], kept_before[SDW_ANCHORS_MAX];
    struct sdw_history_plan history;
    /* Where the parts of the blocks begin, in bytes. */
    size_t at_anchors, at_waiting, at_history, at_expert[SDW_EXPERTS], pooled_expert[SDW_EXPERTS];
    size_t anchor_bytes, waiting_bytes; /* of an anchor; of one origin that waits for it */
    size_t bytes, shared_bytes;
};

enum { SDW_SEASON_DAY = 1, SDW_SEASON_WEEK = 2 };

/* step_us: 1 ms .. 1 day. horizon_us[n]: ascending, 1 <= n <= SDW_STEPS_MAX, each is rounded up
 * to whole steps (two that come to the same step are refused), up to 4096 steps. seasons: sum of
 * SDW_SEASON_...; a season that is not a whole number of steps, or longer than 4096 steps a day,
 * is left out. companions: 0..SDW_COMPANIONS_MAX. SDW_EUSAGE with a message. */
int sdw_ensemble_plan(struct sdw_ensemble_plan *plan, int64_t step_us, const int64_t *horizon_us,
                      size_t n, int seasons, int companions, struct sdw_err *err);

struct sdw_ensemble;        /* plan->bytes, aligned like a double */
struct sdw_ensemble_shared; /* plan->shared_bytes, aligned like a double */

void sdw_ensemble_init(struct sdw_ensemble *e, const struct sdw_ensemble_plan *plan);
void sdw_ensemble_shared_init(struct sdw_ensemble_shared *shared,
                              const struct sdw_ensemble_plan *plan);

struct sdw_ensemble_input {
    int64_t index;           /* number of the step since the epoch, in local time */
    double value;            /* NAN: missing */
    const double *companion; /* [plan->companions], NAN where absent; NULL: all absent */
};

/* Learn the value of one step. Steps that were left out between the last index and this one count
 * as missing: up to three hold the last value, a longer gap freezes what was learned and only
 * moves the phase on. A missing value widens what follows. Returns false, and learns nothing,
 * for an index that is not later than the last. An infinite value counts as missing. */
bool sdw_ensemble_learn(struct sdw_ensemble *e, const struct sdw_ensemble_plan *plan,
                        struct sdw_ensemble_shared *shared, const struct sdw_ensemble_input *input);

/* Whether and what the series has shown: values learned, and whether it is still too young. */
int64_t sdw_ensemble_values(const struct sdw_ensemble *e, const struct sdw_ensemble_plan *plan);
bool sdw_ensemble_cold(const struct sdw_ensemble *e, const struct sdw_ensemble_plan *plan);

struct sdw_prediction {
    double mean;
    double q[SDW_QUANTILES]; /* at sdw_quantile_p, ascending */
};

/* The value plan->steps[i] steps after the newest. NAN before the first value. */
struct sdw_prediction sdw_ensemble_forecast_at(const struct sdw_ensemble *e,
                                               const struct sdw_ensemble_plan *plan, int i);
/* out[plan->n]: the same for all horizons. */
void sdw_ensemble_forecast(const struct sdw_ensemble *e, const struct sdw_ensemble_plan *plan,
                           struct sdw_prediction *out);

/* Quantile p, 0 < p < 1, at horizon i; agrees with sdw_ensemble_forecast at its five. */
double sdw_ensemble_quantile(const struct sdw_ensemble *e, const struct sdw_ensemble_plan *plan,
                             int i, double p);

/* The newest value against what was expected of it one step before: (value - median) / expected
 * size of the error, on the scale the models use. NAN while the series is cold and for a missing
 * value. */
double sdw_ensemble_surprise(const struct sdw_ensemble *e);

/* The experts' shares in the forecast of horizon i: 0..1, sum 1. */
void sdw_ensemble_weights(const struct sdw_ensemble *e, const struct sdw_ensemble_plan *plan, int i,
                          double weight[SDW_EXPERTS]);

/* The same time of day (and week) before, as the profile of the series has it, `ahead` steps
 * after the newest value. The newest value while there is no profile. */
double sdw_ensemble_season(const struct sdw_ensemble *e, const struct sdw_ensemble_plan *plan,
                           int ahead);

/* The greatest (or least) value within the next plan->steps[i] steps: its quantile p, and the
 * probability that it is above (below) a limit. Both from tracked quantiles of how far window
 * maxima (minima) were from the forecast of them. NAN before the first value. */
double sdw_ensemble_window_quantile(const struct sdw_ensemble *e,
                                    const struct sdw_ensemble_plan *plan, int i, bool greatest,
                                    double p);
double sdw_ensemble_window_beyond(const struct sdw_ensemble *e,
                                  const struct sdw_ensemble_plan *plan, int i, bool above,
                                  double limit);

#endif
