/*
 * The outlook of one series: its values on the grid, what is expected of them, and how that
 * turned out.
 *
 * A young series is forecast by its trend alone, from the second value on and whatever the times
 * of its values. When enough steps are known the ensemble takes over, with seasons, tracked
 * intervals and feedback: after SDW_ENSEMBLE_COLD values where a day has few enough steps to be
 * remembered, and where it has not after SDW_OUTLOOK_LONG. With days come odds that are learned
 * from what came of them; without, those of the trend stay, which knows a fall that the series has
 * never shown before.
 *
 * The heap memory of an outlook is its own; sdw_outlook_release frees it. The cohort is the
 * caller's, shared with other series, and must outlive it.
 */
#ifndef SDW_MODEL_OUTLOOK_H
#define SDW_MODEL_OUTLOOK_H

#include "model/breach.h"
#include "model/ensemble.h"
#include "model/feedback.h"
#include "model/grid.h"
#include "model/risk.h"

enum { SDW_OUTLOOK_LONG = 3600 };

/* What series of one step and one sort share. */
struct sdw_cohort {
    struct sdw_ensemble_plan plan;
    struct sdw_ensemble_shared *shared; /* plan.shared_bytes, the cohort's own */
    struct sdw_risk_shared risk;
    unsigned with; /* what the plan's companions are: the owner's own note */
};

/* horizons as for sdw_ensemble_plan, but two that come to the same number of steps are one. NULL
 * and err when the plan is refused. Free it after the series that use it. */
struct sdw_cohort *sdw_cohort_new(int64_t step_us, const int64_t *horizon_us, size_t n, int seasons,
                                  int companions, struct sdw_err *err);
void sdw_cohort_free(struct sdw_cohort *cohort);
/* The horizon of the plan that a duration falls on. */
int sdw_cohort_horizon(const struct sdw_cohort *cohort, int64_t horizon_us);

/* What only a young series needs. */
struct sdw_young {
    struct sdw_trend trend;
    struct sdw_grid_wait wait;
};

struct sdw_outlook {
    struct sdw_grid grid;
    struct sdw_young *young;   /* NULL once odds are learned from what came of them */
    struct sdw_cohort *cohort; /* NULL until the step is known */
    char *state;               /* sdw_cohort_state_bytes: ensemble, risk */
    struct sdw_feedback feedback;
    int64_t n;          /* values used */
    double value;       /* newest value, of a sample or a step */
    int64_t ts;         /* and its time */
    int64_t step_index; /* the newest step learned */
    bool mature;        /* the ensemble has taken over */
    double greatest;    /* NAN: none yet */
};

/* The bytes of a series' state: one block without pointers. */
size_t sdw_cohort_state_bytes(const struct sdw_cohort *cohort);

/* The outlook of a new series that has up to so many horizons; further arguments as for
 * sdw_grid_init. */
void sdw_outlook_init(struct sdw_outlook *outlook, size_t horizons, int64_t step_us,
                      int64_t least_us, bool counter);
void sdw_outlook_release(struct sdw_outlook *outlook);

/* Take a value (arguments as for sdw_grid_take), teaching it to the trend of a young series. */
enum sdw_grid_use sdw_outlook_take(struct sdw_outlook *outlook, int64_t ts, int64_t local_us,
                                   double value, struct sdw_grid_step step[SDW_GRID_WAIT],
                                   size_t *n);
/* Once the grid's step is known, and before the first step is learned. */
void sdw_outlook_settle(struct sdw_outlook *outlook, struct sdw_cohort *cohort);
/* Once the ensemble takes over: its forecasts are kept for the scores from then on, and where odds
 * are learned with days, in the memory of what a young series needs. */
void sdw_outlook_ripen(struct sdw_outlook *outlook);
/* Learn a complete step. above: the side of the limit that odds are learned for. */
void sdw_outlook_learn(struct sdw_outlook *outlook, const struct sdw_grid_step *step,
                       const double *companion, bool above);

/* Whether the ensemble has taken over; before, whether there is more than a guess. */
bool sdw_outlook_mature(const struct sdw_outlook *outlook);
bool sdw_outlook_cold(const struct sdw_outlook *outlook);

struct sdw_ensemble *sdw_outlook_ensemble(const struct sdw_outlook *outlook);

/* Odds, time left and severity of a limit (model/breach.h) for horizon_us[n]. Of a mature series,
 * which needs what was forecast of it, the times are found between the horizons, and NAN where
 * they lie beyond the longest. */
void sdw_outlook_breach(const struct sdw_outlook *outlook, struct sdw_limit limit,
                        const struct sdw_prediction *said, const int64_t *horizon_us, size_t n,
                        struct sdw_breach_odds *odds);

#endif
