#include "net/collect_snmp.h"
#include "core/rng.h"
#include "core/clock.h"
#include "core/counter.h"
#include "core/map.h"
#include "core/mem.h"
#include "rec/steering.h"
#include "sys/snmp.h"

#include <math.h>
#include <stdlib.h>

#define MIB2 1, 3, 6, 1, 2, 1
#define IF   MIB2, 2, 2, 1
#define IFX  MIB2, 31, 1, 1, 1

enum column {
    NAME,
    DESCRIPTION,
    STATE,
    SPEED,
    TX_BYTES,
    RX_BYTES,
    TX_PACKETS,
    RX_PACKETS,
    TX_BYTES_32,
    RX_BYTES_32,
    TX_DISCARDS,
    RX_DISCARDS,
    TX_ERRORS,
    RX_ERRORS,
    COLUMNS
};

/* RFC 2863: ifTable and ifXTable. */
static const struct sdw_snmp_name columns[COLUMNS] = {
    [NAME] = {{IFX, 1}, 11},        [DESCRIPTION] = {{IF, 2}, 10},  [STATE] = {{IF, 8}, 10},
    [SPEED] = {{IFX, 15}, 11},      [TX_BYTES] = {{IFX, 10}, 11},   [RX_BYTES] = {{IFX, 6}, 11},
    [TX_PACKETS] = {{IFX, 11}, 11}, [RX_PACKETS] = {{IFX, 7}, 11},  [TX_BYTES_32] = {{IF, 16}, 10},
    [RX_BYTES_32] = {{IF, 10}, 10}, [TX_DISCARDS] = {{IF, 19}, 10}, [RX_DISCARDS] = {{IF, 13}, 10},
    [TX_ERRORS] = {{IF, 20}, 10},   [RX_ERRORS] = {{IF, 14}, 10},
};

static const struct sdw_snmp_name uptime = {{MIB2, 1, 3}, 8};
static const struct sdw_snmp_name processor_load = {{MIB2, 25, 3, 3, 1, 2}, 11}; /* RFC 2790 */
/* UCD-SNMP-MIB, KiB */
static const struct sdw_snmp_name memory_total = {{1, 3, 6, 1, 4, 1, 2021, 4, 5}, 9};
static const struct sdw_snmp_name memory_available = {{1, 3, 6, 1, 4, 1, 2021, 4, 6}, 9};
static const struct sdw_snmp_name memory_buffers = {{1, 3, 6, 1, 4, 1, 2021, 4, 14}, 9};
static const struct sdw_snmp_name memory_cached = {{1, 3, 6, 1, 4, 1, 2021, 4, 15}, 9};

/* The counters that become rates. */
static const struct {
    const char *name;
    enum column column, fallback;
    double scale;
} rates[] = {
    {"bps", TX_BYTES, TX_BYTES_32, 8},
    {"rx_bps", RX_BYTES, RX_BYTES_32, 8},
    {"pps", TX_PACKETS, TX_PACKETS, 1},
    {"rx_pps", RX_PACKETS, RX_PACKETS, 1},
    {"dropped_per_s", TX_DISCARDS, TX_DISCARDS, 1},
    {"rx_dropped_per_s", RX_DISCARDS, RX_DISCARDS, 1},
    {"errors_per_s", TX_ERRORS, TX_ERRORS, 1},
    {"rx_errors_per_s", RX_ERRORS, RX_ERRORS, 1},
};

/* One interface: what this reading told, and what is remembered of those before. */
struct interface {
    struct sdw_snmp_value value[COLUMNS];
    uint32_t has; /* bit by column */
    int64_t read_ns[COLUMNS], before_ns[COLUMNS];
    struct sdw_counter counter[COLUMNS];
};

struct agent {
    const char *host;
    struct sdw_snmp *snmp; /* NULL until it could be opened */
    struct sdw_map interfaces;
    uint64_t uptime;
    bool asked, answers;
};

struct source {
    struct sdw_snmp_auth auth;
    struct agent *agent;
    size_t n;
    uint64_t readings, unanswered;
};

/* Where the values of one walk go. */
struct filling {
    struct agent *agent;
    enum column column;
    int64_t now_ns;
};

static void fill_column(const struct sdw_snmp_value *value, void *arg)
{
    const struct filling *filling = arg;
    struct sdw_str key = {(const char *)&value->index, sizeof value->index};
    void **place = sdw_map_at(&filling->agent->interfaces, key);
    if (!*place)
        *place = sdw_xalloc(sizeof(struct interface));
    struct interface *interface = *place;
    interface->value[filling->column] = *value;
    interface->has |= 1U << filling->column;
    interface->before_ns[filling->column] = interface->read_ns[filling->column];
    interface->read_ns[filling->column] = filling->now_ns;
}

struct sums {
    double sum, n;
};

static void add(const struct sdw_snmp_value *value, void *arg)
{
    struct sums *sums = arg;
    sums->sum += value->text ? 0 : (double)value->number;
    sums->n += !value->text;
}

static int sum_of(struct agent *agent, const struct sdw_snmp_name *name, struct sums *sums,
                  struct sdw_err *err)
{
    *sums = (struct sums){0};
    return sdw_snmp_walk(agent->snmp, name, add, sums, err);
}

static bool has(const struct interface *interface, enum column column)
{
    return interface->has >> column & 1;
}

static void put_interface(struct sdw_metrics *metrics, const struct agent *agent,
                          struct interface *interface)
{
    const char *name = has(interface, NAME) && interface->value[NAME].string[0]
                           ? interface->value[NAME].string
                           : interface->value[DESCRIPTION].string;
    if (!name[0])
        return;
    double speed = has(interface, SPEED) ? (double)interface->value[SPEED].number * 1e6 : 0;
    for (size_t i = 0; i < SDW_LEN(rates); i++) {
        enum column c = has(interface, rates[i].column) ? rates[i].column : rates[i].fallback;
        if (!has(interface, c))
            continue;
        int64_t elapsed =
            interface->before_ns[c] ? interface->read_ns[c] - interface->before_ns[c] : 0;
        /* Bytes that the speed leaves room for, generously, tell a wrap from a restart. */
        double most = rates[i].scale > 1 && speed > 0 ? speed / 8 * 2 * (double)elapsed / 1e9 : 0;
        double rate = sdw_counter_rate(&interface->counter[c], interface->value[c].number,
                                       interface->value[c].bits ? interface->value[c].bits : 64,
                                       most, elapsed);
        sdw_metrics_put(metrics, rate * rates[i].scale, "link/%s:%s/%s", agent->host, name,
                        rates[i].name);
    }
    if (speed > 0)
        sdw_metrics_put(metrics, speed, "link/%s:%s/capacity_bps", agent->host, name);
    if (has(interface, STATE))
        sdw_metrics_put(metrics, interface->value[STATE].number == 1, "link/%s:%s/up", agent->host,
                        name);
}

static void forget(struct agent *agent)
{
    size_t cursor = 0;
    struct sdw_str key;
    void *value;
    while (sdw_map_next(&agent->interfaces, &cursor, &key, &value))
        free(value);
    sdw_map_release(&agent->interfaces);
}

/* Read the interfaces. An agent that was restarted counts from the beginning. */
static int read_interfaces(struct agent *agent, struct sdw_metrics *metrics, struct sdw_err *err)
{
    struct sums ticks;
    size_t cursor = 0;
    struct sdw_str key;
    void *value;
    int code = sum_of(agent, &uptime, &ticks, err);
    if (code >= 0 && ticks.n > 0) {
        if ((uint64_t)ticks.sum < agent->uptime)
            forget(agent);
        agent->uptime = (uint64_t)ticks.sum;
    }
    while (code >= 0 && sdw_map_next(&agent->interfaces, &cursor, &key, &value))
        ((struct interface *)value)->has = 0;
    for (int i = 0; code >= 0 && i < COLUMNS; i++) {
        struct filling filling = {agent, (enum column)i, sdw_mono_ns()};
        code = sdw_snmp_walk(agent->snmp, &columns[i], fill_column, &filling, err);
    }
    cursor = 0;
    while (code >= 0 && sdw_map_next(&agent->interfaces, &cursor, &key, &value))
        put_interface(metrics, agent, value);
    return code < 0 ? code : 0;
}

static int read_load(struct agent *agent, struct sdw_metrics *metrics, struct sdw_err *err)
{
    struct sums load, total, available, buffers, cached;
    int code = sum_of(agent, &processor_load, &load, err);
    if (code >= 0)
        code = sum_of(agent, &memory_total, &total, err);
    if (code >= 0)
        code = sum_of(agent, &memory_available, &available, err);
    if (code >= 0)
        code = sum_of(agent, &memory_buffers, &buffers, err);
    if (code >= 0)
        code = sum_of(agent, &memory_cached, &cached, err);
    if (code < 0)
        return code;
    if (load.n > 0 && load.sum <= 100 * load.n)
        sdw_metrics_put(metrics, load.sum / load.n / 100, "host/%s/cpu/busy_share", agent->host);
    double can_have = available.sum + buffers.sum + cached.sum;
    if (total.n > 0 && available.n > 0 && total.sum > 0 && can_have <= total.sum) {
        sdw_metrics_put(metrics, can_have * 1024, "host/%s/memory/available_bytes", agent->host);
        sdw_metrics_put(metrics, can_have / total.sum, "host/%s/memory/available_share",
                        agent->host);
    }
    return 0;
}

static int say(struct sdw_ctx *ctx, int64_t ts, const struct agent *agent, const char *reason)
{
    struct sdw_event event;
    sdw_rec_init(&sdw_event_schema, &event);
    event.ts = ts;
    event.kind = sdw_str_of(agent->answers ? "recovery" : "degradation");
    event.failure = sdw_str_of("dead");
    event.link = sdw_str_of(agent->host);
    event.severity = agent->answers ? 0 : 3;
    event.reason = sdw_str_of(reason);
    return sdw_rec_put(ctx, &sdw_event_schema, &event);
}

static int read_agent(struct sdw_ctx *ctx, struct source *source, struct agent *agent,
                      struct sdw_moment now)
{
    struct sdw_metrics metrics = {.ctx = ctx, .ts = now.wall_us};
    struct sdw_err err = {0};
    int code = 0;
    if (!agent->snmp)
        agent->snmp = sdw_snmp_open(agent->host, &source->auth, &err);
    if (!agent->snmp)
        code = err.code;
    if (code == 0)
        code = read_interfaces(agent, &metrics, &err);
    if (code == 0)
        code = read_load(agent, &metrics, &err);
    if (code == SDW_EUSAGE) {
        ctx->err = err;
        return code;
    }
    bool answers = code == 0, news = agent->asked ? answers != agent->answers : !answers;
    agent->asked = true;
    agent->answers = answers;
    source->readings++;
    source->unanswered += !answers;
    if (!news || metrics.code < 0)
        return metrics.code;
    if (!answers)
        sdw_warn(ctx, "%s", err.text);
    return say(ctx, now.wall_us, agent, answers ? "it answers again" : err.text);
}

static int tick(struct sdw_ctx *ctx, void *state, struct sdw_moment now)
{
    struct source *source = state;
    int code = 0;
    for (size_t i = 0; code == 0 && i < source->n; i++) {
        code = read_agent(ctx, source, &source->agent[i], now);
        if (!source->agent[i].answers)
            ctx->status = 1;
    }
    return code;
}

static void count(const void *state, struct sdw_jsonw *out)
{
    const struct source *source = state;
    sdw_jsonw_int(out, "snmp_readings", (int64_t)source->readings);
    sdw_jsonw_int(out, "snmp_unanswered", (int64_t)source->unanswered);
}

static void release(void *state)
{
    struct source *source = state;
    for (size_t i = 0; i < source->n; i++) {
        sdw_snmp_close(source->agent[i].snmp);
        forget(&source->agent[i]);
    }
    sdw_snmp_auth_wipe(&source->auth);
    free(source->agent);
    free(source);
}

static const struct sdw_source_kind kind = {.tick = tick, .count = count, .free = release};

int sdw_collect_snmp(struct sdw_ctx *ctx, struct sdw_collect *collect, const struct sdw_list *hosts,
                     const char *auth_file, struct sdw_err *err)
{
    bool open_to_all = false;
    if (hosts->n == 0)
        return 0;
    if (!auth_file)
        return sdw_err_set(err, SDW_EUSAGE,
                           "--snmp needs --snmp-auth FILE: a community, or a user of version 3");
    struct source *source = sdw_xalloc(sizeof *source);
    int code = sdw_snmp_auth_load(auth_file, &source->auth, &open_to_all, err);
    if (code < 0) {
        free(source);
        return code;
    }
    if (open_to_all)
        sdw_warn(ctx, "%s: everybody on this machine can read it", auth_file);
    source->agent = sdw_xalloc(hosts->n * sizeof *source->agent);
    source->n = hosts->n;
    for (size_t i = 0; i < hosts->n; i++) {
        source->agent[i].host = hosts->item[i];
        sdw_map_init(&source->agent[i].interfaces, sdw_rng_secret());
    }
    return sdw_collect_add(collect, &kind, source, err);
}
