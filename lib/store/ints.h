/*
 * Sequences of integers, small: the largest common divisor of their steps is taken out, then each
 * block of up to 128 values is written as differences of order 0, 1 or 2, with or without a
 * straight line through them, whichever leaves the narrowest residuals; these are packed with
 * equal width above their least (frame of reference; Lemire and Boytsov, "Decoding billions of
 * integers per second through vectorization", 2015). A regular clock costs a few bytes; noise
 * costs its entropy and about a bit. Any int64 passes exactly: the arithmetic wraps.
 */
#ifndef SDW_STORE_INTS_H
#define SDW_STORE_INTS_H

#include "core/base.h"
#include "core/err.h"
#include "store/bits.h"

void sdw_ints_encode(const int64_t *value, size_t n, struct sdw_buf *out);
/* n: as it was encoded. Fills at least value[from] to value[to - 1] of value[n]. SDW_EINPUT when
 * the bytes are not such a sequence. */
int sdw_ints_decode(struct sdw_bytes *in, size_t n, size_t from, size_t to, int64_t *value);
/* Of rising values those from low to below high: *from and *to say which they are, and they are
 * filled in at least. Of a regular clock no other is computed. */
int sdw_ints_within(struct sdw_bytes *in, size_t n, int64_t low, int64_t high, size_t *from,
                    size_t *to, int64_t *value);
/* Index of the first of n rising values that is not below low. */
size_t sdw_ints_first(const int64_t *value, size_t n, int64_t low);

#endif
