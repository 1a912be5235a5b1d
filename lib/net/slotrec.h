/* From what became of a slot's packets to its records: one slot record for every hop asked. */
#ifndef SDW_NET_SLOTREC_H
#define SDW_NET_SLOTREC_H

#include "core/base.h"
#include "core/buf.h"
#include "net/route.h"
#include "net/run.h"
#include "rec/path.h"

/* Where records go (put returns 0 or a negative sdw_code), and what the user should be told. */
struct sdw_sink {
    int (*put)(void *arg, const struct sdw_schema *schema, const void *rec);
    void (*note)(void *arg, const char *text);
    void *arg;
};

struct sdw_slot_about {
    int64_t window, slot, pair;
    const char *schedule;
    bool on, voided;
    bool mute;         /* the load is never answered */
    unsigned load_hop; /* 0: the load goes to the far end */
    unsigned lead;     /* the first ladders, that went before the load: what it found */
    double target_bps;
    int64_t chirp_base_ns; /* taken off the delays of load packets; constant over a window */
    const char *reason;    /* or NULL */
    const char *flow_id;   /* of the live flow that it is for; NULL: of none */
    bool shared;           /* a repetition for another flow */
    const struct sdw_rungs *rungs;
};

/* Records of the slot; scratch is working memory. */
int sdw_slot_put(const struct sdw_slot_about *about, const struct sdw_route *route,
                 const struct sdw_plan *plan, const struct sdw_run *run,
                 const struct sdw_sink *sink, struct sdw_buf *scratch);

/* What each hop adds to the hop before, as the records say it: the mean of log1p(delay / 100 us)
 * over the slot's ladders, into level[1..hops]; NAN where nothing came back. */
void sdw_slot_levels(const struct sdw_route *route, const struct sdw_plan *plan,
                     const struct sdw_run *run, double *level);

/* What a path record says besides the route. */
struct sdw_path_about {
    const struct sdw_address *src, *dst; /* with their ports */
    const char *protocol, *reason;
    const char *flow, *flow_id; /* of the live flow that is mirrored; NULL: of none */
    const char *tunnel;         /* NULL: none */
    int32_t flow_label;         /* -1: none */
};
int sdw_path_put(const struct sdw_route *route, const struct sdw_path_about *about,
                 const struct sdw_sink *sink, struct sdw_buf *scratch);
/* A hop record for each hop of the route. */
int sdw_hops_put(const struct sdw_route *route, const struct sdw_sink *sink);

/* The load of a run in order of sending: times from the first packet, sizes, and delays (T2 - T1
 * where the far end stamps, else the round trip) above base_ns; INT64_MIN where lost. */
struct sdw_run_load {
    int64_t *sent_ns, *delay_ns;
    uint16_t *ip_bytes;
    size_t n;
};
struct sdw_run_load sdw_run_load(const struct sdw_plan *plan, const struct sdw_run *run,
                                 int64_t base_ns);
void sdw_run_load_release(struct sdw_run_load *load);

#endif
