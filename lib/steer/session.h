/* From the plan to a running engine, and back to an orderly end. */
#ifndef SDW_STEER_SESSION_H
#define SDW_STEER_SESSION_H

#include "steer/engine.h"

/* Read the plan, look at the machine; when applying also: take the lock, replay the journal, fork
 * the guardian, reconcile with what the kernel has (after a crash), arm all units. say must be
 * set. Must run before any thread is started. */
int sdw_session_start(struct sdw_steer *steer, const char *plan_path, struct sdw_err *err);
/* Arm what can be armed and say what was found; after the output is ready. */
void sdw_session_arm(struct sdw_steer *steer);
/* End: units that are all on their primary leave the kernel; moved ones stay (undo: go home too,
 * where the primary is up). Then the guardian is let go. */
void sdw_session_end(struct sdw_steer *steer, bool undo);
void sdw_session_release(struct sdw_steer *steer);

/* Once a cycle, and after each line of a replay: samples, orders, routes, every unit. */
void sdw_session_tick(struct sdw_steer *steer);
/* The kernel told of something. */
void sdw_session_notice(const struct sdw_notice *notice, void *steer);

#endif
