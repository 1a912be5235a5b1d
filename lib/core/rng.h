/* Repeatable randomness: xoshiro256** seeded by splitmix64 (Blackman and Vigna, 2018). Not for
 * secrets. The state is the caller's; the same seed gives the same sequence everywhere. */
#ifndef SDW_CORE_RNG_H
#define SDW_CORE_RNG_H

#include "core/base.h"

struct sdw_rng {
    uint64_t s[4];
};

void sdw_rng_seed(struct sdw_rng *rng, uint64_t seed);
/* From the kernel: for keys of tables that others fill, and for cookies, which nobody may guess.
 * Only where a kernel refuses it is it a time since start. */
uint64_t sdw_rng_secret(void);
uint64_t sdw_rng_next(struct sdw_rng *rng);
uint64_t sdw_rng_below(struct sdw_rng *rng, uint64_t bound); /* 0..bound-1, unbiased; bound > 0 */
double sdw_rng_unit(struct sdw_rng *rng);                    /* [0, 1) */
double sdw_rng_exponential(struct sdw_rng *rng, double mean);
double sdw_rng_pareto(struct sdw_rng *rng, double shape, double mean); /* shape > 1 */
double sdw_rng_normal(struct sdw_rng *rng);

#endif
