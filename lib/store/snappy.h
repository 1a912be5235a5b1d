/* Compression in the block format of Snappy (github.com/google/snappy, format_description.txt),
 * which Prometheus remote write asks for. */
#ifndef SDW_STORE_SNAPPY_H
#define SDW_STORE_SNAPPY_H

#include "core/base.h"
#include "core/buf.h"

void sdw_snappy(struct sdw_str bytes, struct sdw_buf *out);

#endif
