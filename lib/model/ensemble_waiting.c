#include "model/ensemble_state.h"

enum { MIXED, STACKED, GREATEST, LEAST, FIRST_EXPERT };

size_t sdw_waiting_bytes(const struct sdw_ensemble_plan *plan)
{
    size_t small = FIRST_EXPERT + (size_t)plan->experts + 2 * (size_t)plan->companions;
    return sizeof(struct sdw_waiting) + (small + 1) / 2 * 2 * sizeof(uint16_t);
}

struct sdw_waiting *sdw_waiting_of(struct sdw_ensemble *e, const struct sdw_ensemble_plan *plan,
                                   int anchor, int64_t index)
{
    int at = (int)(index / plan->stride[anchor] % plan->kept[anchor]);
    size_t place = (size_t)plan->kept_before[anchor];
    place += (size_t)(at < 0 ? at + plan->kept[anchor] : at);
    return (struct sdw_waiting *)(void *)((char *)e + plan->at_waiting +
                                          place * plan->waiting_bytes);
}

/* The upper half of a float, rounded: its whole range, to eight binary digits. */
static uint16_t small_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static float large_of(uint16_t small)
{
    uint32_t bits = (uint32_t)small << 16;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

void sdw_waiting_put(struct sdw_waiting *waiting, const struct sdw_ensemble_plan *plan,
                     const struct sdw_pending *p)
{
    waiting->scale = p->scale;
    if (!(p->scale > 0))
        return;
    waiting->centre = p->centre;
    waiting->slow = p->slow;
    waiting->deviation = p->deviation;
    uint16_t *small = waiting->small;
    small[MIXED] = small_of(p->mixed - p->centre);
    small[STACKED] = small_of(p->stacked - p->centre);
    small[GREATEST] = small_of(p->greatest - p->centre);
    small[LEAST] = small_of(p->least - p->centre);
    for (int i = 0; i < plan->experts; i++)
        small[FIRST_EXPERT + i] = small_of(p->expert[i] - p->centre);
    for (int i = 0; i < 2 * plan->companions; i++)
        small[FIRST_EXPERT + plan->experts + i] = small_of(p->companion[i]);
}

void sdw_waiting_get(const struct sdw_waiting *waiting, const struct sdw_ensemble_plan *plan,
                     struct sdw_pending *p)
{
    float centre = waiting->centre;
    const uint16_t *small = waiting->small;
    *p = (struct sdw_pending){.scale = waiting->scale,
                              .centre = centre,
                              .mixed = centre + large_of(small[MIXED]),
                              .stacked = centre + large_of(small[STACKED]),
                              .greatest = centre + large_of(small[GREATEST]),
                              .least = centre + large_of(small[LEAST]),
                              .slow = waiting->slow,
                              .deviation = waiting->deviation};
    for (int i = 0; i < plan->experts; i++)
        p->expert[i] = centre + large_of(small[FIRST_EXPERT + i]);
    for (int i = 0; i < 2 * plan->companions; i++)
        p->companion[i] = large_of(small[FIRST_EXPERT + plan->experts + i]);
}
