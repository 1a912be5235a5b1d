/*
 * A test whose only assumption is the sender's own coin: in each pair of slots chance decided
 * which one carried load, so under "load does nothing" every difference on - off could as well
 * have had the other sign (Fisher's randomisation test). No model of queues or noise is needed.
 *
 * Pure: repeatable from the seed.
 */
#ifndef SDW_CORE_SIGN_FLIP_H
#define SDW_CORE_SIGN_FLIP_H

#include "core/base.h"

/* Up to this many pairs all sign patterns are counted; above, `rounds` random ones. */
enum { SDW_SIGN_FLIP_EXACT = 16 };

/* One-sided p-value of "the mean of difference[n] is not above zero". Exact: the share of the 2^n
 * sign patterns that reach the observed mean; random: (1 + hits) / (1 + rounds). n = 0 gives 1. */
double sdw_sign_flip(const double *difference, size_t n, uint64_t seed, unsigned rounds);

/* Least p-value that n pairs can reach. */
double sdw_sign_flip_least(size_t n, unsigned rounds);

#endif
