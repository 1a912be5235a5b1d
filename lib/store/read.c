#include "store/read.h"
#include "core/mem.h"

#include <stdlib.h>

/* A chunk to read, and where it is. */
struct piece {
    const struct sdw_segment *segment;
    struct sdw_entry entry;
};

struct pieces {
    struct piece *piece, few[16];
    size_t n, cap;
};

static void add_piece(struct pieces *pieces, const struct sdw_segment *segment,
                      const struct sdw_entry *entry)
{
    if (pieces->n == SDW_LEN(pieces->few) && pieces->piece == pieces->few) {
        pieces->piece = sdw_xalloc(sizeof pieces->few * 2);
        memcpy(pieces->piece, pieces->few, sizeof pieces->few);
        pieces->cap = SDW_LEN(pieces->few) * 2;
    } else if (pieces->piece != pieces->few) {
        SDW_GROW(pieces->piece, pieces->cap, pieces->n + 1);
    }
    pieces->piece[pieces->n++] = (struct piece){segment, *entry};
}

static int by_time(const void *a, const void *b)
{
    const struct piece *x = a, *y = b;
    return (x->entry.stats.from_us > y->entry.stats.from_us) -
           (x->entry.stats.from_us < y->entry.stats.from_us);
}

/* Returns how many segments cannot be read. */
static uint64_t find_pieces(const struct sdw_store *store, const struct sdw_read *read,
                            struct pieces *pieces)
{
    bool sorted = true;
    uint64_t damaged = 0;
    for (size_t i = 0; i < store->n_segments; i++) {
        const struct sdw_segment *segment = &store->segment[i];
        const struct sdw_catalog_segment *about = &store->manifest.segment[i];
        if (segment->level != read->level || about->to_us < read->from_us ||
            about->from_us >= read->to_us)
            continue;
        damaged += segment->damaged;
        for (size_t k = sdw_segment_find(segment, read->series); k < segment->n; k++) {
            struct sdw_entry entry;
            sdw_segment_entry(segment, k, &entry);
            if (entry.series != read->series || entry.stats.from_us >= read->to_us)
                break;
            if (entry.stats.to_us < read->from_us)
                continue;
            sorted =
                sorted && (pieces->n == 0 ||
                           pieces->piece[pieces->n - 1].entry.stats.from_us <= entry.stats.from_us);
            add_piece(pieces, segment, &entry);
        }
    }
    if (!sorted)
        qsort(pieces->piece, pieces->n, sizeof *pieces->piece, by_time);
    return damaged;
}

static int read_pieces(const struct sdw_read *read, const struct pieces *pieces,
                       struct sdw_chunk_room *room, struct sdw_damage *damage, struct sdw_err *err)
{
    int code = 0;
    for (size_t i = 0; code >= 0 && i < pieces->n; i++) {
        const struct piece *piece = &pieces->piece[i];
        const struct sdw_chunk_stats *stats = &piece->entry.stats;
        bool whole = stats->from_us >= read->from_us && stats->to_us < read->to_us;
        if (whole && read->stats && read->stats(stats, read->arg))
            continue;
        if (sdw_segment_chunk(piece->segment, &piece->entry, read->from_us, read->to_us, room,
                              err) < 0) {
            damage->chunks++;
            damage->points += piece->entry.points;
        } else if (room->points.n) {
            code = read->points(&room->points, read->arg);
        }
    }
    return code;
}

static int read_head(const struct sdw_head_series *s, const struct sdw_read *read)
{
    size_t from = sdw_head_find(s, read->from_us), to = sdw_head_find(s, read->to_us);
    struct sdw_points points = {
        .n = to - from, .columns = 1, .ts_us = s->ts_us + from, .column = {s->value + from}};
    return to > from ? read->points(&points, read->arg) : 0;
}

int sdw_read_series(const struct sdw_store *store, const struct sdw_read *read,
                    struct sdw_chunk_room *room, struct sdw_err *err)
{
    struct pieces pieces;
    struct sdw_damage damage = {0};
    pieces.piece = pieces.few;
    pieces.n = pieces.cap = 0;
    damage.segments = find_pieces(store, read, &pieces);
    if (damage.segments && err)
        *err = store->damage;
    int code = read_pieces(read, &pieces, room, &damage, err);
    if (pieces.piece != pieces.few)
        free(pieces.piece);
    if (code >= 0 && read->level == 0 && !read->segments_only && read->series <= store->head.n)
        code = read_head(&store->head.series[read->series - 1], read);
    if (read->damage) {
        read->damage->chunks += damage.chunks;
        read->damage->points += damage.points;
        read->damage->segments += damage.segments;
    }
    return code >= 0 && (damage.chunks || damage.segments) ? SDW_EINPUT : code < 0 ? code : 0;
}
