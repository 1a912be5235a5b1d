/*
 * Applications beside flows: labels each flow (net/dpi.h, over it the user's map), and tells what
 * applications do: `flow.app` once a flow's application is known, `app` each interval, `shape` each
 * active time and at the end.
 */
#ifndef SDW_NET_CLASSIFY_H
#define SDW_NET_CLASSIFY_H

#include "net/addrmask.h"
#include "net/biflow.h"
#include "net/dpi.h"
#include "rec/rec.h"

struct sdw_classify_config {
    const char *apps; /* file of the user's map; NULL: none */
    const char *link; /* name of what is captured, for its shape */
    bool ports_only;  /* do not look into packets */
    bool names;       /* tell the names of servers */
    size_t max_flows; /* looked into at a time */
    size_t max_pairs; /* pairs of ends with an `app` record of their own */
    int64_t active_us, idle_us;
    struct sdw_addrmask mask;
    /* Takes a record, valid during the call. */
    void (*say)(void *arg, const struct sdw_schema *schema, const void *rec);
    void *arg;
};

struct sdw_classify;

/* SDW_EUSAGE for a map that makes no sense, SDW_ESYS or SDW_EPERM for one that cannot be read. */
int sdw_classify_new(struct sdw_classify **classify, const struct sdw_classify_config *config,
                     struct sdw_err *err);
void sdw_classify_free(struct sdw_classify *classify);

/* A flow is new: what can be said of it at once. */
void sdw_classify_fresh(struct sdw_classify *classify, struct sdw_biflow *flow);
/* A packet of it, the first one included. */
void sdw_classify_packet(struct sdw_classify *classify, struct sdw_biflow *flow,
                         const struct sdw_packet *packet, enum sdw_direction direction,
                         int64_t ts_ns);
/* Its counts are about to be told: what was not told yet goes to its application. */
void sdw_classify_counted(struct sdw_classify *classify, struct sdw_biflow *flow);
/* It ends, before its last counts are told: all that was kept of it is freed. */
void sdw_classify_ended(struct sdw_classify *classify, struct sdw_biflow *flow, int64_t now_ns);
/* Name of a flow's application; NULL while it is not known. */
const char *sdw_classify_app(const struct sdw_classify *classify, const struct sdw_biflow *flow);

/* An interval of this length has ended and all counts were told. */
void sdw_classify_interval(struct sdw_classify *classify, int64_t now_ns, int64_t interval_ns);
/* The capture has ended, and its last interval was told. */
void sdw_classify_finish(struct sdw_classify *classify, int64_t now_ns);
/* Flows that were labelled by ports alone because too many were being looked into; and how often
 * something was counted for the record of the ends that have none of their own. */
uint64_t sdw_classify_skipped(const struct sdw_classify *classify);
uint64_t sdw_classify_crowded(const struct sdw_classify *classify);

#endif
