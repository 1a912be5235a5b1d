#include "store/check.h"
#include "core/buf.h"
#include "core/clock.h"
#include "rec/end.h"
#include "rec/store.h"
#include "store/inspect.h"
#include "store/repair.h"
#include "store/store.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

struct check {
    struct sdw_ctx *ctx;
    const char *path;
    int dir;
    struct sdw_catalog *catalog;
    struct sdw_chunk_room room;
    uint32_t last_series; /* of the catalogue */
    bool damaged, again;
};

static struct sdw_part part_of(const struct check *check, const char *name, const char *kind)
{
    struct sdw_part part;
    sdw_rec_init(&sdw_part_schema, &part);
    part.ts = 0;
    part.store = sdw_str_of(check->path);
    part.part = sdw_str_of(name);
    part.kind = sdw_str_of(kind);
    part.state = sdw_str_of("good");
    return part;
}

static void blame(struct check *check, struct sdw_part *part, const struct sdw_err *err)
{
    part->state = sdw_str_of("damaged");
    part->reason = sdw_str_of(err->text);
    check->damaged = true;
}

static int count_series(uint32_t id, struct sdw_str name, struct sdw_str labels, void *arg)
{
    struct sdw_part *part = arg;
    (void)id, (void)name, (void)labels;
    part->series++;
    return 0;
}

static int last_series(uint32_t id, struct sdw_str name, struct sdw_str labels, void *arg)
{
    (void)name, (void)labels;
    *(uint32_t *)arg = id;
    return 0;
}

static int check_catalog(struct check *check)
{
    struct sdw_err err = {0};
    struct sdw_part part = part_of(check, "catalog.sqlite", "catalogue");
    part.series = 0;
    int code = sdw_catalog_check(check->catalog, &err);
    if (code == 0)
        code = sdw_catalog_each(check->catalog, NULL, count_series, &part, &err);
    if (code == 0)
        code = sdw_catalog_each(check->catalog, NULL, last_series, &check->last_series, &err);
    if (code < 0)
        blame(check, &part, &err);
    return sdw_rec_put(check->ctx, &sdw_part_schema, &part);
}

static int check_chunks(struct check *check, const struct sdw_segment *segment,
                        struct sdw_part *part, struct sdw_err *err)
{
    uint32_t series = 0;
    part->points = part->series = 0;
    for (size_t i = 0; i < segment->n; i++) {
        struct sdw_entry entry;
        sdw_segment_entry(segment, i, &entry);
        int code = sdw_chunk_inspect(segment, &entry, check->last_series, &check->room, err);
        if (code < 0)
            return code;
        part->points += entry.points;
        part->series += entry.series != series;
        series = entry.series;
    }
    return 0;
}

/* Whether a writer took a segment or a log (0: none) away before it was looked at. What it had is
 * in what takes its place: that is to be looked at, too. */
static bool was_replaced(struct check *check, uint32_t segment, uint64_t log)
{
    struct sdw_manifest now;
    struct sdw_err err;
    bool there = sdw_catalog_manifest(check->catalog, &now, &err) < 0 || now.first_log == log;
    for (size_t i = 0; i < now.n; i++)
        there = there || now.segment[i].id == segment;
    sdw_manifest_release(&now);
    check->again = check->again || !there;
    return !there;
}

static int check_segment(struct check *check, const struct sdw_catalog_segment *about)
{
    char name[SDW_SEGMENT_NAME];
    struct sdw_segment segment;
    struct sdw_err err = {0};
    struct sdw_part part = part_of(check, sdw_segment_name(about->id, name), "segment");
    part.level = about->level;
    part.ts = part.to_us = about->to_us;
    part.from_us = about->from_us;
    part.bytes = (int64_t)about->bytes;
    int code = sdw_segment_open(&segment, check->dir, about->id, &err);
    if (code == SDW_ENO && was_replaced(check, about->id, 0))
        return 0;
    if (code == 0) {
        code = check_chunks(check, &segment, &part, &err);
        if (code == 0 && (uint64_t)part.points != about->points)
            code = sdw_err_set(&err, SDW_EINPUT, "the catalogue knows of %llu points",
                               (unsigned long long)about->points);
        sdw_segment_close(&segment);
    }
    if (code < 0)
        blame(check, &part, &err);
    return sdw_rec_put(check->ctx, &sdw_part_schema, &part);
}

struct log_range {
    struct sdw_part *part;
    uint32_t last_series;
};

static int see_point(const struct sdw_point *point, void *arg)
{
    struct log_range *range = arg;
    struct sdw_part *part = range->part;
    bool first = part->from_us == SDW_NO_INT;
    part->from_us = first || point->ts_us < part->from_us ? point->ts_us : part->from_us;
    part->to_us = first || point->ts_us > part->to_us ? point->ts_us : part->to_us;
    range->last_series = point->series > range->last_series ? point->series : range->last_series;
    return 0;
}

/* 1 when there is a log of that number, 0 when there is none and needs not be. */
static int check_log(struct check *check, uint64_t number, bool needed)
{
    char name[SDW_LOG_NAME];
    struct sdw_file file;
    struct sdw_err err = {0};
    struct sdw_wal_found found = {0};
    struct sdw_part part = part_of(check, sdw_store_log_name(number, name), "log");
    struct log_range range = {.part = &part};
    int code = sdw_file_map(&file, check->dir, name, &err);
    if (code == SDW_ENO && (!needed || was_replaced(check, 0, number)))
        return 0;
    if (code == 0 && needed && file.n == 0)
        code = sdw_err_set(&err, SDW_EINPUT, "the log is empty");
    if (code == 0)
        code = sdw_wal_read(&file, see_point, &range, &found);
    part.bytes = (int64_t)file.n;
    part.points = (int64_t)found.points;
    part.ts = part.to_us == SDW_NO_INT ? 0 : part.to_us;
    sdw_file_unmap(&file);
    if (code == 0 && found.damaged)
        code = sdw_err_set(&err, SDW_EINPUT, "%lld bytes of the log are damaged",
                           (long long)found.damaged);
    if (code == 0 && range.last_series > check->last_series)
        code =
            sdw_err_set(&err, SDW_EINPUT, "series %u is not in the catalogue", range.last_series);
    if (code < 0)
        blame(check, &part, &err);
    else if (found.torn)
        part.state = sdw_str_of("torn");
    code = sdw_rec_put(check->ctx, &sdw_part_schema, &part);
    return code < 0 ? code : 1;
}

/* next: number of the first that was not looked at yet. */
static int check_logs(struct check *check, const struct sdw_manifest *manifest, uint64_t *next)
{
    int more = 1;
    *next = manifest->first_log > *next ? manifest->first_log : *next;
    while (more == 1) {
        bool needed = *next == manifest->first_log && manifest->any_series;
        more = check_log(check, *next, needed);
        *next += more == 1;
    }
    return more;
}

static int check_files(struct check *check)
{
    uint32_t next_segment = 0;
    uint64_t next_log = 0;
    int code;
    do {
        struct sdw_manifest manifest;
        check->again = false;
        code = sdw_catalog_manifest(check->catalog, &manifest, &check->ctx->err);
        for (size_t i = 0; code == 0 && i < manifest.n; i++)
            if (manifest.segment[i].id >= next_segment)
                code = check_segment(check, &manifest.segment[i]);
        next_segment = manifest.next_segment;
        if (code == 0)
            code = check_logs(check, &manifest, &next_log);
        sdw_manifest_release(&manifest);
    } while (code == 0 && check->again);
    return code;
}

static int check_all(struct check *check)
{
    struct sdw_err *err = &check->ctx->err;
    struct sdw_buf file = {0};
    check->dir = open(check->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (check->dir < 0)
        return sdw_err_sys(err, "cannot open the store %s", check->path);
    sdw_buf_printf(&file, "%s/catalog.sqlite", check->path);
    int code = sdw_catalog_open(&check->catalog, file.p, false, false, err);
    if (code == 0)
        code = check_catalog(check);
    if (code == 0)
        code = check_files(check);
    sdw_catalog_close(check->catalog);
    sdw_chunk_room_release(&check->room);
    sdw_buf_release(&file);
    close(check->dir);
    return code;
}

int sdw_store_check(struct sdw_ctx *ctx, const char *path, bool repair)
{
    struct check check = {.ctx = ctx, .path = path};
    struct sdw_repaired done = {0};
    char counts[128];
    int code = repair ? sdw_store_repair(ctx, path, &done) : 0;
    if (code == 0)
        code = check_all(&check);
    if (code < 0)
        return code;
    snprintf(counts, sizeof counts,
             "{\"repaired\":%llu,\"lost_points\":%llu,\"damaged_logs\":%llu,\"rows\":%llu}",
             (unsigned long long)done.parts, (unsigned long long)done.points,
             (unsigned long long)done.logs, (unsigned long long)done.rows);
    code = sdw_rec_end(ctx, sdw_wall_us(),
                       check.damaged ? "damage"
                       : done.parts  ? "repaired"
                                     : "done",
                       repair ? counts : NULL);
    if (code == 0 && check.damaged)
        code = sdw_err_set(&ctx->err, SDW_ENO, "%s is damaged%s", path,
                           repair ? " still" : ": check --repair puts aside what is");
    else if (code == 0 && done.parts)
        code =
            sdw_err_set(&ctx->err, SDW_ENO, "%s was damaged in %llu parts: %llu points are lost%s",
                        path, (unsigned long long)done.parts, (unsigned long long)done.points,
                        done.logs ? ", besides those of logs, which nobody can count" : "");
    return code;
}
