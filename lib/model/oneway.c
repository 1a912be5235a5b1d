#include "model/oneway.h"

#include <math.h>
#include <stdlib.h>

#include "core/mem.h"
#include "model/stats.h"

static const double SCALE_US = 100;
static const double BASE_AGE_S = 30; /* clocks drift: older delays are no base */

struct packet {
    int64_t bytes, delay_ns;
    size_t train;
};

/* What one train met: the sum of its packets' levels, and their number. */
struct met {
    double level, packets;
};

static int larger_first(const void *a, const void *b)
{
    const struct packet *x = a, *y = b;
    return (x->bytes < y->bytes) - (x->bytes > y->bytes);
}

/* Packets that arrived, of the window's trains and of those that may serve as its base. */
static struct packet *gather(const struct sdw_trains *trains, size_t first, size_t *n)
{
    double begin_s, at_s;
    struct packet *packets = NULL;
    size_t cap = 0;
    *n = 0;
    (void)sdw_trains_at(trains, first, &begin_s);
    for (size_t i = 0; i < trains->n; i++) {
        const struct sdw_train *train = sdw_trains_at(trains, i, &at_s);
        if (i < first && fabs(begin_s - at_s) > BASE_AGE_S)
            continue;
        for (size_t j = 0; j < train->n; j++) {
            if (train->delay_ns[j] == SDW_TRAIN_LOST)
                continue;
            SDW_GROW(packets, cap, *n + 1);
            packets[(*n)++] = (struct packet){train->bytes[j], train->delay_ns[j], i};
        }
    }
    return packets;
}

/* packets[n], the larger first: size by size. met[i - first] for the trains i of the window. */
static void read_levels(const struct packet *packets, size_t n, size_t first, struct met *met)
{
    int64_t base = INT64_MAX;
    for (size_t i = 0, end = 0; i < n; i = end) {
        for (; end < n && packets[end].bytes == packets[i].bytes; end++)
            base = packets[end].delay_ns < base ? packets[end].delay_ns : base;
        for (size_t j = i; j < end; j++) {
            if (packets[j].train < first)
                continue;
            double waited_us = ((double)packets[j].delay_ns - (double)base) * 1e-3;
            met[packets[j].train - first].level += log1p(waited_us / SCALE_US);
            met[packets[j].train - first].packets++;
        }
    }
}

double sdw_oneway_us(const struct sdw_trains *trains, size_t first, size_t *arrived)
{
    size_t n;
    double sum = 0;
    *arrived = 0;
    if (first >= trains->n)
        return NAN;
    struct packet *packets = gather(trains, first, &n);
    struct met *met = sdw_xalloc((trains->n - first) * sizeof *met);
    if (n > 0)
        qsort(packets, n, sizeof *packets, larger_first);
    read_levels(packets, n, first, met);
    for (size_t i = 0; i < trains->n - first; i++) {
        if (met[i].packets == 0)
            continue;
        (*arrived)++;
        sum += met[i].level / met[i].packets;
    }
    free(packets);
    free(met);
    return *arrived > 0 ? sdw_unlog1p(sum / (double)*arrived, SCALE_US) : NAN;
}
