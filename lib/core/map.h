/* A map from byte strings to pointers: open addressing, keyed hash against hostile keys. */
#ifndef SDW_CORE_MAP_H
#define SDW_CORE_MAP_H

#include "core/base.h"

struct sdw_map {
    struct sdw_map_slot *slots;
    size_t n, cap;
    uint64_t key;
};

void sdw_map_init(struct sdw_map *map, uint64_t hash_key);
void sdw_map_release(struct sdw_map *map); /* the values are the caller's */

void *sdw_map_get(const struct sdw_map *map, struct sdw_str key); /* NULL when absent */
/* The place of the key's value, made (NULL inside) when absent; the key is copied. Valid until
 * the next call that may add or remove. */
void **sdw_map_at(struct sdw_map *map, struct sdw_str key);
void *sdw_map_remove(struct sdw_map *map, struct sdw_str key); /* the value it had, or NULL */
/* Iterate: *cursor starts at 0; returns false at the end. Order is not defined. */
bool sdw_map_next(const struct sdw_map *map, size_t *cursor, struct sdw_str *key, void **value);

/* Keyed 64-bit hash (SipHash-1-3), also used for path_id. */
uint64_t sdw_hash(const void *bytes, size_t n, uint64_t key);

#endif
