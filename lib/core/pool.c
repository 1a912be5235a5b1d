#include "core/pool.h"
#include "core/mem.h"

#include <stddef.h>
#include <stdlib.h>

struct sdw_pool_free {
    struct sdw_pool_free *next;
};

void *sdw_pool_take(struct sdw_pool *pool)
{
    struct sdw_pool_free *thing = pool->free;
    if (thing) {
        pool->free = thing->next;
    } else {
        if (pool->n_pieces == 0 || pool->used + pool->size > SDW_LARGE_PAGE) {
            SDW_GROW(pool->piece, pool->cap_pieces, pool->n_pieces + 1);
            pool->piece[pool->n_pieces++] = sdw_xlarge(SDW_LARGE_PAGE);
            pool->used = 0;
        }
        size_t rest = pool->size % _Alignof(max_align_t); /* the next one is aligned too */
        thing = (void *)((char *)pool->piece[pool->n_pieces - 1] + pool->used);
        pool->used += pool->size + (rest ? _Alignof(max_align_t) - rest : 0);
    }
    memset(thing, 0, pool->size);
    return thing;
}

void sdw_pool_give(struct sdw_pool *pool, void *thing)
{
    struct sdw_pool_free *free = thing;
    if (!thing)
        return;
    free->next = pool->free;
    pool->free = free;
}

void sdw_pool_release(struct sdw_pool *pool)
{
    for (size_t i = 0; i < pool->n_pieces; i++)
        free(pool->piece[i]);
    free(pool->piece);
    *pool = (struct sdw_pool){.size = pool->size};
}
