/* What is foreseen for each horizon, said short for people. */
#ifndef SDW_IO_EMIT_HORIZONS_H
#define SDW_IO_EMIT_HORIZONS_H

#include "core/buf.h"
#include "io/scan.h"

/* Append "15 min 6.63G [6.2G, 7.1G]; 1 h ..." for an array of objects that have horizon_us and
 * either p (the odds) or q (quantiles: the median and the 95 % interval are shown). A dash stands
 * for what is not there; nothing is appended when the value is no array. */
void sdw_horizons_text(const struct sdw_member *member, struct sdw_buf *out);

#endif
