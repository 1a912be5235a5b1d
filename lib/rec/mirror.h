/* What shadow-probe --mirror says of a shadow: mirror. */
#ifndef SDW_REC_MIRROR_H
#define SDW_REC_MIRROR_H

#include "rec/rec.h"

/* What became of the shadow of a live flow. */
struct sdw_mirror_rec {
    int64_t ts;
    struct sdw_str flow_id;     /* of the flow's own records */
    struct sdw_str flow;        /* its 5-tuple, in the direction that is probed */
    struct sdw_str state;       /* opened moved lowered suspended resumed closed refused */
    struct sdw_str part;        /* of a flow through a tunnel: inside, outer */
    struct sdw_str path_id;     /* absent: its path is not known */
    struct sdw_str sensitivity; /* high medium low */
    int64_t period_us;          /* from one slot of its path to the next */
    struct sdw_str reason;
};

extern const struct sdw_schema sdw_mirror_schema;

#endif
