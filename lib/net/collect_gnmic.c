#include "net/collect_gnmic.h"
#include "core/rng.h"
#include "core/clock.h"
#include "core/counter.h"
#include "core/map.h"
#include "core/mem.h"
#include "io/docs.h"
#include "io/json.h"
#include "net/import_value.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

enum { COUNTERS = 1 << 18 }; /* whose last reading is remembered */

/* OpenConfig's counters of an interface. */
static const struct {
    const char *leaf, *name;
    double scale;
} counters[] = {
    {"out-octets", "bps", 8},
    {"in-octets", "rx_bps", 8},
    {"out-pkts", "pps", 1},
    {"in-pkts", "rx_pps", 1},
    {"out-discards", "dropped_per_s", 1},
    {"in-discards", "rx_dropped_per_s", 1},
    {"out-errors", "errors_per_s", 1},
    {"in-errors", "rx_errors_per_s", 1},
};

/* A counter, and the device's time when it was read. */
struct remembered {
    struct sdw_counter counter;
    int64_t ts_ns;
};

struct source {
    int fd;
    struct sdw_docs docs;
    struct sdw_map counters; /* by series */
    struct sdw_buf series;
    uint64_t events, values, ignored, bad;
};

/* What all values of one event have in common. */
struct event {
    struct sdw_metrics metrics;
    const char *device;    /* who sent it */
    const char *interface; /* what it is about; NULL: no interface */
    const struct sdw_json *tags;
    int64_t ts_ns;
};

static const char *interface_of(const struct sdw_json *tags)
{
    static const char *const keys[] = {"interface_name", "interface-name", "if_name"};
    const char *name = NULL;
    for (size_t i = 0; !name && i < SDW_LEN(keys); i++)
        name = sdw_import_text(tags, keys[i]);
    return name;
}

/* The rate of a counter since the event before that told it; NAN when it is not known. */
static double rate_of(struct source *source, int64_t ts_ns, double value)
{
    struct sdw_str key = sdw_buf_view(&source->series);
    struct remembered *last = sdw_map_get(&source->counters, key);
    if (value < 0 || value > 1.8e19 || (!last && source->counters.n >= COUNTERS))
        return NAN;
    if (!last)
        *sdw_map_at(&source->counters, key) = last = sdw_xalloc(sizeof *last);
    int64_t elapsed = last->ts_ns ? ts_ns - last->ts_ns : 0;
    if (last->ts_ns && elapsed <= 0)
        return NAN; /* told again, or out of order */
    last->ts_ns = ts_ns;
    return sdw_counter_rate(&last->counter, (uint64_t)value, 64, 0, elapsed);
}

/* A counter of an interface: true when it was one. */
static bool put_counter(struct source *source, struct event *event, const char *path, double value)
{
    const char *leaf = strrchr(path, '/');
    if (!leaf || !event->interface || !strstr(path, "/counters/"))
        return false;
    for (size_t i = 0; i < SDW_LEN(counters); i++) {
        if (strcmp(leaf + 1, counters[i].leaf) != 0)
            continue;
        sdw_buf_clear(&source->series);
        sdw_buf_printf(&source->series, "link/%s:%s/%s", event->device, event->interface,
                       counters[i].name);
        sdw_metrics_put(&event->metrics, rate_of(source, event->ts_ns, value) * counters[i].scale,
                        "%s", source->series.p);
        return true;
    }
    return false;
}

/* Any other number: gnmi/DEVICE/PATH[tag=value,...]. */
static void put_value(struct source *source, struct event *event, const char *path, double value)
{
    struct sdw_json *tag;
    const char *key;
    void *iter = NULL;
    bool first = true;
    sdw_buf_clear(&source->series);
    sdw_buf_printf(&source->series, "gnmi/%s/%s", event->device, path + (*path == '/'));
    while (event->tags && sdw_json_member(event->tags, &iter, &key, &tag)) {
        const char *text = sdw_json_text(tag);
        if (!text || strcmp(key, "source") == 0 || strcmp(key, "subscription-name") == 0)
            continue;
        sdw_buf_printf(&source->series, "%s%s=%s", first ? "[" : ",", key, text);
        first = false;
    }
    if (!first)
        sdw_buf_char(&source->series, ']');
    sdw_metrics_put(&event->metrics, value, "%s", source->series.p);
}

static int take_event(struct sdw_ctx *ctx, struct source *source, const struct sdw_json *document,
                      struct sdw_err *err)
{
    const struct sdw_json *values = sdw_json_get(document, "values");
    struct event event = {.tags = sdw_json_get(document, "tags")};
    double ns = sdw_import_number(document, "timestamp");
    struct sdw_json *value;
    const char *path;
    void *iter = NULL;
    if (!values && sdw_json_get(document, "deletes"))
        return 0;
    if (!values || !sdw_json_is_object(values))
        return sdw_err_set(err, SDW_EINPUT, "not an event of gnmic: no values");
    event.device = sdw_import_text(event.tags, "source");
    event.interface = interface_of(event.tags);
    event.ts_ns = ns > 0 && ns < 9e18 ? (int64_t)ns : sdw_wall_ns();
    event.metrics = (struct sdw_metrics){.ctx = ctx, .ts = event.ts_ns / 1000};
    if (!event.device)
        event.device = "unknown";
    while (sdw_json_member(values, &iter, &path, &value)) {
        double number = sdw_import_number(values, path); /* 64-bit ones are strings (RFC 7951) */
        if (isnan(number)) {
            source->ignored++;
            continue;
        }
        source->values++;
        if (!put_counter(source, &event, path, number))
            put_value(source, &event, path, number);
    }
    return event.metrics.code;
}

static int take_documents(struct sdw_ctx *ctx, struct source *source)
{
    struct sdw_str doc;
    int more;
    struct sdw_err err = {0};
    while ((more = sdw_docs_next(&source->docs, &doc, &err)) != 0) {
        struct sdw_json *document = more > 0 ? sdw_json_parse_lenient(doc, &err) : NULL;
        int code = document ? take_event(ctx, source, document, &err) : SDW_EINPUT;
        sdw_json_free(document);
        source->events++;
        if (code == SDW_EINPUT) {
            char text[512];
            source->bad++;
            if (more > 0)
                err.line = sdw_docs_line(&source->docs);
            sdw_warn(ctx, "standard input: %s", sdw_err_line(&err, text, sizeof text));
        } else if (code < 0) {
            return code;
        }
    }
    return 0;
}

static int fd(const void *state)
{
    return ((const struct source *)state)->fd;
}

static int take(struct sdw_ctx *ctx, void *state)
{
    struct source *source = state;
    char room[65536];
    struct sdw_err err = {0};
    ssize_t n = read(source->fd, room, sizeof room);
    if (n > 0) {
        sdw_docs_feed(&source->docs, (struct sdw_str){room, (size_t)n});
        return take_documents(ctx, source);
    }
    if (n < 0)
        return errno == EINTR || errno == EAGAIN ? 0 : sdw_err_sys(&ctx->err, "standard input");
    if (sdw_docs_end(&source->docs, &err) < 0) {
        sdw_warn(ctx, "standard input: %s", err.text);
        source->bad++;
    }
    return 1;
}

static void count(const void *state, struct sdw_jsonw *out)
{
    const struct source *source = state;
    sdw_jsonw_int(out, "gnmic_events", (int64_t)source->events);
    sdw_jsonw_int(out, "gnmic_values", (int64_t)source->values);
    sdw_jsonw_int(out, "gnmic_ignored", (int64_t)source->ignored);
    sdw_jsonw_int(out, "gnmic_bad", (int64_t)source->bad);
}

static uint64_t bad(const void *state)
{
    return ((const struct source *)state)->bad;
}

static void release(void *state)
{
    struct source *source = state;
    size_t cursor = 0;
    struct sdw_str key;
    void *value;
    while (sdw_map_next(&source->counters, &cursor, &key, &value))
        free(value);
    sdw_map_release(&source->counters);
    sdw_docs_release(&source->docs);
    sdw_buf_release(&source->series);
    free(source);
}

static const struct sdw_source_kind kind = {
    .fd = fd, .take = take, .count = count, .bad = bad, .free = release};

int sdw_collect_gnmic(struct sdw_collect *collect, int input, struct sdw_err *err)
{
    struct source *source = sdw_xalloc(sizeof *source);
    source->fd = input;
    sdw_map_init(&source->counters, sdw_rng_secret());
    return sdw_collect_add(collect, &kind, source, err);
}
