#include "steer/unit.h"
#include "core/num.h"
#include "io/scan.h"

#include <arpa/inet.h>
#include <math.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

static const char *const state_names[SDW_UNIT_STATES] = {
    "PRIMARY", "ARMED", "SHIFTING", "SHIFTED", "HOLD", "RETURNING", "BLOCKED", "FROZEN", "FAILED"};

const char *sdw_unit_state_name(enum sdw_unit_state state)
{
    return state_names[state];
}

enum sdw_unit_state sdw_unit_state_of(struct sdw_str name)
{
    unsigned i = 0;
    while (i < SDW_UNIT_STATES && !sdw_str_is(name, state_names[i]))
        i++;
    return (enum sdw_unit_state)i;
}

static int family_of(const char *address, uint8_t out[16])
{
    memset(out, 0, 16);
    if (inet_pton(AF_INET, address, out) == 1)
        return AF_INET;
    return inet_pton(AF_INET6, address, out) == 1 ? AF_INET6 : AF_UNSPEC;
}

const char *sdw_prefix_text(const struct sdw_fib_route *route, char out[64])
{
    char address[INET6_ADDRSTRLEN];
    inet_ntop(route->family, route->dst, address, sizeof address);
    snprintf(out, 64, "%s/%u", address, route->dst_len);
    return out;
}

/* Whether all bits of the address behind its first `kept` are zero. */
static bool host_bits_zero(const uint8_t *address, unsigned size, unsigned kept)
{
    for (unsigned bit = kept; bit < size * 8; bit++)
        if (address[bit / 8] & (0x80u >> bit % 8))
            return false;
    return true;
}

bool sdw_prefix_parse(const char *text, struct sdw_fib_route *route)
{
    char address[64];
    const char *slash = strchr(text, '/');
    size_t n = slash ? (size_t)(slash - text) : strlen(text);
    int64_t length = -1;
    if (n >= sizeof address)
        return false;
    memcpy(address, text, n);
    address[n] = '\0';
    *route = (struct sdw_fib_route){.table = 254};
    if (strcmp(text, "default") == 0)
        snprintf(address, sizeof address, "0.0.0.0");
    route->family = family_of(address, route->dst);
    unsigned size = route->family == AF_INET6 ? 16 : 4;
    if (route->family == AF_UNSPEC)
        return false;
    if (strcmp(text, "default") == 0)
        length = 0;
    else if (!slash)
        length = size * 8;
    else if (!sdw_num_int(sdw_str_of(slash + 1), &length))
        return false;
    if (length < 0 || length > size * 8 || !host_bits_zero(route->dst, size, (unsigned)length))
        return false;
    route->dst_len = (uint8_t)length;
    return true;
}

void sdw_way_rename(struct sdw_way *way, size_t more)
{
    char address[INET6_ADDRSTRLEN] = "", others[24] = "";
    static const uint8_t none[16];
    if (memcmp(way->gateway.addr, none, sizeof none) != 0)
        inet_ntop(way->gateway.family, way->gateway.addr, address, sizeof address);
    if (more)
        snprintf(others, sizeof others, "+%zu", more);
    snprintf(way->name, sizeof way->name, "%s%%%s%s", address, way->dev, others);
}

bool sdw_hop_same(const struct sdw_gateway *a, const char *a_dev, const struct sdw_gateway *b,
                  const char *b_dev)
{
    return memcmp(a->addr, b->addr, sizeof a->addr) == 0 && strcmp(a_dev, b_dev) == 0;
}

/* The text of a JSON string member into out; false when it is none, is too long or is empty. */
static bool text_of(const struct sdw_member *member, char *out, size_t size)
{
    struct sdw_buf text = {0};
    bool good = member->kind == SDW_SCAN_STRING &&
                sdw_scan_unescape(member->value, &text, NULL) == 0 && text.n > 0 && text.n < size;
    if (good)
        memcpy(out, text.p, text.n + 1);
    sdw_buf_release(&text);
    return good;
}

/* via and dev of a next hop. */
static int read_hop(struct sdw_primary_hop *hop, const struct sdw_member *via,
                    const struct sdw_member *dev, int family, const char *field,
                    struct sdw_err *err)
{
    char text[64] = "";
    *hop = (struct sdw_primary_hop){.gateway.family = family, .weight = 1};
    if (!dev->key.p || !text_of(dev, hop->dev, sizeof hop->dev))
        return sdw_err_field(err, field, "dev must be the name of an interface");
    if (via->key.p && via->kind != SDW_SCAN_NULL &&
        (!text_of(via, text, sizeof text) || family_of(text, hop->gateway.addr) != family))
        return sdw_err_field(err, field, "via must be an address of the unit's family");
    return 0;
}

/* "hops" of the primary: [{"via":..,"dev":..,"weight":..}, ...]. */
static int read_hops(struct sdw_steer_unit *unit, struct sdw_str json, struct sdw_err *err)
{
    enum { VIA, DEV, WEIGHT, KEYS };
    static const struct sdw_str keys[KEYS] = {{"via", 3}, {"dev", 3}, {"weight", 6}};
    struct sdw_scan scan;
    struct sdw_member item, got[KEYS];
    int more = sdw_scan_begin(&scan, json, err);
    if (more < 0 || !scan.array)
        return sdw_err_field(err, "primary", "hops must be an array");
    while ((more = sdw_scan_next(&scan, &item, err)) > 0) {
        int64_t weight = 1;
        if (unit->n_hops == SDW_FIB_HOPS)
            return sdw_err_field(err, "primary", "at most %d hops are supported", SDW_FIB_HOPS);
        struct sdw_primary_hop *hop = &unit->hop[unit->n_hops];
        if (item.kind != SDW_SCAN_OBJECT || sdw_scan_find(item.value, keys, KEYS, got, err) < 0)
            return sdw_err_field(err, "primary", "each of hops must be an object");
        if (read_hop(hop, &got[VIA], &got[DEV], unit->route.family, "primary", err) < 0)
            return SDW_EINPUT;
        if (got[WEIGHT].key.p &&
            (!sdw_num_int(got[WEIGHT].value, &weight) || weight < 1 || weight > 256))
            return sdw_err_field(err, "primary", "weight of a hop must be 1 to 256");
        hop->weight = (unsigned)weight;
        for (size_t i = 0; i < unit->n_hops; i++)
            if (sdw_hop_same(&unit->hop[i].gateway, unit->hop[i].dev, &hop->gateway, hop->dev))
                return sdw_err_field(err, "primary", "%s is among its hops twice", hop->dev);
        unit->n_hops++;
    }
    return more < 0 || unit->n_hops == 0
               ? sdw_err_field(err, "primary", "hops must name at least one next hop")
               : 0;
}

enum { WAY_VIA, WAY_DEV, WAY_PATH, WAY_PROBE, WAY_CAPACITY, WAY_HOPS, WAY_KEYS };

/* What a way has besides its next hop. */
static int read_path(struct sdw_way *way, const struct sdw_member *got, const char *field,
                     struct sdw_err *err)
{
    if (got[WAY_PATH].key.p && got[WAY_PATH].kind != SDW_SCAN_NULL &&
        !text_of(&got[WAY_PATH], way->path_id, sizeof way->path_id))
        return sdw_err_field(err, field, "path_id must be a string of at most %d bytes",
                             SDW_KEY_SIZE - 1);
    if (got[WAY_PROBE].key.p && got[WAY_PROBE].kind != SDW_SCAN_NULL &&
        !text_of(&got[WAY_PROBE], way->probe, sizeof way->probe))
        return sdw_err_field(err, field, "probe must be the address that is probed");
    if (got[WAY_CAPACITY].key.p && got[WAY_CAPACITY].kind != SDW_SCAN_NULL &&
        (!sdw_num_real(got[WAY_CAPACITY].value, &way->capacity_bps) || way->capacity_bps <= 0 ||
         way->capacity_bps > 1e13))
        return sdw_err_field(err, field, "capacity_bps must be a rate above 0");
    return 0;
}

/* The way that is next in the unit: the primary (with its hops), or a shadow. */
static int read_way(struct sdw_steer_unit *unit, struct sdw_str json, struct sdw_err *err)
{
    static const struct sdw_str keys[WAY_KEYS] = {
        {"via", 3}, {"dev", 3}, {"path_id", 7}, {"probe", 5}, {"capacity_bps", 12}, {"hops", 4}};
    struct sdw_member got[WAY_KEYS];
    struct sdw_primary_hop hop;
    struct sdw_way *way = &unit->way[unit->n_ways];
    const char *field = unit->n_ways ? "shadows" : "primary";
    int family = unit->route.family;
    if (sdw_scan_find(json, keys, WAY_KEYS, got, err) < 0)
        return sdw_err_field(err, field, "is not an object with via, dev, path_id, capacity_bps");
    bool several = got[WAY_HOPS].key.p && got[WAY_HOPS].kind != SDW_SCAN_NULL;
    if (several && unit->n_ways)
        return sdw_err_field(err, field, "only the primary may have hops");
    int code = several ? read_hops(unit, got[WAY_HOPS].value, err)
                       : read_hop(&hop, &got[WAY_VIA], &got[WAY_DEV], family, field, err);
    if (code < 0)
        return code;
    if (several)
        hop = unit->hop[0];
    else if (unit->n_ways == 0)
        unit->hop[unit->n_hops++] = hop;
    *way = (struct sdw_way){.capacity_bps = NAN, .gateway = hop.gateway};
    memcpy(way->dev, hop.dev, sizeof way->dev);
    sdw_way_rename(way, unit->n_ways ? 0 : unit->n_hops - 1);
    return read_path(way, got, field, err);
}

/* "SRC:SPORT-DST:DPORT/udp", IPv6 addresses in brackets. */
static bool parse_end(const char *text, size_t n, int *family, uint8_t address[16], uint16_t *port)
{
    char copy[64];
    int64_t number;
    if (n >= sizeof copy)
        return false;
    memcpy(copy, text, n);
    copy[n] = '\0';
    char *colon = strrchr(copy, ':');
    if (!colon || !sdw_num_int(sdw_str_of(colon + 1), &number) || number < 1 || number > 65535)
        return false;
    *colon = '\0';
    char *start = copy;
    size_t length = strlen(copy);
    if (length > 2 && copy[0] == '[' && copy[length - 1] == ']') {
        copy[length - 1] = '\0';
        start++;
    }
    *port = (uint16_t)number;
    *family = family_of(start, address);
    return *family != AF_UNSPEC;
}

static bool parse_flow(struct sdw_steer_unit *unit)
{
    const char *text = unit->flow, *dash = strchr(text, '-'), *slash = strrchr(text, '/');
    int source_family, family;
    if (!dash || !slash || slash < dash)
        return false;
    unit->protocol = strcmp(slash, "/udp") == 0   ? IPPROTO_UDP
                     : strcmp(slash, "/tcp") == 0 ? IPPROTO_TCP
                                                  : 0;
    if (!unit->protocol ||
        !parse_end(text, (size_t)(dash - text), &source_family, unit->source, &unit->source_port) ||
        !parse_end(dash + 1, (size_t)(slash - dash - 1), &family, unit->route.dst,
                   &unit->destination_port) ||
        family != source_family)
        return false;
    unit->route.family = family;
    unit->route.dst_len = family == AF_INET6 ? 128 : 32;
    unit->route.table = 254;
    return true;
}

static int read_match(struct sdw_steer_unit *unit, struct sdw_str json, struct sdw_err *err)
{
    enum { PREFIX, FLOW, TABLE, KEYS };
    static const struct sdw_str keys[KEYS] = {{"prefix", 6}, {"flow", 4}, {"table", 5}};
    struct sdw_member got[KEYS];
    char prefix[64];
    int64_t table = 254;
    if (sdw_scan_find(json, keys, KEYS, got, err) < 0 || !got[PREFIX].key.p == !got[FLOW].key.p)
        return sdw_err_field(err, "match", "must be an object with prefix, or with flow");
    if (got[TABLE].key.p &&
        (!sdw_num_int(got[TABLE].value, &table) || table < 1 || table > UINT32_MAX || table == 255))
        return sdw_err_field(err, "match", "table must be the number of a routing table");
    if (got[FLOW].key.p) {
        unit->match = SDW_MATCH_FLOW;
        if (!text_of(&got[FLOW], unit->flow, sizeof unit->flow) || !parse_flow(unit))
            return sdw_err_field(err, "match",
                                 "flow must read SRC:SPORT-DST:DPORT/udp (or /tcp), IPv6 "
                                 "addresses in brackets");
        return 0;
    }
    unit->match = SDW_MATCH_PREFIX;
    if (!text_of(&got[PREFIX], prefix, sizeof prefix) || !sdw_prefix_parse(prefix, &unit->route))
        return sdw_err_field(err, "match",
                             "prefix must be an address and a length, such as "
                             "192.0.2.0/24, without host bits");
    unit->route.table = (uint32_t)table;
    return 0;
}

static int read_shadows(struct sdw_steer_unit *unit, struct sdw_str json, struct sdw_err *err)
{
    struct sdw_scan scan;
    struct sdw_member item;
    int got = sdw_scan_begin(&scan, json, err);
    if (got < 0 || !scan.array)
        return sdw_err_field(err, "shadows", "must be an array");
    while ((got = sdw_scan_next(&scan, &item, err)) > 0) {
        if (unit->n_ways == SDW_WAYS_MAX)
            return sdw_err_field(err, "shadows", "at most %d are supported", SDW_SHADOWS_MAX);
        const struct sdw_way *way = &unit->way[unit->n_ways];
        if (item.kind != SDW_SCAN_OBJECT)
            return sdw_err_field(err, "shadows", "each must be an object");
        if (read_way(unit, item.value, err) < 0)
            return SDW_EINPUT;
        bool twice = false;
        for (size_t i = 1; i < unit->n_ways; i++)
            twice = twice || strcmp(unit->way[i].name, way->name) == 0;
        for (size_t k = 0; k < unit->n_hops; k++)
            twice = twice ||
                    sdw_hop_same(&unit->hop[k].gateway, unit->hop[k].dev, &way->gateway, way->dev);
        if (twice)
            return sdw_err_field(err, "shadows", "%s is named twice", way->name);
        unit->n_ways++;
    }
    if (got < 0 || unit->n_ways < 2)
        return sdw_err_field(err, "shadows", "must name at least one other way");
    return 0;
}

static int read_watch(struct sdw_steer_unit *unit, struct sdw_str json, struct sdw_err *err)
{
    struct sdw_scan scan;
    struct sdw_member item;
    int got = sdw_scan_begin(&scan, json, err);
    if (got < 0 || !scan.array)
        return sdw_err_field(err, "watch", "must be an array of strings");
    unit->watch = sdw_xalloc(SDW_WATCH_MAX * sizeof *unit->watch);
    while ((got = sdw_scan_next(&scan, &item, err)) > 0)
        if (unit->n_watch == SDW_WATCH_MAX ||
            !text_of(&item, unit->watch[unit->n_watch++], SDW_KEY_SIZE))
            return sdw_err_field(err, "watch", "must hold at most %d strings of at most %d bytes",
                                 SDW_WATCH_MAX, SDW_KEY_SIZE - 1);
    return got < 0 ? sdw_err_field(err, "watch", "must be an array of strings") : 0;
}

static bool copy_text(char *out, size_t size, struct sdw_str text)
{
    if (text.n >= size || (text.n && memchr(text.p, '\0', text.n)))
        return false;
    if (text.n)
        memcpy(out, text.p, text.n);
    out[text.n] = '\0';
    return true;
}

static int fill(struct sdw_steer_unit *unit, const struct sdw_unit *rec, struct sdw_err *err)
{
    if (!rec->unit.n || !copy_text(unit->name, sizeof unit->name, rec->unit))
        return sdw_err_field(err, "unit", "must be a name of 1 to %d bytes", SDW_KEY_SIZE - 1);
    if (!copy_text(unit->load_dev, sizeof unit->load_dev, rec->load_dev))
        return sdw_err_field(err, "load_dev", "must be the name of an interface");
    if (!copy_text(unit->digest, sizeof unit->digest, rec->digest))
        return sdw_err_field(err, "digest", "must be 16 hex digits");
    unit->load_bps = rec->load_bps;
    if (read_match(unit, rec->match, err) < 0 || read_way(unit, rec->primary, err) < 0)
        return SDW_EINPUT;
    unit->n_ways = 1;
    if (read_shadows(unit, rec->shadows, err) < 0)
        return SDW_EINPUT;
    return rec->watch.p ? read_watch(unit, rec->watch, err) : 0;
}

/* The reader would take the last of two, another one the first: a plan must mean one thing. Keys
 * that the reader does not know are passed over. Nesting is bounded by the scanner. */
static int check_once(struct sdw_str json, struct sdw_err *err)
{
    static const char *const keys[] = {
        "type",  "v",       "ts",           "unit",  "match",  "prefix",   "table",
        "flow",  "primary", "shadows",      "via",   "dev",    "weight",   "hops",
        "probe", "path_id", "capacity_bps", "watch", "digest", "load_bps", "load_dev"};
    struct sdw_scan scan;
    struct sdw_member item;
    uint32_t seen = 0;
    int got = sdw_scan_begin(&scan, json, err);
    while (got >= 0 && (got = sdw_scan_next(&scan, &item, err)) > 0) {
        for (size_t i = 0; !scan.array && i < SDW_LEN(keys); i++) {
            if (!sdw_str_is(item.key, keys[i]))
                continue;
            if (seen >> i & 1)
                return sdw_err_field(err, keys[i], "stands there twice");
            seen |= 1u << i;
        }
        if (item.kind == SDW_SCAN_OBJECT || item.kind == SDW_SCAN_ARRAY)
            got = check_once(item.value, err);
    }
    return got < 0 ? SDW_EINPUT : 0;
}

int sdw_steer_unit_read(struct sdw_steer_unit *unit, struct sdw_str line, struct sdw_err *err)
{
    struct sdw_arena arena = {0};
    struct sdw_unit rec;
    *unit = (struct sdw_steer_unit){.load_bps = NAN};
    sdw_rec_init(&sdw_unit_schema, &rec);
    int code = sdw_rec_decode(&sdw_unit_schema, line, &arena, &rec, err);
    if (code == 0)
        code = check_once(line, err);
    if (code == 0)
        code = fill(unit, &rec, err);
    if (code == 0)
        unit->json = sdw_xstrndup(line.p, line.n);
    else
        sdw_steer_unit_release(unit);
    sdw_arena_release(&arena);
    return code;
}

void sdw_steer_unit_release(struct sdw_steer_unit *unit)
{
    free(unit->watch);
    free(unit->json);
    *unit = (struct sdw_steer_unit){0};
}
