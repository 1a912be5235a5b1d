#include "net/collect_host.h"
#include "core/counter.h"
#include "core/map.h"
#include "core/mem.h"
#include "rec/steering.h"
#include "sys/linkcount.h"
#include "sys/qdisc.h"

#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* The series of a link that are rates of one of its counters. */
static const struct {
    const char *name;
    size_t offset;
    double scale;
} rates[] = {
    {"bps", offsetof(struct sdw_link_count, tx_bytes), 8},
    {"rx_bps", offsetof(struct sdw_link_count, rx_bytes), 8},
    {"pps", offsetof(struct sdw_link_count, tx_packets), 1},
    {"rx_pps", offsetof(struct sdw_link_count, rx_packets), 1},
    {"dropped_per_s", offsetof(struct sdw_link_count, tx_dropped), 1},
    {"rx_dropped_per_s", offsetof(struct sdw_link_count, rx_dropped), 1},
    {"errors_per_s", offsetof(struct sdw_link_count, tx_errors), 1},
    {"rx_errors_per_s", offsetof(struct sdw_link_count, rx_errors), 1},
};

/* What is remembered of an interface between two readings. */
struct link {
    char name[16];
    bool carrier;
    int64_t seen_ns, elapsed_ns; /* of the last reading; since the one before it */
    struct sdw_counter counter[SDW_LEN(rates)], queue_drops;
};

struct links {
    const char *const *globs;
    size_t n;
    struct sdw_netlink netlink;
    struct sdw_map by_index; /* ifindex -> struct link */
    struct sdw_ctx *ctx;     /* of the tick that runs */
    struct sdw_moment now;
    uint64_t readings;
};

static bool is_wanted(const struct links *links, const struct sdw_link_count *count)
{
    for (size_t i = 0; i < links->n; i++)
        if (fnmatch(links->globs[i], count->name, 0) == 0)
            return true;
    return links->n == 0 && !count->loopback;
}

static struct sdw_str key_of(const int *ifindex)
{
    return (struct sdw_str){(const char *)ifindex, sizeof *ifindex};
}

static int say_carrier(struct links *links, const struct link *link)
{
    struct sdw_event event;
    sdw_rec_init(&sdw_event_schema, &event);
    event.ts = links->now.wall_us;
    event.kind = sdw_str_of(link->carrier ? "recovery" : "degradation");
    event.failure = sdw_str_of("dead");
    event.link = sdw_str_of(link->name);
    event.severity = link->carrier ? 0 : 4;
    event.reason = sdw_str_of(link->carrier ? "the link has its carrier back"
                                            : "the link has lost its carrier or was set down");
    return sdw_rec_put(links->ctx, &sdw_event_schema, &event);
}

static int read_link(const struct sdw_link_count *count, void *arg)
{
    struct links *links = arg;
    if (!is_wanted(links, count))
        return 0;
    void **place = sdw_map_at(&links->by_index, key_of(&count->ifindex));
    bool first = !*place;
    if (first)
        *place = sdw_xalloc(sizeof(struct link));
    struct link *link = *place;
    link->elapsed_ns = first ? 0 : links->now.mono_ns - link->seen_ns;
    struct sdw_metrics metrics = {.ctx = links->ctx, .ts = links->now.wall_us};
    bool turned = !first && link->carrier != count->carrier;
    link->carrier = count->carrier;
    link->seen_ns = links->now.mono_ns;
    snprintf(link->name, sizeof link->name, "%s", count->name);
    for (size_t i = 0; i < SDW_LEN(rates); i++) {
        uint64_t value = *(const uint64_t *)(const void *)((const char *)count + rates[i].offset);
        double rate = sdw_counter_rate(&link->counter[i], value, 64, 0, link->elapsed_ns);
        sdw_metrics_put(&metrics, rate * rates[i].scale, "link/%s/%s", link->name, rates[i].name);
    }
    links->readings++;
    return metrics.code == 0 && turned ? say_carrier(links, link) : metrics.code;
}

static int read_queue(int interface, const struct sdw_qdisc_count *count, void *arg)
{
    struct links *links = arg;
    struct link *link = sdw_map_get(&links->by_index, key_of(&interface));
    struct sdw_metrics metrics = {.ctx = links->ctx, .ts = links->now.wall_us};
    if (!link || link->seen_ns != links->now.mono_ns)
        return 0;
    double drops = sdw_counter_rate(&link->queue_drops, (uint64_t)count->drops, 32,
                                    UINT32_MAX / 2.0, link->elapsed_ns);
    sdw_metrics_put(&metrics, drops, "link/%s/queue_drops_per_s", link->name);
    sdw_metrics_put(&metrics, (double)count->backlog_bytes, "link/%s/backlog_bytes", link->name);
    sdw_metrics_put(&metrics, (double)count->backlog_packets, "link/%s/backlog_packets",
                    link->name);
    return metrics.code;
}

/* Interfaces that are gone, so that an index used again begins anew. */
static void forget(struct links *links)
{
    size_t cursor = 0;
    struct sdw_str key;
    void *value;
    while (sdw_map_next(&links->by_index, &cursor, &key, &value)) {
        const struct link *link = value;
        if (link->seen_ns == links->now.mono_ns)
            continue;
        free(sdw_map_remove(&links->by_index, key));
        cursor = 0;
    }
}

static int tick(struct sdw_ctx *ctx, void *state, struct sdw_moment now)
{
    struct links *links = state;
    links->ctx = ctx;
    links->now = now;
    int code = sdw_link_count_dump(&links->netlink, read_link, links, &ctx->err);
    if (code == 0)
        code = sdw_qdisc_dump(&links->netlink, read_queue, links, &ctx->err);
    if (code == 0)
        forget(links);
    return code;
}

static void count(const void *state, struct sdw_jsonw *counts)
{
    const struct links *links = state;
    sdw_jsonw_int(counts, "links", (int64_t)links->by_index.n);
    sdw_jsonw_int(counts, "link_readings", (int64_t)links->readings);
}

static void release(void *state)
{
    struct links *links = state;
    size_t cursor = 0;
    struct sdw_str key;
    void *value;
    while (sdw_map_next(&links->by_index, &cursor, &key, &value))
        free(value);
    sdw_map_release(&links->by_index);
    sdw_netlink_close(&links->netlink);
    free(links);
}

static const struct sdw_source_kind kind = {.tick = tick, .count = count, .free = release};

int sdw_collect_links(struct sdw_collect *collect, const char *const *globs, size_t n,
                      struct sdw_err *err)
{
    struct links *links = sdw_xalloc(sizeof *links);
    sdw_map_init(&links->by_index, 0);
    links->globs = globs;
    links->n = n;
    int code = sdw_netlink_open(&links->netlink, 0, err);
    if (code < 0) {
        release(links);
        return code;
    }
    return sdw_collect_add(collect, &kind, links, err);
}
