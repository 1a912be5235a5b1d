#include "net/shapebook.h"
#include "core/histogram.h"
#include "core/ip.h"
#include "core/mem.h"
#include "io/jsonw.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

enum {
    EXACT = 1536, /* sizes below are kept to the byte, others by bucket */
    SIZE_LEAST = 20,
    SIZE_MOST = 65535,
    GAP_MOST_US = 1000000000,
    COUNT_MOST = 1000000000,
    PAIRS = 128, /* flows that compete to be named */
    NAMED = 16,  /* and how many are: what net/shape.h keeps */
};

/* A flow that holds a place: count is exact since it took it, and score falls when others that
 * belong there are counted, so that the busy ones stay. */
struct holder {
    uint64_t id, count, score;
    struct sdw_biflow_key key;
    bool from_high;
};

struct mould {
    uint32_t sizes[EXACT];
    uint32_t large[SDW_HISTOGRAM_BUCKETS];
    uint32_t gaps[SDW_HISTOGRAM_BUCKETS];
    uint64_t protocols[4];
    uint64_t packets, bytes;
    int64_t first_ns, last_ns;
    struct holder *holders; /* PAIRS of them, once a flow was counted */
};

static const char *const protocol_names[] = {"tcp", "udp", "icmp", "other"};

struct sdw_shapebook {
    const struct sdw_names *apps;
    const char *link;
    bool pairs;
    struct mould *whole;
    struct mould **app; /* app[2 * number + direction]; NULL: no packet yet */
    size_t cap_app;
    struct sdw_buf text[4];
};

struct sdw_shapebook *sdw_shapebook_new(const struct sdw_names *apps, const char *link, bool pairs)
{
    struct sdw_shapebook *book = sdw_xalloc(sizeof *book);
    book->apps = apps;
    book->link = link;
    book->pairs = pairs;
    book->whole = sdw_xalloc(sizeof *book->whole);
    return book;
}

static void free_mould(struct mould *mould)
{
    if (mould)
        free(mould->holders);
    free(mould);
}

void sdw_shapebook_free(struct sdw_shapebook *book)
{
    if (!book)
        return;
    free_mould(book->whole);
    for (size_t i = 0; i < book->cap_app; i++)
        free_mould(book->app[i]);
    free(book->app);
    for (size_t i = 0; i < SDW_LEN(book->text); i++)
        sdw_buf_release(&book->text[i]);
    free(book);
}

/* The mould of an application and direction; made when it is new. */
static struct mould *mould_of(struct sdw_shapebook *book, uint16_t app, unsigned direction)
{
    size_t at = 2 * (size_t)app + direction, had = book->cap_app;
    if (at >= had) {
        SDW_GROW(book->app, book->cap_app, at + 1);
        memset(&book->app[had], 0, (book->cap_app - had) * sizeof *book->app);
    }
    if (!book->app[at])
        book->app[at] = sdw_xalloc(sizeof *book->app[at]);
    return book->app[at];
}

static unsigned protocol_index(uint8_t protocol)
{
    return protocol == IPPROTO_TCP                                  ? 0
           : protocol == IPPROTO_UDP                                ? 1
           : protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6 ? 2
                                                                    : 3;
}

static void pour(struct mould *mould, uint8_t protocol, uint32_t ip_bytes, int64_t ns)
{
    if (ip_bytes < EXACT)
        mould->sizes[ip_bytes]++;
    else
        mould->large[sdw_histogram_bucket(ip_bytes)]++;
    if (mould->packets++ == 0)
        mould->first_ns = ns;
    else /* a capture may step back */
        mould->gaps[sdw_histogram_bucket(
            ns > mould->last_ns ? (uint64_t)(ns - mould->last_ns + 500) / 1000 : 0)]++;
    mould->last_ns = ns;
    mould->bytes += ip_bytes;
    mould->protocols[protocol_index(protocol)]++;
}

void sdw_shapebook_packet(struct sdw_shapebook *book, uint16_t app, enum sdw_direction direction,
                          uint8_t protocol, uint32_t ip_bytes, int64_t ns)
{
    pour(book->whole, protocol, ip_bytes, ns);
    pour(mould_of(book, app, direction), protocol, ip_bytes, ns);
}

static void compete(struct mould *mould, const struct sdw_biflow *flow, unsigned direction,
                    uint64_t packets)
{
    if (!mould->holders)
        mould->holders = sdw_xalloc(PAIRS * sizeof *mould->holders);
    bool from_high = flow->src_is_high != (direction == SDW_REVERSE);
    struct holder *holder = &mould->holders[(flow->id + direction) % PAIRS];
    if (holder->count && holder->id == flow->id && holder->from_high == from_high) {
        holder->count += packets;
        holder->score += packets;
    } else if (packets > holder->score) {
        *holder = (struct holder){.id = flow->id,
                                  .count = packets,
                                  .score = packets,
                                  .key = flow->key,
                                  .from_high = from_high};
    } else {
        holder->score -= packets;
    }
}

void sdw_shapebook_flow(struct sdw_shapebook *book, const struct sdw_biflow *flow,
                        enum sdw_direction direction, uint64_t packets)
{
    /* A port of 0 is on the wire at times, but nobody can be asked to mirror it. */
    if (!book->pairs || !packets || !flow->key.low_port || !flow->key.high_port ||
        (flow->key.protocol != IPPROTO_TCP && flow->key.protocol != IPPROTO_UDP))
        return;
    compete(book->whole, flow, direction, packets);
    compete(mould_of(book, flow->app, direction), flow, direction, packets);
}

static void put_bar(struct sdw_jsonw *w, int64_t value, uint64_t count)
{
    sdw_jsonw_array(w, NULL);
    sdw_jsonw_int(w, NULL, value);
    sdw_jsonw_int(w, NULL, (int64_t)(count < COUNT_MOST ? count : COUNT_MOST));
    sdw_jsonw_end(w);
}

static int64_t within(double value, int64_t least, int64_t most)
{
    return value < (double)least ? least : value > (double)most ? most : (int64_t)(value + 0.5);
}

static struct sdw_str sizes(const struct mould *mould, struct sdw_buf *text)
{
    sdw_buf_clear(text);
    struct sdw_jsonw w = sdw_jsonw(text);
    sdw_jsonw_array(&w, NULL);
    for (size_t i = 0; i < EXACT; i++)
        if (mould->sizes[i])
            put_bar(&w, within((double)i, SIZE_LEAST, SIZE_MOST), mould->sizes[i]);
    for (size_t i = 0; i < SDW_HISTOGRAM_BUCKETS; i++)
        if (mould->large[i])
            put_bar(&w, within(sdw_histogram_value(i), EXACT, SIZE_MOST), mould->large[i]);
    sdw_jsonw_end(&w);
    return sdw_buf_view(text);
}

static struct sdw_str gaps(const struct mould *mould, struct sdw_buf *text)
{
    sdw_buf_clear(text);
    struct sdw_jsonw w = sdw_jsonw(text);
    sdw_jsonw_array(&w, NULL);
    for (size_t i = 0; i < SDW_HISTOGRAM_BUCKETS; i++)
        if (mould->gaps[i])
            put_bar(&w, within(sdw_histogram_value(i), 0, GAP_MOST_US), mould->gaps[i]);
    sdw_jsonw_end(&w);
    return sdw_buf_view(text);
}

static struct sdw_str protocols(const struct mould *mould, struct sdw_buf *text)
{
    sdw_buf_clear(text);
    struct sdw_jsonw w = sdw_jsonw(text);
    sdw_jsonw_array(&w, NULL);
    for (size_t i = 0; i < SDW_LEN(protocol_names); i++)
        if (mould->protocols[i]) {
            sdw_jsonw_array(&w, NULL);
            sdw_jsonw_text(&w, NULL, protocol_names[i]);
            sdw_jsonw_int(&w, NULL, (int64_t)mould->protocols[i]);
            sdw_jsonw_end(&w);
        }
    sdw_jsonw_end(&w);
    return sdw_buf_view(text);
}

static void put_end(char *out, size_t size, const struct holder *holder, bool high)
{
    char text[SDW_IP_TEXT];
    struct sdw_ip ip = {.family = holder->key.version == 4 ? AF_INET : AF_INET6,
                        .length = holder->key.version == 4 ? 32 : 128};
    memcpy(ip.bytes, high ? holder->key.high : holder->key.low, 16);
    unsigned port = high ? holder->key.high_port : holder->key.low_port;
    snprintf(out, size, ip.family == AF_INET ? "%s:%u" : "[%s]:%u", sdw_ip_show(&ip, text), port);
}

static int busier(const void *a, const void *b)
{
    const struct holder *x = a, *y = b;
    return (x->count < y->count) - (x->count > y->count);
}

static struct sdw_str pairs(struct mould *mould, struct sdw_buf *text)
{
    if (!mould->holders)
        return (struct sdw_str){0};
    qsort(mould->holders, PAIRS, sizeof *mould->holders, busier);
    sdw_buf_clear(text);
    struct sdw_jsonw w = sdw_jsonw(text);
    sdw_jsonw_array(&w, NULL);
    for (size_t i = 0; i < NAMED && mould->holders[i].count; i++) {
        const struct holder *holder = &mould->holders[i];
        char from[80], to[80], pair[192];
        put_end(from, sizeof from, holder, holder->from_high);
        put_end(to, sizeof to, holder, !holder->from_high);
        snprintf(pair, sizeof pair, "%s-%s/%s", from, to,
                 protocol_names[protocol_index(holder->key.protocol)]);
        sdw_jsonw_array(&w, NULL);
        sdw_jsonw_text(&w, NULL, pair);
        sdw_jsonw_int(&w, NULL, (int64_t)(holder->count < COUNT_MOST ? holder->count : COUNT_MOST));
        sdw_jsonw_end(&w);
    }
    sdw_jsonw_end(&w);
    return sdw_buf_view(text);
}

static int tell(struct sdw_shapebook *book, struct mould *mould, const char *name, int64_t ts,
                int (*each)(void *arg, const struct sdw_shape *shape), void *arg)
{
    int64_t us = (mould->last_ns - mould->first_ns) / 1000;
    if (mould->packets < 2 || us <= 0 || mould->gaps[0] == mould->packets - 1)
        return 0;
    struct sdw_shape said = {
        .ts = ts,
        .shape = sdw_str_of(name),
        .sizes = sizes(mould, &book->text[0]),
        .gaps_us = gaps(mould, &book->text[1]),
        .protocols = protocols(mould, &book->text[2]),
        .pairs = pairs(mould, &book->text[3]),
        .packets = (int64_t)mould->packets,
        .duration_us = us,
        .rate_bps = (double)(mould->bytes * 8) * 1e6 / (double)us,
    };
    return each(arg, &said);
}

/* A mould with its name, for sorting. */
struct named {
    struct mould *mould;
    char name[128];
};

static int fuller(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    return (x->mould->packets < y->mould->packets) - (x->mould->packets > y->mould->packets);
}

static void empty(struct mould *mould)
{
    free(mould->holders);
    memset(mould, 0, sizeof *mould);
}

int sdw_shapebook_tell(struct sdw_shapebook *book, int64_t ts,
                       int (*each)(void *arg, const struct sdw_shape *shape), void *arg)
{
    struct named *named = sdw_xalloc((book->cap_app + 1) * sizeof *named);
    size_t n = 0;
    for (size_t i = 0; i < book->cap_app; i++)
        if (book->app[i]) {
            named[n].mould = book->app[i];
            snprintf(named[n].name, sizeof named[n].name, "%s%s",
                     sdw_names_text(book->apps, (uint16_t)(i / 2)), i % 2 ? "/reverse" : "");
            n++;
        }
    qsort(named, n, sizeof *named, fuller);
    int code = tell(book, book->whole, book->link, ts, each, arg);
    for (size_t i = 0; i < n && code == 0; i++)
        code = tell(book, named[i].mould, named[i].name, ts, each, arg);
    empty(book->whole);
    for (size_t i = 0; i < n; i++)
        empty(named[i].mould);
    free(named);
    return code;
}
