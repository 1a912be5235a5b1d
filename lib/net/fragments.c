#include "net/fragments.h"
#include "core/map.h"
#include "core/mem.h"

#include <stdlib.h>

enum { PLACES = 4096 };                                    /* a power of two */
static const int64_t forget_ns = INT64_C(30) * 1000000000; /* net.ipv4.ipfrag_time */

/* What the fragments of one packet have in common (RFC 791, RFC 8200); compared as bytes. */
struct name {
    uint8_t src[16], dst[16];
    uint32_t ip_id;
    uint8_t version, protocol;
    uint16_t vlan;
};

struct place {
    struct name name;
    uint16_t sport, dport;
    int64_t ts_ns;
};

struct sdw_fragments {
    uint64_t hash_key;
    struct place place[PLACES];
};

struct sdw_fragments *sdw_fragments_new(uint64_t hash_key)
{
    struct sdw_fragments *fragments = sdw_xalloc(sizeof *fragments);
    fragments->hash_key = hash_key;
    return fragments;
}

void sdw_fragments_free(struct sdw_fragments *fragments)
{
    free(fragments);
}

void sdw_fragments_join(struct sdw_fragments *fragments, struct sdw_packet *packet, int64_t ts_ns)
{
    if (packet->fragment == SDW_FRAGMENT_NONE)
        return;
    struct name name = {.ip_id = packet->ip_id,
                        .version = packet->version,
                        .protocol = packet->protocol,
                        .vlan = packet->vlan};
    memcpy(name.src, packet->src, sizeof name.src);
    memcpy(name.dst, packet->dst, sizeof name.dst);
    uint64_t hash = sdw_hash(&name, sizeof name, fragments->hash_key);
    struct place *place = &fragments->place[hash & (PLACES - 1)];
    if (packet->fragment == SDW_FRAGMENT_FIRST) {
        *place = (struct place){name, packet->sport, packet->dport, ts_ns};
    } else if (memcmp(&place->name, &name, sizeof name) == 0 && ts_ns - place->ts_ns <= forget_ns) {
        packet->sport = place->sport;
        packet->dport = place->dport;
    }
}
