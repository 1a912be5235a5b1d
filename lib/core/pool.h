/*
 * Many things of one size that come and go: taken from large pieces of memory, one beside the
 * other, which costs less than malloc and less of the processor's books of pages.
 * Zero-initialise but for `size`, release once.
 */
#ifndef SDW_CORE_POOL_H
#define SDW_CORE_POOL_H

#include "core/base.h"

struct sdw_pool {
    size_t size; /* of a thing: a pointer at least; set by the owner before the first is taken */
    struct sdw_pool_free *free;
    void **piece;
    size_t n_pieces, cap_pieces, used; /* used: bytes of the last piece */
};

void *sdw_pool_take(struct sdw_pool *pool);             /* zeroed; never NULL */
void sdw_pool_give(struct sdw_pool *pool, void *thing); /* back, for the next to take */
void sdw_pool_release(struct sdw_pool *pool);           /* with all that was taken from it */

#endif
