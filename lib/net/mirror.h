/*
 * Shadows of live flows: each flow that is to be mirrored is traced with its own 5-tuple, flows
 * whose traced hops are the same share a path, and a path is measured with slots whose packets
 * carry the 5-tuple of one of its flows after the other. Packets die at the last router of the
 * path: the destination never sees one of a slot, and of a trace at most the three that find out
 * where the path ends, with a checksum that no host takes.
 *
 * Through a tunnel (struct sdw_mirror_tunnel) all packets inside go to its far end, which reflects
 * them or answers echo requests.
 *
 * One thread, which never waits: sdw_mirror_due says when the next thing is to be done.
 */
#ifndef SDW_NET_MIRROR_H
#define SDW_NET_MIRROR_H

#include "core/base.h"
#include "core/err.h"
#include "net/appmap.h"
#include "net/budget.h"
#include "net/carrier.h"
#include "net/slotrec.h"

struct sdw_mirror;

/* A tunnel that shadows go through. Each flow then has two: one inside, between the ends of the
 * tunnel, where all flows share one path; and one on the tuple of its outer packets, to the routers
 * below. That is the flow's own where the record tells that it goes to the same far end in a tunnel
 * already, else that of this tunnel's device. */
struct sdw_mirror_tunnel {
    const char *name;                /* for records */
    const char *flow;                /* of its outer packets, as net/flow.h reads it */
    unsigned interface;              /* index of the one that they leave by; 0: as routed */
    struct sdw_carrier *carriers[2]; /* to its far end, inside: what to try first, and then */
    size_t n;                        /* of them; 1..2 */
};

struct sdw_mirror_config {
    struct sdw_budget *budget; /* of all shadows; the caller's */
    struct sdw_sink sink;      /* what is found goes there */
    int64_t pairs;             /* of a window, 4..SDW_PAIRS_MAX */
    int64_t max_hops;          /* 1..SDW_HOPS_MAX */
    double max_bps;            /* of a train; 0: no load at all */
    double ttl_rate;           /* packets a second that may expire at one router, 1..1000 */
    int64_t idle_ns;           /* a flow that nothing was heard of for so long has ended */
    uint32_t mark;
    uint8_t dscp;
    uint64_t seed;
    const struct sdw_mirror_tunnel *tunnel; /* NULL: none; lives as long as the mirror */
};

struct sdw_mirror_counts {
    int64_t flows, repeated, unknown, refused; /* flow.new of known flows; ends of unknown ones */
    int64_t shadows, most_shadows, paths;      /* open now; most at one time; found */
    int64_t traces, slots, void_slots, packets, bytes, aborts, drops;
};

/* SDW_EPERM without CAP_NET_RAW. The config is copied. */
struct sdw_mirror *sdw_mirror_new(const struct sdw_mirror_config *config, struct sdw_err *err);
void sdw_mirror_free(struct sdw_mirror *mirror);
int sdw_mirror_fd(const struct sdw_mirror *mirror); /* answers are there */

/* What a record says: flow.new and flow.app open a shadow when they are `wanted`, flow.update
 * keeps it, flow.end closes it; app tells how sensitive an application is; all else is ignored.
 * SDW_EINPUT when the record is none. */
int sdw_mirror_line(struct sdw_mirror *mirror, struct sdw_str line, bool wanted,
                    struct sdw_err *err);
/* No flow will be told of any more: close all shadows. */
int sdw_mirror_close(struct sdw_mirror *mirror, const char *reason);
/* Shadows that have not had a slot yet and may get one. */
size_t sdw_mirror_awaited(const struct sdw_mirror *mirror);

/* Monotonic time at which there is something to do, other than that an answer arrives. */
int64_t sdw_mirror_due(const struct sdw_mirror *mirror);
/* Take what has arrived, send what is due, begin what may begin. */
int sdw_mirror_step(struct sdw_mirror *mirror, struct sdw_err *err);
/* The host did not run for so long although it should have. */
void sdw_mirror_stall(struct sdw_mirror *mirror, int64_t stall_ns);

const struct sdw_mirror_counts *sdw_mirror_counts(const struct sdw_mirror *mirror);

#endif
