#include "core/map.h"
#include "core/mem.h"

#include <stdlib.h>

struct sdw_map_slot {
    char *key; /* NULL: empty */
    size_t n;
    uint64_t hash;
    void *value;
};

static inline uint64_t rotl(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotl(v[1], 13) ^ v[0];
    v[0] = rotl(v[0], 32);
    v[2] += v[3];
    v[3] = rotl(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotl(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotl(v[1], 17) ^ v[2];
    v[2] = rotl(v[2], 32);
}

/* SipHash-1-3 (Aumasson and Bernstein, 2012) with the 64-bit key doubled. */
uint64_t sdw_hash(const void *bytes, size_t n, uint64_t key)
{
    const unsigned char *p = bytes;
    uint64_t k1 = ~key;
    uint64_t v[4] = {key ^ UINT64_C(0x736f6d6570736575), k1 ^ UINT64_C(0x646f72616e646f6d),
                     key ^ UINT64_C(0x6c7967656e657261), k1 ^ UINT64_C(0x7465646279746573)};
    uint64_t last = (uint64_t)n << 56;
    for (size_t left = n; left >= 8; left -= 8, p += 8) {
        uint64_t m;
        memcpy(&m, p, 8);
        v[3] ^= m;
        sip_round(v);
        v[0] ^= m;
    }
    for (size_t i = 0; i < n % 8; i++)
        last |= (uint64_t)p[i] << (8 * i);
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    sip_round(v);
    sip_round(v);
    sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void sdw_map_init(struct sdw_map *map, uint64_t hash_key)
{
    *map = (struct sdw_map){.key = hash_key};
}

void sdw_map_release(struct sdw_map *map)
{
    for (size_t i = 0; i < map->cap; i++)
        free(map->slots[i].key);
    free(map->slots);
    *map = (struct sdw_map){.key = map->key};
}

/* The key's slot, or the empty one where it would go. cap is a power of two, never full. */
static struct sdw_map_slot *map_find(const struct sdw_map *map, struct sdw_str key, uint64_t hash)
{
    size_t i = (size_t)hash & (map->cap - 1);
    while (map->slots[i].key) {
        const struct sdw_map_slot *s = &map->slots[i];
        if (s->hash == hash && s->n == key.n && memcmp(s->key, key.p, key.n) == 0)
            break;
        i = (i + 1) & (map->cap - 1);
    }
    return &map->slots[i];
}

static void map_grow(struct sdw_map *map)
{
    struct sdw_map bigger = {.cap = map->cap ? map->cap * 2 : 16, .n = map->n, .key = map->key};
    bigger.slots = sdw_xalloc(bigger.cap * sizeof *bigger.slots);
    for (size_t i = 0; i < map->cap; i++) {
        const struct sdw_map_slot *s = &map->slots[i];
        if (s->key)
            *map_find(&bigger, (struct sdw_str){s->key, s->n}, s->hash) = *s;
    }
    free(map->slots);
    *map = bigger;
}

void *sdw_map_get(const struct sdw_map *map, struct sdw_str key)
{
    if (map->n == 0)
        return NULL;
    const struct sdw_map_slot *s = map_find(map, key, sdw_hash(key.p, key.n, map->key));
    return s->key ? s->value : NULL;
}

void **sdw_map_at(struct sdw_map *map, struct sdw_str key)
{
    if ((map->n + 1) * 4 > map->cap * 3)
        map_grow(map);
    uint64_t hash = sdw_hash(key.p, key.n, map->key);
    struct sdw_map_slot *s = map_find(map, key, hash);
    if (!s->key) {
        *s = (struct sdw_map_slot){sdw_xstrndup(key.p, key.n), key.n, hash, NULL};
        map->n++;
    }
    return &s->value;
}

void *sdw_map_remove(struct sdw_map *map, struct sdw_str key)
{
    if (map->n == 0)
        return NULL;
    struct sdw_map_slot *hole = map_find(map, key, sdw_hash(key.p, key.n, map->key));
    if (!hole->key)
        return NULL;
    void *value = hole->value;
    free(hole->key);
    map->n--;
    /* Move back what probed past the hole, so that no tombstones are needed. */
    size_t mask = map->cap - 1, i = (size_t)(hole - map->slots);
    for (size_t j = (i + 1) & mask; map->slots[j].key; j = (j + 1) & mask) {
        size_t home = (size_t)map->slots[j].hash & mask;
        if (((j - home) & mask) >= ((j - i) & mask)) {
            map->slots[i] = map->slots[j];
            i = j;
        }
    }
    map->slots[i] = (struct sdw_map_slot){0};
    return value;
}

bool sdw_map_next(const struct sdw_map *map, size_t *cursor, struct sdw_str *key, void **value)
{
    for (; *cursor < map->cap; ++*cursor) {
        const struct sdw_map_slot *s = &map->slots[*cursor];
        if (s->key) {
            *key = (struct sdw_str){s->key, s->n};
            *value = s->value;
            ++*cursor;
            return true;
        }
    }
    return false;
}
