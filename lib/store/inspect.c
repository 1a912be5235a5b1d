#include "store/inspect.h"

static bool same_stats(const struct sdw_chunk_stats *a, const struct sdw_chunk_stats *b)
{
    return a->from_us == b->from_us && a->to_us == b->to_us && a->min == b->min &&
           a->max == b->max && a->sum == b->sum && a->last == b->last && a->count == b->count;
}

static bool rising(const struct sdw_points *points)
{
    for (size_t i = 1; i < points->n; i++)
        if (points->ts_us[i] <= points->ts_us[i - 1])
            return false;
    return true;
}

int sdw_chunk_inspect(const struct sdw_segment *segment, const struct sdw_entry *entry,
                      uint32_t last_series, struct sdw_chunk_room *room, struct sdw_err *err)
{
    struct sdw_chunk_stats stats;
    int code = sdw_segment_chunk(segment, entry, INT64_MIN, INT64_MAX, room, err);
    if (code < 0)
        return code;
    if (room->points.n != entry->points || !rising(&room->points))
        return sdw_err_set(err, SDW_EINPUT, "series %u has other points than its index",
                           entry->series);
    sdw_chunk_stats_of(&room->points, &stats);
    if (!same_stats(&stats, &entry->stats))
        return sdw_err_set(err, SDW_EINPUT, "statistics of series %u differ from its points",
                           entry->series);
    if (entry->series > last_series)
        return sdw_err_set(err, SDW_EINPUT, "series %u is not in the catalogue", entry->series);
    return 0;
}
