/* Carrying out: journal, kernel, guardian, record; in this order. */
#ifndef SDW_STEER_APPLY_H
#define SDW_STEER_APPLY_H

#include "steer/engine.h"
#include "steer/say.h"

const struct sdw_back *sdw_back_of(const struct sdw_steer_unit *unit);

/* Install the unit's group with its present shares (all on the primary, unless it was found
 * otherwise), after checking that the routes are still those the plan was made for. Moves no
 * packet. False when it could not be done; the reason has been said. */
bool sdw_apply_arm(struct sdw_steer *steer, struct sdw_steer_run *run);
/* Its two steps, for many units at once: journal the intent, then carry it out. */
bool sdw_apply_intend(struct sdw_steer *steer, struct sdw_steer_run *run);
bool sdw_apply_install(struct sdw_steer *steer, struct sdw_steer_run *run);
/* What was journalled goes to the disk: after each record, notice or cycle, however many units it
 * moved. False (and said, at most every 10 s) when it could not be brought there: it is tried again
 * with the next call, and no unit is armed before. */
bool sdw_apply_sync(struct sdw_steer *steer);
/* Give the unit these shares and this state. False when the kernel refused: then nothing has
 * changed, and it has been said. moved_bps: NAN when not known. */
bool sdw_apply_shift(struct sdw_steer *steer, struct sdw_steer_run *run, const double *share,
                     enum sdw_unit_state state, double moved_bps, const struct sdw_cause *cause);
/* Enter a state without moving anything. */
void sdw_apply_state(struct sdw_steer *steer, struct sdw_steer_run *run, enum sdw_unit_state state,
                     const struct sdw_cause *cause);
/* Take everything of the unit out of the kernel: its traffic follows the routes of before. */
bool sdw_apply_disarm(struct sdw_steer *steer, struct sdw_steer_run *run,
                      const struct sdw_cause *cause);
/* Make the next hops of a way again that died with its interface. */
bool sdw_apply_revive(struct sdw_steer *steer, struct sdw_steer_run *run, size_t way);
/* One of the primary's hops came or went while others are up: its share is spread over those that
 * are. */
void sdw_apply_hops(struct sdw_steer *steer, struct sdw_steer_run *run);
/* The kernel's routes were read again: leave a unit alone whose routes are no longer those of the
 * plan; one that carries nothing on its shadows, or whose route is gone, leaves the kernel. */
void sdw_apply_routes(struct sdw_steer *steer, struct sdw_steer_run *run);
/* A unit was found in the kernel at the start: the same question, with the same answers, while all
 * its links are up; otherwise it is asked when the routes are read again. */
void sdw_apply_adopted(struct sdw_steer *steer, struct sdw_steer_run *run);
/* Compare with the kernel and repair what differs. */
void sdw_apply_verify(struct sdw_steer *steer, struct sdw_steer_run *run);
/* Tell the guardian where the unit stands. */
void sdw_apply_tell(struct sdw_steer *steer, struct sdw_steer_run *run);

#endif
