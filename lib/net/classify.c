#include "net/classify.h"
#include "core/mem.h"
#include "core/names.h"
#include "net/appbook.h"
#include "net/appmap.h"
#include "net/flowsay.h"
#include "net/hints.h"
#include "net/shapebook.h"

#include <netinet/in.h>
#include <stdlib.h>

struct sdw_classify {
    struct sdw_classify_config config;
    struct sdw_dpi *dpi;
    struct sdw_appmap *map;
    struct sdw_names apps, masters, categories;
    struct sdw_appbook *book;
    struct sdw_shapebook *shapes;
    int64_t shapes_us; /* when shapes were told; 0: not started */
    struct sdw_flowsay say;
};

static bool shows_all(const struct sdw_addrmask *mask)
{
    return !mask->hash && mask->bits4 == 32 && mask->bits6 == 128;
}

int sdw_classify_new(struct sdw_classify **out, const struct sdw_classify_config *config,
                     struct sdw_err *err)
{
    struct sdw_classify *classify = sdw_xalloc(sizeof *classify);
    classify->config = *config;
    classify->map = sdw_appmap_new();
    sdw_names_init(&classify->apps, "Unknown");
    sdw_names_init(&classify->masters, "");
    sdw_names_init(&classify->categories, "Unspecified");
    classify->book = sdw_appbook_new(&classify->apps, &classify->categories, classify->map,
                                     &classify->config.mask, config->max_pairs);
    classify->shapes = sdw_shapebook_new(&classify->apps, config->link, shows_all(&config->mask));
    int code = sdw_dpi_new(&classify->dpi, config->max_flows, err);
    if (code == 0 && config->apps)
        code = sdw_appmap_load(classify->map, config->apps, err);
    if (code < 0) {
        sdw_classify_free(classify);
        classify = NULL;
    }
    *out = classify;
    return code;
}

void sdw_classify_free(struct sdw_classify *classify)
{
    if (!classify)
        return;
    sdw_dpi_free(classify->dpi);
    sdw_appbook_free(classify->book);
    sdw_shapebook_free(classify->shapes);
    sdw_appmap_free(classify->map);
    sdw_names_release(&classify->apps);
    sdw_names_release(&classify->masters);
    sdw_names_release(&classify->categories);
    free(classify);
}

const char *sdw_classify_app(const struct sdw_classify *classify, const struct sdw_biflow *flow)
{
    return flow->app || flow->app_known ? sdw_names_text(&classify->apps, flow->app) : NULL;
}

static const char *by_map(const struct sdw_classify *classify, const struct sdw_biflow *flow,
                          const char *host)
{
    struct sdw_appmap_flow asked = {.src = sdw_biflow_src(flow),
                                    .dst = sdw_biflow_dst(flow),
                                    .sport = sdw_biflow_sport(flow),
                                    .dport = sdw_biflow_dport(flow),
                                    .version = flow->key.version,
                                    .protocol = flow->key.protocol,
                                    .host = host};
    return sdw_appmap_find(classify->map, &asked);
}

/* The label is final: keep it, with the user's word over it. What the user calls by another name
 * is carried by what the engine found. */
static void keep(struct sdw_classify *classify, struct sdw_biflow *flow,
                 struct sdw_dpi_label *label)
{
    const char *app = by_map(classify, flow, label->host);
    if (app) {
        label->master = label->confidence == SDW_DPI_UNKNOWN ? NULL : label->app;
        label->app = app;
        label->confidence = SDW_DPI_USER;
    }
    flow->app = sdw_names_number(&classify->apps, label->app);
    flow->master = label->master ? sdw_names_number(&classify->masters, label->master) : 0;
    flow->category = sdw_names_number(&classify->categories, label->category);
    flow->app_known = true;
}

static void say_app(struct sdw_classify *classify, const struct sdw_biflow *flow,
                    const struct sdw_dpi_label *label, int64_t now_ns)
{
    struct sdw_flow_rec *rec = &classify->say.rec;
    sdw_flowsay_who(&classify->say, flow, &classify->config.mask, now_ns);
    rec->app = sdw_str_of(label->app);
    rec->master = sdw_str_of(label->master);
    rec->category = sdw_str_of(label->category);
    rec->confidence = sdw_str_of(sdw_dpi_confidences[label->confidence]);
    if (classify->config.names && *label->host)
        rec->sni = sdw_str_of(label->host);
    classify->config.say(classify->config.arg, &sdw_flow_app_schema, rec);
}

static void guess(struct sdw_classify *classify, const struct sdw_biflow *flow,
                  struct sdw_dpi_label *label)
{
    struct sdw_dpi_ends ends = {sdw_biflow_src(flow),   sdw_biflow_dst(flow),
                                sdw_biflow_sport(flow), sdw_biflow_dport(flow),
                                flow->key.version,      flow->key.protocol};
    if (classify->config.ports_only)
        sdw_hints_ports(ends.protocol, ends.sport, ends.dport, label);
    else
        sdw_dpi_guess(classify->dpi, &ends, label);
}

void sdw_classify_fresh(struct sdw_classify *classify, struct sdw_biflow *flow)
{
    const char *app = by_map(classify, flow, "");
    if (app)
        flow->app = sdw_names_number(&classify->apps, app);
}

/* Of a flow, by the addresses that may be told: those that look alike are counted together. */
static struct sdw_appbook_key key_of(const struct sdw_classify *classify,
                                     const struct sdw_biflow *flow)
{
    struct sdw_appbook_key key = {
        .app = flow->app, .category = flow->category, .version = flow->key.version};
    sdw_addrmask_cut(&classify->config.mask, key.version, sdw_biflow_src(flow), key.src);
    sdw_addrmask_cut(&classify->config.mask, key.version, sdw_biflow_dst(flow), key.dst);
    return key;
}

static void book_transfers(struct sdw_classify *classify, const struct sdw_biflow *flow,
                           const struct sdw_transfer *ended, size_t n)
{
    struct sdw_appbook_key key;
    if (n)
        key = key_of(classify, flow);
    for (size_t i = 0; i < n; i++)
        sdw_appbook_transfer(classify->book, &key, &ended[i]);
}

void sdw_classify_packet(struct sdw_classify *classify, struct sdw_biflow *flow,
                         const struct sdw_packet *packet, enum sdw_direction direction,
                         int64_t ts_ns)
{
    struct sdw_dpi_label label;
    struct sdw_transfer ended[2];
    if (!flow->app_known) {
        bool known = classify->config.ports_only;
        if (known)
            guess(classify, flow, &label);
        else
            known = sdw_dpi_look(classify->dpi, &flow->dpi, packet, ts_ns / 1000, &label);
        if (known) {
            keep(classify, flow, &label);
            say_app(classify, flow, &label, ts_ns);
        }
    }
    size_t n = sdw_transfers_packet(&flow->transfers, direction, packet->protocol == IPPROTO_TCP,
                                    packet->payload_bytes, ts_ns / 1000, ended);
    book_transfers(classify, flow, ended, n);
    sdw_shapebook_packet(classify->shapes, flow->app, direction, packet->protocol, packet->ip_bytes,
                         ts_ns);
}

void sdw_classify_counted(struct sdw_classify *classify, struct sdw_biflow *flow)
{
    const struct sdw_biflow_count *now = flow->count, *told = flow->told;
    struct sdw_appbook_key key = key_of(classify, flow);
    struct sdw_appbook_count count = {
        .forward_packets = now[SDW_FORWARD].packets - told[SDW_FORWARD].packets,
        .forward_bytes = now[SDW_FORWARD].bytes - told[SDW_FORWARD].bytes,
        .reverse_packets = now[SDW_REVERSE].packets - told[SDW_REVERSE].packets,
        .reverse_bytes = now[SDW_REVERSE].bytes - told[SDW_REVERSE].bytes,
        .first_us = flow->first_ns / 1000,
        .last_us = flow->last_ns / 1000,
        .opened = flow->app_known && !flow->app_counted,
    };
    if (count.forward_packets + count.reverse_packets == 0)
        return;
    flow->app_counted = flow->app_known;
    sdw_appbook_count(classify->book, &key, &count);
    sdw_shapebook_flow(classify->shapes, flow, SDW_FORWARD, count.forward_packets);
    sdw_shapebook_flow(classify->shapes, flow, SDW_REVERSE, count.reverse_packets);
}

void sdw_classify_ended(struct sdw_classify *classify, struct sdw_biflow *flow, int64_t now_ns)
{
    struct sdw_dpi_label label;
    struct sdw_transfer ended[2];
    if (!flow->app_known && flow->dpi) {
        sdw_dpi_give_up(classify->dpi, &flow->dpi, &label);
        keep(classify, flow, &label);
        say_app(classify, flow, &label, now_ns);
    } else if (!flow->app_known) { /* it never had payload: its flow.end says most of it */
        guess(classify, flow, &label);
        keep(classify, flow, &label);
        if (label.master)
            say_app(classify, flow, &label, now_ns);
    }
    book_transfers(classify, flow, ended, sdw_transfers_end(&flow->transfers, ended));
    sdw_classify_counted(classify, flow);
}

static int say_app_record(void *arg, const struct sdw_app *app)
{
    const struct sdw_classify *classify = arg;
    classify->config.say(classify->config.arg, &sdw_app_schema, app);
    return 0;
}

static int say_shape(void *arg, const struct sdw_shape *shape)
{
    const struct sdw_classify *classify = arg;
    classify->config.say(classify->config.arg, &sdw_shape_schema, shape);
    return 0;
}

void sdw_classify_interval(struct sdw_classify *classify, int64_t now_ns, int64_t interval_ns)
{
    int64_t now_us = now_ns / 1000, active_us = classify->config.active_us;
    (void)sdw_appbook_tell(classify->book, now_us, interval_ns / 1000, classify->config.idle_us,
                           say_app_record, classify);
    if (!classify->shapes_us || now_us < classify->shapes_us)
        classify->shapes_us = now_us;
    if (now_us - classify->shapes_us >= active_us) {
        (void)sdw_shapebook_tell(classify->shapes, now_us, say_shape, classify);
        classify->shapes_us = now_us;
    }
}

void sdw_classify_finish(struct sdw_classify *classify, int64_t now_ns)
{
    (void)sdw_shapebook_tell(classify->shapes, now_ns / 1000, say_shape, classify);
}

uint64_t sdw_classify_skipped(const struct sdw_classify *classify)
{
    return sdw_dpi_skipped(classify->dpi);
}

uint64_t sdw_classify_crowded(const struct sdw_classify *classify)
{
    return sdw_appbook_crowded(classify->book);
}
