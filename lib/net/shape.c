#include "net/shape.h"
#include "core/mem.h"
#include "io/json.h"
#include "io/line.h"
#include "io/scan.h"
#include "net/flow.h"
#include "rec/shape.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    SIZE_LEAST = 20,
    SIZE_MOST = 65535,
    GAP_MOST_US = 1000000000,
    COUNT_MOST = 1000000000,
    SENT_LEAST = 20, /* IP bytes; the carrier raises it to what it needs */
    SENT_MOST = 1500,
    BURST_MOST = 2, /* times the bytes of the mean rate that one slot may send */
};

/* One [value, count] of an array; count at most COUNT_MOST, so that sums cannot overflow. */
static int read_count(const struct sdw_json *entry, const char *field, uint64_t *count,
                      struct sdw_err *err)
{
    int64_t n;
    if (!sdw_json_is_array(entry) || sdw_json_len(entry) != 2)
        return sdw_err_field(err, field, "each entry is an array of a value and a count");
    if (!sdw_json_int(sdw_json_at(entry, 1), &n) || n < 1 || n > COUNT_MOST)
        return sdw_err_field(err, field, "a count is an integer from 1 to %d", COUNT_MOST);
    *count = (uint64_t)n;
    return 0;
}

static int read_histogram(struct sdw_histogram *h, struct sdw_str text, const char *field,
                          int64_t least, int64_t most, struct sdw_err *err)
{
    struct sdw_json *root = sdw_json_parse(text, err);
    size_t n = root && sdw_json_is_array(root) ? sdw_json_len(root) : 0;
    uint64_t total = 0, count = 0;
    double sum = 0;
    int code = n ? 0 : sdw_err_field(err, field, "not an array with entries");
    h->value = sdw_xalloc((n + 1) * sizeof *h->value);
    h->upto = sdw_xalloc((n + 1) * sizeof *h->upto);
    for (size_t i = 0; code == 0 && i < n; i++) {
        const struct sdw_json *entry = sdw_json_at(root, i);
        code = read_count(entry, field, &count, err);
        if (code == 0 && (!sdw_json_int(sdw_json_at(entry, 0), &h->value[i]) ||
                          h->value[i] < least || h->value[i] > most))
            code = sdw_err_field(err, field, "a value is an integer from %lld to %lld",
                                 (long long)least, (long long)most);
        total += count;
        sum += (double)h->value[i] * (double)count;
        h->upto[i] = total;
    }
    h->n = n;
    h->mean = total ? sum / (double)total : 0;
    sdw_json_free(root);
    return code;
}

/* A pair and how often; for sorting. */
struct pair {
    const char *flow;
    uint64_t count;
};

static int more_frequent(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    return (x->count < y->count) - (x->count > y->count);
}

static int read_pairs(struct sdw_traffic_shape *shape, struct sdw_str text, struct sdw_err *err)
{
    struct sdw_json *root = sdw_json_parse(text, err);
    size_t n = root && sdw_json_is_array(root) ? sdw_json_len(root) : 0;
    struct pair *pairs = sdw_xalloc((n + 1) * sizeof *pairs);
    int code = root ? 0 : SDW_EINPUT;
    for (size_t i = 0; code == 0 && i < n; i++) {
        const struct sdw_json *entry = sdw_json_at(root, i);
        struct sdw_flow flow;
        struct sdw_err why = {0};
        code = read_count(entry, "pairs", &pairs[i].count, err);
        if (code < 0)
            break;
        pairs[i].flow = sdw_json_text(sdw_json_at(entry, 0));
        if (!pairs[i].flow || sdw_flow_parse(pairs[i].flow, &flow, &why) < 0)
            code =
                sdw_err_field(err, "pairs", "%s", pairs[i].flow ? why.text : "a pair is a string");
    }
    qsort(pairs, code == 0 ? n : 0, sizeof *pairs, more_frequent);
    shape->n_flows = code < 0 ? 0 : n < SDW_SHAPE_FLOWS_MAX ? n : SDW_SHAPE_FLOWS_MAX;
    shape->flows = sdw_xalloc((shape->n_flows + 1) * sizeof *shape->flows);
    for (size_t i = 0; i < shape->n_flows; i++)
        shape->flows[i] = sdw_xstrdup(pairs[i].flow);
    free(pairs);
    sdw_json_free(root);
    return code;
}

int sdw_shape_read(struct sdw_traffic_shape *shape, struct sdw_str line, struct sdw_err *err)
{
    struct sdw_arena arena = {0};
    struct sdw_shape record;
    *shape = (struct sdw_traffic_shape){0};
    int code = sdw_rec_decode(&sdw_shape_schema, line, &arena, &record, err);
    if (code == 0)
        code = read_histogram(&shape->sizes, record.sizes, "sizes", SIZE_LEAST, SIZE_MOST, err);
    if (code == 0)
        code = read_histogram(&shape->gaps, record.gaps_us, "gaps_us", 0, GAP_MOST_US, err);
    if (code == 0 && shape->gaps.mean <= 0)
        code = sdw_err_field(err, "gaps_us", "all gaps are 0: no rate can be made of them");
    if (code == 0 && record.pairs.p)
        code = read_pairs(shape, record.pairs, err);
    sdw_arena_release(&arena);
    if (code < 0)
        sdw_shape_release(shape);
    return code;
}

int sdw_shape_load(struct sdw_traffic_shape *shape, const char *path, struct sdw_err *err)
{
    bool standard = strcmp(path, "-") == 0;
    int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    *shape = (struct sdw_traffic_shape){0};
    if (fd < 0)
        return sdw_err_sys(err, "shape file %s", path);
    struct sdw_reader *reader = sdw_reader_new(fd, standard ? "standard input" : path);
    struct sdw_str line;
    int more;
    while ((more = sdw_reader_next(reader, &line, err)) == 1)
        if (sdw_str_is(sdw_scan_type(line), "shape"))
            break;
    int code = more == 1 ? sdw_shape_read(shape, line, err) : more;
    if (code < 0)
        err->line = sdw_reader_line(reader);
    else if (more == 0)
        code = sdw_err_set(err, SDW_EINPUT, "no shape record in %s",
                           standard ? "standard input" : path);
    sdw_reader_free(reader);
    if (!standard)
        close(fd);
    return code;
}

static void release_histogram(struct sdw_histogram *h)
{
    free(h->value);
    free(h->upto);
}

void sdw_shape_release(struct sdw_traffic_shape *shape)
{
    release_histogram(&shape->sizes);
    release_histogram(&shape->gaps);
    for (size_t i = 0; i < shape->n_flows; i++)
        free(shape->flows[i]);
    free(shape->flows);
    *shape = (struct sdw_traffic_shape){0};
}

int64_t sdw_histogram_draw(const struct sdw_histogram *h, struct sdw_rng *rng)
{
    uint64_t drawn = sdw_rng_below(rng, h->upto[h->n - 1]);
    size_t low = 0, high = h->n - 1;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (drawn < h->upto[middle])
            high = middle;
        else
            low = middle + 1;
    }
    return h->value[low];
}

double sdw_shape_rate(const struct sdw_traffic_shape *shape)
{
    return shape->sizes.mean * 8e6 / shape->gaps.mean;
}

void sdw_shape_plan(const struct sdw_traffic_shape *shape, struct sdw_plan *plan, int64_t from_ns,
                    int64_t to_ns, double bps, uint8_t load_ttl, struct sdw_rng *rng)
{
    double stretch = bps > 0 ? sdw_shape_rate(shape) / bps : 1;
    /* Begin inside a gap, as one who looks at any time would. */
    double at = (double)from_ns +
                sdw_rng_unit(rng) * 1e3 * stretch * (double)sdw_histogram_draw(&shape->gaps, rng);
    double rate = bps > 0 ? bps : sdw_shape_rate(shape);
    double left = BURST_MOST * rate / 8e9 * (double)(to_ns - from_ns) + SENT_MOST;
    while (at < (double)to_ns && left > 0) {
        int64_t size = sdw_histogram_draw(&shape->sizes, rng);
        size = size < SENT_LEAST ? SENT_LEAST : size > SENT_MOST ? SENT_MOST : size;
        sdw_plan_add(plan, &(struct sdw_shot){.at_ns = (int64_t)at,
                                              .ip_bytes = (uint16_t)size,
                                              .ttl = load_ttl,
                                              .load = true});
        left -= (double)size;
        at += (double)sdw_histogram_draw(&shape->gaps, rng) * 1e3 * stretch;
    }
}
