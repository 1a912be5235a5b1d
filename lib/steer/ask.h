/* What the policy is asked: how much load there is, what each way could take, what speaks against
 * it, and how much has to go. */
#ifndef SDW_STEER_ASK_H
#define SDW_STEER_ASK_H

#include "steer/decide.h"

/* Why a way is no verified standby, in words; NULL: it is one. */
const char *sdw_ask_doubt(const struct sdw_steer *steer, const struct sdw_steer_run *run,
                          size_t way);
/* The unit's load by upper estimate; where nothing tells it, what its primary carries in all. */
double sdw_ask_load(const struct sdw_steer *steer, const struct sdw_steer_run *run);
/* What the path of a way could carry of ours in all; NAN: not known. */
double sdw_ask_usable(const struct sdw_steer_run *run, size_t way);
/* Whether nothing gets through the primary and the kernel's own link state says so too: only then
 * blast radius, dwell, rate and an unverified standby do not hold a move. */
bool sdw_ask_down(const struct sdw_steer_run *run, const struct sdw_signal *signal);
/* The question that a signal puts. */
void sdw_ask_fill(const struct sdw_steer *steer, const struct sdw_steer_run *run,
                  const struct sdw_signal *signal, struct sdw_policy_ask *ask);
/* The signal, borne out by a hop of the primary's path that is tight. why: room for the words. */
struct sdw_signal sdw_ask_borne_out(const struct sdw_steer *steer, const struct sdw_steer_run *run,
                                    const struct sdw_signal *signal, char why[320]);

#endif
