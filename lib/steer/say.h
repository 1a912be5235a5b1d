/* What shadow-steer says: its own records, handed to the output queue. */
#ifndef SDW_STEER_SAY_H
#define SDW_STEER_SAY_H

#include "steer/engine.h"

/* What a shift rests on, for the records. */
struct sdw_cause {
    const char *why;
    struct sdw_str type, series; /* of the record; p NULL: no record */
    int64_t ts;
};

/* from[n_ways] as it was; the run has what is now. */
struct sdw_said_change {
    const double *from;
    bool applied;
    double moved_bps; /* NAN: not known */
    int64_t call_us, latency_us;
    uint64_t seq; /* 0: no journal */
};

void sdw_say_change(struct sdw_steer *steer, const struct sdw_steer_run *run,
                    const struct sdw_said_change *change, const struct sdw_cause *cause);
/* Said again only after 10 s while the guard stays the same. */
void sdw_say_held(struct sdw_steer *steer, struct sdw_steer_run *run, const char *guard,
                  const char *fmt, ...) SDW_PRINTF(4, 5);
/* run NULL: about no unit. Said at most every 10 s for one unit. */
void sdw_say_alert(struct sdw_steer *steer, struct sdw_steer_run *run, int severity,
                   const char *fmt, ...) SDW_PRINTF(4, 5);
void sdw_say_request(struct sdw_steer *steer, struct sdw_steer_run *run, double wanted_bps,
                     const char *reason);
void sdw_say_reject(struct sdw_steer *steer, const char *field, const char *reason);
/* Append shares by way as a JSON object; ways without any are left out. */
void sdw_say_shares(const struct sdw_steer_unit *unit, const double *share, struct sdw_buf *out);

#endif
