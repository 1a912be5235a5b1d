#include "steer/layout.h"
#include "steer/policy.h"

/* Ids of a unit: +0 the group; for each hop of the primary +1..+4 this (as often as it takes part)
 * and +8..+15 the shadows beside it. */
uint32_t sdw_layout_group(uint32_t slot)
{
    return (uint32_t)SDW_IDS_BASE + slot * SDW_IDS_EACH;
}

static uint32_t id_of(uint32_t slot, size_t set, size_t hop, size_t offset)
{
    return sdw_layout_group(slot) + (uint32_t)(set * SDW_IDS_TWIN + hop * SDW_IDS_HOP + offset);
}

uint32_t sdw_layout_primary(uint32_t slot, size_t set, size_t hop, size_t copy)
{
    return id_of(slot, set, hop, 1 + copy);
}

uint32_t sdw_layout_shadow(uint32_t slot, size_t set, size_t hop, size_t way)
{
    return id_of(slot, set, hop, 7 + way);
}

/* The primary stands between each pair of shadows. */
size_t sdw_layout_copies(size_t n_ways)
{
    return n_ways <= 2 ? 1 : n_ways / 2;
}

static unsigned common_divisor(unsigned a, unsigned b)
{
    while (b) {
        unsigned rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* Weight that each hop of the primary has when all is there, 0 for one that is down (unless all
 * are): their proportions are those of the route. Returns the sum. */
static unsigned full_weights(const struct sdw_target *target, unsigned width[SDW_FIB_HOPS])
{
    const struct sdw_steer_unit *unit = target->unit;
    unsigned most = 0, divisor = 0, sum = 0;
    bool any = false;
    for (size_t k = 0; k < unit->n_hops; k++)
        any = any || target->hop_up[k];
    for (size_t k = 0; k < unit->n_hops; k++) {
        width[k] = !any || target->hop_up[k] ? unit->hop[k].weight : 0;
        divisor = common_divisor(width[k], divisor);
        most = width[k] > most ? width[k] : most;
    }
    if (divisor == 0 || most < divisor)
        return 0;
    unsigned unit_weight = SDW_NEXTHOP_WEIGHT_MAX / (most / divisor);
    if (unit_weight > SDW_SHARE_STEPS)
        unit_weight = SDW_SHARE_STEPS;
    for (size_t k = 0; k < unit->n_hops; k++) {
        width[k] = width[k] / divisor * unit_weight;
        sum += width[k];
    }
    return sum;
}

static size_t add(struct sdw_nexthop_member *member, size_t n, uint32_t id, unsigned weight)
{
    if (weight)
        member[n++] = (struct sdw_nexthop_member){id, weight};
    return n;
}

/* Split the primary's weight over its places so that each place and its two shadows keep the same
 * part of the hash space while shares change. */
static void split_primary(const unsigned *weight, size_t n_ways, unsigned width, unsigned *part)
{
    size_t copies = sdw_layout_copies(n_ways);
    unsigned cell = width / (unsigned)copies, left = weight[0];
    for (size_t c = 0; c < copies; c++) {
        unsigned beside = weight[1 + 2 * c] + (2 * c + 2 < n_ways ? weight[2 + 2 * c] : 0);
        unsigned want = beside < cell ? cell - beside : 0;
        part[c] = want < left ? want : left;
        left -= part[c];
    }
    part[0] += left;
}

/* The part of `whole` that falls on the stretch from..to of sum; over all stretches they add up. */
static unsigned part_of(unsigned whole, unsigned from, unsigned to, unsigned sum)
{
    return (whole * to + sum / 2) / sum - (whole * from + sum / 2) / sum;
}

/* Weights by way on the stretch of one hop: the shadows in proportion, the primary the rest. */
static void stretch(const unsigned *weight, size_t n_ways, unsigned from, unsigned to, unsigned sum,
                    unsigned *out)
{
    size_t largest = 1;
    unsigned left = to - from;
    for (size_t i = 1; i < n_ways; i++) {
        out[i] = part_of(weight[i], from, to, sum);
        left -= out[i] < left ? out[i] : left;
        if (out[i] > out[largest])
            largest = i;
    }
    out[0] = weight[0] ? left : 0;
    if (!weight[0])
        out[largest] += left;
}

size_t sdw_layout_members(const struct sdw_target *target, size_t set,
                          struct sdw_nexthop_member *member)
{
    size_t n_ways = target->unit->n_ways, n = 0;
    unsigned width[SDW_FIB_HOPS], weight[SDW_WAYS_MAX] = {0}, at = 0;
    unsigned sum = full_weights(target, width);
    sdw_share_weights(target->share, n_ways, sum, weight);
    for (size_t k = 0; k < target->unit->n_hops; at += width[k++]) {
        unsigned here[SDW_WAYS_MAX] = {0}, part[SDW_WAYS_MAX] = {0};
        if (width[k] == 0)
            continue;
        stretch(weight, n_ways, at, at + width[k], sum, here);
        split_primary(here, n_ways, width[k], part);
        for (size_t c = 0; c < sdw_layout_copies(n_ways); c++) {
            size_t left = 1 + 2 * c, right = 2 + 2 * c;
            n = add(member, n, sdw_layout_shadow(target->slot, set, k, left), here[left]);
            n = add(member, n, sdw_layout_primary(target->slot, set, k, c), part[c]);
            if (right < n_ways)
                n = add(member, n, sdw_layout_shadow(target->slot, set, k, right), here[right]);
        }
    }
    return n;
}

bool sdw_layout_shares(uint32_t slot, size_t n_ways, const struct sdw_nexthop *group, double *share)
{
    double sum = 0;
    for (size_t i = 0; i < n_ways; i++)
        share[i] = 0;
    for (size_t m = 0; m < group->n; m++)
        sum += group->member[m].weight;
    for (size_t m = 0; m < group->n; m++) {
        uint32_t within = (group->member[m].id - sdw_layout_group(slot)) % SDW_IDS_TWIN;
        uint32_t offset = within % SDW_IDS_HOP;
        size_t way = offset >= 1 && offset <= 4 ? 0 : offset >= 8 ? offset - 7 : n_ways;
        if (within >= SDW_IDS_EACH || way >= n_ways)
            return false;
        share[way] += group->member[m].weight / sum;
    }
    return group->n > 0;
}

size_t sdw_layout_set(uint32_t slot, const struct sdw_nexthop *group)
{
    return group->n > 0 && group->member[0].id - sdw_layout_group(slot) >= SDW_IDS_TWIN;
}
