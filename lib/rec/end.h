/* What a tool says of itself: end, loss, bench. */
#ifndef SDW_REC_END_H
#define SDW_REC_END_H

#include "rec/rec.h"

/* The last record of every tool. */
struct sdw_end {
    int64_t ts;
    struct sdw_str tool, reason; /* reason: done eof signal deadline error budget ... */
    struct sdw_str counts;       /* RAW: object of integers */
};

/* What the tool itself dropped, exactly. */
struct sdw_loss {
    int64_t ts;
    struct sdw_str tool, where, reason;
    int64_t packets, records;
};

extern const struct sdw_schema sdw_end_schema, sdw_loss_schema;

#endif
