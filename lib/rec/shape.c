#include "rec/shape.h"
#include "rec/table.h"

#define OF sdw_shape
static const struct sdw_field shape_fields[] = {
    F(SDW_STR, shape, SDW_F_COLUMN, NULL, "its name: an application, an interface"),
    F(SDW_RAW, sizes, SDW_F_REQUIRED, "bytes",
      "how many packets of each size: [[ip_bytes, count], ...]"),
    F(SDW_RAW, gaps_us, SDW_F_REQUIRED, "us",
      "how many packets followed so long after the one before: [[gap_us, count], ...]"),
    F(SDW_RAW, protocols, SDW_F_COLUMN, NULL, "packets of each protocol: [[\"udp\", count], ...]"),
    F(SDW_RAW, pairs, 0, NULL,
      "packets between each pair of ends: [[\"SRC:SPORT-DST:DPORT/udp\", count], ...]"),
    FN(SDW_INT, packets, SDW_F_COLUMN, 0, 1e15, NULL, "packets seen"),
    FN(SDW_INT, duration_us, SDW_F_COLUMN, 0, 1e15, "us", "over how long"),
    FN(SDW_REAL, rate_bps, SDW_F_COLUMN, 0, 1e13, "bit/s", "mean rate (IP bytes)"),
    {0},
};
#undef OF

const struct sdw_schema sdw_shape_schema = {"shape", "the shape of traffic",
                                            sizeof(struct sdw_shape), shape_fields};
