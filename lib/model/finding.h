/*
 * What the slots of one window say of each hop, before anything is decided (model/judge.c does):
 * the test, the effect, the gradients.
 */
#ifndef SDW_MODEL_FINDING_H
#define SDW_MODEL_FINDING_H

#include "model/window.h"

struct sdw_finding {
    int hop;                 /* or the hop where scoped load died */
    size_t pairs;            /* of slots; two slots whose partners gave no answer count as one */
    double p;                /* of the hop alone; NAN: too few pairs to ever reach 0.05 */
    double least;            /* p-value that so many pairs could reach at best */
    double effect_us, level; /* on - off: in time, and in the statistic itself */
    double mean_us;          /* trimmed mean of what load adds; NAN: too few pairs */
    double gradient, lo, hi; /* us per Mbit/s, and its 95 % interval */
    double loss_gradient;    /* share per Mbit/s, of measuring packets */
    double off_us;           /* delay without load */
};

/* Findings hop by hop, into findings[SDW_WINDOW_HOPS + 1]; returns their number. */
size_t sdw_find_hops(const struct sdw_window *window, const struct sdw_window_rules *rules,
                     struct sdw_finding *findings);
/* The same of the delay to the far end: by load hop when the load was scoped. */
size_t sdw_find_scopes(const struct sdw_window *window, const struct sdw_window_rules *rules,
                       struct sdw_finding *findings);
/* And of all of it at once. False when the far end never answered. */
bool sdw_find_whole(const struct sdw_window *window, const struct sdw_window_rules *rules,
                    struct sdw_finding *finding);

#endif
