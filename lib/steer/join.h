/* Who is concerned by a record: keys of the plan (path ids, probe destinations, series, links). */
#ifndef SDW_STEER_JOIN_H
#define SDW_STEER_JOIN_H

#include "steer/engine.h"

/* Index all units of the plan. */
void sdw_join_plan(struct sdw_steer *steer);
void sdw_join_release(struct sdw_steer *steer);

/* The units that wait for this key; NULL: none. */
const struct sdw_watch_list *sdw_join_watchers(const struct sdw_steer *steer, struct sdw_str key);
/* What is known of a path id; NULL when no unit has it. */
struct sdw_sight *sdw_join_sight(const struct sdw_steer *steer, struct sdw_str path_id);
/* A path record says that path_id leads to this destination: units that name it as `probe` of a
 * way take that way's sight from path_id from now on. */
void sdw_join_path(struct sdw_steer *steer, struct sdw_str path_id, struct sdw_str destination);
/* ID out of "path/ID/..."; p NULL for another series. */
struct sdw_str sdw_join_path_of(struct sdw_str series);

#endif
