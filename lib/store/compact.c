#include "store/compact.h"
#include "core/clock.h"
#include "rec/end.h"
#include "store/change.h"

#include <stdio.h>

enum { WORTH_WHILE = 8 }; /* segments of points that are not in their final form */

/* --- dropping ------------------------------------------------------------------------------ */

/* Whether rows of the next level stand for all of a segment. */
static bool is_rolled(const struct sdw_store *store, const struct sdw_segment *segment)
{
    uint32_t next = segment->level + 1;
    bool rolled = !segment->damaged;
    for (size_t i = 0; rolled && next < SDW_LEVELS && i < segment->n; i++) {
        struct sdw_entry entry;
        int64_t from_us, to_us;
        sdw_segment_entry(segment, i, &entry);
        rolled = sdw_level_range(store, entry.series, next, &from_us, &to_us) &&
                 to_us + sdw_level_step(next) > entry.stats.to_us;
    }
    return rolled;
}

/* On a full disk there is no room for the journal of the catalogue: the files go first then. Until
 * it has been written, they are segments that are missing. change: in order of the manifest. */
static int drop_first(struct sdw_store *store, const struct sdw_change *change, struct sdw_err *err)
{
    for (size_t i = 0, at = 0; i < store->n_segments && at < change->n_remove; i++)
        if (store->manifest.segment[i].id == change->remove[at]) {
            sdw_segment_close(&store->segment[i]); /* what is mapped keeps its room */
            sdw_store_unlink(store, change->remove[at++]);
        }
    return sdw_change_carry_out(store, change, 0, err);
}

static int drop_old(struct sdw_store *store, const int64_t retain_us[SDW_LEVELS], bool rolled,
                    struct sdw_compacted *done, struct sdw_err *err)
{
    struct sdw_change change = {0};
    uint64_t points = 0;
    for (size_t i = 0; i < store->manifest.n; i++) {
        const struct sdw_catalog_segment *s = &store->manifest.segment[i];
        int64_t keep = s->level < SDW_LEVELS ? retain_us[s->level] : 0;
        if (keep == 0 || s->to_us + sdw_level_step(s->level) >= store->newest_us - keep ||
            (rolled && !is_rolled(store, &store->segment[i])))
            continue;
        sdw_change_remove(&change, s->id);
        points += s->points;
    }
    int code = sdw_change_carry_out(store, &change, 0, err);
    if (code == SDW_ESYS)
        code = drop_first(store, &change, err);
    done->dropped += code == 0 ? change.n_remove : 0;
    done->dropped_points += code == 0 ? points : 0;
    sdw_change_release(&change);
    return code;
}

/* --- all of it ----------------------------------------------------------------------------- */

static int roll_up(struct sdw_store *store, const int64_t retain_us[SDW_LEVELS],
                   struct sdw_compacted *done, struct sdw_err *err)
{
    uint32_t levels = 0;
    while (levels + 1 < SDW_LEVELS && retain_us[levels])
        levels++;
    return levels ? sdw_store_rollup(store, levels, &done->rolled, err) : 0;
}

static int compact(struct sdw_store *store, struct sdw_compacted *done, struct sdw_err *err)
{
    int64_t retain_us[SDW_LEVELS];
    struct sdw_err damage = {0};
    int code = sdw_store_retained(store, NULL, retain_us, err);
    if (code == 0)
        code = drop_old(store, retain_us, true, done, err);
    if (code == 0)
        code = roll_up(store, retain_us, done, err);
    if (code == SDW_EINPUT) {
        damage = *err;
        code = 0;
    }
    for (uint32_t level = 0; code == 0 && level < SDW_LEVELS; level++)
        code = sdw_merge_level(store, level, &done->merged, err);
    if (code == 0)
        code = drop_old(store, retain_us, false, done, err);
    if (code == 0 && done->merged.damaged)
        code = sdw_err_set(err, SDW_EINPUT, "damaged segments that are left as they are: %llu",
                           (unsigned long long)done->merged.damaged);
    else if (code == 0 && damage.code)
        code = (*err = damage).code;
    return code;
}

int sdw_store_compact(struct sdw_store *store, struct sdw_compacted *done, struct sdw_err *err)
{
    *done = (struct sdw_compacted){0};
    return compact(store, done, err);
}

int sdw_store_maintain(struct sdw_store *store, struct sdw_err *err)
{
    struct sdw_compacted done;
    return sdw_merge_waiting(store, 0) >= WORTH_WHILE ? sdw_store_compact(store, &done, err) : 0;
}

/* --- the commands -------------------------------------------------------------------------- */

/* code: what was done, or done but for what is damaged. */
static int put_end(struct sdw_ctx *ctx, int code, const char *counts)
{
    if (code < 0 && code != SDW_EINPUT)
        return code;
    int ended = sdw_rec_end(ctx, sdw_wall_us(), code == 0 ? "done" : "damage", counts);
    return ended < 0 ? ended : code;
}

int sdw_compact_run(struct sdw_ctx *ctx, struct sdw_store *store,
                    const char *const retain[SDW_LEVELS])
{
    struct sdw_compacted done = {0};
    int64_t retain_us[SDW_LEVELS];
    char counts[256];
    int code = sdw_store_retained(store, retain, retain_us, &ctx->err);
    if (code == 0)
        code = drop_old(store, retain_us, true, &done, &ctx->err);
    if (code == 0)
        code = sdw_store_retain(store, retain, &ctx->err);
    if (code == 0)
        code = sdw_store_flush(store, true, &ctx->err);
    if (code == 0)
        code = compact(store, &done, &ctx->err);
    snprintf(counts, sizeof counts,
             "{\"rows\":%llu,\"merged\":%llu,\"into\":%llu,\"dropped\":%llu,"
             "\"dropped_points\":%llu,\"damaged\":%llu}",
             (unsigned long long)done.rolled, (unsigned long long)done.merged.merged,
             (unsigned long long)done.merged.into, (unsigned long long)done.dropped,
             (unsigned long long)done.dropped_points, (unsigned long long)done.merged.damaged);
    return put_end(ctx, code, counts);
}

int sdw_rollup_run(struct sdw_ctx *ctx, struct sdw_store *store)
{
    char counts[64];
    uint64_t rows = 0;
    int code = sdw_store_rollup(store, SDW_LEVELS, &rows, &ctx->err);
    snprintf(counts, sizeof counts, "{\"rows\":%llu}", (unsigned long long)rows);
    return put_end(ctx, code, counts);
}
