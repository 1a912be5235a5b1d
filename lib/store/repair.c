#include "store/repair.h"
#include "rec/store.h"
#include "store/change.h"
#include "store/inspect.h"
#include "store/rollup.h"
#include "store/select.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PART_NAME = 64 };

struct repair {
    struct sdw_ctx *ctx;
    const char *path;
    struct sdw_store store;
    int quarantine; /* -1 until it is needed */
    struct sdw_selected selected;
    const struct sdw_selected_series **series; /* by number less 1; NULL: none of that number */
    uint32_t n_series;
    struct sdw_chunk_room room;
    int64_t from_us[SDW_LEVELS], to_us[SDW_LEVELS]; /* where rows of each level were lost */
    struct sdw_repaired *done;
    struct sdw_err *err;
};

/* --- what is known of it -------------------------------------------------------------------- */

static int learn_series(struct repair *repair)
{
    int code = sdw_select(&repair->store, NULL, 0, &repair->selected, repair->err);
    for (size_t i = 0; i < repair->selected.n; i++)
        if (repair->selected.series[i].id > repair->n_series)
            repair->n_series = repair->selected.series[i].id;
    repair->series = sdw_xalloc((repair->n_series + 1) * sizeof(struct sdw_selected_series *));
    for (size_t i = 0; i < repair->selected.n; i++)
        repair->series[repair->selected.series[i].id - 1] = &repair->selected.series[i];
    return code;
}

/* --- telling -------------------------------------------------------------------------------- */

static const char *kept_name(const char *name, char out[PART_NAME])
{
    snprintf(out, PART_NAME, "quarantine/%s", name);
    return out;
}

/* kept: whether there was anything of it to put aside. */
static int put_part(struct repair *repair, struct sdw_part *part, const char *name, bool kept,
                    const char *reason)
{
    char aside[PART_NAME];
    part->store = sdw_str_of(repair->path);
    part->part = sdw_str_of(kept ? kept_name(name, aside) : name);
    part->kind = sdw_str_of(kept ? "quarantine" : name[0] == 'w' ? "log" : "segment");
    part->state = sdw_str_of("damaged");
    part->reason = sdw_str_of(reason);
    part->ts = part->to_us == SDW_NO_INT ? 0 : part->to_us;
    repair->done->parts++;
    int code = sdw_rec_put(repair->ctx, &sdw_part_schema, part);
    part->part = (struct sdw_str){0};
    return code;
}

static int put_hole(struct repair *repair, struct sdw_hole *hole, const char *name)
{
    char kept[PART_NAME];
    hole->store = sdw_str_of(repair->path);
    if (name)
        hole->kept = sdw_str_of(kept_name(name, kept));
    hole->ts = hole->to_us;
    int64_t *from_us = &repair->from_us[hole->level], *to_us = &repair->to_us[hole->level];
    *from_us = hole->from_us < *from_us ? hole->from_us : *from_us;
    *to_us = hole->to_us >= *to_us ? hole->to_us + 1 : *to_us;
    repair->done->points += (uint64_t)hole->points;
    int code = sdw_rec_put(repair->ctx, &sdw_hole_schema, hole);
    hole->kept = (struct sdw_str){0};
    return code;
}

static int put_chunk(struct repair *repair, uint32_t level, const struct sdw_entry *entry,
                     const char *name)
{
    struct sdw_hole hole;
    sdw_rec_init(&sdw_hole_schema, &hole);
    uint32_t id = entry->series;
    const struct sdw_selected_series *series =
        id && id <= repair->n_series ? repair->series[id - 1] : NULL;
    if (series) {
        hole.series = series->name;
        hole.labels = series->labels.n ? series->labels : (struct sdw_str){0};
    }
    hole.level = level;
    hole.points = entry->points;
    hole.from_us = entry->stats.from_us;
    hole.to_us = entry->stats.to_us;
    return put_hole(repair, &hole, name);
}

/* --- the quarantine ------------------------------------------------------------------------- */

static int need_quarantine(struct repair *repair)
{
    if (repair->quarantine >= 0)
        return 0;
    if (mkdirat(repair->store.dir, "quarantine", 0755) < 0 && errno != EEXIST)
        return sdw_err_sys(repair->err, "cannot make %s/quarantine", repair->path);
    repair->quarantine =
        openat(repair->store.dir, "quarantine", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return repair->quarantine < 0 || fsync(repair->store.dir) < 0
               ? sdw_err_sys(repair->err, "cannot open %s/quarantine", repair->path)
               : 0;
}

static int sync_quarantine(struct repair *repair)
{
    return fsync(repair->quarantine) < 0
               ? sdw_err_sys(repair->err, "cannot write %s/quarantine", repair->path)
               : 0;
}

/* --- a segment that cannot be read ---------------------------------------------------------- */

/* The file goes first: should that be all that is done, the segment is missing. there: in the
 * quarantine now, or since a repair that was killed. */
static int move_aside(struct repair *repair, const char *name, bool *there)
{
    int code = need_quarantine(repair);
    *there = false;
    if (code < 0)
        return code;
    if (renameat(repair->store.dir, name, repair->quarantine, name) == 0)
        *there = true;
    else if (errno != ENOENT)
        return sdw_err_sys(repair->err, "cannot move %s", name);
    else
        *there = faccessat(repair->quarantine, name, F_OK, 0) == 0;
    return sync_quarantine(repair);
}

/* Back where the catalogue has it, unless it no longer does. */
static void move_back(const struct repair *repair, const char *name, uint32_t id)
{
    if (sdw_store_lists(&repair->store, id) &&
        renameat(repair->quarantine, name, repair->store.dir, name) == 0)
        fsync(repair->store.dir);
}

static int give_up(struct repair *repair, const struct sdw_catalog_segment *about)
{
    char name[SDW_SEGMENT_NAME];
    struct sdw_segment segment;
    struct sdw_err why = {0};
    struct sdw_change change = {0};
    struct sdw_part part;
    struct sdw_hole hole;
    bool there;
    sdw_rec_init(&sdw_part_schema, &part);
    sdw_rec_init(&sdw_hole_schema, &hole);
    part.level = hole.level = about->level;
    part.from_us = hole.from_us = about->from_us;
    part.to_us = hole.to_us = about->to_us;
    part.points = hole.points = (int64_t)about->points;
    part.bytes = (int64_t)about->bytes;
    if (sdw_segment_open(&segment, repair->store.dir, about->id, &why) == 0)
        sdw_segment_close(&segment);
    int code = move_aside(repair, sdw_segment_name(about->id, name), &there);
    sdw_change_remove(&change, about->id);
    if (code == 0)
        code = sdw_change_carry_out(&repair->store, &change, 0, repair->err);
    sdw_change_release(&change);
    if (code < 0 && there)
        move_back(repair, name, about->id);
    if (code == 0)
        code = put_part(repair, &part, name, there, why.text);
    return code == 0 ? put_hole(repair, &hole, there ? name : NULL) : code;
}

/* --- a segment with damaged chunks ---------------------------------------------------------- */

/* What becomes of a segment: a new one of the good chunks, and one of the others. */
struct parting {
    const struct sdw_segment *segment;
    bool *bad; /* of each entry */
    size_t n_bad;
    uint64_t points;          /* of the good ones */
    struct sdw_err why;       /* the last of them is bad */
    struct sdw_part part;     /* what is put aside */
    uint32_t last_bad_series; /* that was counted */
};

static void note_bad(struct parting *parting, size_t i, const struct sdw_entry *entry)
{
    struct sdw_part *part = &parting->part;
    bool first = parting->n_bad++ == 0;
    parting->bad[i] = true;
    part->points += entry->points;
    part->series += first || parting->last_bad_series != entry->series;
    parting->last_bad_series = entry->series;
    part->from_us =
        first || entry->stats.from_us < part->from_us ? entry->stats.from_us : part->from_us;
    part->to_us = first || entry->stats.to_us > part->to_us ? entry->stats.to_us : part->to_us;
}

static void inspect(struct repair *repair, struct parting *parting)
{
    sdw_rec_init(&sdw_part_schema, &parting->part);
    parting->part.level = parting->segment->level;
    parting->part.points = parting->part.series = 0;
    for (size_t i = 0; i < parting->segment->n; i++) {
        struct sdw_entry entry;
        sdw_segment_entry(parting->segment, i, &entry);
        if (sdw_chunk_inspect(parting->segment, &entry, repair->n_series, &repair->room,
                              &parting->why) < 0)
            note_bad(parting, i, &entry);
        else
            parting->points += entry.points;
    }
}

/* Write the chunks that are bad, or those that are not. */
static int write_some(struct repair *repair, const struct parting *parting, bool bad, int dir,
                      struct sdw_segment_writer *writer, uint32_t id)
{
    int code = sdw_segment_create(writer, dir, id, parting->segment->level, repair->err);
    for (size_t i = 0; code == 0 && i < parting->segment->n; i++) {
        struct sdw_entry entry;
        sdw_segment_entry(parting->segment, i, &entry);
        if (parting->bad[i] == bad)
            code = sdw_segment_copy(writer, parting->segment, &entry, repair->err);
    }
    return code == 0 ? sdw_segment_finish(writer, repair->err) : code;
}

static int put_aside(struct repair *repair, struct parting *parting, uint32_t id)
{
    struct sdw_segment_writer writer = {.fd = -1};
    int code = parting->n_bad ? need_quarantine(repair) : 0;
    if (code == 0 && parting->n_bad)
        code = write_some(repair, parting, true, repair->quarantine, &writer, id);
    if (code == 0 && parting->n_bad)
        code = sync_quarantine(repair);
    parting->part.bytes = (int64_t)writer.bytes;
    sdw_segment_writer_release(&writer);
    return code;
}

/* From the change on, the segment of the good chunks counts and the old one does not. */
static int replace(struct repair *repair, struct parting *parting, uint32_t old)
{
    struct sdw_segment_writer writer = {.fd = -1};
    struct sdw_change change = {0};
    uint32_t id = repair->store.manifest.next_segment;
    int code = 0;
    if (parting->n_bad < parting->segment->n) {
        code = write_some(repair, parting, false, repair->store.dir, &writer, id);
        if (writer.fd >= 0)
            sdw_change_add(&change, &writer);
    }
    sdw_change_remove(&change, old);
    code = sdw_change_carry_out(&repair->store, &change, code, repair->err);
    sdw_change_release(&change);
    sdw_segment_writer_release(&writer);
    return code;
}

static int put_bad(struct repair *repair, struct parting *parting, uint32_t id,
                   const struct sdw_entry *bad)
{
    char name[SDW_SEGMENT_NAME];
    int code =
        put_part(repair, &parting->part, sdw_segment_name(id, name), true, parting->why.text);
    for (size_t i = 0; code == 0 && i < parting->n_bad; i++)
        code = put_chunk(repair, (uint32_t)parting->part.level, &bad[i], name);
    return code;
}

static int part_with(struct repair *repair, struct parting *parting, uint32_t id)
{
    char name[SDW_SEGMENT_NAME];
    struct sdw_entry *bad = sdw_xalloc((parting->n_bad + 1) * sizeof *bad);
    size_t n = 0;
    for (size_t i = 0; i < parting->segment->n; i++)
        if (parting->bad[i])
            sdw_segment_entry(parting->segment, i, &bad[n++]);
    int code = put_aside(repair, parting, id);
    if (code == 0)
        code = replace(repair, parting, id); /* the old segment is mapped no more after this */
    if (code < 0 && repair->quarantine >= 0 && sdw_store_lists(&repair->store, id))
        unlinkat(repair->quarantine, sdw_segment_name(id, name), 0); /* all is where it was */
    if (code == 0 && n)
        code = put_bad(repair, parting, id, bad);
    else if (code == 0)
        repair->done->parts++; /* only the catalogue was wrong about it */
    free(bad);
    return code;
}

static int repair_segment(struct repair *repair, const struct sdw_catalog_segment *about)
{
    struct parting parting = {0};
    for (size_t i = 0; i < repair->store.n_segments; i++)
        if (repair->store.segment[i].id == about->id)
            parting.segment = &repair->store.segment[i];
    if (!parting.segment) /* no longer one of the store's */
        return 0;
    if (parting.segment->damaged)
        return give_up(repair, about);
    parting.bad = sdw_xalloc((parting.segment->n + 1) * sizeof *parting.bad);
    inspect(repair, &parting);
    bool good = parting.n_bad == 0 && parting.points == about->points;
    int code = good ? 0 : part_with(repair, &parting, about->id);
    free(parting.bad);
    return code;
}

static int repair_segments(struct repair *repair)
{
    size_t n = repair->store.manifest.n;
    struct sdw_catalog_segment *about = sdw_xalloc((n + 1) * sizeof *about);
    int code = 0;
    if (n)
        memcpy(about, repair->store.manifest.segment, n * sizeof *about);
    for (size_t i = 0; code == 0 && i < n && !sdw_stop_signal(repair->ctx); i++)
        code = repair_segment(repair, &about[i]);
    free(about);
    return code;
}

/* --- logs ----------------------------------------------------------------------------------- */

static int ignore_point(const struct sdw_point *point, void *arg)
{
    (void)point, (void)arg;
    return 0;
}

static int repair_log(struct repair *repair, uint64_t number)
{
    char name[SDW_LOG_NAME], reason[64];
    struct sdw_file file;
    struct sdw_wal_found found = {0};
    struct sdw_part part;
    int code =
        sdw_file_map(&file, repair->store.dir, sdw_store_log_name(number, name), repair->err);
    if (code == 0)
        code = sdw_wal_read(&file, ignore_point, NULL, &found);
    if (code == 0 && found.damaged) {
        sdw_rec_init(&sdw_part_schema, &part);
        part.bytes = (int64_t)file.n;
        snprintf(reason, sizeof reason, "%lld bytes of the log are damaged",
                 (long long)found.damaged);
        code = need_quarantine(repair);
        if (code == 0 && sdw_file_store(repair->quarantine, name, &file) < 0)
            code = sdw_err_sys(repair->err, "cannot write %s/quarantine", repair->path);
        if (code == 0)
            code = put_part(repair, &part, name, true, reason);
        repair->done->logs++;
    }
    sdw_file_unmap(&file);
    return code;
}

/* A log of that number was made when the store was opened. */
static int put_missing_log(struct repair *repair)
{
    char name[SDW_LOG_NAME];
    struct sdw_part part;
    sdw_rec_init(&sdw_part_schema, &part);
    repair->done->logs++;
    return put_part(repair, &part, sdw_store_log_name(repair->store.manifest.first_log, name),
                    false, "the log is missing");
}

/* What could be read of them is in memory; with that new files take their place. */
static int repair_logs(struct repair *repair)
{
    int code = repair->store.log_missing ? put_missing_log(repair) : 0;
    if (repair->store.found.damaged == 0)
        return code;
    for (uint64_t number = repair->store.manifest.first_log;
         code == 0 && number <= repair->store.log; number++)
        code = repair_log(repair, number);
    return code == 0 ? sdw_store_flush(&repair->store, true, repair->err) : code;
}

/* --- rollups -------------------------------------------------------------------------------- */

static int remake_rows(struct repair *repair)
{
    int code = 0;
    for (uint32_t level = 1; code == 0 && level < SDW_LEVELS; level++) {
        uint64_t rows = 0;
        code = sdw_store_rollup_again(&repair->store, level, repair->from_us[level],
                                      repair->to_us[level], &rows, repair->err);
        repair->done->rows += rows;
    }
    return code;
}

int sdw_store_repair(struct sdw_ctx *ctx, const char *path, struct sdw_repaired *done)
{
    struct repair repair = {
        .ctx = ctx, .path = path, .quarantine = -1, .done = done, .err = &ctx->err};
    struct sdw_store_settings settings = {.write = true};
    *done = (struct sdw_repaired){0};
    for (uint32_t level = 0; level < SDW_LEVELS; level++) {
        repair.from_us[level] = INT64_MAX;
        repair.to_us[level] = INT64_MIN;
    }
    int code = sdw_store_open(&repair.store, path, &settings, &ctx->err);
    if (code < 0)
        return code;
    code = sdw_catalog_check(repair.store.catalog, &ctx->err);
    if (code == 0)
        code = learn_series(&repair);
    if (code == 0)
        code = repair_segments(&repair);
    if (code == 0)
        code = repair_logs(&repair);
    if (code == 0)
        code = remake_rows(&repair);
    sdw_selected_release(&repair.selected);
    free(repair.series);
    sdw_chunk_room_release(&repair.room);
    if (repair.quarantine >= 0)
        close(repair.quarantine);
    sdw_store_close(&repair.store);
    return code;
}
