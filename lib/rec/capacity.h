/* What shadow-gradient concludes: gradient, verdict. */
#ifndef SDW_REC_CAPACITY_H
#define SDW_REC_CAPACITY_H

#include "rec/rec.h"

/* The Capacity Gradient of one hop over one window. */
struct sdw_gradient {
    int64_t ts; /* end of the window */
    struct sdw_str path_id;
    int64_t window, hop;
    struct sdw_str addr;
    double delay_gradient_us_per_mbps;
    double loss_gradient_per_mbps;
    double capacity_gradient; /* delay_weight * delay gradient + loss_weight * loss gradient */
    double delay_weight, loss_weight;
    struct sdw_range ci95; /* of delay_gradient_us_per_mbps */
    double p_value;        /* randomisation test over slot pairs, Holm-adjusted over hops */
    double effect_us;
    int64_t pairs;
    struct sdw_str state; /* tight clear inconclusive void */
};

/* The answer of one window. */
struct sdw_verdict {
    int64_t ts; /* end of the window */
    struct sdw_str path_id;
    int64_t window;
    struct sdw_str state; /* bottleneck clear inconclusive void */
    int64_t bottleneck_hop;
    struct sdw_str addr;
    struct sdw_range available_bps;
    double capacity_bps;
    double p_value;
    int64_t window_us, injected_bytes, slots, void_slots;
    struct sdw_str reason;
};

extern const struct sdw_schema sdw_gradient_schema, sdw_verdict_schema;

#endif
