#include "net/flowtable.h"
#include "core/map.h"
#include "core/mem.h"
#include "core/rng.h"
#include "net/tcptrack.h"

#include <netinet/in.h>
#include <stdlib.h>

/*
 * Flows live in chunks that never move; a number names each. The hash table holds numbers. A wheel
 * of times holds every flow once, at the time when it could be due at the earliest: a packet does
 * not move it, it is looked at again when that time comes.
 */
enum {
    CHUNK = SDW_LARGE_PAGE / sizeof(struct sdw_biflow), /* flows in a chunk */
    WHEEL = 256,                                        /* slots of the wheel */
    SLOTS_A_WAIT = 32,
    WELL_KNOWN = 1024,  /* ports below belong to servers */
    LINE = 64,          /* of the cache */
    FETCHED = 3 * LINE, /* what a packet needs of its flow */
};
static const uint32_t nothing = UINT32_MAX;
static const int64_t linger_ns = 1000000000; /* a closed flow waits this long for stragglers */
static const int64_t finest_ns = 10000000;

struct bucket {
    uint32_t hash, flow; /* flow + 1; 0: empty */
};

/* Numbers of flows; `nothing` where one ended or was told of. */
struct list {
    uint32_t *number;
    size_t n, cap;
};

struct sdw_flowtable {
    struct sdw_flowtable_config config;
    struct bucket *bucket;
    size_t n_buckets; /* a power of two */
    struct sdw_biflow **chunk;
    size_t n_chunks, chunk_cap;
    uint32_t *unused; /* numbers of flows that ended, n_unused of them */
    size_t n_unused, unused_cap;
    size_t n, made;             /* flows going on; flows ever made room for */
    struct list touched, round; /* had packets since the round began; are still to be told of */
    size_t round_at;
    int64_t round_ns;
    uint32_t wheel[WHEEL];
    int64_t slot_ns, wheel_ns; /* width of a slot; start of the current slot */
    size_t current;
    struct sdw_rng rng;
};

static struct sdw_biflow *flow_at(const struct sdw_flowtable *table, uint32_t number)
{
    return &table->chunk[number / CHUNK][number % CHUNK];
}

static struct bucket *new_buckets(size_t n)
{
    size_t size = n * sizeof(struct bucket);
    return size < SDW_LARGE_PAGE ? sdw_xalloc(size) : memset(sdw_xlarge(size), 0, size);
}

struct sdw_flowtable *sdw_flowtable_new(const struct sdw_flowtable_config *config)
{
    struct sdw_flowtable *table = sdw_xalloc(sizeof *table);
    table->config = *config;
    int64_t wait = config->idle_ns < config->active_ns ? config->idle_ns : config->active_ns;
    if (wait > linger_ns)
        wait = linger_ns;
    int64_t longest = config->idle_ns > config->active_ns ? config->idle_ns : config->active_ns;
    table->slot_ns = wait / SLOTS_A_WAIT;
    if (table->slot_ns < longest / (WHEEL / 2))
        table->slot_ns = longest / (WHEEL / 2);
    if (table->slot_ns < finest_ns)
        table->slot_ns = finest_ns;
    table->n_buckets = 1024;
    table->bucket = new_buckets(table->n_buckets);
    for (size_t i = 0; i < WHEEL; i++)
        table->wheel[i] = nothing;
    sdw_rng_seed(&table->rng, config->hash_key);
    return table;
}

void sdw_flowtable_free(struct sdw_flowtable *table)
{
    if (!table)
        return;
    for (size_t i = 0; i < table->n_chunks; i++)
        free(table->chunk[i]);
    free(table->chunk);
    free(table->bucket);
    free(table->unused);
    free(table->touched.number);
    free(table->round.number);
    free(table);
}

size_t sdw_flowtable_count(const struct sdw_flowtable *table)
{
    return table->n;
}

/* --- the hash table ------------------------------------------------------------------------- */

static struct bucket *find(const struct sdw_flowtable *table, const struct sdw_biflow_key *key,
                           uint32_t hash)
{
    size_t mask = table->n_buckets - 1;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        struct bucket *b = &table->bucket[i];
        if (b->flow == 0 ||
            (b->hash == hash && memcmp(&flow_at(table, b->flow - 1)->key, key, sizeof *key) == 0))
            return b;
    }
}

static void grow(struct sdw_flowtable *table)
{
    struct bucket *old = table->bucket;
    size_t n_old = table->n_buckets;
    table->n_buckets *= 2;
    table->bucket = new_buckets(table->n_buckets);
    size_t mask = table->n_buckets - 1;
    for (size_t j = 0; j < n_old; j++) {
        if (old[j].flow == 0)
            continue;
        size_t i = old[j].hash & mask;
        while (table->bucket[i].flow)
            i = (i + 1) & mask;
        table->bucket[i] = old[j];
    }
    free(old);
}

/* Move back what probed past the hole, so that no tombstones are needed. */
static void close_hole(struct sdw_flowtable *table, size_t hole)
{
    size_t mask = table->n_buckets - 1;
    for (size_t j = (hole + 1) & mask; table->bucket[j].flow; j = (j + 1) & mask) {
        size_t home = table->bucket[j].hash & mask;
        if (((j - home) & mask) >= ((j - hole) & mask)) {
            table->bucket[hole] = table->bucket[j];
            hole = j;
        }
    }
    table->bucket[hole] = (struct bucket){0};
}

/* --- the wheel ------------------------------------------------------------------------------ */

static void wheel_put(struct sdw_flowtable *table, struct sdw_biflow *flow, uint32_t number,
                      int64_t at_ns)
{
    int64_t ahead = (at_ns - table->wheel_ns) / table->slot_ns + 1;
    if (ahead < 1)
        ahead = 1;
    if (ahead >= WHEEL)
        ahead = WHEEL - 1;
    uint32_t slot = (uint32_t)((table->current + (size_t)ahead) % WHEEL);
    flow->wheel_slot = slot;
    flow->wheel_prev = nothing;
    flow->wheel_next = table->wheel[slot];
    if (flow->wheel_next != nothing)
        flow_at(table, flow->wheel_next)->wheel_prev = number;
    table->wheel[slot] = number;
}

static void wheel_take(struct sdw_flowtable *table, struct sdw_biflow *flow)
{
    if (flow->wheel_prev == nothing)
        table->wheel[flow->wheel_slot] = flow->wheel_next;
    else
        flow_at(table, flow->wheel_prev)->wheel_next = flow->wheel_next;
    if (flow->wheel_next != nothing)
        flow_at(table, flow->wheel_next)->wheel_prev = flow->wheel_prev;
}

/* --- the life of a flow --------------------------------------------------------------------- */

static bool closed(const struct sdw_biflow *flow)
{
    return (flow->closing & SDW_CLOSING_BOTH) == SDW_CLOSING_BOTH ||
           (flow->closing & SDW_CLOSING_RST);
}

static enum sdw_biflow_reason close_reason(const struct sdw_biflow *flow,
                                           enum sdw_biflow_reason otherwise)
{
    if (flow->closing & SDW_CLOSING_RST)
        return SDW_ENDED_RESET;
    return closed(flow) ? SDW_ENDED_CLOSED : otherwise;
}

static int64_t end_ns(const struct sdw_flowtable *table, const struct sdw_biflow *flow)
{
    bool soon = closed(flow) && linger_ns < table->config.idle_ns;
    return flow->last_ns + (soon ? linger_ns : table->config.idle_ns);
}

/* A flow of the round, in its turn or before. */
static void tell_of(struct sdw_flowtable *table, struct sdw_biflow *flow)
{
    table->round.number[flow->touched_at] = nothing;
    flow->touched_at = nothing;
    flow->awaits = false;
    table->config.touched(table->config.arg, flow, table->round_ns);
    flow->told_ns = table->round_ns;
}

static void end_flow(struct sdw_flowtable *table, uint32_t number, enum sdw_biflow_reason reason,
                     int64_t now_ns)
{
    struct sdw_biflow *flow = flow_at(table, number);
    if (flow->awaits)
        tell_of(table, flow);
    table->config.ended(table->config.arg, flow, reason, now_ns);
    wheel_take(table, flow);
    if (flow->touched_at != nothing)
        table->touched.number[flow->touched_at] = nothing;
    struct bucket *b = find(table, &flow->key, flow->hash);
    close_hole(table, (size_t)(b - table->bucket));
    SDW_GROW(table->unused, table->unused_cap, table->n_unused + 1);
    table->unused[table->n_unused++] = number;
    *flow = (struct sdw_biflow){0};
    table->n--;
}

/* Room for a flow: its number. When all are taken, one chosen at random ends. */
static uint32_t make_room(struct sdw_flowtable *table, int64_t now_ns)
{
    if (table->n_unused == 0 && table->n == table->config.max_flows) {
        uint32_t victim = (uint32_t)sdw_rng_below(&table->rng, table->made);
        end_flow(table, victim, close_reason(flow_at(table, victim), SDW_ENDED_EVICTED), now_ns);
    }
    if (table->n_unused)
        return table->unused[--table->n_unused];
    if (table->made == table->n_chunks * CHUNK) {
        SDW_GROW(table->chunk, table->chunk_cap, table->n_chunks + 1);
        table->chunk[table->n_chunks++] = sdw_xlarge(SDW_LARGE_PAGE);
    }
    return (uint32_t)table->made++;
}

/* Who opened it: the sender of a SYN, the receiver of a SYN-ACK; of a connection under way the end
 * that is not at a well-known port, otherwise the one that is heard first. */
static bool source_is_receiver(const struct sdw_packet *packet)
{
    if (packet->protocol != IPPROTO_TCP || !packet->whole)
        return false;
    unsigned flags = packet->tcp.flags;
    if (flags & SDW_TCP_SYN)
        return flags & SDW_TCP_ACK;
    return packet->sport < WELL_KNOWN && packet->dport >= WELL_KNOWN;
}

static uint32_t make_flow(struct sdw_flowtable *table, const struct sdw_packet *packet,
                          const struct sdw_flowtable_place *place, int64_t ts_ns)
{
    bool sender_is_high = place->sender_is_high;
    uint32_t number = make_room(table, ts_ns);
    struct sdw_biflow *flow = flow_at(table, number);
    if ((table->n + 1) * 2 > table->n_buckets)
        grow(table);
    *find(table, &place->key, place->hash) = (struct bucket){place->hash, number + 1};
    *flow = (struct sdw_biflow){.key = place->key, .hash = place->hash};
    struct {
        struct sdw_biflow_key key;
        int64_t first_ns;
    } name = {place->key, ts_ns};
    flow->id = sdw_hash(&name, sizeof name, table->config.id_key);
    flow->first_ns = flow->last_ns = flow->told_ns = ts_ns;
    flow->src_is_high = source_is_receiver(packet) ? !sender_is_high : sender_is_high;
    bool tcp = packet->protocol == IPPROTO_TCP && packet->whole;
    flow->midflow = tcp && !(packet->tcp.flags & (SDW_TCP_SYN | SDW_TCP_RST));
    flow->touched_at = nothing;
    table->n++;
    int64_t wait = table->config.idle_ns < table->config.active_ns ? table->config.idle_ns
                                                                   : table->config.active_ns;
    wheel_put(table, flow, number, ts_ns + wait);
    return number;
}

/* Whether this packet opens another connection than the one that the flow is. */
static bool opens_another(const struct sdw_biflow *flow, const struct sdw_packet *packet,
                          enum sdw_direction direction)
{
    if (packet->protocol != IPPROTO_TCP || !packet->whole ||
        (packet->tcp.flags & (SDW_TCP_SYN | SDW_TCP_ACK | SDW_TCP_RST)) != SDW_TCP_SYN)
        return false;
    if (closed(flow) || !flow->syn_seen)
        return !flow->syn_seen || direction != SDW_FORWARD || packet->tcp.seq != flow->syn_seq;
    if (direction == SDW_REVERSE) /* nothing had come from there: both open it at once */
        return flow->count[SDW_REVERSE].packets > 0;
    return packet->tcp.seq != flow->syn_seq;
}

/* Remember that the flow had a packet. Flows that ended leave holes, which are closed in time. */
static void touch(struct sdw_flowtable *table, uint32_t number)
{
    struct list *list = &table->touched;
    if (list->n > 2 * table->n + CHUNK) {
        size_t kept = 0;
        for (size_t i = 0; i < list->n; i++) {
            if (list->number[i] == nothing)
                continue;
            flow_at(table, list->number[i])->touched_at = (uint32_t)kept;
            list->number[kept++] = list->number[i];
        }
        list->n = kept;
    }
    SDW_GROW(list->number, list->cap, list->n + 1);
    flow_at(table, number)->touched_at = (uint32_t)list->n;
    list->number[list->n++] = number;
}

/* Count the packet in and see what it does to the connection. */
static void count_packet(struct sdw_flowtable *table, uint32_t number,
                         const struct sdw_packet *packet, int64_t ts_ns,
                         enum sdw_direction direction)
{
    struct sdw_biflow *flow = flow_at(table, number);
    if (flow->awaits)
        tell_of(table, flow);
    flow->count[direction].packets++;
    flow->count[direction].bytes += packet->ip_bytes;
    if (ts_ns > flow->last_ns)
        flow->last_ns = ts_ns;
    if (flow->touched_at == nothing)
        touch(table, number);
    if (packet->protocol != IPPROTO_TCP || !packet->whole)
        return;
    unsigned flags = packet->tcp.flags;
    if ((flags & (SDW_TCP_SYN | SDW_TCP_ACK)) == SDW_TCP_SYN && direction == SDW_FORWARD &&
        !flow->syn_seen) {
        flow->syn_seen = true;
        flow->syn_seq = packet->tcp.seq;
    }
    bool was = closed(flow);
    if (flags & SDW_TCP_FIN)
        flow->closing |= (uint8_t)(SDW_CLOSING_FIN << direction);
    if (flags & SDW_TCP_RST)
        flow->closing |= SDW_CLOSING_RST;
    if (!was && closed(flow)) {
        wheel_take(table, flow);
        wheel_put(table, flow, number, end_ns(table, flow));
    }
}

struct sdw_flowtable_place sdw_flowtable_find(const struct sdw_flowtable *table,
                                              const struct sdw_packet *packet)
{
    struct sdw_flowtable_place place;
    place.key = sdw_biflow_key_of(packet, &place.sender_is_high);
    place.hash = (uint32_t)sdw_hash(&place.key, sizeof place.key, table->config.hash_key);
    __builtin_prefetch(&table->bucket[place.hash & (table->n_buckets - 1)]);
    return place;
}

/* Always inline: gcc takes a function that does nothing but fetch for one that does nothing. */
SDW_INLINE void fetch(const void *at, size_t n)
{
    for (size_t i = 0; i < n; i += LINE)
        __builtin_prefetch((const char *)at + i, 1);
}

/* A list of flows is gone through, and has come to i: fetch those that come next. */
SDW_INLINE void fetch_next(const struct sdw_flowtable *table, const struct list *list, size_t i)
{
    enum { FLOW_AHEAD = 12, TCP_AHEAD = 6 };
    const uint32_t *number = list->number;
    size_t n = list->n;
    if (i + FLOW_AHEAD < n && number[i + FLOW_AHEAD] != nothing) {
        const struct sdw_biflow *flow = flow_at(table, number[i + FLOW_AHEAD]);
        fetch(flow, sizeof *flow);
    }
    if (i + TCP_AHEAD < n && number[i + TCP_AHEAD] != nothing) {
        const struct sdw_tcp_track *tcp = flow_at(table, number[i + TCP_AHEAD])->tcp;
        fetch(tcp, tcp ? sizeof tcp->half : 0);
    }
}

/* The flow that is probably the one; NULL when there is none. */
static const struct sdw_biflow *likely(const struct sdw_flowtable *table,
                                       const struct sdw_flowtable_place *place)
{
    const struct bucket *b = &table->bucket[place->hash & (table->n_buckets - 1)];
    return b->flow && b->hash == place->hash ? flow_at(table, b->flow - 1) : NULL;
}

void sdw_flowtable_fetch(const struct sdw_flowtable *table, const struct sdw_flowtable_place *place)
{
    const struct sdw_biflow *flow = likely(table, place);
    fetch(flow, flow ? FETCHED : 0);
}

void sdw_flowtable_fetch_tcp(const struct sdw_flowtable *table,
                             const struct sdw_flowtable_place *place)
{
    const struct sdw_biflow *flow = likely(table, place);
    if (flow && flow->tcp)
        fetch(flow->tcp, sizeof flow->tcp->half);
}

struct sdw_biflow *sdw_flowtable_see(struct sdw_flowtable *table,
                                     const struct sdw_flowtable_place *place,
                                     const struct sdw_packet *packet, int64_t ts_ns,
                                     enum sdw_direction *direction, bool *fresh)
{
    sdw_flowtable_advance(table, ts_ns);
    const struct bucket *b = find(table, &place->key, place->hash);
    uint32_t number = b->flow - 1; /* wraps when there is none */
    if (b->flow) {
        const struct sdw_biflow *flow = flow_at(table, number);
        *direction = flow->src_is_high == place->sender_is_high ? SDW_FORWARD : SDW_REVERSE;
        if (opens_another(flow, packet, *direction)) {
            end_flow(table, number, close_reason(flow, SDW_ENDED_REUSED), ts_ns);
            number = nothing;
        }
    }
    *fresh = number == nothing;
    if (*fresh)
        number = make_flow(table, packet, place, ts_ns);
    struct sdw_biflow *flow = flow_at(table, number);
    *direction = flow->src_is_high == place->sender_is_high ? SDW_FORWARD : SDW_REVERSE;
    count_packet(table, number, packet, ts_ns, *direction);
    return flow;
}

/* --- time ----------------------------------------------------------------------------------- */

/* The current slot has passed: look at each flow in it. */
static void turn(struct sdw_flowtable *table)
{
    table->current = (table->current + 1) % WHEEL;
    table->wheel_ns += table->slot_ns;
    uint32_t number = table->wheel[table->current];
    table->wheel[table->current] = nothing;
    while (number != nothing) {
        struct sdw_biflow *flow = flow_at(table, number);
        uint32_t next = flow->wheel_next;
        if (flow->awaits)
            tell_of(table, flow);
        int64_t end = end_ns(table, flow), due = flow->told_ns + table->config.active_ns;
        flow->wheel_prev = flow->wheel_next = nothing;
        flow->wheel_slot = (uint32_t)table->current;
        if (end <= table->wheel_ns) {
            end_flow(table, number, close_reason(flow, SDW_ENDED_IDLE), table->wheel_ns);
        } else {
            if (due <= table->wheel_ns) {
                table->config.due(table->config.arg, flow, table->wheel_ns);
                flow->told_ns = table->wheel_ns;
                due = table->wheel_ns + table->config.active_ns;
            }
            wheel_put(table, flow, number, end < due ? end : due);
        }
        number = next;
    }
}

void sdw_flowtable_advance(struct sdw_flowtable *table, int64_t now_ns)
{
    if (table->n && now_ns < table->wheel_ns - table->config.idle_ns)
        sdw_flowtable_end(table, SDW_ENDED_CLOCK, table->wheel_ns);
    while (table->n && now_ns - table->wheel_ns >= table->slot_ns)
        turn(table);
    if (table->n == 0) /* nothing to wait for: go on from here */
        table->wheel_ns = now_ns;
}

void sdw_flowtable_round(struct sdw_flowtable *table, int64_t now_ns)
{
    (void)sdw_flowtable_tell(table, SIZE_MAX);
    struct list told = table->round;
    table->round = table->touched;
    table->touched = told;
    table->touched.n = 0;
    table->round_at = 0;
    table->round_ns = now_ns;
    for (size_t i = 0; i < table->round.n; i++)
        if (table->round.number[i] != nothing)
            flow_at(table, table->round.number[i])->awaits = true;
}

bool sdw_flowtable_tell(struct sdw_flowtable *table, size_t most)
{
    const struct list *round = &table->round;
    for (; most && table->round_at < round->n; most--, table->round_at++) {
        fetch_next(table, round, table->round_at);
        if (round->number[table->round_at] != nothing)
            tell_of(table, flow_at(table, round->number[table->round_at]));
    }
    return table->round_at < round->n;
}

void sdw_flowtable_end(struct sdw_flowtable *table, enum sdw_biflow_reason reason, int64_t now_ns)
{
    for (size_t i = 0; i < table->made; i++) {
        const struct sdw_biflow *flow = flow_at(table, (uint32_t)i);
        if (flow->key.version)
            end_flow(table, (uint32_t)i, close_reason(flow, reason), now_ns);
    }
    table->touched.n = table->round.n = table->round_at = 0;
}
