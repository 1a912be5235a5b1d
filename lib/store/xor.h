/*
 * Reals that are no short decimals: each is written as what it differs in from the one before
 * (exclusive or), without leading and trailing zero bits (Pelkonen et al., "Gorilla: a fast,
 * scalable, in-memory time series database", VLDB 2015, section 4.1.2).
 */
#ifndef SDW_STORE_XOR_H
#define SDW_STORE_XOR_H

#include "core/base.h"
#include "core/err.h"
#include "store/bits.h"

void sdw_xor_encode(const double *value, size_t n, struct sdw_buf *out);
/* n: as it was encoded. SDW_EINPUT when the bytes end too soon. */
int sdw_xor_decode(struct sdw_bytes *in, size_t n, double *value);

#endif
