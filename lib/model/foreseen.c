#include "model/foreseen.h"

#include <math.h>

void sdw_foreseens_add(struct sdw_foreseens *foreseens, const struct sdw_foreseen *foreseen)
{
    foreseens->item[foreseens->n++ % SDW_FORESEEN_KEPT] = *foreseen;
}

const struct sdw_foreseen *sdw_foreseens_at(const struct sdw_foreseens *foreseens, int64_t ts,
                                            double within_us)
{
    const struct sdw_foreseen *nearest = NULL;
    double distance = within_us;
    uint64_t first = foreseens->n > SDW_FORESEEN_KEPT ? foreseens->n - SDW_FORESEEN_KEPT : 0;
    for (uint64_t i = first; i < foreseens->n; i++) {
        const struct sdw_foreseen *one = &foreseens->item[i % SDW_FORESEEN_KEPT];
        double off = fabs((double)ts - (double)one->ts);
        if (off > distance)
            continue;
        nearest = one;
        distance = off;
    }
    return nearest;
}
