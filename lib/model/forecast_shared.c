/* What several series of a book share, by what their names begin with: a capacity; the shadow
 * tunnel of path/ID; the path of flow/ID. It is kept while a series is there that may need it, or
 * as long as series are kept. */
#include "core/mem.h"
#include "model/book.h"

#include <math.h>
#include <stdlib.h>

/* A series and what its capacity is called beside it. */
static const struct {
    const char *tail, *capacity;
} siblings[] = {
    {"available_bps", "capacity_bps"},
    {"bps", "capacity_bps"},
    {"entries", "limit"},
};

struct sdw_shared *sdw_book_shared_at(struct sdw_book *book, struct sdw_str head)
{
    struct sdw_shared *shared = head.n > 0 ? sdw_map_get(&book->shared, head) : NULL;
    if (!shared && head.n > 0 && book->shared.n < book->settings.max_series) {
        shared = sdw_xalloc(sizeof *shared);
        shared->capacity = NAN;
        *sdw_map_at(&book->shared, head) = shared;
    }
    if (shared && book->newest > shared->ts)
        shared->ts = book->newest;
    return shared;
}

void sdw_book_shared_free(struct sdw_shared *shared)
{
    free(shared->tunnel);
    free(shared->path);
    free(shared);
}

void sdw_book_path_capacity(struct sdw_book *book, struct sdw_str head, double value)
{
    if (!(value > 0) || !isfinite(value))
        return;
    struct sdw_shared *shared = sdw_book_shared_at(book, head);
    if (shared)
        shared->capacity = value;
}

void sdw_book_learn_capacity(struct sdw_book *book, struct sdw_str series, double value)
{
    struct sdw_str tail = sdw_name_tail(series);
    for (size_t i = 0; i < SDW_LEN(siblings); i++)
        if (sdw_str_is(tail, siblings[i].capacity)) {
            sdw_book_path_capacity(book, sdw_name_head(series), value);
            return;
        }
}

double sdw_book_shared_capacity(const struct sdw_book *book, struct sdw_str series)
{
    struct sdw_str tail = sdw_name_tail(series);
    for (size_t i = 0; i < SDW_LEN(siblings); i++) {
        if (!sdw_str_is(tail, siblings[i].tail))
            continue;
        const struct sdw_shared *shared = sdw_map_get(&book->shared, sdw_name_head(series));
        if (shared && isfinite(shared->capacity))
            return shared->capacity;
    }
    return NAN;
}

/* head/tail, in the book's own buffer. */
static struct sdw_str joined(struct sdw_book *book, const char *head, struct sdw_str tail)
{
    sdw_buf_clear(&book->joined);
    sdw_buf_text(&book->joined, head);
    sdw_buf_str(&book->joined, tail);
    return sdw_buf_view(&book->joined);
}

const struct sdw_shared *sdw_book_shared_path(struct sdw_book *book, struct sdw_str path_id)
{
    return sdw_map_get(&book->shared, joined(book, "path/", path_id));
}

struct sdw_tunnel *sdw_shared_tunnel(struct sdw_shared *shared)
{
    if (!shared->tunnel) {
        shared->tunnel = sdw_xalloc(sizeof *shared->tunnel);
        shared->tunnel->available_bps = NAN;
    }
    return shared->tunnel;
}

/* Flows come and go: they leave half of the room to paths and links. */
static void learn_flow(struct sdw_book *book, struct sdw_str flow_id, struct sdw_str path_id)
{
    struct sdw_str head = joined(book, "flow/", flow_id);
    if (book->shared.n >= book->settings.max_series / 2 && !sdw_map_get(&book->shared, head))
        return;
    struct sdw_shared *flow = sdw_book_shared_at(book, head);
    if (!flow)
        return;
    free(flow->path);
    flow->path = sdw_xstrndup(path_id.p, path_id.n);
}

void sdw_book_learn_path(struct sdw_book *book, const struct sdw_sample *sample)
{
    struct sdw_str path_id = sample->path_id;
    if (sample->flow_id.n > 0) {
        learn_flow(book, sample->flow_id, path_id);
        return;
    }
    struct sdw_shared *path = sdw_book_shared_at(book, joined(book, "path/", path_id));
    if (path)
        sdw_tunnel_learn(sdw_shared_tunnel(path), &sample->news);
}

/* Whether a series is followed that has its capacity here. */
static bool is_needed(struct sdw_book *book, struct sdw_str head)
{
    for (size_t i = 0; i < SDW_LEN(siblings); i++) {
        sdw_buf_clear(&book->joined);
        sdw_buf_str(&book->joined, head);
        sdw_buf_char(&book->joined, '/');
        sdw_buf_text(&book->joined, siblings[i].tail);
        if (sdw_map_get(&book->series, sdw_buf_view(&book->joined)))
            return true;
    }
    return false;
}

void sdw_book_sweep_shared(struct sdw_book *book)
{
    size_t cursor = 0, n = 0;
    struct sdw_str key, *old = sdw_xrealloc(NULL, book->shared.n + 1, sizeof *old);
    void *value;
    while (sdw_map_next(&book->shared, &cursor, &key, &value)) {
        const struct sdw_shared *shared = value;
        if (book->newest - shared->ts > book->settings.ttl_us && !is_needed(book, key))
            old[n++] = key;
    }
    for (size_t i = 0; i < n; i++)
        sdw_book_shared_free(sdw_map_remove(&book->shared, old[i]));
    free(old);
}
