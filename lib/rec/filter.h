/*
 * Conditions on records, all of which must hold: compiled once, looked up in one pass over each
 * line by the lazy scanner, which decodes nothing else. The line itself is never changed.
 */
#ifndef SDW_REC_FILTER_H
#define SDW_REC_FILTER_H

#include "core/base.h"
#include "core/err.h"

struct sdw_filter;

/* conditions: texts as rec/condition.h describes them (n may be 0: everything passes). NULL, and
 * SDW_EUSAGE in err, when one cannot be understood. */
struct sdw_filter *sdw_filter_new(const char *const *conditions, size_t n, struct sdw_err *err);
void sdw_filter_free(struct sdw_filter *filter); /* NULL is fine */

/* 1 when the line passes, 0 when not, SDW_EINPUT when it is not a JSON object. */
int sdw_filter_match(struct sdw_filter *filter, struct sdw_str line, struct sdw_err *err);

#endif
