/*
 * The guardian: a process forked before the first change, that holds the undo. Of each change there
 * is a note in memory that both share, so that none is lost however many there are; over a socket
 * go signs of life. When the other end falls silent without goodbye (shadow-steer was killed), it
 * puts back what the guards allow: units whose traffic is all on the primary are taken out of the
 * kernel; moved traffic goes back only where the primary was last known to have room for it, and
 * stays where it is otherwise. When shadow-steer hangs while a change waits for confirmation, the
 * guardian ends it first.
 */
#ifndef SDW_STEER_GUARDIAN_H
#define SDW_STEER_GUARDIAN_H

#include "steer/back.h"
#include "steer/plan.h"

struct sdw_guardian_slot;

struct sdw_guardian {
    int pid;                        /* 0: none runs */
    struct sdw_guardian_slot *slot; /* slot[n], one for each unit */
    size_t n;
    int fd;
    int64_t beat_ns; /* monotonic time of the last beat; 0: none yet */
};

/* What the guardian must know of one unit; written whole after each change and each cycle. */
struct sdw_guardian_note {
    uint32_t unit; /* index in the plan */
    uint32_t slot;
    bool armed;
    double share[SDW_WAYS_MAX];
    int64_t room_until_ns; /* monotonic: until then the primary can take everything back */
    int64_t confirm_by_ns; /* monotonic: the new path must be seen healthy by then; 0: it was */
};

/* Fork it. state_dir: where the journal and the lock are. grace_us: how long a successor has to
 * take over before the guardian acts. */
int sdw_guardian_start(struct sdw_guardian *guardian, struct sdw_steer_plan *plan,
                       const char *state_dir, int64_t grace_us, struct sdw_err *err);
/* Put a note in place of the unit's last one; a sign of life, too. Never blocks. */
void sdw_guardian_tell(struct sdw_guardian *guardian, const struct sdw_guardian_note *note,
                       int64_t mono_ns);
/* The unit's last whole note; all zero when there was none. */
struct sdw_guardian_note sdw_guardian_note_of(const struct sdw_guardian *guardian, size_t unit);
/* Still here: sent about once a second, however often this is called and however long a cycle is.
 * Never blocks. Returns the milliseconds until the next one is due; -1 when no guardian runs. */
int sdw_guardian_beat(struct sdw_guardian *guardian, int64_t mono_ns);
/* All is in order: it ends without doing anything. */
void sdw_guardian_stop(struct sdw_guardian *guardian);

#endif
