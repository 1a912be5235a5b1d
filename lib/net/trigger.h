/*
 * When to stop injecting: rules fed with the delays of load packets while the load is still being
 * sent. They decide on the spot and simply; the analysis of what was measured is shadow-gradient's.
 */
#ifndef SDW_NET_TRIGGER_H
#define SDW_NET_TRIGGER_H

#include "core/base.h"

enum sdw_stop {
    SDW_STOP_NONE,
    SDW_STOP_TRIGGER, /* the queue is building up: the chirp has found what it looked for */
    SDW_STOP_ABORT,   /* delay is more than the guard allows: hurting others */
    SDW_STOP_SILENT,  /* nothing came back for too long */
};

struct sdw_trigger {
    int64_t turn_ns;   /* delay above base that means a queue; 0: never */
    unsigned turn_run; /* so many packets in a row */
    int64_t abort_ns;  /* delay above base that hurts; 0: never */
    unsigned run, above, answers;
    int64_t worst_ns;
};

/* Watch for a queue of turn_ns in turn_run packets in a row, and abort when more than one packet
 * in twenty (and at least 3) is delayed by more than abort_ns. */
struct sdw_trigger sdw_trigger(int64_t turn_ns, unsigned turn_run, int64_t abort_ns);

/* One more load packet came back, delay_ns above the base; in order of arrival. */
enum sdw_stop sdw_trigger_feed(struct sdw_trigger *trigger, int64_t delay_ns);

/* The rate of the packet where the delay began to rise and from where it did not return: sent_ns,
 * ip_bytes and delay_ns [n] of the load in order of sending, delay < 0 where lost. floor_ns: delays
 * up to it are noise. 0 when the delay does not stay above the floor to the end. Rates are those of
 * the gap in front of a packet, smoothed over three. */
double sdw_turn_bps(const int64_t *sent_ns, const uint16_t *ip_bytes, const int64_t *delay_ns,
                    size_t n, int64_t floor_ns);

#endif
