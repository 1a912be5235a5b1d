/* Records that are a value of a series at a moment: `metric`, which is just that, and `app`, the
 * rate of an application between two ends (sdw_app_series). */
#ifndef SDW_REC_VALUE_H
#define SDW_REC_VALUE_H

#include "rec/series.h"

bool sdw_value_is(struct sdw_str type);
/* Decode a record of such a type. out points into the line and the arena. Errors as of
 * sdw_rec_decode. */
int sdw_value_decode(struct sdw_str type, struct sdw_str line, struct sdw_arena *arena,
                     struct sdw_metric *out, struct sdw_err *err);

#endif
