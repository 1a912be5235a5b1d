/*
 * False-discovery control over everything that is looked at together (Benjamini and Hochberg,
 * J. R. Stat. Soc. B, 1995): of m probabilities, the k smallest are discoveries when the k-th is
 * at most share * k / m, so that of all discoveries no more than `share` are false on average.
 *
 * Probabilities come one by one, and nobody waits for the last: what has not come counts as 1.
 * Discoveries only become more with each that comes, and are in the end those of the whole.
 */
#ifndef SDW_MODEL_DISCOVERY_H
#define SDW_MODEL_DISCOVERY_H

#include "core/base.h"

/* Zero-initialise; release once. */
struct sdw_discovery {
    struct sdw_discovery_item *waiting; /* by p, ascending */
    size_t n, cap, found;
};

/* One more probability, of `what`. Then take what it makes a discovery of: the next one, the
 * least probable first, or NULL. share: 0..1; m: how many are looked at. */
void sdw_discovery_add(struct sdw_discovery *discovery, double p, void *what);
void *sdw_discovery_take(struct sdw_discovery *discovery, double share, size_t m);

/* The i-th of those that wait, i < n. */
void *sdw_discovery_waiting(const struct sdw_discovery *discovery, size_t i);
void sdw_discovery_remove(struct sdw_discovery *discovery, const void *what);
void sdw_discovery_clear(struct sdw_discovery *discovery); /* begin anew */
void sdw_discovery_release(struct sdw_discovery *discovery);

#endif
