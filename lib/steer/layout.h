/*
 * How a unit's shares become the members of a next-hop group. The primary's next hops stand in the
 * order and with the proportions of its route, so that a group that gives all to the primary moves
 * no flow; each has the shadows beside it, so that a share of every one moves.
 */
#ifndef SDW_STEER_LAYOUT_H
#define SDW_STEER_LAYOUT_H

#include "steer/back.h"

/* Ids in the kernel: of the group; of the primary's next hop `hop`, of which there are `copies` in
 * the group; of the shadow `way` beside that hop. set: 0 or 1. */
uint32_t sdw_layout_group(uint32_t slot);
uint32_t sdw_layout_primary(uint32_t slot, size_t set, size_t hop, size_t copy);
uint32_t sdw_layout_shadow(uint32_t slot, size_t set, size_t hop, size_t way);
size_t sdw_layout_copies(size_t n_ways);

/* The members of a unit's group, in the order that moves the fewest flows when shares change:
 * shadow, primary, shadow, for each next hop of the primary that is up; with more than two shadows
 * the primary takes part again, under another id, between the next two. The sum of the weights is
 * 200 for a primary of one hop, else 128 or more. Returns how many are in
 * member[SDW_NEXTHOP_MEMBERS]. */
size_t sdw_layout_members(const struct sdw_target *target, size_t set,
                          struct sdw_nexthop_member *member);
/* The reverse: shares by way from a group; false when a member is none of the unit's. */
bool sdw_layout_shares(uint32_t slot, size_t n_ways, const struct sdw_nexthop *group,
                       double *share);
/* Which set a group of the unit uses: 0 or 1. */
size_t sdw_layout_set(uint32_t slot, const struct sdw_nexthop *group);

#endif
