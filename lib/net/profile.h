/*
 * From packets to records of flows: decodes, keeps the flows, follows TCP, and says what there is
 * to say of each: flow.new at once, flow.update each interval, flow.end.
 *
 * The time of the packets is the only clock. It does not wait and does not print: records are
 * handed to `say`.
 */
#ifndef SDW_NET_PROFILE_H
#define SDW_NET_PROFILE_H

#include "core/base.h"
#include "net/addrmask.h"
#include "net/biflow.h"
#include "net/classify.h"
#include "rec/rec.h"

struct sdw_profile;

struct sdw_profile_config {
    int link;            /* DLT_... */
    int64_t interval_ns; /* between updates of a flow; 0: only when the active time is over */
    int64_t active_ns, idle_ns;
    size_t max_flows;
    uint64_t hash_key; /* secret, of the table */
    uint64_t id_key;   /* the same key gives the same flow_ids again */
    struct sdw_addrmask mask;
    bool spread; /* tell of flows at the end of an interval between the packets that follow, so
                  * that these wait less */
    /* Take a record, valid during the call. A negative code ends all saying; see
     * sdw_profile_code. */
    int (*say)(void *arg, const struct sdw_schema *schema, const void *rec);
    void *arg;
};

struct sdw_profile_counts {
    uint64_t packets, bytes; /* all, as they were on the wire */
    uint64_t other;          /* no IP: ARP, LLDP ... */
    uint64_t mirrored;       /* of shadows, which are no traffic of the flows that they mirror */
    uint64_t cut, bad;       /* captured too short to tell the flow; headers that make no sense */
    uint64_t flows, evicted;
    uint64_t skipped; /* flows told by their ports only, because too many were looked into */
    uint64_t crowded; /* times that something counted for a record without addresses */
    int64_t last_ns;  /* newest time seen */
};

struct sdw_profile *sdw_profile_new(const struct sdw_profile_config *config);
/* Say also what the flows belong to, and what applications do. `say` and `arg` are filled in. */
int sdw_profile_classify(struct sdw_profile *profile, struct sdw_classify_config *config,
                         struct sdw_err *err);
void sdw_profile_free(struct sdw_profile *profile);

/* A packet went by; `bytes` of it were captured. It is looked at when some more have come, or by
 * sdw_profile_time. */
void sdw_profile_packet(struct sdw_profile *profile, int64_t ts_ns, struct sdw_str bytes,
                        uint32_t wire_bytes);
/* It is at least this late: tell and age what is due. Returns whether there is more to be told of
 * an interval that ended. */
bool sdw_profile_time(struct sdw_profile *profile, int64_t now_ns);
/* The capture has ended: so has every flow. */
void sdw_profile_finish(struct sdw_profile *profile);

struct sdw_profile_counts sdw_profile_counts(const struct sdw_profile *profile);
int sdw_profile_code(const struct sdw_profile *profile);

#endif
