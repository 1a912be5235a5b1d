#include "core/tally.h"
#include "core/histogram.h"
#include "core/mem.h"

#include <math.h>
#include <stdlib.h>

/* Where the bucket is, or belongs. */
static uint16_t find(const struct sdw_tally *tally, uint16_t bucket)
{
    uint16_t low = 0, high = tally->n;
    while (low < high) {
        uint16_t middle = (uint16_t)((low + high) / 2);
        if (tally->bars[middle].bucket < bucket)
            low = (uint16_t)(middle + 1);
        else
            high = middle;
    }
    return low;
}

void sdw_tally_add(struct sdw_tally *tally, uint64_t value)
{
    uint16_t bucket = (uint16_t)sdw_histogram_bucket(value);
    uint16_t at = find(tally, bucket);
    if (at == tally->n || tally->bars[at].bucket != bucket) {
        if (tally->n == tally->cap) {
            tally->cap = (uint16_t)(tally->cap ? 2 * tally->cap : 4);
            tally->bars = sdw_xrealloc(tally->bars, tally->cap, sizeof *tally->bars);
        }
        memmove(&tally->bars[at + 1], &tally->bars[at],
                (size_t)(tally->n - at) * sizeof *tally->bars);
        tally->bars[at] = (struct sdw_tally_bar){.bucket = bucket};
        tally->n++;
    }
    tally->bars[at].count += tally->bars[at].count < UINT32_MAX;
    tally->total++;
}

double sdw_tally_quantile(const struct sdw_tally *tally, double q)
{
    uint64_t sum = 0, seen = 0;
    for (uint16_t i = 0; i < tally->n; i++)
        sum += tally->bars[i].count;
    for (uint16_t i = 0; i < tally->n; i++) {
        seen += tally->bars[i].count;
        if ((double)seen >= q * (double)sum)
            return sdw_histogram_value(tally->bars[i].bucket);
    }
    return NAN;
}

void sdw_tally_release(struct sdw_tally *tally)
{
    free(tally->bars);
    *tally = (struct sdw_tally){0};
}
