/*
 * A segment: a file of chunks that never changes once it is written, with an index of fixed-size
 * entries in order of series and time. It is read through a memory map: opening costs one look at
 * the index.
 */
#ifndef SDW_STORE_SEGMENT_H
#define SDW_STORE_SEGMENT_H

#include "core/base.h"
#include "core/buf.h"
#include "core/err.h"
#include "store/chunk.h"
#include "store/file.h"

enum { SDW_SEGMENT_NAME = 32 };

struct sdw_entry {
    uint32_t series;
    uint32_t points; /* in the chunk; stats.count differs in rollups */
    uint64_t offset;
    uint32_t size, sum;
    struct sdw_chunk_stats stats;
};

struct sdw_segment {
    uint32_t id, level; /* level 0: points as they came; 1..3: rollups */
    struct sdw_file file;
    const uint8_t *index;
    size_t n;     /* entries */
    bool damaged; /* it counts, but cannot be read: n is 0 */
};

const char *sdw_segment_name(uint32_t id, char out[SDW_SEGMENT_NAME]);

/* Maps the file. SDW_ENO when it is not there, SDW_EINPUT when its index is damaged. */
int sdw_segment_open(struct sdw_segment *segment, int dir, uint32_t id, struct sdw_err *err);
void sdw_segment_close(struct sdw_segment *segment);
/* The same for bytes that are in memory already; close must not be called. */
int sdw_segment_view(struct sdw_segment *segment, struct sdw_file file, struct sdw_err *err);

void sdw_segment_entry(const struct sdw_segment *segment, size_t i, struct sdw_entry *out);
/* The first entry of this series or a later one. */
size_t sdw_segment_find(const struct sdw_segment *segment, uint32_t series);
/* Whether the bytes of a chunk are those that were written. */
bool sdw_segment_is_sound(const struct sdw_segment *segment, const struct sdw_entry *entry);
/* Checks the sum and decodes the points with from_us <= t < to_us. SDW_EINPUT when the chunk is
 * damaged. */
int sdw_segment_chunk(const struct sdw_segment *segment, const struct sdw_entry *entry,
                      int64_t from_us, int64_t to_us, struct sdw_chunk_room *room,
                      struct sdw_err *err);

/* A file that is being written. Chunks must come in order of series and time. */
struct sdw_segment_writer {
    int fd;
    uint32_t id, level;
    struct sdw_buf out, index;
    uint64_t offset; /* of the start of `out` in the file */
    uint64_t points, bytes, chunks;
    int64_t from_us, to_us; /* of all chunks */
};
int sdw_segment_create(struct sdw_segment_writer *writer, int dir, uint32_t id, uint32_t level,
                       struct sdw_err *err);
int sdw_segment_put(struct sdw_segment_writer *writer, uint32_t series,
                    const struct sdw_points *points, struct sdw_err *err);
/* Take a chunk over as it is, good or not, with what the index of its segment says of it. */
int sdw_segment_copy(struct sdw_segment_writer *writer, const struct sdw_segment *from,
                     const struct sdw_entry *entry, struct sdw_err *err);
/* Writes the index and waits until the disk has all. */
int sdw_segment_finish(struct sdw_segment_writer *writer, struct sdw_err *err);
void sdw_segment_writer_release(struct sdw_segment_writer *writer);

#endif
