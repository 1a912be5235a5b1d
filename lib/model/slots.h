/* Within model/window and model/judge: what is known of a slot as a whole. */
#ifndef SDW_MODEL_SLOTS_H
#define SDW_MODEL_SLOTS_H

#include "core/base.h"

struct sdw_slot_sum {
    int64_t slot;
    bool on, bad, trained;
    double bytes, load, lost; /* IP bytes of the slot; load packets sent and lost */
    double rate_bps;          /* of the load; NAN: none */
};

#endif
