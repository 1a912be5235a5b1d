#include "store/segment.h"
#include "store/bits.h"
#include "store/crc32c.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static const char head_magic[8] = "SDWSEG1\n", tail_magic[8] = "SDWEND1\n";

/* Header: magic, level. Tail: magic, offset of the index, entries, sum of the index, sum of the
 * tail before it. */
enum { HEADER = 16, ENTRY = 80, TAIL = 32, WRITE_SIZE = 1 << 20, LEVELS = 4 };

const char *sdw_segment_name(uint32_t id, char out[SDW_SEGMENT_NAME])
{
    snprintf(out, SDW_SEGMENT_NAME, "seg-%08u", id);
    return out;
}

void sdw_segment_entry(const struct sdw_segment *segment, size_t i, struct sdw_entry *out)
{
    const uint8_t *p = segment->index + i * ENTRY;
    *out = (struct sdw_entry){
        .series = sdw_load32(p),
        .points = sdw_load32(p + 4),
        .offset = sdw_load64(p + 8),
        .size = sdw_load32(p + 16),
        .sum = sdw_load32(p + 20),
        .stats = {.from_us = (int64_t)sdw_load64(p + 24),
                  .to_us = (int64_t)sdw_load64(p + 32),
                  .min = sdw_real_of(sdw_load64(p + 40)),
                  .max = sdw_real_of(sdw_load64(p + 48)),
                  .sum = sdw_real_of(sdw_load64(p + 56)),
                  .last = sdw_real_of(sdw_load64(p + 64)),
                  .count = sdw_load64(p + 72)},
    };
}

static void put_entry(struct sdw_buf *out, const struct sdw_entry *entry)
{
    uint8_t p[ENTRY];
    sdw_store32(p, entry->series);
    sdw_store32(p + 4, entry->points);
    sdw_store64(p + 8, entry->offset);
    sdw_store32(p + 16, entry->size);
    sdw_store32(p + 20, entry->sum);
    sdw_store64(p + 24, (uint64_t)entry->stats.from_us);
    sdw_store64(p + 32, (uint64_t)entry->stats.to_us);
    sdw_store64(p + 40, sdw_real_bits(entry->stats.min));
    sdw_store64(p + 48, sdw_real_bits(entry->stats.max));
    sdw_store64(p + 56, sdw_real_bits(entry->stats.sum));
    sdw_store64(p + 64, sdw_real_bits(entry->stats.last));
    sdw_store64(p + 72, entry->stats.count);
    sdw_buf_add(out, p, sizeof p);
}

/* All entries lie in the data and are in order. */
static bool entries_fit(const struct sdw_segment *segment, uint64_t data_end)
{
    uint32_t series = 0;
    int64_t to_us = INT64_MIN;
    for (size_t i = 0; i < segment->n; i++) {
        struct sdw_entry e;
        sdw_segment_entry(segment, i, &e);
        if (e.offset < HEADER || e.offset > data_end || e.size > data_end - e.offset ||
            e.series < series || e.stats.from_us > e.stats.to_us ||
            (e.series == series && i && e.stats.from_us <= to_us))
            return false;
        series = e.series;
        to_us = e.stats.to_us;
    }
    return true;
}

int sdw_segment_view(struct sdw_segment *segment, struct sdw_file file, struct sdw_err *err)
{
    const uint8_t *p = file.p, *tail = p + file.n - TAIL;
    segment->n = 0;
    if (file.n < HEADER + TAIL || memcmp(p, head_magic, 8) != 0 ||
        memcmp(tail, tail_magic, 8) != 0 || sdw_load32(tail + 28) != sdw_crc32c(0, tail, 28) ||
        sdw_load32(p + 8) >= LEVELS)
        return sdw_err_set(err, SDW_EINPUT, "not a whole segment");
    uint64_t offset = sdw_load64(tail + 8), count = sdw_load64(tail + 16), end = file.n - TAIL;
    if (offset < HEADER || offset > end || count > (end - offset) / ENTRY ||
        offset + count * ENTRY != end ||
        sdw_load32(tail + 24) != sdw_crc32c(0, p + offset, count * ENTRY))
        return sdw_err_set(err, SDW_EINPUT, "the index is damaged");
    segment->file = file;
    segment->index = p + offset;
    segment->n = (size_t)count;
    segment->level = sdw_load32(p + 8);
    if (!entries_fit(segment, offset))
        return sdw_err_set(err, SDW_EINPUT, "the index is out of order");
    return 0;
}

int sdw_segment_open(struct sdw_segment *segment, int dir, uint32_t id, struct sdw_err *err)
{
    char name[SDW_SEGMENT_NAME];
    struct sdw_err inner;
    *segment = (struct sdw_segment){.id = id};
    int code = sdw_file_map(&segment->file, dir, sdw_segment_name(id, name), err);
    if (code < 0)
        return code;
    struct sdw_file file = segment->file;
    code = sdw_segment_view(segment, file, &inner);
    if (code < 0) {
        sdw_file_unmap(&file);
        *segment = (struct sdw_segment){.id = id};
        return sdw_err_set(err, code, "%s: %s", name, inner.text);
    }
    return 0;
}

void sdw_segment_close(struct sdw_segment *segment)
{
    sdw_file_unmap(&segment->file);
    *segment = (struct sdw_segment){0};
}

size_t sdw_segment_find(const struct sdw_segment *segment, uint32_t series)
{
    size_t low = 0, high = segment->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (sdw_load32(segment->index + middle * ENTRY) < series)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool sdw_segment_is_sound(const struct sdw_segment *segment, const struct sdw_entry *entry)
{
    return sdw_crc32c(0, segment->file.p + entry->offset, entry->size) == entry->sum;
}

int sdw_segment_chunk(const struct sdw_segment *segment, const struct sdw_entry *entry,
                      int64_t from_us, int64_t to_us, struct sdw_chunk_room *room,
                      struct sdw_err *err)
{
    const uint8_t *p = segment->file.p + entry->offset;
    struct sdw_err inner;
    char name[SDW_SEGMENT_NAME];
    int code = SDW_EINPUT;
    room->points.n = 0;
    snprintf(inner.text, sizeof inner.text, "a chunk is damaged");
    if (sdw_segment_is_sound(segment, entry))
        code = sdw_chunk_decode(p, entry->size, from_us, to_us, room, &inner);
    if (code < 0)
        return sdw_err_set(err, code, "%s at byte %llu: %s", sdw_segment_name(segment->id, name),
                           (unsigned long long)entry->offset, inner.text);
    return 0;
}

int sdw_segment_create(struct sdw_segment_writer *writer, int dir, uint32_t id, uint32_t level,
                       struct sdw_err *err)
{
    char name[SDW_SEGMENT_NAME];
    uint8_t header[HEADER] = {0};
    *writer = (struct sdw_segment_writer){
        .fd = -1, .id = id, .level = level, .from_us = INT64_MAX, .to_us = INT64_MIN};
    writer->fd =
        openat(dir, sdw_segment_name(id, name), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (writer->fd < 0)
        return sdw_err_sys(err, "cannot create the segment %s", name);
    memcpy(header, head_magic, sizeof head_magic);
    sdw_store32(header + 8, level);
    sdw_buf_add(&writer->out, header, sizeof header);
    return 0;
}

static int drain(struct sdw_segment_writer *writer, struct sdw_err *err)
{
    if (sdw_file_write(writer->fd, writer->out.p, writer->out.n) < 0)
        return sdw_err_sys(err, "cannot write a segment");
    writer->offset += writer->out.n;
    sdw_buf_clear(&writer->out);
    return 0;
}

/* The chunk is in `out` already. */
static int add_entry(struct sdw_segment_writer *writer, const struct sdw_entry *entry,
                     struct sdw_err *err)
{
    const struct sdw_chunk_stats *stats = &entry->stats;
    put_entry(&writer->index, entry);
    writer->chunks++;
    writer->points += entry->points;
    writer->from_us = stats->from_us < writer->from_us ? stats->from_us : writer->from_us;
    writer->to_us = stats->to_us > writer->to_us ? stats->to_us : writer->to_us;
    return writer->out.n < WRITE_SIZE ? 0 : drain(writer, err);
}

int sdw_segment_put(struct sdw_segment_writer *writer, uint32_t series,
                    const struct sdw_points *points, struct sdw_err *err)
{
    size_t start = writer->out.n;
    struct sdw_entry entry = {.series = series, .points = (uint32_t)points->n};
    sdw_chunk_encode(points, &writer->out);
    sdw_chunk_stats_of(points, &entry.stats);
    entry.offset = writer->offset + start;
    entry.size = (uint32_t)(writer->out.n - start);
    entry.sum = sdw_crc32c(0, writer->out.p + start, entry.size);
    return add_entry(writer, &entry, err);
}

int sdw_segment_copy(struct sdw_segment_writer *writer, const struct sdw_segment *from,
                     const struct sdw_entry *entry, struct sdw_err *err)
{
    struct sdw_entry copy = *entry;
    copy.offset = writer->offset + writer->out.n;
    sdw_buf_add(&writer->out, from->file.p + entry->offset, entry->size);
    return add_entry(writer, &copy, err);
}

int sdw_segment_finish(struct sdw_segment_writer *writer, struct sdw_err *err)
{
    uint8_t tail[TAIL];
    memcpy(tail, tail_magic, sizeof tail_magic);
    sdw_store64(tail + 8, writer->offset + writer->out.n);
    sdw_store64(tail + 16, writer->chunks);
    sdw_store32(tail + 24, sdw_crc32c(0, writer->index.p, writer->index.n));
    sdw_store32(tail + 28, sdw_crc32c(0, tail, 28));
    sdw_buf_str(&writer->out, sdw_buf_view(&writer->index));
    sdw_buf_add(&writer->out, tail, sizeof tail);
    int code = drain(writer, err);
    if (code == 0 && fsync(writer->fd) < 0)
        code = sdw_err_sys(err, "cannot write a segment");
    writer->bytes = writer->offset;
    return code;
}

void sdw_segment_writer_release(struct sdw_segment_writer *writer)
{
    if (writer->fd >= 0)
        close(writer->fd);
    sdw_buf_release(&writer->out);
    sdw_buf_release(&writer->index);
    *writer = (struct sdw_segment_writer){.fd = -1};
}
