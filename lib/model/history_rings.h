/*
 * The numbers that a history keeps, as its files share them: the three rings behind each other in
 * its block (model/history.h), the values, the profile, the week. An entry is a place in them,
 * 0 <= i < ring + profile + slots of the plan.
 */
#ifndef SDW_MODEL_HISTORY_RINGS_H
#define SDW_MODEL_HISTORY_RINGS_H

#include "model/history.h"

extern const double sdw_rings_finest; /* the first quantum */

/* z of so many quanta; of an entry. */
static inline double sdw_rings_z(const struct sdw_history *h, int quanta)
{
    return h->base + h->quantum * quanta;
}

double sdw_rings_at(const struct sdw_history *h, const struct sdw_history_plan *plan, int i);

/* Keep z, finite, in an entry; the quantum grows where it would not fit. */
void sdw_rings_store(struct sdw_history *h, const struct sdw_history_plan *plan, int i, double z);

/* z on the unit `from`, carried over to h->unit; all entries, which from then on are around base,
 * in the finest quantum that has room for them. */
double sdw_rings_carried(const struct sdw_history *h, double z, double from);
void sdw_rings_carry(struct sdw_history *h, const struct sdw_history_plan *plan, double base,
                     double from);

#endif
