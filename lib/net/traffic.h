/*
 * Live traffic for laboratories: flows from one node to another, sent by one process and received
 * by another, reported as traffic records. Senders never catch up: what a stall of the host kept
 * from being sent in time is skipped and counted, because a burst that makes up for it would fill
 * the very queues that are observed.
 */
#ifndef SDW_NET_TRAFFIC_H
#define SDW_NET_TRAFFIC_H

#include "core/base.h"
#include "core/err.h"
#include "core/rng.h"
#include "io/tool.h"
#include "net/topology.h"

enum sdw_traffic_model {
    SDW_TRAFFIC_CBR,     /* UDP, even gaps */
    SDW_TRAFFIC_POISSON, /* UDP, exponential gaps */
    SDW_TRAFFIC_ONOFF,   /* UDP, Pareto on-times (shape 1.5, mean 40 ms) at peak times the rate */
    SDW_TRAFFIC_APP,     /* TCP, messages of one size at an even pace */
    SDW_TRAFFIC_BULK,    /* TCP, as fast as it goes */
};
extern const char *const sdw_traffic_models[]; /* their names, NULL-ended */

enum {
    SDW_TRAFFIC_FLOWS_MAX = 256,
    SDW_TRAFFIC_SOURCE_PORT = 10000, /* flow i sends from port + this + i */
};

struct sdw_traffic_plan {
    const char *from, *to, *name;     /* nodes; name of the traffic in its records */
    const char *source, *destination; /* addresses; NULL: the first listed of the node */
    int model;                        /* enum sdw_traffic_model */
    bool ipv6, trimodal;              /* trimodal: 72, 576 and 1500 bytes, 40:20:40 of packets */
    double rate_bps, rate_end_bps;    /* of all flows together, IP bytes; 0: no ramp */
    int64_t ramp_us;                  /* rate to rate_end takes this long; 0: the duration */
    int64_t size;                     /* IP bytes a packet; bytes a message of TCP */
    int64_t flows, duration_us, interval_us, seed, port;
    double peak; /* onoff: rate while on, over the mean rate */
};

/* Run it to its end, or until asked to stop. Emits a traffic record for all flows together each
 * interval, then (final) one for each flow and, when there are several, one for all. */
int sdw_traffic_run(struct sdw_ctx *ctx, const char *lab, const struct sdw_traffic_plan *plan);

/* When the packets of one flow are due: pure. */
struct sdw_pace {
    const struct sdw_traffic_plan *plan;
    struct sdw_rng rng;
    int64_t due_ns;      /* of the next packet, since the start */
    int64_t on_until_ns; /* onoff */
    int64_t size;        /* of the next packet */
};

/* flow: its number; the first packet is due at a random time within the first gap. */
void sdw_pace_init(struct sdw_pace *pace, const struct sdw_traffic_plan *plan, int64_t flow);
/* Go on to the packet after. */
void sdw_pace_next(struct sdw_pace *pace);
/* The rate of all flows together at this time since the start. */
double sdw_pace_rate(const struct sdw_traffic_plan *plan, int64_t at_ns);

#endif
