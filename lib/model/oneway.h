/*
 * How long the load itself waited on its way, from the one-way delays of its packets: whatever
 * their sizes, and whether they came as trains or spread over a slot. Pure.
 */
#ifndef SDW_MODEL_ONEWAY_H
#define SDW_MODEL_ONEWAY_H

#include "model/capacity.h"

/* Typical delay in us that the load of the trains [first, trains->n) met above the least delay of
 * its size: the mean over trains of the mean of log1p(delay / 100 us), taken back to time, as
 * model/window.h reads the hops. The least delays are those of the window and of the 30 s before
 * it, over packets of a size and larger ones (they cannot be faster). *arrived: trains of which
 * any packet did; NAN when none. */
double sdw_oneway_us(const struct sdw_trains *trains, size_t first, size_t *arrived);

#endif
