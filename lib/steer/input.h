/* Records in: what they say of paths is kept, what they ask for is decided. */
#ifndef SDW_STEER_INPUT_H
#define SDW_STEER_INPUT_H

#include "steer/engine.h"

/* Take one line (breach, event, metric, verdict, path; other types are passed over). Returns 0, or
 * SDW_EINPUT for a line that is no good (err says field and reason; `reject` has been said). A
 * record that is well-formed but too old, or about a unit nobody knows, is rejected and 0. */
int sdw_input_line(struct sdw_steer *steer, struct sdw_str line, struct sdw_err *err);

#endif
