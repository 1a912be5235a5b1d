/* The regions of a series: named by its records, or found from its addresses, and joined with all
 * series of the same end, region, sort and step. */
#include "core/mem.h"
#include "model/book.h"

#include <stdlib.h>

/* What is looked for in a record, of either end. */
static const struct {
    const char *region, *address, *end;
} ends[SDW_REGION_ENDS] = {
    {"source_region", "src", "source"},
    {"destination_region", "dst", "destination"},
};

void sdw_membership_name(struct sdw_membership *membership, struct sdw_str region)
{
    if (!membership->name && region.n > 0)
        membership->name = sdw_xstrndup(region.p, region.n);
}

static struct sdw_str region_of(const struct sdw_book *book, struct sdw_str line, int end,
                                char found[SDW_REGION_MAX])
{
    const struct sdw_forecast_settings *s = &book->settings;
    struct sdw_str region = sdw_line_text(line, ends[end].region);
    if (region.n > 0 || !s->region)
        return region;
    struct sdw_str address = sdw_line_text(line, ends[end].address);
    if (address.n > 0 && s->region(address, found, s->region_arg))
        return sdw_str_of(found);
    return (struct sdw_str){0};
}

void sdw_book_name_regions(struct sdw_book *book, struct sdw_followed *series, struct sdw_str line)
{
    for (int end = 0; end < SDW_REGION_ENDS; end++) {
        char found[SDW_REGION_MAX];
        struct sdw_str region = region_of(book, line, end, found);
        if (region.n > 0)
            sdw_membership_name(&sdw_book_company(series)->of[end], region);
    }
}

/* The place of a series' region among those of the book. */
static struct sdw_str key_of(struct sdw_book *book, const struct sdw_followed *series, int end)
{
    struct sdw_str sort = sdw_name_tail(sdw_buf_view(&series->name));
    sdw_buf_clear(&book->joined);
    sdw_buf_printf(&book->joined, "%s/%s/%.*s/%lld", ends[end].end, series->company->of[end].name,
                   (int)sort.n, sort.p, (long long)series->outlook.grid.step_us);
    return sdw_buf_view(&book->joined);
}

void sdw_book_join_regions(struct sdw_book *book, struct sdw_followed *series)
{
    for (int end = 0; series->company && end < SDW_REGION_ENDS; end++) {
        struct sdw_membership *of = &series->company->of[end];
        if (!of->name || of->region)
            continue;
        void **place = sdw_map_at(&book->regions, key_of(book, series, end));
        if (!*place) {
            struct sdw_region *fresh = sdw_xalloc(sizeof *fresh);
            fresh->index = INT64_MIN;
            *place = fresh;
        }
        of->region = *place;
        of->region->members++;
    }
}

void sdw_book_leave_regions(struct sdw_book *book, struct sdw_followed *series)
{
    for (int end = 0; end < SDW_REGION_ENDS; end++) {
        struct sdw_membership *of = &series->company->of[end];
        if (of->region && --of->region->members == 0)
            free(sdw_map_remove(&book->regions, key_of(book, series, end)));
        free(of->name);
    }
}

/* Steps that a series' grid has skipped, because its clock was set back, are no time that has
 * passed for the others. */
void sdw_book_learn_regions(struct sdw_followed *series, const struct sdw_grid_step *step)
{
    int64_t index = step->index - series->outlook.grid.skipped;
    for (int end = 0; end < SDW_REGION_ENDS; end++) {
        struct sdw_membership *of = &series->company->of[end];
        if (of->region)
            sdw_region_learn(of->region, &of->share, index, step->value);
    }
}
