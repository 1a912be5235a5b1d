/*
 * State about peers that anybody can make us keep: a table of fixed size, keyed hash, a few places
 * a key may be in; when all are taken one of them is lost at random. Constant time, bounded memory,
 * whatever is thrown at it.
 */
#ifndef SDW_NET_ASSOC_H
#define SDW_NET_ASSOC_H

#include "core/base.h"
#include "core/rng.h"

struct sdw_assoc {
    uint8_t *cells;
    size_t sets, key_bytes, value_bytes, stride;
    uint64_t hash_key;
    struct sdw_rng rng;
    uint64_t used, evicted;
};

/* Room for at least `entries`. The seed keys the hash and chooses what is lost: make it secret. */
void sdw_assoc_init(struct sdw_assoc *assoc, size_t entries, size_t key_bytes, size_t value_bytes,
                    uint64_t seed);
void sdw_assoc_release(struct sdw_assoc *assoc);

/* The value of key[key_bytes], zeroed when it is new. Stays at its place until it is lost. */
void *sdw_assoc_at(struct sdw_assoc *assoc, const void *key);

#endif
