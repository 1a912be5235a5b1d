/* The wait for everything at once: input, the kernel's notices, the clock, the end. */
#ifndef SDW_STEER_LOOP_H
#define SDW_STEER_LOOP_H

#include "io/tool.h"
#include "steer/engine.h"

enum sdw_on_eof { SDW_ON_EOF_HOLD, SDW_ON_EOF_UNDO };

/* Run the whole session: start with plan_path and options, read standard input until it ends or a
 * signal or the deadline comes, then hold or undo. Emits all records, `end` last. SDW_ENO when a
 * guard held and nothing was changed. */
int sdw_steer_loop(struct sdw_ctx *ctx, const struct sdw_steer_options *options,
                   const char *plan_path, enum sdw_on_eof on_eof);

#endif
