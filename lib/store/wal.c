#include "store/wal.h"
#include "store/bits.h"
#include "store/crc32c.h"

#include <fcntl.h>
#include <unistd.h>

static const char header[8] = "SDWWAL1\n";
static const uint32_t magic = 0x4c415753; /* "SWAL" */

enum { FRAME_HEAD = 16, PAYLOAD_MAX = 1 << 26, POINT_MAX = 5 + 10 + 8 };

static uint32_t frame_sum(const uint8_t *head, const uint8_t *payload, size_t n)
{
    return sdw_crc32c(sdw_crc32c(0, head + 4, 8), payload, n);
}

/* Length of the good frame at p; 0 when there is none. */
static size_t frame_at(const uint8_t *p, size_t left)
{
    if (left < FRAME_HEAD || sdw_load32(p) != magic)
        return 0;
    size_t n = sdw_load32(p + 4);
    if (n > PAYLOAD_MAX || n > left - FRAME_HEAD ||
        sdw_load32(p + 12) != frame_sum(p, p + FRAME_HEAD, n))
        return 0;
    return FRAME_HEAD + n;
}

/* Bytes to skip until the next good frame; left when there is none. */
static size_t frame_search(const uint8_t *p, size_t left)
{
    size_t at = 1;
    for (; at < left; at++) {
        const uint8_t *next = memchr(p + at, (int)(magic & 0xff), left - at);
        if (!next)
            return left;
        at = (size_t)(next - p);
        if (frame_at(next, left - at))
            return at;
    }
    return left;
}

static int read_points(const uint8_t *payload, size_t n,
                       int (*each)(const struct sdw_point *point, void *arg), void *arg,
                       uint64_t *points)
{
    struct sdw_bytes in = sdw_bytes(payload, n);
    struct sdw_point point = {0};
    int code = 0;
    while (code >= 0 && in.p < in.end) {
        point.series += (uint32_t)sdw_get_signed(&in);
        point.ts_us = (int64_t)((uint64_t)point.ts_us + (uint64_t)sdw_get_signed(&in));
        if (in.bad || in.end - in.p < 8)
            return 0; /* the checksum was right, so no writer of ours made this */
        point.value = sdw_real_of(sdw_load64(in.p));
        in.p += 8;
        (*points)++;
        code = each(&point, arg);
    }
    return code < 0 ? code : 0;
}

int sdw_wal_read(const struct sdw_file *file, int (*each)(const struct sdw_point *point, void *arg),
                 void *arg, struct sdw_wal_found *found)
{
    const uint8_t *p = file->p;
    size_t n = file->n;
    *found = (struct sdw_wal_found){0};
    if (n < sizeof header) {
        found->torn = (int64_t)n;
        return 0;
    }
    bool headed = memcmp(p, header, sizeof header) == 0;
    size_t at = headed ? sizeof header : 0, good = at;
    while (at < n) {
        size_t size = frame_at(p + at, n - at);
        if (size == 0) {
            at += frame_search(p + at, n - at);
            continue;
        }
        found->damaged += (int64_t)(at - good);
        found->frames++;
        found->next = sdw_load32(p + at + 8) + 1;
        int code = read_points(p + at + FRAME_HEAD, size - FRAME_HEAD, each, arg, &found->points);
        if (code < 0)
            return code;
        at += size;
        good = at;
    }
    if (!headed && found->frames == 0) {
        found->damaged = (int64_t)n; /* what comes is written after that */
        good = n;
    }
    found->whole = (int64_t)good;
    found->torn = (int64_t)(n - good);
    return 0;
}

int sdw_wal_open(struct sdw_wal *wal, int dir, const char *name, const struct sdw_wal_found *found,
                 struct sdw_err *err)
{
    *wal = (struct sdw_wal){.fd = -1};
    bool fresh = !found || found->whole < (int64_t)sizeof header;
    int64_t keep = fresh ? 0 : found->whole;
    wal->fd = openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC | O_APPEND, 0644);
    if (wal->fd < 0)
        return sdw_err_sys(err, "cannot open the log %s", name);
    if (ftruncate(wal->fd, keep) < 0 ||
        (fresh && sdw_file_write(wal->fd, header, sizeof header) < 0) || fdatasync(wal->fd) < 0)
        return sdw_err_sys(err, "cannot write the log %s", name);
    wal->size = fresh ? (int64_t)sizeof header : keep;
    wal->frame = fresh ? 0 : found->next;
    return 0;
}

void sdw_wal_close(struct sdw_wal *wal)
{
    if (wal->fd >= 0)
        close(wal->fd);
    sdw_buf_release(&wal->pending);
    *wal = (struct sdw_wal){.fd = -1};
}

void sdw_wal_add(struct sdw_wal *wal, const struct sdw_point *point)
{
    struct sdw_buf *out = &wal->pending;
    if (out->n == 0) {
        sdw_buf_reserve(out, FRAME_HEAD);
        out->n = FRAME_HEAD;
        wal->last_series = 0;
        wal->last_ts_us = 0;
    }
    sdw_buf_reserve(out, POINT_MAX);
    sdw_put_signed(out, (int32_t)(point->series - wal->last_series));
    sdw_put_signed(out, (int64_t)((uint64_t)point->ts_us - (uint64_t)wal->last_ts_us));
    sdw_store64(out->p + out->n, sdw_real_bits(point->value));
    out->n += 8;
    wal->last_series = point->series;
    wal->last_ts_us = point->ts_us;
}

int sdw_wal_commit(struct sdw_wal *wal, struct sdw_err *err)
{
    uint8_t *head = (uint8_t *)wal->pending.p;
    size_t n = wal->pending.n;
    if (n == 0)
        return 0;
    if (n - FRAME_HEAD > PAYLOAD_MAX)
        return sdw_err_set(err, SDW_EUSAGE, "too many points in one batch");
    sdw_store32(head, magic);
    sdw_store32(head + 4, (uint32_t)(n - FRAME_HEAD));
    sdw_store32(head + 8, wal->frame);
    sdw_store32(head + 12, frame_sum(head, head + FRAME_HEAD, n - FRAME_HEAD));
    wal->pending.n = 0;
    if (sdw_file_write(wal->fd, head, n) < 0 || fdatasync(wal->fd) < 0) {
        int code = sdw_err_sys(err, "cannot write the log");
        if (ftruncate(wal->fd, wal->size) < 0)
            wal->frame++; /* the next reader finds the torn frame by itself */
        return code;
    }
    wal->size += (int64_t)n;
    wal->frame++;
    return 0;
}
