#include "net/router.h"

#include <stdlib.h>

#include "core/mem.h"

enum { GATE_NS = 1150000000, LIMITED_NS = 1050000000, ROUTERS_MOST = 1 << 16 };

static const double weight = 0.2, limited_below = 0.5;

void sdw_gate_init(struct sdw_gate *gate, size_t n)
{
    *gate = (struct sdw_gate){.at_ns = sdw_xrealloc(NULL, n, sizeof(int64_t)), .n = n};
    for (size_t i = 0; i < n; i++)
        gate->at_ns[i] = INT64_MIN;
}

void sdw_gate_release(struct sdw_gate *gate)
{
    free(gate->at_ns);
    *gate = (struct sdw_gate){0};
}

bool sdw_gate_allows(const struct sdw_gate *gate, size_t more, int64_t now_ns)
{
    if (more == 0 || more > gate->n)
        return more == 0;
    /* The places that would be taken are those of the oldest: the last of them has to be over. */
    int64_t last = gate->at_ns[(gate->next + more - 1) % gate->n];
    return last == INT64_MIN || now_ns - last > GATE_NS;
}

size_t sdw_gate_used(const struct sdw_gate *gate, int64_t now_ns)
{
    size_t used = 0;
    for (size_t i = 0; i < gate->n; i++)
        used += gate->at_ns[i] != INT64_MIN && now_ns - gate->at_ns[i] <= GATE_NS;
    return used;
}

void sdw_gate_take(struct sdw_gate *gate, size_t more, int64_t now_ns)
{
    for (; more > 0; more--, gate->next = (gate->next + 1) % gate->n)
        gate->at_ns[gate->next] = now_ns;
}

void sdw_routers_init(struct sdw_routers *routers, size_t per_s, uint64_t hash_key)
{
    routers->per_s = per_s;
    sdw_map_init(&routers->by_addr, hash_key);
}

void sdw_routers_release(struct sdw_routers *routers)
{
    size_t cursor = 0;
    struct sdw_str key;
    void *value;
    while (sdw_map_next(&routers->by_addr, &cursor, &key, &value)) {
        struct sdw_router *router = value;
        sdw_gate_release(&router->gate);
        free(router);
    }
    sdw_map_release(&routers->by_addr);
}

struct sdw_router *sdw_routers_find(struct sdw_routers *routers, const struct sdw_address *addr)
{
    size_t n;
    const uint8_t *bytes = sdw_address_bytes(addr, &n);
    if (n == 0)
        return NULL;
    struct sdw_str key = {(const char *)bytes, n};
    struct sdw_router *known = sdw_map_get(&routers->by_addr, key);
    if (known || routers->by_addr.n >= ROUTERS_MOST)
        return known;
    void **place = sdw_map_at(&routers->by_addr, key);
    struct sdw_router *router = sdw_xalloc(sizeof *router);
    router->answers = 1;
    router->asked_ns = INT64_MIN;
    sdw_gate_init(&router->gate, routers->per_s);
    *place = router;
    return router;
}

bool sdw_router_open(const struct sdw_router *router, size_t others, int64_t now_ns)
{
    if (!router)
        return true;
    if (router->limited && router->asked_ns != INT64_MIN && now_ns - router->asked_ns < LIMITED_NS)
        return false;
    return sdw_gate_allows(&router->gate, 1 + others, now_ns);
}

void sdw_router_learn(struct sdw_router *router, bool answered)
{
    router->answers += weight * ((answered ? 1 : 0) - router->answers);
    router->limited = router->limited || router->answers < limited_below;
}
