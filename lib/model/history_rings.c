#include "model/history_rings.h"

#include <math.h>

const double sdw_rings_finest = 1e-7;
enum {
    REACH = 32700, /* quanta around the base */
    COARSE = 16,   /* quanta that a slot of the week is a multiple of */
};

/* Entry i in quanta. Two of the week share three bytes. */
static int fetch(const struct sdw_history *h, const struct sdw_history_plan *plan, int i)
{
    int wide = plan->ring + plan->profile;
    if (i < wide)
        return h->data[i];
    const uint8_t *pair = (const uint8_t *)(h->data + wide) + (i - wide) / 2 * 3;
    int bits = (i - wide) % 2 == 0 ? pair[0] | (pair[1] & 0x0f) << 8 : pair[1] >> 4 | pair[2] << 4;
    return ((bits ^ 0x800) - 0x800) * COARSE;
}

double sdw_rings_at(const struct sdw_history *h, const struct sdw_history_plan *plan, int i)
{
    return sdw_rings_z(h, fetch(h, plan, i));
}

static void put(struct sdw_history *h, const struct sdw_history_plan *plan, int i, double quanta)
{
    int wide = plan->ring + plan->profile;
    if (i < wide) {
        h->data[i] = (int16_t)lrint(quanta);
        return;
    }
    uint8_t *pair = (uint8_t *)(h->data + wide) + (i - wide) / 2 * 3;
    unsigned bits = (unsigned)lrint(quanta / COARSE) & 0xfff;
    if ((i - wide) % 2 == 0) {
        pair[0] = (uint8_t)bits;
        pair[1] = (uint8_t)((pair[1] & 0xf0) | bits >> 8);
    } else {
        pair[1] = (uint8_t)((pair[1] & 0x0f) | (bits & 0x0f) << 4);
        pair[2] = (uint8_t)(bits >> 4);
    }
}

double sdw_rings_carried(const struct sdw_history *h, double z, double from)
{
    return asinh(from / h->unit * sinh(fmax(-700, fmin(700, z))));
}

/* All stored numbers around another base and in another quantum; with `from` above 0 they were on
 * that unit. */
static void restate(struct sdw_history *h, const struct sdw_history_plan *plan, double base,
                    double quantum, double from)
{
    int n = plan->ring + plan->slots + plan->profile;
    for (int i = 0; i < n; i++) {
        double z = sdw_rings_at(h, plan, i);
        if (from > 0)
            z = sdw_rings_carried(h, z, from);
        put(h, plan, i, fmax(-REACH, fmin(REACH, (z - base) / quantum)));
    }
    h->base = base;
    h->quantum = quantum;
}

/* The greatest distance from `base` of what is stored, carried over from another unit. */
static double reach(const struct sdw_history *h, const struct sdw_history_plan *plan, double base,
                    double from)
{
    int n = plan->ring + plan->slots + plan->profile;
    double most = 0;
    for (int i = 0; i < n; i++)
        most = fmax(most, fabs(sdw_rings_carried(h, sdw_rings_at(h, plan, i), from) - base));
    return most;
}

void sdw_rings_store(struct sdw_history *h, const struct sdw_history_plan *plan, int i, double z)
{
    double quantum = h->quantum;
    while (fabs(z - h->base) > REACH * quantum)
        quantum *= 1.25;
    if (quantum > h->quantum)
        restate(h, plan, h->base, quantum, 0);
    put(h, plan, i, (z - h->base) / quantum);
}

void sdw_rings_carry(struct sdw_history *h, const struct sdw_history_plan *plan, double base,
                     double from)
{
    double quantum = sdw_rings_finest, most = reach(h, plan, base, from);
    while (most > REACH * quantum)
        quantum *= 1.25;
    restate(h, plan, base, quantum, from);
}
