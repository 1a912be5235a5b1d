/*
 * NetFlow v5, NetFlow v9 (RFC 3954) and IPFIX (RFC 7011): datagrams of exporters to flows.
 *
 * Templates, sampling rates and sequence numbers are kept for each exporter (its address), version
 * and observation domain. All of it is bounded: what there is no room for is refused and counted.
 * Any bytes may be given.
 */
#ifndef SDW_NET_NETFLOW_H
#define SDW_NET_NETFLOW_H

#include "core/base.h"
#include "core/err.h"
#include "net/export.h"

struct sdw_netflow;

struct sdw_netflow_counts {
    uint64_t datagrams;
    uint64_t bad;           /* of them: cut off or of no known version; what was whole is used */
    uint64_t flows;         /* handed over */
    uint64_t absurd;        /* flows whose counts cannot be true: left out */
    uint64_t unaddressed;   /* flows that tell no IP addresses: left out */
    uint64_t templates;     /* taken, new or changed */
    uint64_t bad_templates; /* left out: no field, or longer than a record can be */
    uint64_t untemplated;   /* sets of data whose template has not come yet: left out */
    uint64_t refused;       /* streams and templates there was no room for */
    uint64_t lost;          /* by sequence number: flows of v5 and IPFIX, datagrams of v9 */
    uint64_t restarts;      /* sequences that began again */
    uint64_t sampled;       /* flows that were multiplied by a sampling rate */
};

/* hash_key: for tables of outside keys, random. */
struct sdw_netflow *sdw_netflow_new(uint64_t hash_key);
void sdw_netflow_free(struct sdw_netflow *netflow); /* NULL is fine */

/* Take one datagram that came from `exporter` (the bytes of its address). each gets the flows,
 * scaled and plausible. SDW_EINPUT, with the reason, when a part of it was bad: the flows before
 * were handed over. */
int sdw_netflow_take(struct sdw_netflow *netflow, struct sdw_str exporter, struct sdw_str datagram,
                     sdw_export_each *each, void *arg, struct sdw_err *err);

struct sdw_netflow_counts sdw_netflow_counts(const struct sdw_netflow *netflow);

#endif
