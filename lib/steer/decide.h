/* The state machine of a unit: when to move, how much, when to come back, and when to hold. */
#ifndef SDW_STEER_DECIDE_H
#define SDW_STEER_DECIDE_H

#include "steer/engine.h"
#include "steer/say.h"

/* A reason to leave the primary. */
struct sdw_signal {
    bool dead; /* nothing gets through: all has to leave; past the guards only when the kernel finds
                * the link down too */
    double prediction, anomaly; /* severities 0..5 */
    double growth_bps;          /* load that comes on top each second */
    struct sdw_cause cause;
};

/* Something is or will be wrong with the unit's primary: move, or say why not. */
void sdw_decide_press(struct sdw_steer *steer, struct sdw_steer_run *run,
                      const struct sdw_signal *signal);
/* The path of a shadow is reported dead: leave it, within the guards while its link is up. */
void sdw_decide_leave(struct sdw_steer *steer, struct sdw_steer_run *run, size_t way,
                      const struct sdw_signal *signal);
/* Word that the primary is well again. */
void sdw_decide_relieve(struct sdw_steer *steer, struct sdw_steer_run *run);
/* The interface of a way lost or found its carrier; that of one of the primary's hops. */
void sdw_decide_way(struct sdw_steer *steer, struct sdw_steer_run *run, size_t way, bool up);
void sdw_decide_hop(struct sdw_steer *steer, struct sdw_steer_run *run, size_t hop, bool up);
/* Once a cycle: confirm, go on, go back. */
void sdw_decide_tick(struct sdw_steer *steer, struct sdw_steer_run *run);
/* shadow-steer ends and leaves the unit where it is: a move that was not seen healthy goes back
 * now, as nobody will wait for it, where the primary is well and has room for it. */
void sdw_decide_end(struct sdw_steer *steer, struct sdw_steer_run *run);
/* The operator wants the unit on its primary now. */
void sdw_decide_undo(struct sdw_steer *steer, struct sdw_steer_run *run, const char *why);

#endif
