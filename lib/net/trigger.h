/*
 * The guard of those who share the path: stops the injection on the spot when delay hurts. Simple
 * on purpose; the analysis of what was measured is shadow-gradient's.
 */
#ifndef SDW_NET_TRIGGER_H
#define SDW_NET_TRIGGER_H

#include "core/base.h"

enum sdw_stop {
    SDW_STOP_NONE,
    SDW_STOP_ABORT,  /* delay is more than the guard allows: it would hurt others */
    SDW_STOP_SILENT, /* nothing came back for too long */
};

struct sdw_trigger {
    int64_t abort_ns; /* delay above base that hurts; 0: never */
    unsigned above, answers;
};

/* One more load packet came back, delay_ns above its base; in order of arrival. Aborts when more
 * than one packet in twenty (and at least 3) is delayed by more than abort_ns: the 95th percentile
 * is above it. */
enum sdw_stop sdw_trigger_feed(struct sdw_trigger *trigger, int64_t delay_ns);

#endif
