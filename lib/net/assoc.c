#include "net/assoc.h"
#include "core/map.h"
#include "core/mem.h"

#include <stdlib.h>

enum { WAYS = 8 };

/* A cell: whether it is used (8 octets, for alignment), the value, the key. */
static uint8_t *value_of(uint8_t *cell)
{
    return cell + sizeof(uint64_t);
}

static uint8_t *key_of(const struct sdw_assoc *assoc, uint8_t *cell)
{
    return value_of(cell) + assoc->value_bytes;
}

void sdw_assoc_init(struct sdw_assoc *assoc, size_t entries, size_t key_bytes, size_t value_bytes,
                    uint64_t seed)
{
    size_t sets = 1;
    while (sets * WAYS < entries)
        sets *= 2;
    *assoc = (struct sdw_assoc){
        .sets = sets, .key_bytes = key_bytes, .value_bytes = value_bytes, .hash_key = seed};
    assoc->stride = (sizeof(uint64_t) + value_bytes + key_bytes + 7) & ~(size_t)7;
    sdw_rng_seed(&assoc->rng, seed ^ UINT64_C(0x9e3779b97f4a7c15));
    assoc->cells = sdw_xalloc(sets * WAYS * assoc->stride);
}

void sdw_assoc_release(struct sdw_assoc *assoc)
{
    free(assoc->cells);
    *assoc = (struct sdw_assoc){0};
}

void *sdw_assoc_at(struct sdw_assoc *assoc, const void *key)
{
    uint64_t set = sdw_hash(key, assoc->key_bytes, assoc->hash_key) & (assoc->sets - 1);
    uint8_t *first = assoc->cells + set * WAYS * assoc->stride, *place = NULL;
    for (size_t way = 0; way < WAYS; way++) {
        uint8_t *cell = first + way * assoc->stride;
        if (cell[0] && memcmp(key_of(assoc, cell), key, assoc->key_bytes) == 0)
            return value_of(cell);
        if (!cell[0] && !place)
            place = cell;
    }
    if (place) {
        assoc->used++;
    } else {
        place = first + sdw_rng_below(&assoc->rng, WAYS) * assoc->stride;
        assoc->evicted++;
    }
    memset(place, 0, assoc->stride);
    place[0] = 1;
    memcpy(key_of(assoc, place), key, assoc->key_bytes);
    return value_of(place);
}
