#include "net/appbook.h"
#include "core/histogram.h"
#include "core/mem.h"
#include "core/tally.h"
#include "io/jsonw.h"

#include <stdlib.h>

struct pair {
    struct sdw_appbook_key key;
    struct pair *next, *before; /* in the order in which they came */
    uint64_t interval_bytes, interval_packets;
    uint64_t packets, bytes, forward_bytes, flows, transfers;
    int64_t first_us, last_us, transfer_us; /* start of the last transfer; 0: none yet */
    double peak_bps;
    struct sdw_tally sizes, gaps;
};

struct sdw_appbook {
    const struct sdw_names *apps, *categories;
    const struct sdw_appmap *map;
    const struct sdw_addrmask *mask;
    struct sdw_map pairs;      /* key -> struct pair */
    struct pair *first, *last; /* told in this order, whatever the map's is */
    size_t max_pairs, n_pairs; /* with addresses */
    uint64_t crowded;
    struct sdw_buf text[4]; /* the arrays of the record being told */
};

struct sdw_appbook *sdw_appbook_new(const struct sdw_names *apps,
                                    const struct sdw_names *categories,
                                    const struct sdw_appmap *map, const struct sdw_addrmask *mask,
                                    size_t max_pairs)
{
    struct sdw_appbook *book = sdw_xalloc(sizeof *book);
    book->apps = apps;
    book->categories = categories;
    book->map = map;
    book->mask = mask;
    book->max_pairs = max_pairs;
    sdw_map_init(&book->pairs, (uintptr_t)book);
    return book;
}

static void free_pair(struct pair *pair)
{
    sdw_tally_release(&pair->sizes);
    sdw_tally_release(&pair->gaps);
    free(pair);
}

static void forget(struct sdw_appbook *book, struct pair *pair)
{
    (void)sdw_map_remove(&book->pairs,
                         (struct sdw_str){(const char *)&pair->key, sizeof pair->key});
    *(pair->before ? &pair->before->next : &book->first) = pair->next;
    *(pair->next ? &pair->next->before : &book->last) = pair->before;
    book->n_pairs -= pair->key.version != 0;
    free_pair(pair);
}

void sdw_appbook_free(struct sdw_appbook *book)
{
    if (!book)
        return;
    while (book->first)
        forget(book, book->first);
    sdw_map_release(&book->pairs);
    for (size_t i = 0; i < SDW_LEN(book->text); i++)
        sdw_buf_release(&book->text[i]);
    free(book);
}

static struct pair *find(struct sdw_appbook *book, const struct sdw_appbook_key *wanted)
{
    struct sdw_appbook_key key = *wanted;
    struct sdw_str bytes = {(const char *)&key, sizeof key};
    struct pair *pair = sdw_map_get(&book->pairs, bytes);
    if (!pair && key.version && book->n_pairs >= book->max_pairs) {
        key = (struct sdw_appbook_key){.app = key.app, .category = key.category};
        book->crowded++;
        pair = sdw_map_get(&book->pairs, bytes);
    }
    if (!pair) {
        pair = sdw_xalloc(sizeof *pair);
        pair->key = key;
        *sdw_map_at(&book->pairs, bytes) = pair;
        pair->before = book->last;
        *(book->last ? &book->last->next : &book->first) = pair;
        book->last = pair;
        book->n_pairs += key.version != 0;
    }
    return pair;
}

void sdw_appbook_count(struct sdw_appbook *book, const struct sdw_appbook_key *key,
                       const struct sdw_appbook_count *count)
{
    struct pair *pair = find(book, key);
    uint64_t packets = count->forward_packets + count->reverse_packets;
    uint64_t bytes = count->forward_bytes + count->reverse_bytes;
    pair->interval_packets += packets;
    pair->interval_bytes += bytes;
    pair->packets += packets;
    pair->bytes += bytes;
    pair->forward_bytes += count->forward_bytes;
    pair->flows += count->opened;
    if (!pair->first_us || count->first_us < pair->first_us)
        pair->first_us = count->first_us;
    if (count->last_us > pair->last_us)
        pair->last_us = count->last_us;
}

void sdw_appbook_transfer(struct sdw_appbook *book, const struct sdw_appbook_key *key,
                          const struct sdw_transfer *transfer)
{
    struct pair *pair = find(book, key);
    pair->transfers++;
    sdw_tally_add(&pair->sizes, transfer->bytes);
    if (pair->transfer_us) {
        int64_t gap = transfer->first_us - pair->transfer_us;
        sdw_tally_add(&pair->gaps, (uint64_t)(gap < 0 ? -gap : gap));
    }
    pair->transfer_us = transfer->first_us;
}

static int64_t whole(double value)
{
    return (int64_t)(value + 0.5);
}

static struct sdw_str bars(const struct sdw_tally *tally, struct sdw_buf *text)
{
    sdw_buf_clear(text);
    struct sdw_jsonw w = sdw_jsonw(text);
    sdw_jsonw_array(&w, NULL);
    for (size_t i = 0; i < tally->n; i++) {
        sdw_jsonw_array(&w, NULL);
        sdw_jsonw_int(&w, NULL, whole(sdw_histogram_value(tally->bars[i].bucket)));
        sdw_jsonw_int(&w, NULL, tally->bars[i].count);
        sdw_jsonw_end(&w);
    }
    sdw_jsonw_end(&w);
    return tally->n ? sdw_buf_view(text) : (struct sdw_str){0};
}

static struct sdw_str quantiles(const struct sdw_tally *tally, struct sdw_buf *text)
{
    static const struct {
        const char *name;
        double q;
    } wanted[] = {{"0.5", 0.5}, {"0.9", 0.9}, {"0.99", 0.99}};
    sdw_buf_clear(text);
    struct sdw_jsonw w = sdw_jsonw(text);
    sdw_jsonw_object(&w, NULL);
    for (size_t i = 0; i < SDW_LEN(wanted); i++)
        sdw_jsonw_int(&w, wanted[i].name,
                      tally->n ? whole(sdw_tally_quantile(tally, wanted[i].q)) : 0);
    sdw_jsonw_end(&w);
    return tally->n ? sdw_buf_view(text) : (struct sdw_str){0};
}

static const char *show(const struct sdw_appbook *book, const struct sdw_appbook_key *key,
                        const uint8_t *address, char out[SDW_ADDRMASK_TEXT])
{
    return key->version ? sdw_addrmask_show(book->mask, key->version, address, out) : NULL;
}

static int tell(struct sdw_appbook *book, struct pair *pair, int64_t ts, int64_t interval_us,
                int (*each)(void *arg, const struct sdw_app *app), void *arg)
{
    char src[SDW_ADDRMASK_TEXT], dst[SDW_ADDRMASK_TEXT];
    const char *app = sdw_names_text(book->apps, pair->key.app);
    const char *category = sdw_names_text(book->categories, pair->key.category);
    int64_t duration = ts - pair->first_us > interval_us ? ts - pair->first_us : interval_us;
    double current = (double)pair->interval_bytes * 8e6 / (double)interval_us;
    if (current > pair->peak_bps)
        pair->peak_bps = current;
    struct sdw_app said = {
        .ts = ts,
        .app = sdw_str_of(app),
        .category = sdw_str_of(category),
        .sensitivity =
            sdw_str_of(sdw_sensitivities[sdw_appmap_sensitivity(book->map, app, category)]),
        .src = sdw_str_of(show(book, &pair->key, pair->key.src, src)),
        .dst = sdw_str_of(show(book, &pair->key, pair->key.dst, dst)),
        .current_bps = current,
        .average_bps = (double)pair->bytes * 8e6 / (double)duration,
        .peak_bps = pair->peak_bps,
        .interval_us = interval_us,
        .duration_us = duration,
        .flows = (int64_t)pair->flows,
        .packets = (int64_t)pair->packets,
        .bytes = (int64_t)pair->bytes,
        .forward_bytes = (int64_t)pair->forward_bytes,
        .transfers = (int64_t)pair->transfers,
        .transfers_per_s = (double)pair->transfers * 1e6 / (double)duration,
        .transfer_bytes = bars(&pair->sizes, &book->text[0]),
        .transfer_bytes_q = quantiles(&pair->sizes, &book->text[1]),
        .transfer_gap_us = bars(&pair->gaps, &book->text[2]),
        .transfer_gap_us_q = quantiles(&pair->gaps, &book->text[3]),
    };
    pair->interval_bytes = pair->interval_packets = 0;
    return each(arg, &said);
}

int sdw_appbook_tell(struct sdw_appbook *book, int64_t ts, int64_t interval_us, int64_t idle_us,
                     int (*each)(void *arg, const struct sdw_app *app), void *arg)
{
    int code = 0;
    for (struct pair *pair = book->first, *next; pair && code == 0; pair = next) {
        next = pair->next;
        if (pair->interval_packets)
            code = tell(book, pair, ts, interval_us, each, arg);
        else if (pair->last_us < ts - idle_us)
            forget(book, pair);
    }
    return code;
}

size_t sdw_appbook_pairs(const struct sdw_appbook *book)
{
    return book->n_pairs;
}

uint64_t sdw_appbook_crowded(const struct sdw_appbook *book)
{
    return book->crowded;
}
