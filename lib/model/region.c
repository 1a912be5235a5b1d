#include "model/region.h"

#include <math.h>

void sdw_region_learn(struct sdw_region *region, struct sdw_region_share *share, int64_t index,
                      double value)
{
    bool set_back = index <= share->index;
    if (index > region->index || (set_back && index < region->index)) {
        region->before = index - 1 == region->index ? region->now : 0;
        region->now = 0;
        region->index = index;
    }
    if (index < region->index - 1)
        return;
    if (!set_back && share->index == region->index - 1)
        region->before -= share->value;
    if (index == region->index)
        region->now += value;
    else
        region->before += value;
    *share = (struct sdw_region_share){index, value};
}

double sdw_region_sum(const struct sdw_region *region)
{
    return region->members > 1 ? region->now + region->before : NAN;
}
